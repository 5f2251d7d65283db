"""Build the timeline: all events and examinations of the patients, in days since time zero.

The switches of ``[assumptions]`` apply here: which record is an event, of which kind, on which day. The
endpoints are derived from this timeline alone; it is released without ``patient_id`` as ``cohort.events``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort import looks, relapses, resection, second_malignancy
from sarcoma_pipeline.cohort.data_cutoff import LAST_DAY, days_until, last_day, rows_until
from sarcoma_pipeline.cohort.derived_once import once
from sarcoma_pipeline.cohort.partial_dates import dated, day_columns, reach
from sarcoma_pipeline.cohort.primary import Curated, course, of_index_tumour, tumour
from sarcoma_pipeline.cohort.relapses import AT_DIAGNOSIS, DISTANT, REGIONAL
from schemas.assumptions import Assumptions

COLUMNS = (*relapses.COLUMNS, "states")
_EXACT = pl.lit("day")

REGISTRY, MOVED, CONTACT, CUT_OFF = "registry answer", "moved away", "contact", "alive at the cut-off"
"""Values of ``detail`` for ``alive`` rows: the evidence of the statement."""

BY_TUMOUR, OTHER_CAUSE, CAUSE_UNKNOWN = "by the tumour", "other cause", "cause unknown"


@dataclass(frozen=True)
class Timeline:
    """The events, milestones and assumptions.

    Attributes:
        events: ``patient_id`` and the columns of ``cohort.events`` except the pseudonym.
        milestones: one row per patient with an index tumour: ``first_therapy``, ``radiotherapy_start``,
            ``radiotherapy_end``, ``resected_on`` (days), ``definitive`` (whether there was a definitive
            resection), ``disease_free`` (whether it left no tumour), ``residual_status``, ``surgery_ids``;
            for each of the last three days the days that a partial date may mean (``…_earliest``,
            ``…_latest``) and its ``…_precision``.
        assumptions: the switches.
    """

    events: pl.DataFrame
    milestones: pl.DataFrame
    assumptions: Assumptions


def timeline(curated: Curated, assumptions: Assumptions) -> Timeline:
    """Derive the timeline of every patient with an index tumour.

    Args:
        curated: the curated tables.
        assumptions: the switches.
    """
    index = tumour(curated)
    zero = index.select(
        "patient_id", zero="diagnosis_date", precision="diagnosis_date_precision", record_ids="record_ids",
        own_m="m_stage", earliest="diagnosis_date_earliest", latest="diagnosis_date_latest",
    )  # fmt: skip
    operations = resection.resections(curated)
    operations = rows_until(operations, "surgery_day", zero, assumptions.data_cutoff)
    steps = _milestones(curated, zero, operations, assumptions)
    exams = of_index_tumour(curated, "curated.assessment")
    found = relapses.placed(of_index_tumour(curated, "curated.metastasis"), steps, zero, assumptions)
    others = second_malignancy.others(curated, assumptions)
    happened = pl.concat(
        [
            relapses.relapses(exams, found, steps, assumptions),
            _other_tumours(others, steps, zero),
        ]
    )
    left = resection.residual(operations, relapses.first_relapse(happened), assumptions)
    steps = steps.join(left, on="patient_id", how="left").with_columns(
        disease_free=pl.col("definitive") & pl.col("left_status").ne_missing("R2")
    )
    parts = [
        _diagnosed(zero),
        _operated(curated, operations, steps),
        _irradiated(curated),
        _given(curated),
        _examined(exams, found, assumptions),
        happened,
        _residual(operations, steps, assumptions),
        _died(curated, zero, assumptions),
        _alive(curated),
    ]
    filled = [_with_all(part) for part in parts]
    events = pl.concat(filled).join(steps.select("patient_id"), on="patient_id", how="semi")
    if assumptions.data_cutoff:
        events = _cut(events, zero, assumptions.data_cutoff)
    order = ["patient_id", "day", "kind", "detail", pl.col("record_ids").list.join(" ")]
    return Timeline(events.sort(order, nulls_last=True), steps, assumptions)


def _with_all(part: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of the timeline; an event without an interval happened exactly on its day."""
    have = set(part.columns)
    missing = {
        "detail": pl.lit(None, dtype=pl.String),
        "day_earliest": pl.col("day"),
        "day_latest": pl.col("day"),
        "precision": pl.lit("day"),
        "states": pl.lit([], dtype=pl.List(pl.String)),
    }
    return (
        part.with_columns(value.alias(name) for name, value in missing.items() if name not in have)
        .with_columns(pl.col("day", "day_earliest", "day_latest").cast(pl.Int32))
        .select(COLUMNS)
    )


