"""How a layer's pure functions become Dagster assets: one step, several tables, everything from the contract.

Steps hand each other table names; frames stay in the warehouse and in the memory of the run's one process.
Nothing that identifies a patient goes into metadata: counts, column schemas and hashes only.
"""

import errno
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, WarehouseBusy
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import ducklake, step_cache
from sarcoma_pipeline.warehouse.centres import POOLED_LAYER
from schemas.all_contracts import CONTRACTS
from schemas.column_lineage import origins

_TRANSIENT = frozenset(
    (
        errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET,
        errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH,
    )
)  # fmt: skip
"""What a network share says when it will be back."""

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_NOT_WRITABLE = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))
_DATABASE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
    duckdb.TransactionException,
)
"""What DuckDB raises when its file fails it, and not the statement."""

RETRY = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL)
"""For the transient only: every other failure forbids it, see :func:`discreet`."""


KEPT = "kept: nothing that it rests on changed"


@dataclass(frozen=True)
class Made:
    """What a step made.

    Attributes:
        frames: table name to frame.
        of_step: the step's part of tables that several steps share (``quality.observed``, ``set_aside``).
        metadata: table name to further metadata of its materialisation.
    """

    frames: Mapping[str, pl.DataFrame]
    of_step: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Written:
    sizes: Mapping[str, int]
    said: Mapping[str, Mapping[str, Any]]


def asset_key(project: Project, table: str) -> dg.AssetKey:
    """``study/schema/table``: two studies are two code locations of one instance."""
    return dg.AssetKey([project.study.name, *table.split(".")])


def partitions(project: Project) -> dg.StaticPartitionsDefinition | None:
    """A partition per centre, for what is made centre by centre; none in a study with one drop folder."""
    return dg.StaticPartitionsDefinition(list(project.centres)) if project.centres else None


def tags(project: Project) -> dict[str, str]:
    """The tags of a study's runs: whose they are, and that they need the one writer of a DuckDB file."""
    study = {"study": project.study.name}
    # The centres' tables in a catalog have a writer each.
    return study if project.centres and ducklake.named() else {**study, "writer": project.study.name}


def column_schema(table: str) -> dg.TableSchema:
    """The contract's columns for the Dagster UI."""
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=c.name,
                type=c.sql_type,
                description=c.comment,
                constraints=dg.TableColumnConstraints(nullable=c.nullable),
                tags={"identifying": c.identifying},
            )
            for c in CONTRACTS[table].columns()
        ]
    )


def column_lineage(project: Project, table: str) -> dict[str, dg.TableColumnLineage]:
    """The declared origins of a table's columns; nothing for tables that rest on files."""
    columns = origins().get(table)
    if not columns:
        return {}
    deps = {
        column: [dg.TableColumnDep(asset_key(project, source), name) for source, name in sources]
        for column, sources in columns.items()
    }
    return {"dagster/column_lineage": dg.TableColumnLineage(deps)}


def table_spec(
    project: Project, table: str, deps: Sequence[str | dg.AssetKey], kinds: set[str]
) -> dg.AssetSpec:
    """The asset of one table, as its contract describes it."""
    return dg.AssetSpec(
        key=asset_key(project, table),
        deps=[d if isinstance(d, dg.AssetKey) else asset_key(project, d) for d in deps],
        description=CONTRACTS[table].describe(),
        group_name=table.partition(".")[0],
        kinds=kinds,
        owners=[project.study.owner],
        metadata={
            "dagster/table_name": f"{project.study.name}.{table}",
            "dagster/column_schema": column_schema(table),
        },
    )


