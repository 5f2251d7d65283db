"""DICOM RT files for described courses, written with pydicom and read back by the reader of the program."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from sarcoma_pipeline.sources import dicom
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas import received as r
from schemas.configuration import DicomSource

SOURCE = DicomSource(name="d", kind="dicom", files=("*",))

PLAN = "1.2.840.10008.5.1.4.1.1.481.5"
ION_PLAN = "1.2.840.10008.5.1.4.1.1.481.8"
BEAMS_RECORD = "1.2.840.10008.5.1.4.1.1.481.4"
BRACHY_RECORD = "1.2.840.10008.5.1.4.1.1.481.6"
SUMMARY_RECORD = "1.2.840.10008.5.1.4.1.1.481.7"
ION_RECORD = "1.2.840.10008.5.1.4.1.1.481.9"
STRUCTURES = "1.2.840.10008.5.1.4.1.1.481.3"
CT = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"


def item(**values: Any) -> Dataset:
    """A data set; lists of data sets become sequences, None is left out."""
    made = Dataset()
    for keyword, value in values.items():
        if isinstance(value, (list, tuple)) and (not value or isinstance(value[0], Dataset)):
            value = Items(list(value))
        if value is not None:
            setattr(made, keyword, value)
    return made


def _base(sop_class: str, uid: str, modality: str, patient: str = "1") -> dict[str, Any]:
    return {
        "SOPClassUID": sop_class, "SOPInstanceUID": uid, "Modality": modality, "PatientID": patient,
        "PatientName": "Müller^Anna", "PatientBirthDate": "19500304", "PatientSex": "F",
        "SpecificCharacterSet": "ISO_IR 192",
    }  # fmt: skip


@dataclass
class Field:
    """One beam of a plan.

    Attributes:
        shapes: leaf positions, one for each control point; None: no multileaf collimator.
        turns: gantry rotation.
    """

    dose: float | None = 1.0
    meterset: float | None = 300.0
    number: int | None = None
    kind: str = "DYNAMIC"
    radiation: str = "PHOTON"
    energy: float = 6.0
    turns: str = "CW"
    shapes: Sequence[Sequence[float]] | None = ((-20, -20, 20, 20), (-10, -30, 30, 10), (-20, -20, 20, 20))
    delivery: str = "TREATMENT"
    machine: str = "LINAC1"
    manufacturer: str | None = "Maker"
    model: str | None = "Model"
    axis: float | None = 1000.0
    isocentre: tuple[float, float, float] | None = (0.0, 0.0, 0.0)
    wedge: str | None = None
    mass_number: int | None = None

    def data(self, number: int, ion: bool) -> Dataset:
        """The item of the beam sequence."""
        shapes = self.shapes or (None, None)
        points = []
        for at, leaves in enumerate(shapes):
            last = at == len(shapes) - 1
            jaws = [-50, 50 + at * bool(self.wedge)]
            devices = [item(RTBeamLimitingDeviceType="ASYMX", LeafJawPositions=jaws)]
            if leaves is not None:
                devices.append(item(RTBeamLimitingDeviceType="MLCX", LeafJawPositions=list(leaves)))
            points.append(
                item(
                    ControlPointIndex=at,
                    NominalBeamEnergy=self.energy if at == 0 else None,
                    IsocenterPosition=list(self.isocentre) if self.isocentre and at == 0 else None,
                    GantryAngle=180 + at,
                    GantryRotationDirection="NONE" if last else self.turns,
                    CumulativeMetersetWeight=at / (len(shapes) - 1),
                    BeamLimitingDevicePositionSequence=devices,
                )
            )
        return item(
            BeamNumber=number, BeamType=self.kind, RadiationType=self.radiation,
            TreatmentMachineName=self.machine, Manufacturer=self.manufacturer,
            ManufacturerModelName=self.model, TreatmentDeliveryType=self.delivery,
            SourceAxisDistance=self.axis, RadiationMassNumber=self.mass_number,
            WedgeSequence=[item(WedgeNumber=1, WedgeType=self.wedge)] if self.wedge else None,
            **{"IonControlPointSequence" if ion else "ControlPointSequence": points},
        )  # fmt: skip


@dataclass
class FractionGroup:
    """A fraction group.

    Attributes:
        fractions: planned fractions; None: the attribute is empty.
        links: numbers of the dose references that it is linked to.
        doses: doses of brachytherapy applications.
    """

    fractions: int | None = 25
    beams: Sequence[Field] = field(default_factory=lambda: [Field(), Field(turns="CC")])
    links: Sequence[int] = ()
    doses: Sequence[float | None] | None = None


Reference = tuple[float | None, str, str, str]
"""Dose, structure type, type and description of a dose reference."""


def level(
    dose: float | None, description: str = "PTV", structure: str = "SITE", kind: str = "TARGET"
) -> Reference:
    """A dose reference."""
    return dose, structure, kind, description


def plan(
    uid: str,
    dose: float | None = 50.0,
    fractions: int | None = 25,
    *,
    date: str | None = "20150220",
    label: str = "STS",
    references: Sequence[Reference] | None = None,
    groups: Sequence[FractionGroup] | None = None,
    beams: Sequence[Field] | None = None,
    intent: str = "CURATIVE",
    geometry: str = "PATIENT",
    approval: str | None = "APPROVED",
    relations: Iterable[tuple[str, str]] = (),
    frame: str | None = "1.9",
    isocentre: tuple[float, float, float] | None = None,
    sop_class: str = PLAN,
    brachytherapy: str | None = None,
    structures: str | None = None,
    patient: str = "1",
) -> Dataset:
    """An RT Plan; by default two arcs that give the prescription."""
    if groups is None:
        single = (dose or 0) / fractions if dose and fractions else 2.0
        each = beams if beams is not None else [Field(single / 2), Field(single / 2, turns="CC")]
        if isocentre:
            for one in each:
                one.isocentre = isocentre
        groups = [FractionGroup(fractions, each)]
    ion = sop_class == ION_PLAN
    numbers = itertools.count(1)
    numbered = [[(one.number or next(numbers), one) for one in group.beams] for group in groups]
    sequence = [one.data(number, ion) for of in numbered for number, one in of]
    levels = references if references is not None else [level(dose)]
    return item(
        **_base(sop_class, uid, "RTPLAN", patient),
        RTPlanLabel=label, RTPlanDate=date or "", PlanIntent=intent, RTPlanGeometry=geometry,
        ApprovalStatus=approval, FrameOfReferenceUID=frame, BrachyTreatmentType=brachytherapy,
        DoseReferenceSequence=[
            item(
                DoseReferenceNumber=at, DoseReferenceStructureType=structure, DoseReferenceType=kind,
                DoseReferenceDescription=description, TargetPrescriptionDose=amount,
            )
            for at, (amount, structure, kind, description) in enumerate(levels, start=1)
        ] or None,
        FractionGroupSequence=[
            item(
                FractionGroupNumber=at,
                NumberOfFractionsPlanned="" if group.fractions is None else group.fractions,
                NumberOfBeams=len(of), NumberOfBrachyApplicationSetups=len(group.doses or ()),
                ReferencedBeamSequence=[
                    item(ReferencedBeamNumber=number, BeamDose=one.dose, BeamMeterset=one.meterset)
                    for number, one in of
                ] or None,
                ReferencedDoseReferenceSequence=[item(ReferencedDoseReferenceNumber=n) for n in group.links]
                or None,
                ReferencedBrachyApplicationSetupSequence=[
                    item(ReferencedBrachyApplicationSetupNumber=n, BrachyApplicationSetupDose=amount)
                    for n, amount in enumerate(group.doses or (), start=1)
                ] or None,
            )
            for at, (group, of) in enumerate(zip(groups, numbered, strict=True), start=1)
        ],
        ReferencedRTPlanSequence=[
            item(ReferencedSOPInstanceUID=other, RTPlanRelationship=relation) for other, relation in relations
        ] or None,
        ReferencedStructureSetSequence=[item(ReferencedSOPInstanceUID=structures)] if structures else None,
        **({"IonBeamSequence" if ion else "BeamSequence": sequence} if sequence else {}),
    )  # fmt: skip


def hdr(uid: str, dose: float, fractions: int, **more: Any) -> Dataset:
    """A plan of HDR brachytherapy."""
    group = FractionGroup(fractions, [], doses=[dose / fractions])
    return plan(uid, dose, fractions, groups=[group], brachytherapy="HDR", **more)


def electrons(uid: str, dose: float, fractions: int, **more: Any) -> Dataset:
    """A plan of one electron field."""
    one = Field(dose / fractions, kind="STATIC", radiation="ELECTRON", energy=12, turns="NONE", shapes=None)
    return plan(uid, dose, fractions, beams=[one], **more)


def days(first: str, count: int) -> list[dt.date]:
    """Working days from a day on."""
    day = dt.datetime.strptime(first, "%Y%m%d").date()
    every = (day + dt.timedelta(n) for n in itertools.count())
    return list(itertools.islice((d for d in every if d.weekday() < 5), count))


_uids = itertools.count(1)


def record(
    of: str,
    day: dt.date,
    number: int | None = None,
    *,
    delivered: Sequence[float | None] = (None,),
    beams: Sequence[int | None] | None = None,
    delivery: str = "TREATMENT",
    ended: str = "NORMAL",
    group: int | None = None,
    origin: str | None = None,
    time: str | None = None,
    uid: str | None = None,
    sop_class: str = BEAMS_RECORD,
    patient: str = "1",
) -> Dataset:
    """A treatment record of one fraction; ``delivered`` are the monitor units of each beam."""
    keyword = {
        ION_RECORD: "TreatmentSessionIonBeamSequence",
        BRACHY_RECORD: "TreatmentSessionApplicationSetupSequence",
    }.get(sop_class, "TreatmentSessionBeamSequence")
    named = beams or [None] * len(delivered)
    return item(
        **_base(sop_class, uid or f"1.7.{next(_uids)}", "RTRECORD", patient),
        TreatmentDate=f"{day:%Y%m%d}", TreatmentTime=time, TreatmentRecordContentOrigin=origin,
        ReferencedFractionGroupNumber=group,
        ReferencedRTPlanSequence=[item(ReferencedSOPInstanceUID=of)],
        **{
            keyword: [
                item(
                    ReferencedBeamNumber=beam, CurrentFractionNumber=number,
                    TreatmentDeliveryType=delivery, TreatmentTerminationStatus=ended,
                    DeliveredPrimaryMeterset=units,
                )
                for beam, units in zip(named, delivered, strict=True)
            ]
        },
    )  # fmt: skip


def records(of: str, first: str, count: int, start: int = 1, **more: Any) -> list[Dataset]:
    """Treatment records of fractions on working days, numbered from ``start``."""
    return [record(of, day, number, **more) for number, day in enumerate(days(first, count), start=start)]


def summary(of: str, delivered: int, first: str, last: str, *, planned: int = 25) -> Dataset:
    """A treatment summary record."""
    return item(
        **_base(SUMMARY_RECORD, f"1.8.{next(_uids)}", "RTRECORD"),
        FirstTreatmentDate=first, MostRecentTreatmentDate=last, CurrentTreatmentStatus="COMPLETED",
        ReferencedRTPlanSequence=[item(ReferencedSOPInstanceUID=of)],
        FractionGroupSummarySequence=[
            item(
                ReferencedFractionGroupNumber=1, NumberOfFractionsPlanned=planned,
                NumberOfFractionsDelivered=delivered,
            )
        ],
    )  # fmt: skip


def structure_set(uid: str, series: str, frame: str = "1.9") -> Dataset:
    """A structure set drawn on one series."""
    referenced = item(RTReferencedSeriesSequence=[item(SeriesInstanceUID=series)])
    return item(
        **_base(STRUCTURES, uid, "RTSTRUCT"),
        ReferencedFrameOfReferenceSequence=[
            item(FrameOfReferenceUID=frame, RTReferencedStudySequence=[referenced])
        ],
        StructureSetROISequence=[item(ROINumber=1, ROIName="PTV")],
    )  # fmt: skip


def ct(uid: str, series: str, thickness: float, frame: str = "1.9") -> Dataset:
    """A CT slice."""
    return item(
        **_base(CT, uid, "CT"), SeriesInstanceUID=series, FrameOfReferenceUID=frame,
        SliceThickness=thickness, ImagePositionPatient=[0, 0, 0], PixelSpacing=[1, 1],
    )  # fmt: skip


def enhanced_ct(uid: str, series: str, thickness: Sequence[float], frame: str = "1.9") -> Dataset:
    """An Enhanced CT; one thickness is shared by its frames, several are those of the frames."""

    def measures(value: float) -> Dataset:
        return item(PixelMeasuresSequence=[item(SliceThickness=value, PixelSpacing=[1, 1])])

    shared = measures(thickness[0]) if len(thickness) == 1 else item(FrameAnatomySequence=[item()])
    return item(
        **_base(ENHANCED_CT, uid, "CT"), SeriesInstanceUID=series, FrameOfReferenceUID=frame,
        SharedFunctionalGroupsSequence=[shared],
        PerFrameFunctionalGroupsSequence=[measures(t) for t in thickness] if len(thickness) > 1 else None,
    )  # fmt: skip


def of_patient(dataset: Dataset, number: str, family: str) -> None:
    """Give a file to a patient: number, name, and UIDs that no other patient has."""

    def own(_: Dataset, element: DataElement) -> None:
        if element.VR == "UI" and element.keyword != "SOPClassUID":
            element.value = f"{element.value}.{number}"

    dataset.walk(own)
    if dataset.get("PatientID") == "1":
        dataset.PatientID = number
    dataset.PatientName = f"{family}^Anna"
    dataset.PatientBirthDate = f"19{20 + int(number) % 70}0304"


def content(dataset: Dataset, *, implicit: bool = False) -> bytes:
    """The bytes of a file without preamble."""
    out = io.BytesIO()
    dataset.save_as(out, implicit_vr=implicit, little_endian=True)
    return out.getvalue()


def read(dataset: Dataset, folder: Path) -> list[tuple[type[r.Received], dict[str, Any]]]:
    """Write a file and read it: the received records with their values."""
    path = folder / "object.dcm"
    path.write_bytes(content(dataset))
    batch = dicom.read(SourceFile("f", path, "object.dcm"), SOURCE, "R1")
    provenance = set(r.PROVENANCE)
    return [
        (contract, {k: row.get(k) for k in contract.polars_schema() if k not in provenance})
        for contract, rows in batch.rows.items()
        for row in rows
    ]


def listed(text: str | None) -> list[Any]:
    """A JSON array; nothing for None."""
    return json.loads(text) if text else []
