"""Build treatment records: one RT Beams Treatment Record per fraction (DICOM PS3.3 A.29, C.8.8.21)."""

from __future__ import annotations

from pydicom.dataset import Dataset

from sarcoma_pipeline.synthetic.dicom_course import (
    RT_PLAN,
    RT_RECORD,
    Course,
    Fraction,
    Uids,
    item,
    reference,
    rt_object,
)

RECORD = "RTRECORD"


def record_objects(course: Course, uids: Uids, beams: int) -> dict[str, Dataset]:
    """Build the treatment records of a course.

    Args:
        course: the course.
        uids: its UIDs.
        beams: number of its beams.

    Returns:
        ``RTRECORD`` for the first one, ``RTRECORD2`` and so on for the others.
    """
    made = {}
    for position, fraction in enumerate(course.delivered, 1):
        uid = uids(f"record {fraction.number} {fraction.part}")
        record = rt_object(course, uids, RECORD, RT_RECORD, uid)
        record.InstanceNumber = str(position)
        record.TreatmentDate = f"{fraction.day:%Y%m%d}"
        record.TreatmentTime = "090000"
        record.ReferencedRTPlanSequence = [reference(RT_PLAN, uids(course.plan))]
        record.ReferencedFractionGroupNumber = "1"
        record.NumberOfFractionsPlanned = str(course.fractions)
        record.PrimaryDosimeterUnit = "MU"
        record.TreatmentSessionBeamSequence = [_session(course, fraction, n) for n in range(1, beams + 1)]
        made[f"{RECORD}{position}" if position > 1 else RECORD] = record
    return made


def _session(course: Course, fraction: Fraction, number: int) -> Dataset:
    """Build the delivery of one beam."""
    made = item(
        ReferencedBeamNumber=str(number),
        CurrentFractionNumber=str(fraction.number),
        RadiationType="PHOTON",
        TreatmentDeliveryType="TREATMENT",
        TreatmentTerminationStatus=fraction.ended,
        TreatmentVerificationStatus="VERIFIED",
        SpecifiedPrimaryMeterset=course.meterset,
    )
    if fraction.ended == "NORMAL":
        made.DeliveredPrimaryMeterset = course.meterset
    return made
