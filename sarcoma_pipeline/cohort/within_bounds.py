"""Set values to null that the release gate would block, so that one patient never blocks the others.

The gate bounds every released number by its unit and every code by its format. This module applies the
same bounds to each patient: a value outside becomes unknown, and a patient with a time outside has no
endpoints. Each is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from sarcoma_pipeline.cohort.finding_place import candidates
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.cohort import CohortPatient
from schemas.contract import Contract
from schemas.gate import Gate
from schemas.rule import Rule
from schemas.sides import DIAGNOSES

VALUE = Rule(
    "patient.value-implausible",
    "warning",
    on=CohortPatient.table(),
    scope="patient",
    what="A value of the patient is outside the bounds of the release gate. It is not used: the value "
    "counts as unknown.",
    remedy="Compare the value with the letter or the plan, and correct it in the system that sent the "
    "record: tumour size and age in the table or the tumour documentation, dose and energy in the plan or "
    "the ST, slice thickness in the planning CT. If it is right, widen bounds under [gate] in study.toml.",
    source="the bounds of the release gate",
    alone="the value itself is outside the bounds",
)
TIME = Rule(
    "patient.time-implausible",
    "warning",
    on=CohortPatient.table(),
    scope="patient",
    what="A date lies further after the diagnosis than the bounds of the release gate allow. One of the two"
    " dates is probably wrong, so no time of the patient is used: the patient has no follow-up and no "
    "endpoints.",
    remedy="Compare Diagnosedatum in the tumour documentation with the date of the record named here. Look "
    "for a wrong year or century, and correct it. If both are right, widen bounds.d and bounds.months under "
    "[gate] in study.toml.",
    source="the bounds of the release gate",
    sides=(DIAGNOSES.at_times(),),
)

CODES = {"icd10_site": r"^[A-Z]\d\d(\.\d{1,2})?$", "icdo3_morphology": r"^\d{4}/\d$"}
"""Column of ``cohort.patients`` to the format of its codes; findings on records report other formats."""

_FOLLOW_UP = ("follow_up_days", "follow_up_months")
_ANSWER = ("registry_answer_days", "registry_answer_age_months")
TIMES = (*_FOLLOW_UP, *_ANSWER)
"""Columns of ``cohort.patients`` with times since diagnosis; the two columns of a pair are set to null
together."""


def outside(columns: Iterable[str], bounds: dict[str, tuple[float, float]]) -> pl.Expr:
    """Return whether one of the columns has a value outside its bounds; a missing value is not outside."""
    verdicts = [~pl.col(c).is_between(*bounds[c]) for c in columns if c in bounds]
    return pl.any_horizontal(pl.lit(False), *verdicts).fill_null(False)


def without_outside(frame: pl.DataFrame, bounds: dict[str, tuple[float, float]]) -> pl.DataFrame:
    """Return a frame in which each value outside the bounds of its column is null."""
    return frame.with_columns(pl.when(~outside([c], bounds)).then(pl.col(c)).alias(c) for c in bounds)


def bounds_of(contract: type[Contract], gate: Gate) -> dict[str, str]:
    """Return the bounded columns of a table with their bounds in words, for the notes of findings."""
    units = {c.name: c.unit for c in contract.columns()}
    bounds = gate.bounded(contract)
    return {c: f"the bounds are {low:g} and {high:g} {units[c]}" for c, (low, high) in bounds.items()}


def doubtful_times(events: pl.DataFrame, gate: Gate) -> pl.DataFrame:
    """Return the patients with an event dated too late after the diagnosis.

    Args:
        events: the timeline of the patients.
        gate: the bounds of days.

    Returns:
        ``patient_id``, ``day`` (the latest), ``record_ids`` (those that date something on it).
    """
    bounds = gate.plausible("d")
    late = pl.col("day") > bounds[1] if bounds else pl.lit(False)
    latest = pl.col("day") == pl.col("day").max()
    return (
        events.filter(late.fill_null(False))
        .group_by("patient_id")
        .agg(
            pl.col("day").max(),
            record_ids=pl.col("record_ids").filter(latest).list.explode().unique().sort(),
        )
        .sort("patient_id")
    )


def patients(described: pl.DataFrame, timeline: Timeline, gate: Gate) -> pl.DataFrame:
    """Return ``cohort.patients`` with values outside the gate's bounds set to null.

    Args:
        described: the columns of ``cohort.patients``, and ``patient_id``.
        timeline: the events of the patients.
        gate: the bounds.
    """
    bounds = gate.bounded(CohortPatient)
    doubtful = pl.col("patient_id").is_in(doubtful_times(timeline.events, gate)["patient_id"].implode())
    together = {c: pair for pair in (_FOLLOW_UP, _ANSWER) for c in pair}
    aside = {c: outside(together.get(c, [c]), bounds) for c in {**bounds, **together}}
    return described.with_columns(
        *(
            pl.when(~(wrong | (doubtful & pl.lit(c in TIMES)))).then(pl.col(c)).alias(c)
            for c, wrong in aside.items()
        ),
        *(well_formed(column) for column in CODES),
    )


def well_formed(column: str) -> pl.Expr:
    """Return a column of :data:`CODES` in which codes of another format are null."""
    return pl.when(pl.col(column).str.contains(CODES[column])).then(pl.col(column)).alias(column)


def observe(described: pl.DataFrame, timeline: Timeline, gate: Gate) -> pl.DataFrame:
    """Return what is set aside, as candidates for findings: a value or a time of one patient is one finding.

    Args:
        described: the columns of ``cohort.patients`` before anything was set aside, and ``patient_id``.
        timeline: what happened to the patients.
        gate: the bounds.

    Returns:
        What ``finding_place.placed`` takes.
    """
    bounds, table = gate.bounded(CohortPatient), CohortPatient.table()
    dated = doubtful_times(timeline.events, gate)
    seen = []
    for column, note in bounds_of(CohortPatient, gate).items():
        wrong = described.filter(outside([column], bounds))
        if column in TIMES:
            wrong = wrong.join(dated, on="patient_id", how="anti", maintain_order="left")
        rule = TIME if column in _FOLLOW_UP else VALUE
        seen.append(candidates(wrong, "patient_id", rule, table, column, pl.col(column), pl.lit(note)))
    allowed = gate.plausible("d")
    note = pl.lit(f"the bounds are {allowed[0]:g} and {allowed[1]:g} d") if allowed else None
    seen.append(candidates(dated, "patient_id", TIME, table, _FOLLOW_UP[0], pl.col("day"), note))
    return pl.concat(seen)
