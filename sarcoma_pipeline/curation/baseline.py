"""Choose the report that describes a tumour at diagnosis: histology, grade and TNM, each with its rule.

- Surgery before any other therapy: the specimen's histology, grade and pTNM, else the biopsy's and cTNM.
- Another therapy before surgery, or no surgery: the biopsy's histology and grade, and cTNM. FNCLCC is not
  graded after therapy; a specimen's histology counts only where the biopsy names no subtype.
- A TNM with y, r or a, and values of follow-up or relapse reports, are never baseline.
- Tissue of a metastasis (behaviour /6) gives histology and grade only where no other report does.
- M comes from the Diagnose. Metastases of all reports are rows of ``curated.metastasis``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames
from schemas import sarcoma_codes, typed, typed_dicom
from schemas.partial_dates import interval
from schemas.ranks import place_in

TUMOUR = ["patient_id", "tumour_id"]

SPECIMEN_DAYS = 92
"""A report up to this many days after the first resection is one of its specimen, as from a re-resection."""

SURGERY_FIRST, THERAPY_FIRST, NO_SURGERY = "surgery first", "therapy first", "no surgery"
ORDER_UNKNOWN = "order unknown"

SPECIMEN, BIOPSY, LATER, FOLLOW_UP, RELAPSE, TABLE = (
    "specimen", "biopsy", "later specimen", "follow-up", "relapse", "table",
)  # fmt: skip


def treatment(sound: Frames) -> pl.DataFrame:
    """Derive the order of treatment of each tumour.

    Args:
        sound: the typed tables with their tumours.

    Returns:
        ``patient_id, tumour_id``, ``resected`` (day of the first operation that is no biopsy), ``other`` (day
        of the first irradiation or drug), ``first_therapy`` (the earlier of both), ``begun_until`` (the last
        day on which it may have begun), ``therapies`` (days of all), ``treatment_order``.
    """
    first, last = interval(pl.col("surgery_date"), pl.col("surgery_date_precision"))
    operations = (
        sound[typed.Surgery.table()]
        .filter(pl.col("intent").ne_missing("diagnostic"))
        .group_by(TUMOUR)
        .agg(
            resected=pl.col("surgery_date").min(), resected_day=pl.col("surgery_day").min(),
            operated=pl.len(), _operations="surgery_date", _resected_from=first.min(),
            _resected_until=last.min(),
        )
    )  # fmt: skip
    irradiations = sound[typed.Radiotherapy.table()].filter("irradiated")
    planned = (
        sound[typed_dicom.Plan.table()]
        .filter(~pl.col("phantom"), pl.col("approval") == "APPROVED")
        .join(irradiations, on="patient_id", how="anti")
    )
    drugs = sound[typed.SystemicTherapy.table()].filter(pl.col("given") == "yes")
    begun = interval(pl.col("date"), pl.col("precision"))
    others = (
        pl.concat(
            [
                irradiations.select(
                    *TUMOUR,
                    date="start_date",
                    precision="start_date_precision",
                    day="start_day",
                    sequence="radiation_sequence",
                ),
                planned.select(*TUMOUR, date="plan_date"),
                drugs.select(*TUMOUR, date="start_date", precision="start_date_precision", day="start_day"),
            ],
            how="diagonal",
        )
        .group_by(TUMOUR)
        .agg(
            other=pl.col("date").min(),
            _other_from=begun[0].min(),
            _other_until=begun[1].min(),
            other_day=pl.col("day").min(),
            treated=pl.len(),
            _treatments="date",
            _before=(pl.col("sequence") == "preoperative").any(),
            _after=pl.col("sequence").str.starts_with("postoperative").any(),
        )
    )
    both = operations.join(others, on=TUMOUR, how="full", coalesce=True, nulls_equal=True)
    # Of two dates in one month, the order is unknown.
    by_date = pl.coalesce(
        pl.when(pl.col("_resected_until") <= pl.col("_other_from")).then(True),
        pl.when(pl.col("_resected_from") > pl.col("_other_until")).then(False),
        pl.col("resected_day") <= pl.col("other_day"),
    )
    order = (
        pl.when(pl.col("operated").is_null())
        .then(pl.lit(NO_SURGERY))
        .when(pl.col("treated").is_null() | by_date)
        .then(pl.lit(SURGERY_FIRST))
        .when(~by_date | pl.col("_before"))
        .then(pl.lit(THERAPY_FIRST))
        .when("_after")
        .then(pl.lit(SURGERY_FIRST))
        .otherwise(pl.lit(ORDER_UNKNOWN))
    )
    return both.select(
        *TUMOUR, "resected", "other", first_therapy=pl.min_horizontal("resected", "other"),
        begun_until=pl.min_horizontal("_resected_until", "_other_until"),
        therapies=pl.concat_list(pl.col("_operations", "_treatments").fill_null([])),
        treatment_order=order,
    )  # fmt: skip


def roles(reports: pl.DataFrame, sound: Frames, treated: pl.DataFrame) -> pl.DataFrame:
    """Add to every report of a tumour its role (specimen, biopsy, follow-up …).

    Args:
        reports: rows of ``typed.diagnosis`` with their tumours.
        sound: the typed tables, for the operations that reports belong to.
        treated: from :func:`treatment`.

    Returns:
        The reports with ``role``, the columns of ``treated``, and ``after`` (whether therapy came before the
        reported state).
    """
    operations = sound[typed.Surgery.table()].select("record_id", _intent="intent").unique("record_id")
    frame = reports.join(operations, on="record_id", how="left", maintain_order="left").join(
        treated, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left"
    )
    of_diagnose = pl.col("origin") == "diagnosis"
    frame = frame.with_columns(
        pl.col("treatment_order").fill_null(NO_SURGERY),
        # A Diagnose describes the tumour at diagnosis, even if one of its TNM is marked as a relapse.
        _marked_relapse=~of_diagnose & pl.col("of_relapse").any().over("record_id"),
        _marked_after=pl.when(of_diagnose)
        .then(pl.col("after_therapy").fill_null(False).all().over("record_id"))
        .otherwise(pl.col("after_therapy").any().over("record_id")),
    )
    day, resected = pl.col("report_date"), pl.col("resected")
    late = day > pl.col("resected").dt.offset_by(f"{SPECIMEN_DAYS}d")
    lone = resected.is_null() & (day > pl.col("diagnosed").dt.offset_by(f"{SPECIMEN_DAYS}d"))
    of_tissue = pl.col("origin").is_in(["pathology", "surgery"])
    biopsy = (
        (pl.col("_intent") == "diagnostic")
        | (day < resected)
        | (of_diagnose & ~(day >= resected).fill_null(False))
    )
    role = (
        pl.when(pl.col("origin") == "table")
        .then(pl.lit(TABLE))
        .when(pl.col("of_relapse_report") | pl.col("_marked_relapse"))
        .then(pl.lit(RELAPSE))
        .when(pl.col("origin") == "follow-up")
        .then(pl.lit(FOLLOW_UP))
        .when(of_tissue & (late | lone))
        .then(pl.lit(LATER))
        .when(biopsy | (pl.col("treatment_order") == NO_SURGERY))
        .then(pl.lit(BIOPSY))
        .otherwise(pl.lit(SPECIMEN))
    )
    frame = frame.with_columns(role=role)
    therapy_first = pl.col("treatment_order").is_in([THERAPY_FIRST, ORDER_UNKNOWN])
    dated_after = (day > pl.col("other")).fill_null(False)
    after = pl.col("_marked_after") | (
        (pl.col("role") == SPECIMEN) & therapy_first
    ) | (of_tissue & dated_after & (pl.col("treatment_order") != SURGERY_FIRST))  # fmt: skip
    return frame.with_columns(after=after).drop("_intent", "_marked_relapse", "_marked_after")


# --- the choices -----------------------------------------------------------------------------------------


def choose(reports: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Choose histology, grade and TNM of every tumour.

    Args:
        reports: from :func:`roles`.
        precedence: kinds of source, the most credible first.

    Returns:
        One row per tumour: the chosen values, for each ``…_rule`` and ``…_record_ids``, and ``…_others``: the
        records of the same kind with another value.
    """
    ranked = reports.with_columns(_source=place_in(precedence, "source"))
    usable = ranked.filter(pl.col("role").is_in([SPECIMEN, BIOPSY, LATER, TABLE]))
    parts = [_histology(usable), _grade(usable, "fnclcc_grade", "fnclcc"), _grade(usable, "grade", "grade")]
    staged = usable.filter(
        ~pl.any_horizontal(pl.col("after_therapy", "of_relapse", "by_autopsy").fill_null(False)),
        pl.col("role") != LATER,
    )
    parts += [_category(staged, "t"), _category(staged, "n"), _own_m(staged)]
    chosen = reports.select(*TUMOUR, "treatment_order").unique(TUMOUR)
    for part in parts:
        chosen = chosen.join(part, on=TUMOUR, how="left", nulls_equal=True)
    return chosen


