"""Choose the volumes and doses of each eligible patient: those of the course of the index tumour."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import primary, within_bounds
from sarcoma_pipeline.cohort.finding_place import candidates
from sarcoma_pipeline.cohort.primary import Curated
from schemas.cohort_dose import CohortDoseVolume
from schemas.curated_dose import DoseVolume
from schemas.gate import Gate
from schemas.rule import Rule

_ROW = ("pseudonym", "structure")

SETS_DIFFER = Rule(
    "structure.sets-differ",
    "warning",
    on=CohortDoseVolume.table(),
    scope="patient",
    what="Several structure sets of the course have a structure of this name, and its volume differs by more"
    " than 2 %. Analyses use the largest one, with its doses.",
    remedy="In the planning system, find the set of the plan that was treated. If the other set is of a plan "
    "that was never used, export the approved plans only.",
    source="DICOM PS3.3 A.19, RT Structure Set",
    alone="the note has the volumes of all sets",
)
SAME_SHARE = 0.02
"""Volumes that differ by no more are the same contours, drawn on other slices."""


def structure_doses(curated: Curated, members: pl.DataFrame, gate: Gate) -> pl.DataFrame:
    """Return volumes and doses as ``cohort.dose_volume``; values outside the gate's bounds are null.

    Args:
        curated: the curated tables.
        members: ``patient_id`` and ``pseudonym`` of the eligible patients.
        gate: the bounds.
    """
    return within_bounds.without_outside(as_computed(curated, members), gate.bounded(CohortDoseVolume))


def observe(curated: Curated, members: pl.DataFrame, gate: Gate) -> pl.DataFrame:
    """Return the values outside the gate's bounds, as candidates for findings: one per patient and column.

    Args:
        curated: the curated tables.
        members: ``patient_id`` and ``pseudonym`` of the eligible patients.
        gate: the bounds.

    Returns:
        What ``finding_place.placed`` takes.
    """
    bounds, table = gate.bounded(CohortDoseVolume), CohortDoseVolume.table()
    every = _of_courses(curated, members)
    rows = _chosen(every).join(members.select("patient_id", "pseudonym"), on="pseudonym")
    seen = []
    for column, words in within_bounds.bounds_of(CohortDoseVolume, gate).items():
        wrong = rows.filter(within_bounds.outside([column], bounds)).sort(*_ROW)
        first = wrong.unique("patient_id", keep="first", maintain_order=True)
        note = pl.format("{}; {}", "structure", pl.lit(words))
        at = first.with_columns(record_ids="evidence")
        seen.append(candidates(at, "patient_id", within_bounds.VALUE, table, column, pl.col(column), note))
    return pl.concat([*seen, _sets_differ(every)])


def _sets_differ(every: pl.DataFrame) -> pl.DataFrame:
    """Return structures that several sets of the course draw differently: the first one of each patient."""
    volume = pl.col("volume_cc")
    each = every.unique([*_ROW, "structure_set_uid"], keep="first", maintain_order=True)
    differing = (
        each.drop_nulls("volume_cc")
        .group_by("patient_id", *_ROW)
        .agg(
            volumes=volume.round(1).cast(pl.String).str.join(", "),
            apart=volume.max() - volume.min() > SAME_SHARE * volume.max(),
            record_ids=pl.col("record_ids")
            .list.explode(keep_nulls=False, empty_as_null=False)
            .unique()
            .sort(),
        )
        .filter("apart")
        .sort(*_ROW)
        .unique("patient_id", keep="first", maintain_order=True)
    )
    note = pl.format("{}: {} cm³", "structure", "volumes")
    table = CohortDoseVolume.table()
    return candidates(differing, "patient_id", SETS_DIFFER, table, "volume_cc", note=note)


def as_computed(curated: Curated, members: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of ``cohort.dose_volume`` with all values.

    A structure that is not mapped has no row. Of several structures of one name the largest counts; of equal
    ones the first by structure set and number.

    Args:
        curated: the curated tables.
        members: ``patient_id`` and ``pseudonym`` of the eligible patients.
    """
    return _chosen(_of_courses(curated, members))


def _chosen(every: pl.DataFrame) -> pl.DataFrame:
    return CohortDoseVolume.conform(every.unique(_ROW, keep="first", maintain_order=True))


def _of_courses(curated: Curated, members: pl.DataFrame) -> pl.DataFrame:
    """Return the mapped structures of the courses, of one name the largest first."""
    course = primary.course(curated).select("patient_id", "course_id", "delivered_dose_gy")
    return (
        # Curation alone has no doses: they are computed after a refresh.
        curated.get(DoseVolume.table(), DoseVolume.empty())
        .filter("whole_course", pl.col("role").is_not_null())
        .join(course, on=["patient_id", "course_id"])
        .join(members.select("patient_id", "pseudonym"), on="patient_id")
        # The name as delivered stays inside: it may name a patient.
        .with_columns(structure=pl.coalesce("tg263", "role"), evidence="record_ids")
        .sort(*_ROW, pl.col("volume_cc").neg(), "structure_set_uid", "roi_number", nulls_last=True)
    )
