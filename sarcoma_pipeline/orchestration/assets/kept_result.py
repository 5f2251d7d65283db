"""Keep a step's result if the rows that it rests on are the same, although tables that it reads have changed.

A step is skipped while no table that it read has changed. Most changes touch patients on whom the result of a
step does not rest: such a step selects the rows, computes from these rows alone, and is spared the computing
if they, the program, the configuration and the key are as they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.orchestration.assets.step import StepOutput
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas.meta import MetaStepResult

_RESULTS = MetaStepResult.table()


def unless_same(
    warehouse: Warehouse,
    project: Project,
    step: str,
    tables: Sequence[str],
    inputs: Mapping[str, pl.DataFrame],
    compute: Callable[[], Mapping[str, pl.DataFrame]],
) -> StepOutput:
    """Return the tables of a step as they are, or computed anew if an input changed or a table is damaged.

    Args:
        warehouse: the study's warehouse.
        project: the study.
        step: name of the step.
        tables: the tables that it computes.
        inputs: every frame that ``compute`` uses.
        compute: computes the tables from the inputs, the configuration and nothing else.
    """
    of = _hash(project, inputs)
    content = contents(warehouse, step, of)
    frames: Mapping[str, pl.DataFrame] = {}
    if content.keys() == set(tables):
        frames = {table: warehouse.read(table, noted=False) for table in tables}
    same = bool(frames) and all(step_cache.version(f) == content[table] for table, f in frames.items())
    if not same:
        frames = compute()
    # Computed anew it is written anew, too: a damaged table may be noted as the one that it should be.
    return StepOutput(frames, noted(of, frames), anew=not same, kept=same)


def contents(warehouse: Warehouse, step: str, inputs: str) -> dict[str, str]:
    """Return the versions of the tables that a step computed from these inputs, if it did so last."""
    # Not recorded as inputs: the step does not depend on its own tables.
    found = warehouse.read(_RESULTS, noted=False).filter(step=step, inputs=inputs)
    return dict(found.select("result_table", "content").iter_rows())


def noted(inputs: str, frames: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the rows that say from which inputs these tables were computed."""
    return noted_contents(inputs, {table: step_cache.version(frame) for table, frame in frames.items()})


def noted_contents(inputs: str, named: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """Return the rows that say from which inputs tables of these contents were computed."""
    rows = [(table, inputs, content) for table, content in named.items()]
    names = ["result_table", "inputs", "content"]
    return {_RESULTS: pl.DataFrame(rows, schema=names, orient="row")}


def _hash(project: Project, inputs: Mapping[str, pl.DataFrame]) -> str:
    parts = [step_cache.circumstances(project, "")]
    parts += [f"{table}={step_cache.version(frame)}" for table, frame in sorted(inputs.items())]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()