# --- treatment ---------------------------------------------------------------------------------------


def _milestones(
    curated: Curated, zero: pl.DataFrame, operations: pl.DataFrame, assumptions: Assumptions
) -> pl.DataFrame:
    first = resection.definitive(operations)
    irradiated = course(curated).select(
        "patient_id",
        *(
            pl.col(f"{end}_{column}").alias(f"radiotherapy_{end}{name}")
            for end in ("start", "end")
            for name, column in (
                ("", "day"), ("_earliest", "day_earliest"), ("_latest", "day_latest"),
                ("_precision", "date_precision"),
            )
        ),
    )  # fmt: skip
    ends = ("radiotherapy_start", "radiotherapy_end")
    irradiated = days_until(irradiated, ends, zero, assumptions.data_cutoff)
    drugs = of_index_tumour(curated, "curated.systemic_therapy").filter(pl.col("given") == "yes")
    therapies = pl.concat(
        [
            operations.select("patient_id", day="surgery_day"),
            of_index_tumour(curated, "curated.radiotherapy_course").select("patient_id", day="start_day"),
            drugs.select("patient_id", day="start_day"),
        ]
    ).filter(pl.col("day") >= 0)  # fmt: skip
    begun = therapies.group_by("patient_id").agg(first_therapy=pl.col("day").min())
    died = curated["curated.vital_status"].select("patient_id", died_on="death_day")
    window = {
        "before therapy": pl.min_horizontal("first_therapy", pl.lit(assumptions.synchronous_metastasis_days)),
        "within window": pl.lit(assumptions.synchronous_metastasis_days),
        "staged only": pl.lit(0),
    }[assumptions.metastasis_at_diagnosis]
    frame = zero.select("patient_id", "own_m")
    for part in (first, irradiated, begun, died):
        frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
    return frame.with_columns(
        definitive=pl.col("dated").is_not_null(), window_closes=window.cast(pl.Int32)
    ).drop("dated")


def _diagnosed(zero: pl.DataFrame) -> pl.DataFrame:
    """Return the diagnosis, with the days that birth, therapy and death leave of a partial date.

    A source that counts in days has no date: its day 0 is exact.
    """
    ends = {
        f"day_{end}": (pl.coalesce(end, "zero") - pl.col("zero")).dt.total_days().cast(pl.Int32).fill_null(0)
        for end in ("earliest", "latest")
    }
    return zero.select(
        "patient_id", "record_ids", kind=pl.lit("diagnosis"), day=pl.lit(0), **ends,
        precision=pl.col("precision").fill_null("day"),
    )  # fmt: skip