def _chosen(
    candidates: pl.DataFrame,
    keys: Sequence[pl.Expr],
    values: Mapping[str, str],
    name: str,
    across_kinds: bool = False,
) -> pl.DataFrame:
    """Take the first candidate of each tumour; candidates with the same value are its evidence.

    Args:
        candidates: reports with the value, with ``kind`` (the class that the rule names).
        keys: sort keys, the most important first; ties go to the newest record, within a record to its cTNM.
        values: column of the report to column of the result; the first one is compared.
        name: prefix of ``_rule``, ``_record_ids`` and ``_others``.
        across_kinds: whether a different value in another kind of report is also a contradiction.
    """
    value = next(iter(values))
    newest = [pl.col(c) for c in NEWEST_LAST]
    # Sort unknown values together, so that the choice between them does not depend on their value.
    equal = pl.when("vague").then(pl.col(value))
    ordered = candidates.sort(
        *TUMOUR, *keys, equal, *newest, "tnm_kind", value,
        descending=[False] * (3 + len(keys)) + [True] * len(newest) + [False] * 2, nulls_last=True,
    )  # fmt: skip
    like = pl.col(value) == pl.col(value).first()
    same_kind = pl.lit(True) if across_kinds else pl.col("kind") == pl.col("kind").first()
    otherwise = same_kind & ~like & ~pl.col("vague")
    return ordered.group_by(TUMOUR, maintain_order=True).agg(
        *(pl.col(c).first().alias(as_) for c, as_ in values.items()),
        pl.col("kind").first().alias(f"{name}_rule"),
        pl.col("record_id").filter(like).unique().sort().alias(f"{name}_record_ids"),
        pl.col("record_id").filter(otherwise).unique().sort().alias(f"{name}_others"),
    )


