"""Choose the volumes and doses of each eligible patient: those of the course of the index tumour."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import primary
from sarcoma_pipeline.cohort.primary import Curated
from schemas.cohort_dose import CohortDoseVolume

_ROW = ("pseudonym", "structure")


def structure_doses(curated: Curated, members: pl.DataFrame) -> pl.DataFrame:
    """Return volumes and doses as ``cohort.dose_volume``.

    A structure that is not mapped has no row. Of several structures of one name the largest counts; of equal
    ones the first by structure set and number.

    Args:
        curated: the curated tables.
        members: ``patient_id`` and ``pseudonym`` of the eligible patients.
    """
    course = primary.course(curated).select("patient_id", "course_id", "delivered_dose_gy")
    rows = (
        curated["curated.dose_volume"]
        .filter("whole_course", pl.col("role").is_not_null())
        .join(course, on=["patient_id", "course_id"])
        .join(members.select("patient_id", "pseudonym"), on="patient_id")
        # The name as delivered stays inside: it may name a patient.
        .with_columns(structure=pl.coalesce("tg263", "role"), evidence="record_ids")
        .sort(*_ROW, pl.col("volume_cc").neg(), "structure_set_uid", "roi_number", nulls_last=True)
        .unique(_ROW, keep="first", maintain_order=True)
    )
    return CohortDoseVolume.conform(rows)
