"""Turns a layer's pure functions into Dagster steps; the assets' documentation comes from the contracts.

Steps pass table names to each other; frames stay in the warehouse and in the run's memory. Dagster's metadata
contains only counts, column schemas and hashes, and nothing that identifies a patient.
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

from sarcoma_pipeline.orchestration import data_versions, links
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, WarehouseBusy
from sarcoma_pipeline.quality.column_lineage import origins
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import ducklake, opening, step_cache
from sarcoma_pipeline.warehouse.centres import POOLED_LAYER
from sarcoma_pipeline.warehouse.freed_memory import give_back
from sarcoma_pipeline.warehouse.rewrite import Amendment
from schemas.all_contracts import CONTRACTS

_TRANSIENT = frozenset(
    (
        errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ECONNRESET,
        errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH,
    )
)  # fmt: skip
"""Errors of a network share that is temporarily unreachable."""

_NO_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_NOT_WRITABLE = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))
_DATABASE = (
    duckdb.IOException,
    duckdb.FatalException,
    duckdb.InternalException,
    duckdb.SerializationException,
    duckdb.TransactionException,
)
"""Errors that DuckDB raises for a problem with its file, not with the statement."""

RETRY = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL)
"""Exponential backoff for transient errors only; :func:`redacted_errors` forbids retries of all others."""

UNCHANGED = "unchanged"
"""Metadata key of a materialisation: True if the step was skipped because no input had changed."""


@dataclass(frozen=True)
class StepOutput:
    """The frames that a step computed.

    Attributes:
        frames: table name to frame.
        of_step: shared table (``quality.observed``, ``quality.set_aside``) to the rows of this step.
        metadata: table name to additional metadata of its materialisation.
        amended: table name to new rows of some of its keys, instead of a frame.
        step: name by which the rows of shared tables are kept, if not that of the step.
        anew: whether to write the tables even if they are noted to have this content already.
        kept: whether the frames are what the tables hold: nothing that they rest on has changed.
    """

    frames: Mapping[str, pl.DataFrame]
    of_step: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    amended: Mapping[str, Amendment] = field(default_factory=dict)
    step: str = ""
    anew: bool = False
    kept: bool = False


@dataclass(frozen=True)
class _Written:
    sizes: Mapping[str, int]
    metadata: Mapping[str, Mapping[str, Any]]


def asset_key(project: Project, table: str) -> dg.AssetKey:
    """Return the key ``study/schema/table``; the study distinguishes the code locations of one instance."""
    return dg.AssetKey([project.study.name, *table.split(".")])


def partitions(project: Project) -> dg.StaticPartitionsDefinition | None:
    """Return a partition per centre for assets computed per centre; None in a study with one drop folder."""
    return dg.StaticPartitionsDefinition(list(project.centres)) if project.centres else None


def tags(project: Project) -> dict[str, str]:
    """Return the tags of a study's runs: the study, and the lock on its DuckDB file."""
    study = {"study": project.study.name}
    # In a catalog each centre has its own tables and its own writer, so no lock is needed.
    no_lock = project.centres and ducklake.catalog_address()
    return study if no_lock else {**study, "writer": project.study.name}


def column_schema(table: str) -> dg.TableSchema:
    """Return the contract's columns for the Dagster UI."""
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
    """Return the origins of a table's columns; empty for tables that are read from files."""
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
    """Describe the asset of one table from its contract."""
    layer = table.partition(".")[0]
    return dg.AssetSpec(
        key=asset_key(project, table),
        deps=[d if isinstance(d, dg.AssetKey) else asset_key(project, d) for d in deps],
        description=CONTRACTS[table].describe(),
        group_name=links.group(project, layer),
        kinds=kinds,
        owners=[project.study.owner],
        metadata={
            "dagster/table_name": f"{project.study.name}.{table}",
            "dagster/column_schema": column_schema(table),
            **column_lineage(project, table),
            **links.of_layer(project, layer),
        },
    )


