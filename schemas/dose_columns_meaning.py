"""Check ``[[dose_columns]]`` and ``[[dose_response]]`` of ``study.toml``: what they name exists."""

from __future__ import annotations

from schemas.analysis_meaning import NUMBERS, OUTCOMES, patient_columns
from schemas.cohort import CohortPatient
from schemas.configuration_faults import Complaints, Loc, among
from schemas.structure_names import METRICS, OF_TYPE, ROLES, USUAL
from schemas.study_toml import Study


def of_dose_columns(study: Study) -> Complaints:
    """Check names, structures and metrics of the declared volumes and doses."""
    taken = {column.name for column in CohortPatient.columns()}
    known = {*ROLES, *_tg263(study)}
    computed = {*study.dose_volume.volumes_at_gy, *_volumes_at(study)}
    for at, one in enumerate(study.dose_columns):
        loc: Loc = ("dose_columns", at)
        if {one.name, one.third} & taken:
            yield (*loc, "name"), f'"{one.name}" or "{one.third}" is a column already'
        taken |= {one.name, one.third}
        yield from among((*loc, "structure"), [one.structure], known)
        x = one.volume_at_gy
        if x is not None and x not in computed:
            yield (*loc, "metric"), f"V{x:g} is not computed: add {x:g} to volumes_at_gy of [dose_volume]"


def of_dose_response(study: Study) -> Complaints:
    """Check that each curve names a toxicity and a column of numbers that is no outcome."""
    numbers = {n for n, c in patient_columns(study).items() if c.dtype in NUMBERS} - OUTCOMES
    for at, one in enumerate(study.dose_response):
        loc: Loc = ("dose_response", at)
        yield from among((*loc, "toxicity"), [one.toxicity], [e.name for e in study.toxicity])
        yield from among((*loc, "column"), [one.column], numbers)
        if one.name in [other.name for other in study.dose_response[:at]]:
            yield (*loc, "name"), f'two dose_response are named "{one.name}"'


def _tg263(study: Study) -> set[str]:
    """Return the names after TG-263 that structures can get, with and without a side."""
    usual = [*USUAL, *study.structures]
    names = {one.tg263 for one in usual} | {name for name, _ in OF_TYPE.values()}
    sided = {f"{one.tg263}_{side}" for one in USUAL if one.sided and one.tg263 for side in "LR"}
    return {name for name in names if name} | sided


def _volumes_at(study: Study) -> set[float]:
    """Return the x of all Vx that roles and structures ask for."""
    metrics = [*METRICS.values(), *(one.metrics for one in study.structures)]
    return {float(m[1:]) for some in metrics for m in some if m[0] == "V" and m != "V95%"}
