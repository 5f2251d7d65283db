"""Rebuild an earlier release from its records, configuration, decisions and date.

The received layer is append-only and bitemporal by refresh, so that the warehouse of an earlier refresh can
be restored in a temporary folder. The same assets then build the release from it. The program is the current
one: equal content hashes show that it gives the same result as the earlier program.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from sarcoma_pipeline.orchestration import step_events
from sarcoma_pipeline.orchestration.assets import rule_checks
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.received import OF_FILES, RECEIVED
from sarcoma_pipeline.orchestration.assets.step import asset_key
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.publish.pseudonym_key import key_of
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study import project as projects
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening, record_copies
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.ddl import prepare
from schemas.all_contracts import CONTRACTS
from schemas.curated_dose import MetaDoseCalculation
from schemas.ledger import Decision
from schemas.meta import MetaConfiguration, MetaRefresh
from schemas.release import MetaRelease
from schemas.volumes import Volume


class CannotRebuild(Exception):
    """An input of the release no longer exists; the message names it."""


@dataclass(frozen=True)
class Rebuilt:
    """The result of rebuilding a release.

    Attributes:
        path: the rebuilt database; None if the release gate blocked it.
        then: ``meta.release`` of the original release.
        now: ``meta.release`` of the rebuilt one; empty without ``path``.
        failures: reasons why nothing was built, as sentences.
    """

    path: Path | None
    then: Mapping[str, Any]
    now: Mapping[str, Any]
    failures: list[str]

    @property
    def same(self) -> bool:
        """Whether every released value is the same as in the original."""
        return bool(self.now) and self.now["content_hash"] == self.then["content_hash"]


def label_of(project: Project, refresh_id: str) -> dict[str, Any]:
    """Read the warehouse's record of a release.

    Raises:
        CannotRebuild: the warehouse has no record of that refresh.
    """
    with opening.connect(project.warehouse, read_only=True) as connection:
        rows = connection.execute(
            f"FROM {MetaRelease.table()} WHERE refresh_id = ? ORDER BY released_at DESC LIMIT 1", [refresh_id]
        ).pl()
    if rows.is_empty():
        raise CannotRebuild(f"the warehouse has no release of the refresh {refresh_id}")
    return rows.row(0, named=True)


def released_ids(project: Project) -> list[str]:
    """Return the ids of all refreshes that published a release, oldest first."""
    with opening.connect(project.warehouse, read_only=True) as connection:
        rows = connection.execute(f"SELECT DISTINCT refresh_id FROM {MetaRelease.table()} ORDER BY 1")
        return [name for (name,) in rows.fetchall()]


def rebuild(project: Project, then: Mapping[str, Any], root: Path) -> Rebuilt:
    """Rebuild a release.

    Args:
        project: the study.
        then: label of the release, from :func:`label_of`.
        root: an empty folder on the file system of ``project.published``; identities are written to it.

    Raises:
        CannotRebuild: the configuration or the decisions of that time are missing.
    """
    past = restore_project(project, then, root)
    given = [asset_key(past, table) for table in (MetaRefresh.table(), *OF_FILES)]
    # The rule checks are one step over all layers, including the received layer, which is given here.
    unchecked = dg.AssetSelection.checks(rule_checks.checks(past))
    upstream = dg.AssetSelection.assets(release_key(past)).upstream().required_multi_asset_neighbors()
    wanted = upstream - dg.AssetSelection.assets(*given)
    job = dg.define_asset_job("rebuild", selection=wanted - unchecked)
    definitions = dg.Definitions.merge(build_definitions(past), dg.Definitions(jobs=[job]))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(job.name).execute_in_process(
            instance=instance, run_config=step_events.PROGRESS_LOGGING, raise_on_error=False
        )
    failures = [
        f"{step_events.short_name(event.step_key or '')}: "
        f"{step_events.failure_reason(event.step_failure_data)}"
        for event in result.all_events
        if event.is_step_failure
    ]
    if not past.release.exists():
        return Rebuilt(None, then, {}, failures)
    with duckdb.connect(str(past.release), read_only=True) as connection:
        now = connection.execute(f"FROM {MetaRelease.table()}").pl().row(0, named=True)
    kept = project.published / "rebuilt" / past.release.with_stem(then["refresh_id"]).name
    kept.parent.mkdir(parents=True, exist_ok=True)
    past.release.replace(kept)
    return Rebuilt(kept, then, now, failures)


def restore_project(project: Project, then: Mapping[str, Any], root: Path) -> Project:
    """Restore the project of that time: configuration, decisions, key, and a warehouse with its records.

    Raises:
        CannotRebuild: the configuration or the decisions of that time are missing.
    """
    name = project.study.name
    folder = root / "data/studies" / name
    folder.mkdir(parents=True)
    with opening.connect(project.warehouse, read_only=True) as connection:
        files = connection.execute(
            f"SELECT path, content FROM {MetaConfiguration.table()} WHERE configuration_hash = ?",
            [then["configuration_hash"]],
        ).fetchall()
        known = Decision.conform(connection.execute(f"FROM {Decision.table()}").pl())
    for path, content in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8", newline="")
    try:
        past = projects.load(name, root)
    except projects.UnknownStudy:
        raise CannotRebuild("the configuration of that release was not kept") from None
    if past.configuration_hash() != then["configuration_hash"]:
        raise CannotRebuild("the configuration of that release was not kept completely")
    decided = known.sort("at", "decision_id").head(then["decisions"])
    if provenance.decisions_hash(decided) != then["decisions_hash"]:
        raise CannotRebuild("the decisions of that release have changed since")
    decision_log.restore(past.decisions, decided)
    past.warehouse.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    shutil.copy2(key_of(project, then["refresh_id"]), past.key)
    _copy_records(project.warehouse, past.warehouse, then["refresh_id"])
    return past


def _copy_records(source: Path, target: Path, refresh_id: str) -> None:
    """Fill a new warehouse with the records that were current at a refresh, and the history before it."""
    current = "first_refresh <= $at AND (last_refresh IS NULL OR last_refresh >= $at)"
    wanted = dict.fromkeys(OF_FILES, current)
    wanted |= {MetaRefresh.table(): "refresh_id <= $at", Volume.table(): "refresh_id < $at"}
    wanted |= {MetaDoseCalculation.table(): "first_refresh <= $at"}
    with duckdb.connect(str(target)) as connection:
        target.chmod(0o600)
        prepare(connection, CONTRACTS)
        connection.execute(f"ATTACH '{str(source).replace(chr(39), chr(39) * 2)}' AS past (READ_ONLY)")
        for table, condition in wanted.items():
            there = {row[0] for row in connection.execute(f"DESCRIBE past.{table}").fetchall()}
            columns = ", ".join(
                "NULL AS last_refresh" if c == "last_refresh" else f'"{c}"'
                for c in CONTRACTS[table].polars_schema()
                if c in there
            )
            connection.execute(
                f"INSERT INTO {table} BY NAME SELECT {columns} FROM past.{table} WHERE {condition}",
                {"at": refresh_id},
            )
        # Copies are numbered within one refresh; later refreshes may have numbered them differently.
        record_copies.number(Tables(connection), RECEIVED)
