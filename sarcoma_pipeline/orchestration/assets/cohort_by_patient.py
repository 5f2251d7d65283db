"""Derive the cohort of the patients whose curated rows changed; keep the rows of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sarcoma_pipeline.cohort import cohort_tables, derivation
from sarcoma_pipeline.orchestration.assets import curated_of_group, kept_result
from sarcoma_pipeline.orchestration.assets.step import StepOutput
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas import row_hashes
from schemas.meta import MetaStepPatient

STEP = "cohort"
"""Name of the step."""

_OF_PATIENTS = MetaStepPatient.table()


def derived_anew(
    warehouse: Warehouse, project: Project, eligible: pl.Series, curated: Sequence[str], tables: Sequence[str]
) -> StepOutput:
    """Return the tables of the cohort, derived of the patients touched.

    All are derived after a change of what holds for all of them (program, configuration, key, data cut-off),
    if a table is damaged, and if any event of anybody may be the cut-off.

    Args:
        warehouse: the study's warehouse.
        project: the study.
        eligible: pseudonyms of the cohort.
        curated: the curated tables.
        tables: the tables of the cohort.
    """
    study = project.study
    cut, groups = curated_of_group.groups(warehouse, curated, study.assumptions, eligible)
    circumstances = step_cache.circumstances(project, str(cut))
    former = _former(warehouse, circumstances, tables) if cut else {}
    before = MetaStepPatient.empty()
    if former:
        before = warehouse.read(_OF_PATIENTS, noted=False).filter(step=STEP, circumstances=circumstances)
    inputs, untouched, found = [], [], []
    for rows in groups:
        now = cohort_tables.inputs(rows)
        same = now.join(before, on=list(row_hashes.INPUTS), how="semi")
        inputs.append(now)
        untouched.append(rows["curated.patient"].join(same, on="patient_id", how="semi")["pseudonym"])
        if former and same.height == now.height:
            continue
        theirs: Mapping[str, pl.DataFrame] = rows
        if same.height:
            theirs = {
                table: frame.join(same, on="patient_id", how="anti", maintain_order="left")
                for table, frame in rows.items()
            }
        made = derivation.cohort(theirs, study, chosen=eligible, cut=cut)
        found.append(cohort_tables.derive(made, warehouse.centre))
    whole = pl.concat(inputs)
    kept = bool(former) and not found and whole.height == before.height
    frames = former
    if not kept:
        old = [cohort_tables.of_patients(former, pl.concat(untouched))] if former else []
        frames = cohort_tables.combined([*old, *found], study)
    of_patients = {_OF_PATIENTS: whole.with_columns(circumstances=pl.lit(circumstances))}
    noted = kept_result.noted(circumstances, frames)
    # If nobody is kept, a table may be damaged: all are written even if they are noted to be there.
    nobody = not kept and not any(some.len() for some in untouched)
    return StepOutput(frames, {**noted, **of_patients}, anew=nobody, kept=kept)


def _former(warehouse: Warehouse, circumstances: str, tables: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return the tables that were derived under the same circumstances; empty if one of them is damaged."""
    content = kept_result.contents(warehouse, STEP, circumstances)
    if content.keys() != set(tables):
        return {}
    frames = {table: warehouse.read(table, noted=False) for table in tables}
    intact = all(step_cache.version(frame) == content[table] for table, frame in frames.items())
    return frames if intact else {}