@contextmanager
def discreet(project: Project) -> Iterator[None]:
    """Keep what a crash says out of Dagster: libraries quote the values that they stumble over.

    The whole traceback goes to a file beside the warehouse that only its owner can read.

    Raises:
        dg.Failure: with the kind of the error and where it happened, and nothing else.
    """
    try:
        yield
    except (dg.Failure, GeneratorExit):
        raise
    except Exception as broken:
        log = project.warehouse.with_suffix(".errors.log")
        told = f"The traceback is in data/warehouse/{log.name}."
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as stream:
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                stream.write(f"{at}\n{traceback.format_exc()}\n")
        except OSError:
            # What fills the disk must not bring the traceback, with its values, into Dagster.
            told = f"data/warehouse/{log.name} could not be written."
        transient = isinstance(broken, WarehouseBusy) or (
            isinstance(broken, OSError) and broken.errno in _TRANSIENT
        )
        own = type(broken).__module__.startswith(("sarcoma_pipeline", "schemas"))
        place = traceback.extract_tb(broken.__traceback__)[-1]
        said = f": {broken}" if own else ""
        raise dg.Failure(
            description=f"{type(broken).__name__} at {place.name}, line {place.lineno}{said}. "
            f"{_remedy(project, broken)}{told}",
            allow_retries=transient,
        ) from None


def _remedy(project: Project, broken: Exception) -> str:
    """What to do where the disk or the database fails, and not the data."""
    if isinstance(broken, OSError) and broken.errno in _NO_ROOM:
        return "Make room, then refresh again. "
    if isinstance(broken, OSError) and broken.errno in _NOT_WRITABLE:
        return "Let the service write below data/, then refresh again. "
    if isinstance(broken, _DATABASE):
        return (
            "Is the disk full, or is data/ not writable? If neither, the warehouse is damaged: "
            f"sarcoma restore, or see sarcoma doctor --study {project.study.name}. "
        )
    return ""


def step(
    project: Project,
    name: str,
    tables: Mapping[str, Sequence[str | dg.AssetKey]],
    compute: Callable[[Warehouse], Made | Iterator[Made]],
    *,
    kinds: set[str],
    checks: Sequence[dg.AssetCheckSpec] = (),
    judge: Callable[[Warehouse], Sequence[dg.AssetCheckResult]] = lambda _: (),
    further: Callable[[Warehouse], str] = lambda _: "",
    description: str | None = None,
) -> dg.AssetsDefinition:
    """Make one step of a pure function; it is computed only if something that it rests on changed.

    Args:
        project: the study.
        name: of the step, as the UI shows it.
        tables: tables it makes, each with the tables (or asset keys) that it rests on.
        compute: reads tables, returns frames; what is large part by part.
        kinds: technologies, for the UI's icons.
        checks: checks of these tables that ``judge`` reports.
        judge: judges the tables as they stand, whether they were computed or kept.
        further: names what else ``compute`` depends on but for tables, program, configuration and key.
        description: what the step does, in the UI.
    """
    # Dagster wants a step's own tables in the order in which they rest on each other.
    pool = all(t.startswith(f"{POOLED_LAYER}.") for t in tables)
    own = {t: [d for d in deps if isinstance(d, str) and d in tables] for t, deps in tables.items()}
    in_order = list(TopologicalSorter(own).static_order())

    @dg.multi_asset(
        name=name,
        specs=[table_spec(project, table, deps, kinds) for table, deps in tables.items()],
        check_specs=checks,
        description=description or compute.__doc__,
        partitions_def=None if pool else partitions(project),
        retry_policy=RETRY,
    )
    def run(warehouse: Warehouse) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        began = time.perf_counter()
        with discreet(project):
            made = _made(warehouse)
            judged = judge(warehouse)
        seconds = dg.MetadataValue.float(round(time.perf_counter() - began, 3))
        for table in in_order:
            metadata: dict[str, Any] = {"dagster/row_count": warehouse.height(table), KEPT: made is None}
            if made is not None:
                metadata |= {
                    "seconds": seconds,
                    "bytes in memory": made.sizes[table],
                    **made.said.get(table, {}),
                }
            yield dg.MaterializeResult(
                asset_key=asset_key(project, table), metadata={**metadata, **column_lineage(project, table)}
            )
        yield from judged

    def _made(warehouse: Warehouse) -> _Written | None:
        made_in = step_cache.circumstances(project, further(warehouse))
        if warehouse.kept(name, made_in):
            return None
        said: dict[str, Mapping[str, Any]] = {}
        with warehouse.noting() as reads:
            made = compute(warehouse)
            with warehouse.rewriting(name) as writing:
                for part in [made] if isinstance(made, Made) else made:
                    writing.add(part.frames, part.of_step)
                    said |= part.metadata
                writing.note_step(made_in, reads)
        return _Written(writing.sizes, said)

    return run