def _operated(curated: Curated, operations: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Return every operation of the index tumour; the definitive resection has its own kind."""
    of_tumour = of_index_tumour(curated, "curated.surgery")
    on_primary = operations.select("patient_id", "record_ids", _primary=pl.lit(True))
    days = steps.select("patient_id", "resected_on", "definitive")
    frame = of_tumour.join(on_primary, on=["patient_id", "record_ids"], how="left").join(
        days, on="patient_id", how="left"
    )
    primary = pl.col("_primary").fill_null(False)
    counts = primary & pl.col("definitive") & pl.col("surgery_day").eq_missing(pl.col("resected_on"))
    counts = counts & pl.col("residual_status").ne_missing("R2")
    what = pl.when(primary).then(pl.lit("resection")).otherwise(pl.lit("no resection of the primary"))
    return frame.select(
        "patient_id", "record_ids", **day_columns("surgery"),
        kind=pl.when(counts).then(pl.lit("definitive resection")).otherwise(pl.lit("surgery")),
        detail=pl.concat_str(what, pl.col("residual_status"), separator=", ", ignore_nulls=True),
    )  # fmt: skip


@once
def _irradiated(curated: Curated) -> pl.DataFrame:
    primary = course(curated).select("patient_id", "record_ids", _primary=pl.lit(True))
    courses = of_index_tumour(curated, "curated.radiotherapy_course").join(
        primary, on=["patient_id", "record_ids"], how="left"
    )
    which = pl.when("_primary").then(pl.lit("primary course")).otherwise(pl.lit("further course"))
    ends = [
        courses.select(
            "patient_id", "record_ids", **day_columns(end), kind=pl.lit(f"radiotherapy {end}"), detail=which
        )
        for end in ("start", "end")
    ]
    return pl.concat(ends).filter(pl.col("day").is_not_null())


@once
def _given(curated: Curated) -> pl.DataFrame:
    return (
        of_index_tumour(curated, "curated.systemic_therapy")
        .filter(pl.col("given") == "yes")
        .select(
            "patient_id", "record_ids", **day_columns("start"), kind=pl.lit("systemic therapy"), detail="kind"
        )
    )


def _residual(operations: pl.DataFrame, steps: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return patients who were never free of disease, for event-free survival.

    The day is that of the R2 resection, else day 0. A definitive resection within the re-resection interval
    cancels it.
    """
    incomplete = (
        operations.filter(pl.col("residual_status") == "R2")
        .group_by("patient_id", maintain_order=True)
        .agg(
            record_ids=pl.col("record_ids").first(),
            **{name: column.first() for name, column in day_columns("surgery").items()},
        )
    )
    frame = steps.join(incomplete, on="patient_id", how="left", maintain_order="left")
    free, resected = pl.col("disease_free"), pl.col("resected_on")
    mended = free & (resected <= pl.col("day") + assumptions.reresection_days)
    left = pl.col("day").is_not_null() & ~mended
    never = ~free & pl.col("day").is_null()
    return frame.filter(left | never).select(
        "patient_id",
        pl.col("record_ids").fill_null([]),
        pl.col("day", "day_earliest", "day_latest").fill_null(0),
        pl.col("precision").fill_null("day"),
        kind=pl.lit("residual tumour"),
        detail=pl.when(never).then(pl.lit("not resected")).otherwise(pl.lit("R2")),
    )


# --- disease -----------------------------------------------------------------------------------------


def _examined(exams: pl.DataFrame, metastases: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    documented = (
        metastases.select("patient_id", assessment_day="reported_day", _fm=pl.lit(True)).drop_nulls().unique()
    )
    joined = exams.join(documented, on=["patient_id", "assessment_day"], how="left", maintain_order="left")
    said = [
        pl.format(f"{part} {{}}", pl.col(f"{part}_status"))
        for part in ("overall", "local", "regional", "distant")
    ]
    return joined.select(
        "patient_id", "record_ids", **day_columns("assessment"), kind=pl.lit("assessment"),
        detail=pl.concat_str(*said, separator="; ", ignore_nulls=True),
        states=looks.states(assumptions, pl.col("_fm").fill_null(False)),
    )  # fmt: skip


def _other_tumours(others: pl.DataFrame, steps: pl.DataFrame, zero: pl.DataFrame) -> pl.DataFrame:
    """Return second malignancies, other tumours, and relapses coded as tumours."""
    frame = others.join(
        steps.select("patient_id", "window_closes"), on="patient_id", how="left"
    ).with_columns(date="diagnosis_date", precision="diagnosis_date_precision")
    lymph_nodes = pl.coalesce(["icd10_code", "icdo3_topography"]).str.starts_with("C77").fill_null(False)
    secondary = pl.col("kind") == second_malignancy.SECONDARY
    known = pl.col("day") <= pl.col("window_closes")
    kind = (
        pl.when(secondary & known & ~lymph_nodes)
        .then(pl.lit(AT_DIAGNOSIS))
        .when(secondary & known)
        .then(pl.lit(second_malignancy.OTHER))
        .when(secondary & lymph_nodes)
        .then(pl.lit(REGIONAL))
        .when(secondary)
        .then(pl.lit(DISTANT))
        .otherwise("kind")
    )
    return dated(frame.with_columns(kind=kind), zero).select(relapses.COLUMNS)


# --- life and death ----------------------------------------------------------------------------------


def _died(curated: Curated, zero: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return deaths.

    The interval of a partial date starts at the last contact; an unknown date leaves the day null.
    """
    seen = (
        pl.concat(
            [
                _contacts(curated).select("patient_id", "day_earliest"),
                _stated_alive(curated).select("patient_id", day_earliest="day"),
            ]
        )
        .group_by("patient_id")
        .agg(_seen=pl.max_horizontal(pl.col("day_earliest").max(), 0))
    )
    told = (
        curated["curated.vital_statement"]
        .filter(pl.col("status").str.starts_with("deceased"))
        .group_by("patient_id")
        .agg(_told=pl.col("told_day").min())
    )
    cause = pl.col("tumour_related").replace_strict(
        {"yes": BY_TUMOUR, "no": OTHER_CAUSE}, default=CAUSE_UNKNOWN, return_dtype=pl.String
    )
    frame = (
        curated["curated.vital_status"]
        .filter(pl.col("status").str.starts_with("deceased"))
        .join(seen, on="patient_id", how="left")
        .join(told, on="patient_id", how="left")
        .with_columns(
            day="death_day", date="death_date", precision="death_date_precision", kind=pl.lit("death"),
            detail=cause, record_ids=pl.coalesce(["death_record_ids", "record_ids"]),
        )
    )  # fmt: skip
    frame = dated(frame, zero, not_before="_seen").with_columns(
        # A month of death that began before the diagnosis cannot mean a day before it.
        pl.when(pl.col(c).is_not_null()).then(pl.max_horizontal(c, 0)).alias(c)
        for c in ("day", "day_earliest", "day_latest")
    )
    if assumptions.undated_death == "last known alive":
        return frame
    between = pl.col("day").is_null() & (pl.col("_told") >= pl.col("_seen"))
    ends = {"day": (pl.col("_told") + pl.col("_seen")) // 2, "day_earliest": "_seen", "day_latest": "_told"}
    return frame.with_columns(pl.when(between).then(value).otherwise(c).alias(c) for c, value in ends.items())


@once
def _contacts(curated: Curated) -> pl.DataFrame:
    """Return days on which the hospital saw the patient, for any tumour."""
    given = curated["curated.systemic_therapy"].filter(pl.col("given") == "yes")
    exact = curated["curated.diagnosis"].filter(pl.col("diagnosis_date_precision").fill_null("day") == "day")
    days = [
        (curated["curated.assessment"], day_columns("assessment")),
        (curated["curated.surgery"], day_columns("surgery")),
        (curated["curated.radiotherapy_course"], day_columns("start")),
        (curated["curated.radiotherapy_course"], day_columns("end")),
        (given, day_columns("start")),
        (exact, {c: pl.col("day") for c in ("day", "day_earliest", "day_latest")} | {"precision": _EXACT}),
    ]
    seen = [frame.select("patient_id", "record_ids", **placed) for frame, placed in days]
    return pl.concat(seen).filter(pl.col("day") >= 0)


@once
def _stated_alive(curated: Curated) -> pl.DataFrame:
    """Return statements that the patient is alive; a statement for a month holds for its first day."""
    stated = curated["curated.vital_statement"].filter(pl.col("status").is_in(["alive", "moved"]))
    back, _ = reach(pl.col("status_date"), pl.col("status_date_precision").fill_null("day"))
    office = pl.col("source") == "registry office"
    return stated.select(
        "patient_id", "record_ids", kind=pl.lit("alive"), day=pl.col("status_day") - back,
        detail=pl.when(pl.col("status") == "moved")
        .then(pl.lit(MOVED))
        .when(office)
        .then(pl.lit(REGISTRY))
        .otherwise(pl.lit(CONTACT)),
        day_earliest=pl.col("status_day") - back, day_latest=pl.col("status_day") - back,
        precision=_EXACT,
    ).filter(pl.col("day").is_not_null())  # fmt: skip


@once
def _alive(curated: Curated) -> pl.DataFrame:
    """Return statements that the patient is alive, and contacts that are no event of the index tumour."""
    own = [
        of_index_tumour(curated, table).select("patient_id", "record_ids")
        for table in (
            "curated.assessment", "curated.surgery", "curated.radiotherapy_course",
            "curated.systemic_therapy",
        )
    ]  # fmt: skip
    own.append(tumour(curated).select("patient_id", "record_ids"))
    further = _contacts(curated).join(pl.concat(own), on=["patient_id", "record_ids"], how="anti")
    contacts = further.with_columns(kind=pl.lit("alive"), detail=pl.lit(CONTACT))
    return pl.concat([_stated_alive(curated), contacts], how="diagonal")


def _cut(events: pl.DataFrame, zero: pl.DataFrame, cutoff: dt.date) -> pl.DataFrame:
    """Remove events after the data cut-off.

    Patients with a later event are recorded as alive at the cut-off.
    """
    frame = events.join(last_day(zero, cutoff), on="patient_id", how="left", maintain_order="left")
    late = (pl.col("day") > pl.col(LAST_DAY)).fill_null(False)
    alive = (
        frame.filter(late, pl.col(LAST_DAY) >= 0)
        .group_by("patient_id")
        .agg(day=pl.col(LAST_DAY).first(), record_ids=pl.col("record_ids").explode().unique().sort())
        .with_columns(kind=pl.lit("alive"), detail=pl.lit(CUT_OFF))
    )
    ends = [pl.min_horizontal(c, LAST_DAY).alias(c) for c in ("day_earliest", "day_latest")]
    kept = frame.filter(~late).with_columns(ends).drop(LAST_DAY)
    return pl.concat([kept, _with_all(alive)])
