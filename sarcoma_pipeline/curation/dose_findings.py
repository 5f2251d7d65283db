"""Turn what is doubtful about volumes and doses into findings, one per rule and plan or structure set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.curation import structure_names
from sarcoma_pipeline.curation.dose_volume.doubts import MEANINGS, DoubtId
from sarcoma_pipeline.curation.planned_doses import Planned, Wanted
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import Side
from schemas.structures_toml import StructureNames
from schemas.volumes import DATASET

_PLAN, _SET = "typed.plan", "typed.structure_set"
_OF_PLAN = (
    Side(_SET, ("roi_names",), by=(("refers_to", "sop_instance_uid"),), sometimes=True),
    Side("typed.dose", ("dose_units",), by=(("sop_instance_uid", "refers_to"),), sometimes=True),
)
_SOURCES = {
    "contours": "DICOM PS3.3 C.8.8.6 ROI Contour",
    "dose": "DICOM PS3.3 C.8.8.3 RT Dose",
    "dvh": "DICOM PS3.3 C.8.8.4 RT DVH",
    "margin": "ICRU 83",
    "structure": "plain logic",
    "target": "ICRU 83",
}


def _rule(id_: DoubtId) -> Rule:
    meaning = MEANINGS[id_]
    group = id_.partition(".")[0]
    of_plan = group in ("dose", "dvh")
    return Rule(
        id_,
        meaning.severity,
        on=_PLAN if of_plan else _SET,
        scope="source" if of_plan else "record",
        what=meaning.what,
        remedy=meaning.remedy,
        source=_SOURCES[group],
        sides=_OF_PLAN if of_plan else (),
        alone="" if of_plan else "all contours are in the structure set itself",
    )


RULES: dict[str, Rule] = {id_: _rule(id_) for id_ in sorted(MEANINGS)}
"""A rule for each doubt."""

UNMAPPED = Rule(
    "structures.unmapped",
    "notice",
    on=_SET,
    scope="source",
    what="The name of a structure is not mapped: it has volumes and doses, but no analysis uses them.",
    remedy="Map the name in [[structures]] of study.toml, or name it there as helper. "
    "sarcoma structures --unmapped lists all of them.",
    source="AAPM TG-263",
    alone="the name stands in many structure sets",
)
CONTRADICTS = Rule(
    "structures.type-contradicts",
    "warning",
    on=_SET,
    scope="source",
    what="RTROIInterpretedType and the name of a structure mean different structures. The type is used.",
    remedy="In the treatment planning system, correct the type or the name. If both are meant so, map the "
    "name in [[structures]] of study.toml.",
    source="DICOM PS3.3 C.8.8.8 RTROIInterpretedType",
    alone="type and name stand in the same structure set",
)


def observe(wanted: Wanted, results: Mapping[str, Mapping[str, Any]]) -> pl.DataFrame:
    """Return a finding for each rule and each plan or structure set, with all structures and values.

    Args:
        wanted: the calculations of the night.
        results: calculation to its result.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    told: dict[tuple[str, str], set[str]] = {}
    for one in wanted.planned:
        for doubt in results.get(one.calculation, {}).get("doubts", ()):
            told.setdefault((doubt["id"], _record(one, doubt["id"])), set()).add(_said(doubt))
    for record, why in wanted.not_added:
        told.setdefault(("dose.course-not-added", record), set()).add(why)
    found = [
        observation(
            pl.DataFrame({"record_id": [record], "value": ["; ".join(sorted(said))]}),
            RULES[id_],
            str(RULES[id_].on),
            "prescribed_dose_gy" if RULES[id_].on == _PLAN else "roi_names",
            pl.col("value"),
        )
        for (id_, record), said in sorted(told.items())
    ]
    return pl.concat([Observation.empty(), *found])


def _record(one: Planned, id_: str) -> str:
    return one.plan_record if RULES[id_].on == _PLAN else one.structure_record


def _said(doubt: Mapping[str, str]) -> str:
    return f"{doubt['structure']}: {doubt['value']}" if doubt["structure"] else doubt["value"]


def names(
    sets: Iterable[tuple[str, Sequence[tuple[str | None, str | None]]]], own: Sequence[StructureNames]
) -> pl.DataFrame:
    """Return a finding for each name that is not mapped or contradicts its type, with its count.

    Args:
        sets: source, and name and type of every structure, of each structure set.
        own: ``[[structures]]`` of the study.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    of_source: dict[str, list[Sequence[tuple[str | None, str | None]]]] = {}
    for source, pairs in sets:
        of_source.setdefault(source, []).append(pairs)
    found = []
    for source, every in sorted(of_source.items()):
        for one in structure_names.counted(every, own):
            rule = CONTRADICTS if one.meaning.contradicts else UNMAPPED
            if one.meaning.role is not None and not one.meaning.contradicts:
                continue
            kind = f", type {one.interpreted_type}" if one.interpreted_type else ""
            name = one.name or "(no name)"
            plural = "s" if one.count > 1 else ""
            said = f"{name}{kind}: {one.count} structure set{plural}"
            frame = pl.DataFrame({"record_id": [DATASET + source], "value": [said]})
            found.append(observation(frame, rule, _SET, f"{name}{kind}", pl.col("value")))
    return pl.concat([Observation.empty(), *found])
