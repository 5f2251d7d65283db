"""Find structure sets, doses and images of a course through its plans, including the planning CT.

The planning CT is the series on which the plan's structure set was drawn; without a structure set, the CT
in the plan's frame of reference. Other (diagnostic) CTs of the patient are not used.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas import typed_dicom

PLAUSIBLE_MM = (0.4, 10.0)
"""Plausible slice thickness of a planning CT."""

_LINK = {"record_id": pl.String, "patient_id": pl.String, "course_id": pl.String}
_THICKNESS = {"patient_id": pl.String, "course_id": pl.String, "ct_slice_thickness_mm": pl.Float64}


def attach(sound: Mapping[str, pl.DataFrame], plans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the objects that belong to the plans of each course, and the CT slice thickness.

    Args:
        sound: typed tables with ``patient_id``.
        plans: ``patient_id``, ``course_id``, ``sop_instance_uid``, ``frame_of_reference_uid``, ``structures``
            (of the structure set) and ``rank`` (lowest for the plan with the highest share of the dose).

    Returns:
        ``record_id``, ``patient_id``, ``course_id`` of the objects that belong to a course, repeated for each
        plan; and ``patient_id``, ``course_id``, ``ct_slice_thickness_mm``: the most frequent plausible one,
        of equally frequent ones the smallest.
    """
    if plans.is_empty():
        return pl.DataFrame(schema=_LINK), pl.DataFrame(schema=_THICKNESS)
    structures = sound[typed_dicom.StructureSet.table()].select(
        "patient_id", "sop_instance_uid", "series_uids", structure_record="record_id"
    )
    keyed = plans.join(
        structures,
        left_on=["patient_id", "structures"],
        right_on=["patient_id", "sop_instance_uid"],
        how="left",
    )
    has_series = pl.col("series_uids").list.len().fill_null(0) > 0
    by_series = (
        keyed.filter(has_series)
        .explode("series_uids")
        .select("patient_id", "course_id", "rank", series_uid="series_uids")
    )
    by_frame = keyed.filter(~has_series, pl.col("frame_of_reference_uid").is_not_null()).select(
        "patient_id", "course_id", "rank", "frame_of_reference_uid"
    )
    images = sound[typed_dicom.Image.table()].select(
        "record_id", "patient_id", "series_uid", "frame_of_reference_uid", "slice_thickness_mm"
    )
    planning = pl.concat(
        [
            images.join(by_series, on=["patient_id", "series_uid"]),
            images.join(by_frame, on=["patient_id", "frame_of_reference_uid"]),
        ],
        how="diagonal",
    )
    doses = sound[typed_dicom.Dose.table()].join(
        plans, left_on=["patient_id", "refers_to"], right_on=["patient_id", "sop_instance_uid"]
    )
    drawn = keyed.filter(pl.col("structure_record").is_not_null()).select(
        "patient_id", "course_id", record_id="structure_record"
    )
    links = pl.concat([f.select(*_LINK) for f in (planning, doses, drawn)])
    thickness = pl.col("slice_thickness_mm").filter(pl.col("slice_thickness_mm").is_between(*PLAUSIBLE_MM))
    of_first = planning.filter(pl.col("rank") == pl.col("rank").min().over("patient_id", "course_id"))
    found = (
        of_first.unique(["record_id", "course_id"])
        .group_by("patient_id", "course_id")
        .agg(ct_slice_thickness_mm=thickness.mode().min())
    )
    return links, found