@contextmanager
def redacted_errors(project: Project) -> Iterator[None]:
    """Keep error messages out of Dagster: libraries quote the values that caused the error.

    Write the full traceback to a file next to the warehouse that only its owner can read.

    Raises:
        dg.Failure: with the type and place of the error, and nothing else.
    """
    try:
        yield
    except (dg.Failure, GeneratorExit):
        raise
    except Exception as broken:
        log = project.warehouse.with_suffix(".errors.log")
        where = f"The traceback is in data/warehouse/{log.name}."
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as stream:
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                stream.write(f"{at}\n{traceback.format_exc()}\n")
        except OSError:
            # E.g. a full disk; the traceback with its values must still not reach Dagster.
            where = f"data/warehouse/{log.name} could not be written."
        transient = isinstance(broken, WarehouseBusy) or (
            isinstance(broken, OSError) and broken.errno in _TRANSIENT
        )
        own = type(broken).__module__.startswith(("sarcoma_pipeline", "schemas"))
        place = traceback.extract_tb(broken.__traceback__)[-1]
        message = f": {broken}" if own else ""
        raise dg.Failure(
            description=f"{type(broken).__name__} at {place.name}, line {place.lineno}{message}. "
            f"{_remedy(project, broken)}{where}",
            allow_retries=transient,
        ) from None


def _remedy(project: Project, broken: Exception) -> str:
    """Return what to do if the disk or the database failed; else an empty text."""
    if isinstance(broken, OSError) and broken.errno in _NO_SPACE:
        return "Free disk space, then refresh again. "
    if isinstance(broken, OSError) and broken.errno in _NOT_WRITABLE:
        return "Give the service write permission below data/, then refresh again. "
    if isinstance(broken, opening.CannotOpen):
        return ""  # its message says what to do
    if isinstance(broken, _DATABASE):
        return (
            "Check that the disk is not full and data/ is writable. If so, the warehouse is damaged: "
            f"sarcoma restore, or see sarcoma doctor --study {project.study.name}. "
        )
    return ""


def step(
    project: Project,
    name: str,
    tables: Mapping[str, Sequence[str | dg.AssetKey]],
    compute: Callable[[Warehouse], StepOutput | Iterator[StepOutput]],
    *,
    kinds: set[str],
    checks: Sequence[dg.AssetCheckSpec] = (),
    run_checks: Callable[[Warehouse], Sequence[dg.AssetCheckResult]] = lambda _: (),
    other_inputs: Callable[[Warehouse], str] = lambda _: "",
    keyed: bool = True,
    description: str | None = None,
) -> dg.AssetsDefinition:
    """Build a Dagster step from a pure function; it is skipped when no input has changed.

    Args:
        project: the study.
        name: name of the step in the UI.
        tables: the tables that it computes, each with the tables (or asset keys) it depends on.
        compute: function that reads tables and returns frames; large ones in parts.
        kinds: technologies, for the UI's icons.
        checks: checks on these tables whose results ``run_checks`` returns.
        run_checks: evaluates the checks; also called when the step is skipped.
        other_inputs: describes inputs of ``compute`` other than tables, program, configuration and key.
        keyed: whether it may depend on the key of the pseudonyms, which the first refresh makes.
        description: what the step does, for the UI.
    """
    # Dagster requires a step's tables in topological order.
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
        with redacted_errors(project):
            written = _compute_if_changed(warehouse)
            results = run_checks(warehouse)
        if written is not None:
            give_back()
        seconds = dg.MetadataValue.float(round(time.perf_counter() - began, 3))
        versions = data_versions.of_tables(warehouse, *in_order)
        for table in in_order:
            metadata: dict[str, Any] = {
                "dagster/row_count": warehouse.height(table),
                UNCHANGED: written is None,
            }
            if written is not None:
                metadata |= {
                    "seconds": seconds,
                    "bytes in memory": written.sizes[table],
                    **written.metadata.get(table, {}),
                }
            yield dg.MaterializeResult(
                asset_key=asset_key(project, table),
                metadata=metadata,
                data_version=versions.get(table),
            )
        yield from results

    def _compute_if_changed(warehouse: Warehouse) -> _Written | None:
        circumstances = step_cache.circumstances(project, other_inputs(warehouse), keyed=keyed)
        if warehouse.kept(name, circumstances):
            return None
        metadata: dict[str, Mapping[str, Any]] = {}
        with warehouse.recorded_reads() as reads:
            output = compute(warehouse)
            kept = isinstance(output, StepOutput) and output.kept
            with warehouse.rewriting(name) as writing:
                for part in [output] if isinstance(output, StepOutput) else output:
                    writing.add(part.frames, part.of_step, anew=part.anew, step=part.step)
                    for table, amendment in part.amended.items():
                        writing.amend(table, amendment)
                    metadata |= part.metadata
                writing.note_step(circumstances, reads)
        return None if kept else _Written(writing.sizes, metadata)

    return run
