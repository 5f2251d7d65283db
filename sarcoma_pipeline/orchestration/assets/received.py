"""Assets of the received layer: reads new and changed files, and stores every record as text."""

import datetime as dt
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import data_versions, links
from sarcoma_pipeline.orchestration.assets.step import (
    RETRY,
    asset_key,
    partitions,
    redacted_errors,
    table_spec,
)
from sarcoma_pipeline.orchestration.skip_unchanged import verification_is_due
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish import pseudonym_key
from sarcoma_pipeline.quality import carried_over, decision_log
from sarcoma_pipeline.sources import manifest, read_parallel, readers, worker_process
from sarcoma_pipeline.sources.export_parts import WORTH_BYTES
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import permissions, record_copies, step_cache, unchanged_patients
from sarcoma_pipeline.warehouse.centres import Tables, literal
from sarcoma_pipeline.warehouse.freed_memory import give_back
from sarcoma_pipeline.warehouse.lent_frame import lent
from sarcoma_pipeline.warehouse.rewrite import Appending, insert
from schemas.all_contracts import CONTRACTS
from schemas.configuration import Limits
from schemas.ledger import Decision, LedgerEntry
from schemas.meta import MetaConfiguration, MetaFile, MetaRefresh, MetaValueAccount

RECEIVED = tuple(t for t in CONTRACTS if t.startswith("received."))

OF_FILES = (MetaFile.table(), MetaValueAccount.table(), *RECEIVED)
"""Tables written when a file is read, and closed when it is replaced or removed."""

_PIECE_BYTES = 128 << 20
"""Received bytes per commit: an open transaction takes more memory than the data it writes."""

_RECORD_BYTES = 500
"""About what a received record takes."""


def drop_key(project: Project, source: str) -> dg.AssetKey:
    """Return the asset key of one source's raw files, for the lineage graph."""
    return dg.AssetKey([project.study.name, "drop", re.sub(r"\W+", "_", source)])


def drop_specs(project: Project) -> list[dg.AssetSpec]:
    """Describe the raw files as external assets: the pipeline does not make them."""
    return [
        dg.AssetSpec(
            key=drop_key(project, source.name),
            description=f"Raw files {', '.join(source.files)} below {project.study.drop}.",
            group_name=links.group(project, "drop"),
            kinds={readers.reader(source.kind).icon},
            owners=[project.study.owner],
            metadata={
                "folder": project.study.drop,
                "files": ", ".join(source.files),
                "reader": source.kind,
                **links.of_layer(project, "drop"),
            },
        )
        for source in project.sources.source
    ]


def _deps(project: Project, table: str) -> list[dg.AssetKey]:
    kinds = readers.kinds_of(table)
    drops = [drop_key(project, s.name) for s in project.sources.source if s.kind in kinds]
    return [asset_key(project, MetaFile.table()), *drops]


