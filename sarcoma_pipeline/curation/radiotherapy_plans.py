"""Define a radiotherapy plan: the facts that the rules on roles, prescription and combination use."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

NOT_TREATING = frozenset({"SETUP", "OPEN_PORTFILM", "VERIFICATION"})
"""TreatmentDeliveryType of beams that only take an image or only measure (PS3.3 C.8.8.14)."""

LEVEL_TOLERANCE = 0.02
"""Two doses that differ by at most this share are one level."""


@dataclass(frozen=True, slots=True)
class DoseReference:
    """The prescription of one dose reference."""

    number: str | None
    kind: str | None
    structure: str | None
    description: str | None
    dose: float | None

    @property
    def is_level(self) -> bool:
        """Whether it is the dose of a target volume, not of a point, coordinates or an organ."""
        return (
            self.kind in (None, "TARGET")
            and self.structure in (None, "VOLUME", "SITE")
            and self.dose is not None
            and self.dose > 0
        )


@dataclass(frozen=True, slots=True)
class GroupBeam:
    """A beam or a brachytherapy application within a fraction group."""

    number: str | None
    dose: float | None
    meterset: float | None


@dataclass(frozen=True, slots=True)
class Group:
    """A fraction group.

    Attributes:
        number: its number in the plan.
        fractions: planned fractions; None for 0, which means unknown.
        references: numbers of the dose references that it is linked to.
        beams: its beams.
        applications: its brachytherapy applications.
        setups: documented number of brachytherapy applications.
    """

    number: str | None
    fractions: int | None
    references: tuple[str, ...]
    beams: tuple[GroupBeam, ...]
    applications: tuple[GroupBeam, ...]
    setups: int


@dataclass(frozen=True, slots=True)
class Beam:
    """A beam, with the facts of its control points that decide the technique.

    Attributes:
        shapes: number of different leaf shapes; 0 without a multileaf collimator, None if the record does not
            say.
    """

    number: str | None
    kind: str | None
    radiation: str | None
    delivery: str | None
    machine: str | None
    manufacturer: str | None
    model: str | None
    axis_distance: float | None
    energy: float | None
    isocentre: tuple[float, float, float] | None
    turns: bool
    points: int
    shapes: int | None
    mass_number: int | None
    digest: str | None

    @property
    def treats(self) -> bool:
        """Whether it gives dose: not a setup or portal beam."""
        return self.delivery not in NOT_TREATING


@dataclass(frozen=True)
class Plan:
    """One plan of a patient.

    Attributes:
        key: its SOP instance UID; the record if it has none.
        ion: whether it is an RT Ion Plan.
        known_metersets: whether the record has monitor units; records of earlier readers have none.
        relations: pairs of UID and relationship of the plans that it refers to.
    """

    record_id: str
    key: str
    date: dt.date | None = None
    label: str | None = None
    intent: str | None = None
    approval: str | None = None
    frame: str | None = None
    structures: str | None = None
    manufacturer: str | None = None
    phantom: bool = False
    ion: bool = False
    brachy_type: str | None = None
    relations: tuple[tuple[str, str | None], ...] = ()
    references: tuple[DoseReference, ...] = ()
    groups: tuple[Group, ...] = ()
    beams: tuple[Beam, ...] = ()
    applications: tuple[str, ...] = ()
    known_metersets: bool = True
    records: tuple[str, ...] = field(default=())

    @cached_property
    def levels(self) -> tuple[DoseReference, ...]:
        """The doses of targets.

        References without a type or structure are used only if there are no others.
        """
        found = tuple(r for r in self.references if r.is_level)
        return tuple(r for r in found if r.kind and r.structure) or found

    @cached_property
    def treating(self) -> tuple[Beam, ...]:
        """The beams that give dose."""
        return tuple(beam for beam in self.beams if beam.treats)

    @cached_property
    def is_brachytherapy(self) -> bool:
        """Whether the dose comes from sources, not from beams."""
        sources = bool(
            self.applications or self.brachy_type or any(g.applications or g.setups for g in self.groups)
        )
        return sources and not self.treating

    @cached_property
    def fractions(self) -> int | None:
        """Fractions of the longest group."""
        return max((g.fractions for g in self.groups if g.fractions), default=None)

    def group_beams(self, group: Group) -> tuple[GroupBeam, ...]:
        """Return the beams of a group that give dose, or its applications."""
        idle = {b.number for b in self.beams if not b.treats}
        return tuple(b for b in group.beams if b.number not in idle) or group.applications

    def meterset(self, group: Group) -> float | None:
        """Return the monitor units of one fraction; None if a beam has none."""
        units = [b.meterset for b in self.group_beams(group)]
        return math.fsum(u for u in units if u) if units and None not in units else None

    def meterset_of(self, number: str | None) -> float | None:
        """Return the monitor units of one beam in one fraction; None if unknown."""
        found = [b.meterset for g in self.groups for b in g.beams if b.number == number]
        return found[0] if number is not None and found else None

    @cached_property
    def beam_dose(self) -> float | None:
        """Beam dose times fractions of its one fraction group; None unless every treating beam has a dose."""
        if len(self.groups) != 1 or self.groups[0].fractions is None:
            return None
        doses = [b.dose for b in self.group_beams(self.groups[0])]
        known = [d for d in doses if d is not None]
        return math.fsum(known) * self.groups[0].fractions if known and len(known) == len(doses) else None

    @cached_property
    def isocentres(self) -> tuple[tuple[float, float, float], ...]:
        """The isocentres of the treating beams, each once."""
        return tuple(sorted({b.isocentre for b in self.treating if b.isocentre}))

    @cached_property
    def fingerprint(self) -> str:
        """Hash that is equal for copies of a plan with another UID, label, date or approval.

        It holds beams, monitor units, control points, isocentres, frame of reference and prescription.
        """
        content = [
            self.frame, self.ion, self.brachy_type,
            sorted(repr((r.kind, r.structure, r.dose)) for r in self.references if r.dose),
            [(g.fractions, g.references, g.beams, g.applications, g.setups) for g in self.groups],
            [(b.kind, b.radiation, b.delivery, b.energy, b.isocentre, b.digest) for b in self.beams],
            self.applications,
        ]  # fmt: skip
        return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def distance_mm(one: Plan, other: Plan) -> float | None:
    """Return the distance between the nearest isocentres of two plans in one frame of reference.

    Return None if it is unknown.
    """
    if one.frame is None or one.frame != other.frame or not one.isocentres or not other.isocentres:
        return None
    return min(math.dist(a, b) for a in one.isocentres for b in other.isocentres)


# --- from the columns of typed.plan -------------------------------------------------------------------


def plan_of(row: Mapping[str, Any]) -> Plan:
    """Build a plan from a row of ``typed.plan``."""
    groups = items(row["fraction_groups"])
    return Plan(
        record_id=row["record_id"],
        key=row["sop_instance_uid"] or row["record_id"],
        date=row["plan_date"],
        label=row["plan_label"],
        intent=row["plan_intent"],
        approval=row["approval"],
        frame=row["frame_of_reference_uid"],
        structures=row["refers_to"],
        manufacturer=row["planning_system"],
        phantom=bool(row["phantom"]),
        ion=bool(row["ion_plan"]),
        brachy_type=row["brachytherapy_type"],
        relations=tuple(
            (r["ReferencedSOPInstanceUID"], r["RTPlanRelationship"])
            for r in items(row["plan_relations"])
            if r.get("ReferencedSOPInstanceUID")
        ),
        references=tuple(map(_reference, items(row["dose_references"]))),
        groups=tuple(map(_group, groups)),
        beams=tuple(map(_beam, items(row["beams"]))),
        applications=tuple(str(a.get("Digest")) for a in items(row["applications"])),
        known_metersets=all("DoseReferences" in g for g in groups) and bool(groups),
    )


def legacy_groups(fractions: str | None, beam_doses: str | None) -> str | None:
    """Return the fraction groups of a record that was read before ``FractionGroups`` existed."""
    numbers = items(fractions)
    doses: Sequence[Any] = items(beam_doses)
    if not numbers:
        return None
    together = doses if len(doses) == len(numbers) else [None] * len(numbers)
    return json.dumps(
        [
            {
                "FractionGroupNumber": str(at),
                "NumberOfFractionsPlanned": n,
                "Beams": [{"ReferencedBeamNumber": None, "BeamDose": d, "BeamMeterset": None}],
            }
            for at, (n, d) in enumerate(zip(numbers, together, strict=True), start=1)
        ]
    )


def items(text: str | None) -> list[Any]:
    """Return the elements of a JSON column; an empty list for an empty cell."""
    return json.loads(text) if text else []


def finite(value: Any) -> float | None:
    """Return a finite number; None for a missing or other value."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _count(value: Any) -> int | None:
    """Return a whole number above 0; None for a missing or other value."""
    number = finite(value)
    return int(number) if number is not None and number > 0 and number == int(number) else None


