"""Derive technique, radiation and energy of a plan from the beams with the highest share of its dose.

The name of a machine alone decides nothing: a linac may be called TOMO_BACKUP.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from sarcoma_pipeline.curation.radiotherapy_plans import Beam, Plan

_TOMOTHERAPY_MAKER = re.compile(r"tomotherapy", re.IGNORECASE)
_TOMOTHERAPY_MODEL = re.compile(r"tomotherapy|\btomo\b|tomohd|radixact|hi[- ]?art", re.IGNORECASE)
_TOMOTHERAPY_NAME = re.compile(r"tomo|radixact|hi[- ]?art", re.IGNORECASE)
_TOMOTHERAPY_AXIS_MM = 850.0
"""Source-axis distance of a tomotherapy machine; that of a C-arm linac is 1000 mm."""
_COBALT_MEV = (1.1, 1.4)
"""Cobalt-60 has lines of 1.17 and 1.33 MeV, below the energy of any linac."""
_SEGMENTS_OF_IMRT = 3
"""Minimum number of leaf shapes of a static step beam that is IMRT; two shapes are a field in a field."""

RADIATION_OF = {"PHOTON": "photons", "ELECTRON": "electrons", "NEUTRON": "neutrons", "PROTON": "protons"}
_TECHNIQUE_OF = {
    "electrons": "electron", "neutrons": "neutron", "protons": "proton", "heavier ions": "heavier ion",
    "brachytherapy": "brachytherapy",
}  # fmt: skip
RBE_WEIGHTED = frozenset({"protons", "heavier ions"})
"""Radiations whose dose is given in Gy(RBE)."""


@dataclass(frozen=True, slots=True)
class Technique:
    """Technique of a plan; the first item of each list has the highest share of the dose.

    Attributes:
        techniques: values of the vocabulary ``technique``.
        radiations: values of the vocabulary ``radiation``.
        energies: nominal energies (MV, MeV, MeV/u) of the beams of the first radiation.
        energy_mv: energy of the first technique, photons only.
    """

    techniques: tuple[str, ...]
    radiations: tuple[str, ...]
    energies: tuple[float, ...]
    energy_mv: float | None

    @property
    def technique(self) -> str:
        """The technique with the highest share of the dose."""
        return self.techniques[0] if self.techniques else "unknown"

    @property
    def radiation(self) -> str | None:
        """The radiation with the highest share of the dose."""
        return self.radiations[0] if self.radiations else None


def technique_of(plan: Plan) -> Technique:
    """Return the technique, radiations and energies of a plan."""
    if plan.is_brachytherapy:
        return Technique(("brachytherapy",), ("brachytherapy",), (), None)
    weights = _weights(plan)
    beams = plan.treating
    radiations = _ordered((_radiation(b, plan), w) for b, w in zip(beams, weights, strict=True))
    techniques = _ordered((_of_beam(b, plan), w) for b, w in zip(beams, weights, strict=True))
    if not techniques:
        return Technique((), (), (), None)
    main = [(b, w) for b, w in zip(beams, weights, strict=True) if _radiation(b, plan) == radiations[0]]
    energies = _ordered((b.energy, w) for b, w in main if b.energy)
    of_technique = _ordered((b.energy, w) for b, w in main if b.energy and _of_beam(b, plan) == techniques[0])
    photons = radiations[0] == "photons"
    return Technique(techniques, radiations, energies, of_technique[0] if photons and of_technique else None)


def _weights(plan: Plan) -> list[float]:
    """Return the weight of each treating beam: its dose, else its monitor units, else 1."""
    doses = defaultdict(float)
    units = defaultdict(float)
    for group in plan.groups:
        for beam in group.beams:
            times = group.fractions or 1
            doses[beam.number] += (beam.dose or 0.0) * times
            units[beam.number] += (beam.meterset or 0.0) * times
    for shares in (doses, units):
        found = [shares.get(beam.number, 0.0) if beam.number is not None else 0.0 for beam in plan.treating]
        if math.fsum(found) > 0:
            return found
    return [1.0] * len(plan.treating)


_Value = TypeVar("_Value", str, float)


def _ordered(weighted: Iterable[tuple[_Value, float]]) -> tuple[_Value, ...]:
    """Return distinct values by descending weight; ties by name."""
    total: dict[_Value, float] = defaultdict(float)
    for value, weight in weighted:
        total[value] += weight
    return tuple(sorted(total, key=lambda value: (-round(total[value], 6), str(value))))


def _radiation(beam: Beam, plan: Plan) -> str:
    if beam.radiation == "ION":
        return "protons" if beam.mass_number == 1 else "heavier ions"
    known = RADIATION_OF.get(beam.radiation or "", "protons" if plan.ion else "photons")
    if known == "photons" and beam.energy is not None and _COBALT_MEV[0] <= beam.energy <= _COBALT_MEV[1]:
        return "cobalt"
    return known


def _of_beam(beam: Beam, plan: Plan) -> str:
    radiation = _radiation(beam, plan)
    if radiation in _TECHNIQUE_OF:
        return _TECHNIQUE_OF[radiation]
    moves = beam.shapes > 1 if beam.shapes else None if beam.shapes is None else False
    if beam.turns:
        if _is_tomotherapy(beam, plan):
            return "helical tomotherapy"
        # A rotating fixed field is a conformal arc. Leaves that are not described may move.
        still = beam.shapes == 1 or (beam.kind == "STATIC" and not moves)
        return "3D conformal" if still else "VMAT"
    if beam.kind == "DYNAMIC":
        # Without moving leaves only the jaws move: a dynamic wedge.
        return "static IMRT" if moves is not False else "3D conformal"
    in_steps = beam.shapes is not None and beam.shapes >= _SEGMENTS_OF_IMRT
    return "static IMRT" if in_steps else "3D conformal"


def _is_tomotherapy(beam: Beam, plan: Plan) -> bool:
    """Return whether a beam is of a tomotherapy machine.

    The maker or model decides; the name only together with the source-axis distance.
    """
    if _TOMOTHERAPY_MAKER.search(beam.manufacturer or ""):
        return True
    if _TOMOTHERAPY_MODEL.search(beam.model or ""):
        return True
    if not beam.manufacturer and _TOMOTHERAPY_MAKER.search(plan.manufacturer or ""):
        return True
    named = bool(_TOMOTHERAPY_NAME.search(beam.machine or ""))
    return named and beam.axis_distance == _TOMOTHERAPY_AXIS_MM
