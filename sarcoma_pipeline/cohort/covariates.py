"""Build ``cohort.patients``: baseline, treatment and follow-up covariates, one row per patient."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.cohort import baseline_choice, dose, primary, within_bounds
from sarcoma_pipeline.cohort.data_cutoff import rows_until
from sarcoma_pipeline.cohort.derived_once import Derive, every_time, once
from sarcoma_pipeline.cohort.endpoints import MONTHS_PER_DAY
from sarcoma_pipeline.cohort.partial_dates import reach
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.relapses import DISTANT, LOCAL, REGIONAL, first_relapse
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas import site_codes
from schemas.assumptions import Assumptions
from schemas.cohort import CohortPatient
from schemas.distinct_values import distinct
from schemas.gate import Gate
from schemas.vocabularies import RELAPSES, SECOND_MALIGNANCY

YEARS_PER_DAY = 1 / 365.25
"""Days are multiplied by it, for the reason of ``MONTHS_PER_DAY``."""
_DEFAULT_GATE = Gate()

_T_STAGE = {
    "7": site_codes.t_in_edition_7,
    "8": site_codes.t_in_edition_8,
    "as reported": lambda t, *_: t,
}
"""Edition to the function that converts a T category to that edition."""


def patients(
    curated: Curated, timeline: Timeline, eligible: pl.Series, gate: Gate = _DEFAULT_GATE
) -> pl.DataFrame:
    """Return ``cohort.patients`` of the eligible patients.

    Args:
        curated: the curated tables.
        timeline: the events of the patients.
        eligible: pseudonyms.
        gate: the bounds of plausible values.
    """
    return chosen(describe(curated, timeline, gate), eligible)


def chosen(described: pl.DataFrame, eligible: pl.Series) -> pl.DataFrame:
    """Return the rows of some patients.

    Args:
        described: from :func:`describe`.
        eligible: pseudonyms.
    """
    return described.filter(pl.col("pseudonym").is_in(eligible.implode()))


def describe(curated: Curated, timeline: Timeline, gate: Gate = _DEFAULT_GATE) -> pl.DataFrame:
    """Return ``cohort.patients`` for every patient with an index tumour.

    Values outside the gate's bounds are null.

    Args:
        curated: the curated tables.
        timeline: the events of the patients.
        gate: the bounds of plausible values.
    """
    return bounded(as_delivered(curated, timeline), timeline, gate)


def bounded(delivered: pl.DataFrame, timeline: Timeline, gate: Gate) -> pl.DataFrame:
    """Return ``cohort.patients``; values outside the gate's bounds are null.

    Args:
        delivered: from :func:`as_delivered`.
        timeline: the events of the patients.
        gate: the bounds of plausible values.
    """
    return CohortPatient.conform(within_bounds.patients(delivered, timeline, gate))


def as_delivered(
    curated: Curated,
    timeline: Timeline,
    derive: Derive = every_time,
    *,
    evidence: bool = True,
    cut: dt.date | None = None,
) -> pl.DataFrame:
    """Return every patient with an index tumour, eligible or not, without the gate's bounds.

    The columns are ``patient_id`` and those of ``cohort.patients``.

    - age: days from birth to time zero / 365.25; without an exact birth date the age in the source;
    - T category and grade of the report that the assumptions choose; T converted to the edition that they
      choose (docs/formats.md, vocabularies);
    - residual status of the definitive resection, or as the assumptions say;
    - relapse pattern over the whole follow-up; regional lymphatic relapse counts as local.

    Args:
        curated: the curated tables.
        timeline: the events of the patients.
        derive: calls the function of each part.
        evidence: whether to name the records of each patient; else ``record_ids`` is null.
        cut: the data cut-off, if it is known already.
    """
    assumptions = timeline.assumptions
    parts: tuple[pl.DataFrame, ...] = (
        derive(_persons, curated, assumptions),
        derive(_treated_parts, curated, assumptions),
        derive(_milestones, timeline.milestones),
        derive(_chemotherapy, curated, timeline.events, assumptions),
        derive(_relapses, timeline.events),
        derive(_followed, timeline.events),
        _statements(curated),
        derive(_answered, curated, timeline.events, assumptions, cut),
    )
    if not evidence:
        parts = tuple(derive(_without_evidence, part) for part in parts)
    return derive(_joined, parts, assumptions)


_EVIDENCE = (
    "record_ids", "_person_ids", "_course_ids", "_surgery_ids", "_chemo_ids", "_status_ids", "_event_ids",
)  # fmt: skip
"""Columns of the parts with the records that they come from."""


def _without_evidence(part: pl.DataFrame) -> pl.DataFrame:
    return part.drop(_EVIDENCE, strict=False)


def _persons(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    """Return the patients with their index tumours."""
    index = baseline_choice.index_tumour(curated, assumptions).with_columns(
        icd10_site=pl.coalesce(["icdo3_topography", "icd10_code"])
    )
    persons = curated["curated.patient"].select(
        "patient_id", "pseudonym", "birth_date", "birth_date_precision", "sex", _person_ids="record_ids"
    )
    return index.join(persons, on="patient_id")


def _treated_parts(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    return treated(curated, assumptions).select(
        "patient_id", "radiation_sequence", "dose_gy", "prescribed_dose_gy", "delivered_dose_gy", "fractions",
        "delivered_fractions", "overall_days", "longest_gap_days", "single_dose_gy", "boost", "technique",
        "beam_energy_mv", "ct_slice_thickness_mm", "dose_origin",
        interrupted=_interrupted(), _course_ids="record_ids",
    )  # fmt: skip


def _milestones(milestones: pl.DataFrame) -> pl.DataFrame:
    return milestones.select(
        "patient_id",
        "residual_status",
        resected=pl.col("surgery_ids").is_not_null(),
        _surgery_ids="surgery_ids",
    )


@once
def _statements(curated: Curated) -> pl.DataFrame:
    return curated["curated.vital_status"].select("patient_id", _status_ids="record_ids")


def _joined(parts: Sequence[pl.DataFrame], assumptions: Assumptions) -> pl.DataFrame:
    frame, *others = parts
    for part in others:
        frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
    none: pl.Expr = pl.lit([], dtype=pl.List(pl.String))
    local, distant = pl.col("_local").fill_null(False), pl.col("_distant").fill_null(False)
    unknown = "RX" if assumptions.residual_status_unknown == "RX" else None
    records = distinct(pl.concat_list(pl.col(c).fill_null(none) for c in _EVIDENCE))
    described = frame.with_columns(
        age_at_diagnosis_years=pl.coalesce([_age_in_days() * YEARS_PER_DAY, "age_at_diagnosis_years"]),
        t_stage=_T_STAGE[assumptions.t_edition](
            pl.col("t_stage"), pl.col("tumour_size_cm"), pl.col("tnm_edition"), pl.col("region")
        ),
        resected=pl.col("resected").fill_null(False),
        residual_status=pl.coalesce(["residual_status", pl.lit(unknown, dtype=pl.String)]),
        chemotherapy=pl.col("chemotherapy").fill_null("unknown"),
        diagnosis_year=pl.col("diagnosis_date").dt.year(),
        relapse_pattern=pl.when(local & distant)
        .then(pl.lit("local and distant"))
        .when(local)
        .then(pl.lit("local only"))
        .when(distant)
        .then(pl.lit("distant only"))
        .otherwise(pl.lit("none")),
        follow_up_months=pl.col("follow_up_days") * MONTHS_PER_DAY,
        **({"record_ids": records} if "record_ids" in frame.columns else {}),
    ).sort("pseudonym")
    # Conform first, so that the bounds are checked on the released values.
    return described.select("patient_id").hstack(CohortPatient.conform(described))


def treated(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    """Return the primary courses with the dose and the relation to surgery that the assumptions choose.

    Args:
        curated: the curated tables.
        assumptions: the switches.
    """
    return related(dose.doses(curated, primary.course(curated), assumptions), assumptions)


def related(course: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return courses with the relation to surgery that the assumptions choose.

    Args:
        course: rows of ``curated.radiotherapy_course``.
        assumptions: the switches.
    """
    if assumptions.additive_radiotherapy == "adjuvant":
        adjuvant = pl.col("radiation_sequence").replace({"postoperative additive": "postoperative adjuvant"})
        course = course.with_columns(radiation_sequence=adjuvant)
    return course


