"""Define what is known of a plan besides its files, for the computation of its dose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlannedGroup:
    """A fraction group of a plan.

    Attributes:
        number: FractionGroupNumber.
        fractions: NumberOfFractionsPlanned.
        beams: numbers of its beams that give dose.
    """

    number: str
    fractions: int | None
    beams: frozenset[str]


@dataclass(frozen=True)
class PlanOfDose:
    """What is known of a plan besides its files.

    Attributes:
        uid: its SOPInstanceUID.
        groups: its fraction groups.
        fractions: its planned fractions.
        share: share of its planned dose that counts in the course; 1 for the dose of a plan.
    """

    uid: str
    groups: tuple[PlannedGroup, ...]
    fractions: int | None
    share: float = 1.0
