"""Describe a course of radiotherapy, and build the attributes that all its DICOM objects share."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from pydicom.uid import UID, generate_uid

RT_PLAN = UID("1.2.840.10008.5.1.4.1.1.481.5")
RT_STRUCT = UID("1.2.840.10008.5.1.4.1.1.481.3")
RT_DOSE = UID("1.2.840.10008.5.1.4.1.1.481.2")
RT_RECORD = UID("1.2.840.10008.5.1.4.1.1.481.4")
CT = UID("1.2.840.10008.5.1.4.1.1.2")
"""SOP classes (DICOM PS3.4 B.5)."""


@dataclass(frozen=True)
class Fraction:
    """A delivered fraction.

    Attributes:
        day: day of treatment.
        number: number of the fraction, from 1.
        part: distinguishes records of one fraction.
        ended: TreatmentTerminationStatus; with another one than NORMAL the delivered monitor units are left
            out.
    """

    day: dt.date
    number: int
    part: int = 1
    ended: str = "NORMAL"


def fractions(
    first: dt.date, count: int, pause_after: int | None = None, pause_days: int = 0
) -> tuple[Fraction, ...]:
    """Return fractions on working days.

    Args:
        first: day of the first one.
        count: number of fractions.
        pause_after: number of the fraction after which treatment pauses; None for no pause.
        pause_days: length of the pause.
    """
    made: list[Fraction] = []
    day = first
    while len(made) < count:
        if day.weekday() < 5:
            made.append(Fraction(day, len(made) + 1))
            if pause_after == len(made):
                day += dt.timedelta(days=pause_days)
        day += dt.timedelta(days=1)
    return tuple(made)


@dataclass(frozen=True)
class Course:
    """A planned course.

    Attributes:
        patient_id: PatientID; empty to leave it out.
        patient_name: PatientName, ``Family^Given``.
        birth_date: YYYYMMDD, or a faulty text to be written as it is.
        sex: M, F or O.
        plan_date: date of plan, structures and images.
        prescribed_dose_gy: total dose in Gy, of the highest level.
        fractions: number of fractions.
        single_dose_gy: dose per fraction in Gy, of the highest level.
        simultaneous_integrated_boost: two dose levels, of which the higher is ``prescribed_dose_gy``.
        technique: ``VMAT`` or ``helical tomotherapy``.
        beam_energy_mv: nominal energy in MV.
        ct_slice_thickness_mm: slice thickness in mm.
        label: RTPlanLabel and similar labels.
        plan: name from which the plan's UID is derived.
        intent: PlanIntent.
        approval: ApprovalStatus of plan and structure set; empty to leave it out.
        meterset: monitor units of each beam; None to leave them out.
        written_dose_gy: TargetPrescriptionDose, if it is not the prescribed dose.
        beam_dose_share: share of the prescription that the beam doses add up to.
        delivered: the fractions that have a treatment record.
        prescription: whether the plan has TargetPrescriptionDose; without it, only the beam doses give the
            dose, for one level.
        file_meta: whether the plan has preamble and file meta information.
        structure_set_patient_id: PatientID of the structure set, if different.
        second_slice_thickness_mm: thickness of the second slice in mm, if different.
        anatomy: whether structure set and dose show a limb, and not one contour and a few voxels each.
        dose_fault: fault of contours or dose grid (``defects_dose.py``, ``defects_contours.py``,
            ``defects_grid.py``); only with ``anatomy``.
        modalities: the files to write, of RTPLAN, RTSTRUCT, RTDOSE, CT; treatment records are added.
    """

    patient_id: str
    patient_name: str
    birth_date: str
    sex: str
    plan_date: dt.date
    prescribed_dose_gy: float
    fractions: int
    single_dose_gy: float
    simultaneous_integrated_boost: bool
    technique: str
    beam_energy_mv: float
    ct_slice_thickness_mm: float
    label: str = "STS"
    plan: str = "plan"
    intent: str = "CURATIVE"
    approval: str = "APPROVED"
    meterset: str | None = "300.5"
    written_dose_gy: float | None = None
    beam_dose_share: str = "1"
    delivered: tuple[Fraction, ...] = ()
    prescription: bool = True
    file_meta: bool = True
    structure_set_patient_id: str | None = None
    second_slice_thickness_mm: float | None = None
    anatomy: bool = False
    dose_fault: str = ""
    modalities: tuple[str, ...] = ("RTPLAN", "RTSTRUCT", "RTDOSE", "CT")


class Uids:
    """The UIDs of a course, derived from its seed and a name."""

    def __init__(self, seed: str) -> None:
        self.seed = seed

    def __call__(self, name: str) -> UID:
        """Return the UID of a study, series, object or frame of reference of this course."""
        return generate_uid(entropy_srcs=[self.seed, name])

    def slice(self, index: int) -> UID:
        """Return the UID of a planning CT slice."""
        return self(f"CT {index}")


def item(**values: object) -> Dataset:
    """Build a data set from attributes by keyword; a list of data sets becomes a sequence."""
    dataset = Dataset()
    for keyword, value in values.items():
        if isinstance(value, list) and value and isinstance(value[0], Dataset):
            value = Sequence(value)
        setattr(dataset, keyword, value)
    return dataset


def decimal(value: Decimal | float) -> str:
    """Format a DS value: at most 16 characters that read back as the same number."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    text = f"{round(exact, 12):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def reference(sop_class: UID, instance: UID) -> Dataset:
    """Build an item that refers to another object."""
    return item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance)


def rt_object(
    course: Course, uids: Uids, modality: str, sop_class: UID, instance: UID, patient_id: str | None = None
) -> Dataset:
    """Build the patient, study, series and equipment modules, and the frame of reference."""
    day = f"{course.plan_date:%Y%m%d}"
    dataset = item(
        SpecificCharacterSet="ISO_IR 100" if _is_latin(course.patient_name) else "ISO_IR 192",
        InstanceCreationDate=day,
        SOPClassUID=sop_class,
        SOPInstanceUID=instance,
        StudyDate=day,
        StudyTime="",
        AccessionNumber="",
        Modality=modality,
        Manufacturer="Demo Planning",
        ManufacturerModelName="Planning System",
        SoftwareVersions="1.0",
        ReferringPhysicianName="",
        StudyDescription="Soft tissue sarcoma",
        PatientName=course.patient_name,
        PatientSex=course.sex,
        StudyInstanceUID=uids("study"),
        SeriesInstanceUID=uids(f"series {modality}"),
        StudyID="1",
        SeriesNumber="1",
    )
    number = course.patient_id if patient_id is None else patient_id
    if number:
        dataset.PatientID = number
    # Not validated: birth dates such as 00/00/0000 occur in real exports.
    dataset.add(DataElement(Tag("PatientBirthDate"), "DA", course.birth_date, validation_mode=config.IGNORE))
    if modality != "RTSTRUCT":  # an RTSTRUCT names it in a sequence
        dataset.FrameOfReferenceUID = uids("frame of reference")
        dataset.PositionReferenceIndicator = ""
    return dataset


def _is_latin(text: str) -> bool:
    return all(ord(character) < 256 for character in text)


def approve(dataset: Dataset, course: Course) -> None:
    """Add the approval module if there is one; unapproved objects have no reviewer."""
    if not course.approval:
        return
    dataset.ApprovalStatus = course.approval
    if course.approval != "UNAPPROVED":
        dataset.ReviewDate = f"{course.plan_date:%Y%m%d}"
        dataset.ReviewTime = "120000"
        dataset.ReviewerName = "Reviewer^Demo"