_OF_TISSUE = ("pathology", "surgery", "diagnosis")
_OF_CLINIC = ("diagnosis", "surgery", "pathology")
"""Origins of reports, the best evidence first."""


def _therapy_first() -> pl.Expr:
    return pl.col("treatment_order") != SURGERY_FIRST


def _histology(reports: pl.DataFrame) -> pl.DataFrame:
    specificity = sarcoma_codes.specificity(pl.col("icdo3_morphology"))
    candidates = reports.filter(pl.col("icdo3_morphology").is_not_null()).with_columns(
        kind="role", vague=specificity == 2
    )
    specimen_first = place_in([SPECIMEN, BIOPSY, TABLE, LATER], "role")
    biopsy_first = place_in([BIOPSY, SPECIMEN, TABLE, LATER], "role")
    # After therapy the biopsy counts, unless only the specimen names a subtype.
    keys = [
        pl.col("_source"),
        _of_metastasis(),
        pl.when(_therapy_first()).then(specificity).otherwise((specificity == 2).cast(pl.Int32)),
        pl.when(_therapy_first()).then(biopsy_first).otherwise(specimen_first),
        specificity,
        place_in(_OF_TISSUE, "origin"),
    ]
    return _chosen(
        candidates, keys,
        {"icdo3_morphology": "icdo3_morphology", "morphology_version": "morphology_version"}, "histology",
        across_kinds=True,
    )  # fmt: skip