LONGEST_BREAK_DAYS = 3
"""Days without treatment above which a course was interrupted (oBDS 3.0.4, Ende_Grund F)."""


def _interrupted() -> pl.Expr:
    """Return whether a course had a break; the treatment records outrank the documented reason of the end."""
    told = pl.col("end_reason").replace_strict({"F": True, "E": False}, default=None, return_dtype=pl.Boolean)
    return pl.coalesce([pl.col("longest_gap_days") - 1 > LONGEST_BREAK_DAYS, told])


def _age_in_days() -> pl.Expr:
    """Return the age at diagnosis; a partial date of birth is not after the diagnosis."""
    back, forth = reach(pl.col("birth_date"), pl.col("birth_date_precision"))
    age = (pl.col("diagnosis_date") - pl.col("birth_date")).dt.total_days()
    oldest = age + back
    cut = (age < forth) & (oldest >= 0)
    return pl.when(cut).then(oldest - oldest // 2).otherwise(age)


def _chemotherapy(curated: Curated, events: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return whether the index tumour had chemotherapy: in primary treatment, or at any time (switch)."""
    frame = primary.of_index_tumour(curated, "curated.systemic_therapy")
    zero = primary.tumour(curated).select("patient_id", zero="diagnosis_date")
    frame = rows_until(frame, "start_day", zero, assumptions.data_cutoff)
    of_kind = pl.col("kind").is_null() | (pl.col("kind") == "chemotherapy")
    told = frame.filter(of_kind)
    if assumptions.chemotherapy == "primary":
        first = first_relapse(events)
        later = (pl.col("start_day") >= pl.col("relapsed_on")).fill_null(False) & (pl.col("given") == "yes")
        told = told.join(first, on="patient_id", how="left").filter(~later)
    return (
        told.group_by("patient_id")
        .agg(
            # A therapy of unknown kind may or may not have been chemotherapy.
            _yes=((pl.col("given") == "yes") & pl.col("kind").is_not_null()).any(),
            _no=(pl.col("given") == "no").any(),
            _chemo_ids=pl.col("record_ids").explode(),
        )
        .select(
            "patient_id",
            "_chemo_ids",
            chemotherapy=pl.when("_yes").then(pl.lit("yes")).when("_no").then(pl.lit("no")),
        )
    )


def _of_kind(events: pl.DataFrame, *kinds: str) -> pl.DataFrame:
    return events.filter(pl.col("kind").is_in(kinds))


def _relapses(events: pl.DataFrame) -> pl.DataFrame:
    return (
        _of_kind(events, *RELAPSES, SECOND_MALIGNANCY, "death")
        .group_by("patient_id")
        .agg(
            _local=pl.col("kind").is_in([LOCAL, REGIONAL]).any(),
            _distant=(pl.col("kind") == DISTANT).any(),
            _event_ids=pl.col("record_ids").explode(),
        )
    )


def _followed(events: pl.DataFrame) -> pl.DataFrame:
    """Return the days to death, for living patients to the last contact."""
    died = _of_kind(events, "death").group_by("patient_id").agg(_died=pl.col("day").min())
    seen = pl.max_horizontal(pl.min_horizontal("day", "day_earliest"), 0)
    return (
        events.filter(pl.col("kind") != "death")
        .group_by("patient_id")
        .agg(_seen=seen.max())
        .join(died, on="patient_id", how="full", coalesce=True)
        .select("patient_id", follow_up_days=pl.coalesce("_died", "_seen"))
    )


def _answered(
    curated: Curated, events: pl.DataFrame, assumptions: Assumptions, known: dt.date | None
) -> pl.DataFrame:
    """Return the day of the registry office's last answer.

    For living patients also its age at the cut-off in months.
    """
    zero = primary.tumour(curated).select("patient_id", _zero="diagnosis_date")
    died = _of_kind(events, "death").select("patient_id").unique()
    answers = (
        curated["curated.vital_statement"]
        .filter(pl.col("source") == "registry office")
        .select("patient_id", day=pl.coalesce("told_day", "status_day"))
        .drop_nulls()
        .join(zero, on="patient_id")
    )
    cut = known or _cut_off(curated, events, assumptions)
    last = (pl.lit(cut, dtype=pl.Date) - pl.col("_zero")).dt.total_days().cast(pl.Int32)
    return (
        answers.filter((pl.col("day") <= last).fill_null(True))
        .group_by("patient_id")
        .agg(registry_answer_days=pl.col("day").max(), _last=last.first())
        .join(died.with_columns(_dead=pl.lit(True)), on="patient_id", how="left")
        .select(
            "patient_id",
            "registry_answer_days",
            registry_answer_age_months=pl.when(pl.col("_dead").is_null()).then(
                ((pl.col("_last") - pl.col("registry_answer_days")) * MONTHS_PER_DAY).floor().cast(pl.Int32)
            ),
        )
    )


def cut_off(curated: Curated, timeline: Timeline) -> dt.date | None:
    """Return the data cut-off: the declared day, else the last day on which a registry office answered.

    Without any answer of a registry office it is the last day of any event. If there are answers, events do
    not count: one mistyped year that a waiver lets through would make every patient's answer decades old.
    """
    return _cut_off(curated, timeline.events, timeline.assumptions)


def _cut_off(curated: Curated, events: pl.DataFrame, assumptions: Assumptions) -> dt.date | None:
    return known_cut_off(curated, assumptions) or _last(_dated(curated, events))


def known_cut_off(curated: Curated, assumptions: Assumptions) -> dt.date | None:
    """Return the data cut-off if it rests on no timeline; None if it is the last day of any event.

    Args:
        curated: the curated tables of all patients.
        assumptions: the switches.
    """
    return assumptions.data_cutoff or _last(_registry_days(curated))


def _last(dated: pl.DataFrame) -> dt.date | None:
    return dated.select(pl.col("date").max()).item()


def last_answered(curated: Curated) -> pl.Series:
    """Return ``patient_id`` of whom the last answer of a registry office is about: it dates the cut-off."""
    dated = _registry_days(curated)
    return dated.filter(pl.col("date") == pl.col("date").max())["patient_id"].unique().sort()


@once
def _registry_days(curated: Curated) -> pl.DataFrame:
    told = curated["curated.vital_statement"].filter(pl.col("source") == "registry office")
    return _dated(curated, told.select("patient_id", day="told_day"))


def _dated(curated: Curated, days: pl.DataFrame) -> pl.DataFrame:
    """Return ``patient_id``, ``date`` of days since the diagnosis."""
    zero = primary.tumour(curated).select("patient_id", _zero="diagnosis_date")
    dated = days.select("patient_id", "day").drop_nulls().join(zero, on="patient_id").drop_nulls()
    return dated.select("patient_id", date=pl.col("_zero") + pl.duration(days="day"))
