"""Build the timeline: all events and examinations of the patients, in days since time zero.

The switches of ``[assumptions]`` apply here: which record is an event, of which kind, on which day. The
endpoints are derived from this timeline alone; it is released without ``patient_id`` as ``cohort.events``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort import looks, relapses, resection, second_malignancy
from sarcoma_pipeline.cohort.data_cutoff import LAST_DAY, days_until, last_day, rows_until
from sarcoma_pipeline.cohort.derived_once import Derive, every_time, once
from sarcoma_pipeline.cohort.life_and_death import CUT_OFF, alive, died
from sarcoma_pipeline.cohort.partial_dates import dated, day_columns
from sarcoma_pipeline.cohort.primary import Curated, course, of_index_tumour, tumour
from sarcoma_pipeline.cohort.relapses import AT_DIAGNOSIS, DISTANT, REGIONAL
from schemas.assumptions import Assumptions

COLUMNS = (*relapses.COLUMNS, "states")


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


def timeline(curated: Curated, assumptions: Assumptions, derive: Derive = every_time) -> Timeline:
    """Derive the timeline of every patient with an index tumour.

    Args:
        curated: the curated tables.
        assumptions: the switches.
        derive: calls the function of each part.
    """
    zero = _zero(curated)
    operations = resection.resections(curated)
    operations = derive(rows_until, operations, "surgery_day", zero, assumptions.data_cutoff)
    treated = derive(_milestones, curated, zero, operations, assumptions)
    exams = of_index_tumour(curated, "curated.assessment")
    metastases = of_index_tumour(curated, "curated.metastasis")
    found = derive(relapses.placed, metastases, treated, zero, assumptions)
    others = derive(second_malignancy.others, curated, assumptions)
    happened = derive(
        _together,
        derive(relapses.relapses, exams, found, treated, assumptions),
        derive(_other_tumours, others, treated, zero),
    )
    relapsed = derive(relapses.first_relapse, happened)
    left = derive(resection.residual, operations, relapsed, assumptions)
    steps = derive(_with_residual, treated, left)
    parts = (
        derive(_diagnosed, zero),
        derive(_operated, curated, operations, steps),
        _irradiated(curated),
        _given(curated),
        derive(_examined, exams, found, assumptions),
        happened,
        derive(_residual, operations, steps, assumptions),
        derive(died, curated, zero, assumptions),
        alive(curated),
    )
    filled = tuple(derive(_with_all, part) for part in parts)
    return Timeline(derive(_in_order, filled, steps, zero, assumptions.data_cutoff), steps, assumptions)


@once
def _zero(curated: Curated) -> pl.DataFrame:
    """Return time zero of every patient with an index tumour, and what the diagnosis says of it."""
    return tumour(curated).select(
        "patient_id", zero="diagnosis_date", precision="diagnosis_date_precision", record_ids="record_ids",
        own_m="m_stage", earliest="diagnosis_date_earliest", latest="diagnosis_date_latest",
    )  # fmt: skip


def _together(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(frames)


def _with_residual(treated: pl.DataFrame, left: pl.DataFrame) -> pl.DataFrame:
    """Add the residual status to the milestones."""
    return treated.join(left, on="patient_id", how="left").with_columns(
        disease_free=pl.col("definitive") & pl.col("left_status").ne_missing("R2")
    )


def _in_order(
    parts: Sequence[pl.DataFrame], steps: pl.DataFrame, zero: pl.DataFrame, cutoff: dt.date | None
) -> pl.DataFrame:
    """Return the events of patients with an index tumour until the cut-off, in order."""
    events = pl.concat(parts).join(steps.select("patient_id"), on="patient_id", how="semi")
    if cutoff:
        events = _cut(events, zero, cutoff)
    order = ["patient_id", "day", "kind", "detail", pl.col("record_ids").list.join(" ")]
    return events.sort(order, nulls_last=True)


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


# --- the cut-off ---------------------------------------------------------------------------------------


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