def _grade(reports: pl.DataFrame, column: str, name: str) -> pl.DataFrame:
    unknown = pl.col(column).is_in(["GX", "X", "U", "T"])
    candidates = reports.filter(
        pl.col(column).is_not_null(), ~pl.col("after") | (pl.col("role") == TABLE), pl.col("role") != LATER
    ).with_columns(kind="role", vague=unknown)
    role = place_in([SPECIMEN, BIOPSY, TABLE], "role")
    keys = [unknown, pl.col("_source"), _of_metastasis(), role, place_in(_OF_TISSUE, "origin")]
    return _chosen(candidates, keys, {column: column}, name)


def _of_metastasis() -> pl.Expr:
    """Return whether the tissue is of a metastasis: it counts only where no other describes the primary."""
    return (sarcoma_codes.behaviour(pl.col("icdo3_morphology")) == "6").fill_null(False)


def _category(reports: pl.DataFrame, letter: str) -> pl.DataFrame:
    """Choose T or N: after surgery first the pathological one, else the clinical one; X only if all are X."""
    stage, prefix = pl.col(f"{letter}_stage"), pl.col(f"{letter}_prefix")
    path = prefix == "p"
    clinical = prefix.is_in(["c", "u"])
    before = pl.col("first_therapy").is_null() | (pl.col("report_date") < pl.col("first_therapy"))
    # A pTNM without y was found before therapy; after therapy and surgery the y was probably forgotten. The
    # date of a Diagnose is that of its biopsy and does not date its pTNM.
    early = before & (pl.col("origin") != "diagnosis")
    # Without surgery, too, tissue that was taken after the first therapy shows the response.
    order = pl.col("treatment_order")
    p_counts = pl.when(order == NO_SURGERY).then(~pl.col("after")).otherwise((order != THERAPY_FIRST) | early)
    c_counts = (pl.col("origin") == "diagnosis") | ~(
        pl.col("report_date") > pl.col("first_therapy")
    ).fill_null(False)
    kind = pl.when(path).then(pl.lit("pTNM")).when(clinical).then(pl.lit("cTNM")).otherwise(pl.lit(TABLE))
    candidates = reports.filter(
        stage.is_not_null(), (path & p_counts) | (clinical & c_counts & ~pl.col("after")) | prefix.is_null()
    ).with_columns(kind=kind, vague=stage.str.ends_with("X"))
    clinical_first, specimen_first = place_in(["cTNM", "pTNM"], "kind"), place_in(["pTNM", "cTNM"], "kind")
    rank = pl.when(_therapy_first()).then(clinical_first).otherwise(specimen_first)
    of_clinic, of_tissue = place_in(_OF_CLINIC, "origin"), place_in(_OF_TISSUE, "origin")
    origin = pl.when(pl.col("kind") == "cTNM").then(of_clinic).otherwise(of_tissue)
    values = {c: c for c in (f"{letter}_stage", f"{letter}_prefix", f"{letter}_suffix")}
    if letter == "t":
        values |= {"tnm_edition": "tnm_edition", "m_symbol": "m_symbol"}
    keys = [pl.col("vague"), pl.col("_source"), rank, origin]
    return _chosen(candidates, keys, values, letter)


def _own_m(reports: pl.DataFrame) -> pl.DataFrame:
    """Choose M: of the Diagnose (M1 before M0), else M0 or MX of a report before therapy, or of a table."""
    of_diagnose = pl.col("origin") == "diagnosis"
    elsewhere = (pl.col("m_stage") != "M1") & ~pl.col("after")
    candidates = reports.filter(
        pl.col("m_stage").is_not_null(), of_diagnose | (pl.col("origin") == "table") | elsewhere
    ).with_columns(
        kind=pl.when(of_diagnose)
        .then(pl.lit("Diagnose"))
        .when(pl.col("origin") == "table")
        .then(pl.lit(TABLE))
        .otherwise(pl.lit("other report")),
        vague=pl.col("m_stage") == "MX",
    )
    kind = place_in(["Diagnose", TABLE, "other report"], "kind")
    worst = place_in(["M1", "M0", "MX"], "m_stage")
    keys = [pl.col("vague"), pl.col("_source"), kind, worst, pl.col("m_prefix")]
    values = {c: c for c in ("m_stage", "m_prefix", "m_suffix")}
    return _chosen(candidates, keys, values, "m")
