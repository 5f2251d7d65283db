"""Type the files touched since the last refresh; keep the typed rows of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import report_choice, reports, touched_files, typed_records
from sarcoma_pipeline.curation.touched_files import FILE, Touched
from sarcoma_pipeline.orchestration.assets import kept_result
from sarcoma_pipeline.orchestration.assets.received import RECEIVED
from sarcoma_pipeline.orchestration.assets.step import StepOutput
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from sarcoma_pipeline.warehouse.rewrite import Amendment
from schemas.meta import MetaFile, MetaRefresh, MetaStepFile
from schemas.quality import Observed, SetAside

OF_REPORTS, STEP = typed_records.STEPS

TYPED = tuple(contract.table() for contract in typed_records.TYPED)

_RECORDS = 50_000
"""Maximum number of received records typed at a time, to limit memory; a larger file is typed in one part."""

_AMENDED = 100_000
"""Maximum number of records of touched files for which tables are amended, in one part."""

_OF_FILES = MetaStepFile.table()
_SAID = (Observed.table(), SetAside.table())
_SHARED = (*_SAID, _OF_FILES)


@dataclass(frozen=True)
class _Night:
    """What is known before records are typed.

    Attributes:
        days: ``refresh_id``, ``received_on`` of all refreshes.
        files: ``file_id``, ``source``, ``path`` of the files.
        replaced: ``record_id`` of records to leave out, replaced by a newer version of their report.
        repeated: received table to the ids of the records that repeat others.
        inputs: what the typing of each file depends on.
    """

    days: pl.DataFrame
    files: pl.DataFrame
    replaced: pl.DataFrame
    repeated: Mapping[str, pl.Series]
    inputs: pl.DataFrame


def typed_anew(warehouse: Warehouse, project: Project) -> Iterator[StepOutput]:
    """Yield what is said of versions of reports, then the typed rows: amended, or all of them in parts."""
    # Not recorded as an input, because the date of an existing refresh never changes.
    days = warehouse.read(MetaRefresh.table(), columns=("refresh_id", "received_on"), noted=False)
    # Not recorded as an input, because a new or changed file brings new records.
    files = warehouse.read(MetaFile.table(), columns=("file_id", "source", "path"), noted=False)
    circumstances = step_cache.circumstances(project, "")
    said = _reports(warehouse, days, files, circumstances)
    if isinstance(said, StepOutput):
        yield said
        said = said.of_step
    night = _night(warehouse, days, files, said[SetAside.table()].select("record_id"))
    del said
    amended = _amended(warehouse, project, night, circumstances)
    if amended is not None:
        yield amended
        return
    yield _made(typed_records.joined([]), STEP)
    local = True
    for table in sorted(RECEIVED):
        for frame in _by_files(warehouse, table, night):
            made = _typed(table, frame, night, project)
            local = local and touched_files.is_local(made, frame["record_id"])
            yield _made(made, STEP)
    # If a row is not about a record of its file, nothing can be kept the next night.
    noted = night.inputs if local else night.inputs.clear()
    yield StepOutput({}, {_OF_FILES: noted.with_columns(circumstances=pl.lit(circumstances))}, step=STEP)


def rows_of(warehouse: Warehouse) -> reports.RowsOf:
    """Return a function that reads whole records of a received table."""
    return lambda table, records: warehouse.read(table, among=records.alias("record_id"))


def _reports(
    warehouse: Warehouse, days: pl.DataFrame, files: pl.DataFrame, circumstances: str
) -> StepOutput | Mapping[str, pl.DataFrame]:
    """Return what is said of versions of reports: to be written, or as it is kept if no report is touched."""
    tables = sorted({*reports.reported_tables(), typed_records.MASTERS[0]})
    counted = [
        touched_files.of_records(t, warehouse.read(t, columns=(*FILE, "record_id", "record_key")))
        for t in tables
    ]
    # The choice rests on the records of these tables, and on path and day of their files.
    inputs = f"{circumstances} {step_cache.version(touched_files.inputs(counted, (), files, days))}"
    kept = {table: warehouse.read(table, noted=False).filter(step=OF_REPORTS).drop("step") for table in _SAID}
    found = {table: step_cache.version(frame) for table, frame in kept.items()}
    if found == kept_result.contents(warehouse, OF_REPORTS, inputs):
        return kept
    told = report_choice.choose(
        lambda table, columns, among: warehouse.read(table, columns=columns, among=among), files, days
    )
    made = {
        table: frame.sort("record_id", maintain_order=True)
        for table, frame in zip(_SAID, (told.observed, told.disposition), strict=True)
    }
    # Computed anew it is written anew, too: damaged rows may be noted as those that they should be.
    return StepOutput({}, {**made, **kept_result.noted(inputs, made)}, step=OF_REPORTS, anew=True)


def _night(warehouse: Warehouse, days: pl.DataFrame, files: pl.DataFrame, replaced: pl.DataFrame) -> _Night:
    counted, aside, repeated = [], [], {}
    for table in sorted(RECEIVED):
        records = warehouse.read(
            table, columns=(*FILE, "record_id", "record_key", "content_hash", "ordinal")
        )  # fmt: skip
        counted.append(touched_files.of_records(table, records))
        counting = records.join(replaced, on="record_id", how="anti", maintain_order="left")
        repeated[table] = typed_records.repeated(counting, files)
        for why, some in (("replaced", replaced), ("repeated", repeated[table].to_frame("record_id"))):
            found = records.join(some, on="record_id", how="semi")
            aside.append(found.select(*FILE, "record_id", why=pl.lit(why)))
    inputs = touched_files.inputs(counted, aside, files, days)
    return _Night(days, files, replaced, repeated, inputs)


def _amended(warehouse: Warehouse, project: Project, night: _Night, circumstances: str) -> StepOutput | None:
    """Return the new rows of touched files; None if everything must be typed."""
    noted = warehouse.read(_OF_FILES, noted=False).filter(step=STEP, circumstances=circumstances)
    touched = touched_files.touched(night.inputs, noted.select(list(touched_files.INPUTS)))
    if not _few(touched, night.inputs, noted) or not _as_written(warehouse):
        return None
    gone = _records_of(warehouse, touched.gone)
    if gone is None:
        return None
    parts, typed = [typed_records.joined([])], []
    wanted = touched.now["file_id"]
    for table in sorted(RECEIVED) if wanted.len() else ():
        frame = _counting(warehouse.read(table, among=wanted), night)
        parts.append(_typed(table, frame, night, project))
        typed.append(frame["record_id"])
    made = typed_records.joined(parts)
    if typed and not touched_files.is_local(made, pl.concat(typed)):
        return None
    said = zip(_SAID, (made.observed, made.disposition), strict=True)
    of_files = touched.now.with_columns(circumstances=pl.lit(circumstances))
    return StepOutput(
        {},
        amended={
            **{table: Amendment(gone, frame) for table, frame in made.frames.items()},
            **{table: Amendment(gone, frame, shared=True) for table, frame in said},
            _OF_FILES: Amendment(touched.gone["file_id"], of_files, shared=True),
        },
        step=STEP,
    )


def _few(touched: Touched, now: pl.DataFrame, noted: pl.DataFrame) -> bool:
    """Return whether so few files are touched that amending is safe and worth it."""
    return (
        not noted.is_empty()
        # One path could be read twice in one night only by a fault; what belongs to which is then unknown.
        and not now["file_id"].is_duplicated().any()
        and not noted["file_id"].is_duplicated().any()
        and 2 * max(touched.now.height, touched.gone.height) <= now.height
        and max(int(touched.now["records"].sum()), int(touched.gone["records"].sum())) <= _AMENDED
    )


def _as_written(warehouse: Warehouse) -> bool:
    return all(warehouse.amendable(table) for table in TYPED) and all(
        warehouse.amendable(table, STEP) for table in _SHARED
    )


def _records_of(warehouse: Warehouse, gone: pl.DataFrame) -> pl.Series | None:
    """Return the ids of the records of files whose rows must go; None if some had other names before."""
    ids, counted = [pl.Series("record_id", [], dtype=pl.String)], []
    if gone.is_empty():
        return ids[0]
    for table in sorted(RECEIVED):
        # With ended versions: the records of a file that was removed or changed.
        records = warehouse.read_versions(
            table, columns=(*FILE, "record_id", "record_key"), among=gone["file_id"]
        ).join(gone, on=FILE, how="semi")
        ids.append(records["record_id"])
        counted.append(touched_files.of_records(table, records))
    return None if touched_files.renamed(gone, counted) else pl.concat(ids)


def _by_files(warehouse: Warehouse, table: str, night: _Night) -> Iterator[pl.DataFrame]:
    """Yield the records of a received table that count, in groups of whole files."""
    if warehouse.height(table) <= _RECORDS:
        frame = _counting(warehouse.read(table), night)
        if not frame.is_empty():
            yield frame
        return
    places = _counting(warehouse.read(table, columns=("record_id", "file_id")), night)
    # Sorted by path, the order in which typed rows are read.
    paths = night.files.unique("file_id", keep="first", maintain_order=True)
    sizes = places.group_by("file_id").len().join(paths, on="file_id", how="left").sort("path", "file_id")
    part = (pl.col("len").cum_sum() - pl.col("len")) // _RECORDS
    for some in sizes.with_columns(part=part).partition_by("part", maintain_order=True):
        yield _counting(warehouse.read(table, among=some["file_id"]), night)


def _counting(records: pl.DataFrame, night: _Night) -> pl.DataFrame:
    return records.join(night.replaced, on="record_id", how="anti", maintain_order="left")


def _typed(table: str, frame: pl.DataFrame, night: _Night, project: Project) -> typed_records.Result:
    return typed_records.type_part(
        table, frame, night.repeated[table], project.sources, night.days, night.files
    )


def _made(result: typed_records.Result, step: str) -> StepOutput:
    said = dict(zip(_SAID, (result.observed, result.disposition), strict=True))
    return StepOutput(result.frames, said, step=step)