def _reference(item: Mapping[str, Any]) -> DoseReference:
    return DoseReference(
        item.get("DoseReferenceNumber"),
        item.get("DoseReferenceType"),
        item.get("DoseReferenceStructureType"),
        item.get("DoseReferenceDescription"),
        finite(item.get("TargetPrescriptionDose")),
    )


def _group(item: Mapping[str, Any]) -> Group:
    return Group(
        item.get("FractionGroupNumber"),
        _count(item.get("NumberOfFractionsPlanned")),
        tuple(n for n in item.get("DoseReferences", ()) if n),
        tuple(
            GroupBeam(b.get("ReferencedBeamNumber"), finite(b.get("BeamDose")), finite(b.get("BeamMeterset")))
            for b in item.get("Beams", ())
        ),
        tuple(
            GroupBeam(
                b.get("ReferencedBrachyApplicationSetupNumber"),
                finite(b.get("BrachyApplicationSetupDose")),
                None,
            )
            for b in item.get("Applications", ())
        ),
        _count(item.get("NumberOfBrachyApplicationSetups")) or 0,
    )


def _beam(item: Mapping[str, Any]) -> Beam:
    at = [finite(x) for x in (item.get("IsocenterPosition") or "").split("\\")]
    mass = _count(item.get("RadiationMassNumber"))
    return Beam(
        number=item.get("BeamNumber"),
        kind=item.get("BeamType"),
        radiation=item.get("RadiationType"),
        delivery=item.get("TreatmentDeliveryType"),
        machine=item.get("TreatmentMachineName"),
        manufacturer=item.get("Manufacturer"),
        model=item.get("ManufacturerModelName"),
        axis_distance=finite(item.get("SourceAxisDistance")),
        energy=finite(item.get("NominalBeamEnergy")),
        isocentre=(at[0], at[1], at[2]) if len(at) == 3 and None not in at else None,  # pyright: ignore[reportArgumentType]
        turns=bool({"CW", "CC"} & set(item.get("GantryRotationDirection") or ())),
        points=int(item.get("ControlPoints") or 0),
        shapes=item.get("LeafPositions"),
        mass_number=mass,
        digest=item.get("Digest"),
    )