def assets(project: Project) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """Return the assets of the raw files, ``meta.files``, ``meta.refreshes`` and the received tables."""
    drops = [drop_key(project, s.name) for s in project.sources.source]
    specs = [
        table_spec(project, MetaRefresh.table(), drops, {"duckdb"}),
        table_spec(project, MetaFile.table(), drops, {"duckdb"}),
        table_spec(project, MetaValueAccount.table(), drops, {"duckdb"}),
        *(table_spec(project, table, _deps(project, table), {"duckdb"}) for table in RECEIVED),
    ]

    @dg.multi_asset(
        name="received",
        specs=specs,
        description="Reads new and changed files, and closes the records of changed and removed ones.",
        partitions_def=partitions(project),
        retry_policy=RETRY,
    )
    def received(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[dg.MaterializeResult | dg.AssetObservation]:
        began = time.perf_counter()
        with redacted_errors(project):
            permissions.check(project)
            # Every step depends on the pseudonym key, so it must exist before the first step.
            pseudonym_key.ensure_key(project)
            asked = VERIFY in context.run.tags
            refresh, tally = read_drop_folder(project, warehouse, context.run_id, verify=asked)
        give_back()
        if tally.taken or tally.whole:
            context.log.info(
                f"{tally.taken} patients of large exports are unchanged and were not read again; "
                f"{tally.whole} large exports were read as a whole."
            )
        seconds = dg.MetadataValue.float(round(time.perf_counter() - began, 3))
        versions = data_versions.of_tables(warehouse, MetaRefresh.table(), *OF_FILES)
        for table in (MetaRefresh.table(), *OF_FILES):
            # Counted in the database, because without changes no step reads the table.
            metadata: dict[str, Any] = {"dagster/row_count": warehouse.height(table), "seconds": seconds}
            if table.startswith("received."):
                metadata["records added"] = tally.added.get(table, 0)
            yield dg.MaterializeResult(
                asset_key=asset_key(project, table),
                metadata={**metadata, "refresh": refresh},
                data_version=versions.get(table),
            )
        read_by = warehouse.read(MetaFile.table(), columns=("source",))
        counts = dict(read_by.group_by("source").len().iter_rows())
        for source in project.sources.source:
            yield dg.AssetObservation(
                asset_key=drop_key(project, source.name),
                metadata={"files": counts.get(source.name, 0), "refresh": refresh},
            )

    return [*drop_specs(project), received]


def tonight(warehouse: Warehouse, *, noted: bool = True) -> tuple[str, dt.date]:
    """Return the id and date of the last refresh; a retried step uses this date as the current one.

    Args:
        warehouse: the study's warehouse.
        noted: whether the step depends on them and so runs in every refresh.
    """
    last = warehouse.read(MetaRefresh.table(), noted=noted).sort("refresh_id").row(-1, named=True)
    return last["refresh_id"], last["received_on"]


VERIFY = "verify"
"""Tag of a run that compares the content of every file."""


@dataclass
class Tally:
    """What a refresh received.

    Attributes:
        added: received table to number of records added.
        taken: number of patients of large exports that were unchanged.
        whole: number of large exports that could have been compared with an earlier one, but were read as a
            whole.
    """

    added: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    whole: int = 0


def read_drop_folder(
    project: Project, warehouse: Warehouse, run_id: str, *, verify: bool = False
) -> tuple[str, Tally]:
    """Read new and changed files, and close the records of removed ones.

    Args:
        project: the study.
        warehouse: its warehouse.
        run_id: id of Dagster's run.
        verify: whether to compare the content of every file, due or not.

    Returns:
        The new refresh's id, and what was received.
    """
    row = provenance.refresh(project, run_id)
    refresh = row["refresh_id"]
    known = warehouse.read(MetaFile.table(), columns=manifest.COMPARED)
    drop = project.drop_of(warehouse.centre)
    nights = warehouse.read(MetaRefresh.table(), columns=("received_on", "verified"), noted=False)
    verify = verify or verification_is_due(nights, row["received_on"])
    scan = manifest.scan(drop, project.sources, known, refresh, warehouse.centre, verify=verify)
    # The folder is looked through in this moment: what arrived after midnight arrived today.
    row["received_on"] = project.now().date()
    changed = sum(f.changed for f in scan.to_read)
    row |= {
        "manifest_hash": scan.manifest_hash,
        "new_files": len(scan.to_read) - changed,
        "changed_files": changed,
        "gone_files": scan.gone,
        "unchanged_files": len(scan.unchanged),
        "verified": verify,
    }
    configuration = provenance.configuration(project)
    # One file per centre, because centres may be read at the same time.
    mark = project.warehouse.with_suffix(f".{warehouse.centre}.reading" if warehouse.centre else ".reading")
    with worker_process.remembered(mark) as died:
        return refresh, _write(project, warehouse, scan, row, configuration, careful=died)


def _write(
    project: Project,
    warehouse: Warehouse,
    scan: manifest.Scan,
    row: dict[str, str | int | dt.date],
    configuration: pl.DataFrame,
    *,
    careful: bool,
) -> Tally:
    """Close removed records, then read and write group by group, to limit memory.

    A large delivery is committed in pieces of whole files, because an open transaction takes more memory than
    the data it writes. After a crash, the next refresh continues with the files that are not yet written.
    """
    refreshes, refresh, limits = MetaRefresh.table(), str(row["refresh_id"]), project.sources.limits
    tally = Tally()
    pending = 0
    with warehouse.transaction() as tables:
        again = _read_again(tables, scan)
        before = _names(tables, again)
        _close(tables, scan)
        insert(tables, refreshes, MetaRefresh.conform(pl.DataFrame([row])))
        kept = tables.execute(
            f"SELECT count(*) FROM {tables.own(MetaConfiguration.table())} "
            f"WHERE configuration_hash = {literal(str(row['configuration_hash']))}"
        ).fetchone()
        if not kept or not kept[0]:
            insert(tables, MetaConfiguration.table(), configuration)
        appending = Appending(tables)
        for one in _completed(tables, scan.to_read, refresh, limits, tally, careful=careful):
            appending.add(MetaFile.table(), manifest.files_frame(one.read.files))
            for table, frame in one.read.tables.items():
                appending.add(table, frame)
                tally.added[table] += frame.height
                pending += int(frame.estimated_size())
            if not one.taken.is_empty():
                appending.flush()
            for table, records in unchanged_patients.take_over(tables, one).items():
                tally.added[table] += records
                pending += records * _RECORD_BYTES
            if pending > _PIECE_BYTES:
                appending.flush()
                warehouse.commit(tables)
                tables.execute("BEGIN")
                pending = 0
        appending.flush()
        if scan.to_read or scan.closed:
            unchanged_patients.forget_closed(tables)
            record_copies.number(tables, RECEIVED)
        _carry_over(project, tables, before, again)
        # file_id is not unique for a file modified while it was read: the version includes first_refresh.
        last_read = tables.execute(
            f"SELECT max(first_refresh) FROM {tables.own(MetaFile.table())} WHERE last_refresh IS NULL"
        ).fetchone()
        received = f"{row['manifest_hash']} {last_read[0] if last_read else ''}"
        step_cache.note_versions(tables, dict.fromkeys(OF_FILES, received))
        step_cache.note_versions(tables, {refreshes: refresh})
    warehouse.forget(refreshes, LedgerEntry.table(), *OF_FILES)
    return tally


def _completed(
    tables: Tables,
    to_read: list[manifest.Found],
    refresh: str,
    limits: Limits,
    tally: Tally,
    *,
    careful: bool,
) -> Iterator[unchanged_patients.Completed]:
    """Read files, and find the records of unchanged patients; in doubt, read the files as a whole."""
    known = unchanged_patients.known(tables)
    found = known.offered(to_read)
    offered = {str(one.row["file_id"]) for one in found if one.file.known and one.entry.size >= WORTH_BYTES}
    for read in read_parallel.read_all(found, refresh, limits, careful=careful):
        files = {str(row["file_id"]) for row in read.files}
        completed = unchanged_patients.complete(tables, read, known)
        if completed is not None:
            tally.taken += completed.patients
            tally.whole += len(files & offered - read.cuts.keys())
            yield completed
            continue
        tally.whole += len(files & offered)
        again = [one for one in to_read if one.row["file_id"] in files]
        for whole in read_parallel.read_all(again, refresh, limits, careful=careful):
            completed = unchanged_patients.complete(tables, whole, known)
            assert completed is not None, "no patient was offered"
            yield completed


def _read_again(tables: Tables, scan: manifest.Scan) -> pl.DataFrame:
    """Return ``path`` of the files with unchanged content that a new version of their reader reads again."""
    found = [(f.row["path"], f.row["content_hash"]) for f in scan.to_read if f.changed]
    now = pl.DataFrame(found, schema={"path": pl.String, "content_hash": pl.String}, orient="row")
    known = tables.execute(
        f"SELECT path, content_hash FROM {tables.own(MetaFile.table())} WHERE last_refresh IS NULL"
    ).pl()
    return now.join(known, on=["path", "content_hash"], how="semi").select("path")


def _names(tables: Tables, paths: pl.DataFrame, contents: pl.DataFrame | None = None) -> pl.DataFrame:
    """Return positions and keys of current records that have, or had, a finding.

    Args:
        tables: the study's tables.
        paths: ``path`` of the files.
        contents: positions of the records; by default those with content in the ledger.
    """
    parts = [pl.DataFrame(schema=dict.fromkeys(carried_over.NAMES, pl.String))]
    if paths.is_empty():
        return parts[0]
    frames = {"_paths": paths}
    if contents is None:
        wanted = f"r.content_hash IN (SELECT content_hash FROM {tables.own(LedgerEntry.table())})"
    else:
        frames["_places"] = contents.select(carried_over.PLACE).unique()
        wanted = "(path, '{table}', position) IN (SELECT (path, received_as, position) FROM _places)"
    with lent(tables.connection, frames):
        for table in RECEIVED:
            parts.append(
                tables.execute(
                    f"SELECT path, '{table}' AS received_as, position, source, record_key, r.content_hash "
                    f"FROM {tables.own(table)} AS r JOIN {tables.own(MetaFile.table())} AS f USING (file_id) "
                    "WHERE r.last_refresh IS NULL AND f.last_refresh IS NULL "
                    f"AND path IN (SELECT path FROM _paths) AND {wanted.format(table=table)}"
                ).pl()
            )
    return pl.concat(parts, how="vertical_relaxed")


def _carry_over(project: Project, tables: Tables, before: pl.DataFrame, again: pl.DataFrame) -> None:
    """Give findings of records with a changed key their new ids, and carry over the decisions.

    The log is written first: if the transaction then fails, the next refresh adds no decision twice.
    """
    if before.is_empty():
        return
    own = tables.own(LedgerEntry.table())
    entries = LedgerEntry.conform(tables.execute(f"FROM {own}").pl())
    moved = carried_over.carried(entries, before, _names(tables, again, before), tables.centre)
    if moved.is_empty():
        return
    known = Decision.conform(tables.execute(f"FROM {tables.own(Decision.table())}").pl())
    logged = decision_log.restore(project.decisions, known)
    made = carried_over.decisions(logged, moved, dt.datetime.now(dt.UTC))
    decision_log.restore(project.decisions, made)
    tables.execute(f"TRUNCATE {own}")
    insert(tables, LedgerEntry.table(), carried_over.ledger(entries, moved))


def _close(tables: Tables, scan: manifest.Scan) -> None:
    """Set the last refresh of records whose file changed or is gone; update the time of touched files."""
    refreshes = tables.own(MetaRefresh.table())
    (before,) = tables.execute(f"SELECT max(refresh_id) FROM {refreshes}").fetchone() or (None,)
    last = "NULL" if before is None else literal(before)
    if scan.closed:
        with lent(tables.connection, {"_closed": pl.DataFrame({"file_id": scan.closed})}):
            for table in OF_FILES:
                tables.execute(
                    f"UPDATE {tables.own(table)} SET last_refresh = {last} WHERE last_refresh IS NULL "
                    "AND file_id IN (SELECT file_id FROM _closed)"
                )
    if scan.touched:
        # In one statement: after a copy that does not keep times these are all files, and each has its own.
        touched = {"file_id": list(scan.touched), "mtime_ns": list(scan.touched.values())}
        with lent(tables.connection, {"_touched": pl.DataFrame(touched)}):
            tables.execute(
                f"UPDATE {tables.own(MetaFile.table())} AS of_file SET mtime_ns = _touched.mtime_ns "
                "FROM _touched WHERE of_file.file_id = _touched.file_id AND of_file.last_refresh IS NULL"
            )
