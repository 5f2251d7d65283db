"""An earlier release built again: the received records, configuration, decisions and day of then.

The received layer is append-only and bitemporal by refresh (design section 2): a warehouse of then can be
laid out anew in a folder of its own, and the same assets make the release from it. The program is today's:
its hash says whether it is the one of then.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from sarcoma_pipeline.orchestration import jobs
from sarcoma_pipeline.orchestration.assets import rule_checks
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.received import OF_FILES
from sarcoma_pipeline.orchestration.assets.step import asset_key
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.publish.pseudonym_key import key_of
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study import project as places
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse.ddl import prepare
from schemas.all_contracts import CONTRACTS
from schemas.ledger import Decision
from schemas.meta import MetaConfiguration, MetaRefresh
from schemas.release import MetaRelease
from schemas.volumes import Volume


class CannotRebuild(Exception):
    """Something that the release was made of is not there any more; the message says what."""


@dataclass(frozen=True)
class Rebuilt:
    """What came of building a release again.

    Attributes:
        path: its database; None if its gate let nothing out.
        then: ``meta.release`` of the release.
        now: ``meta.release`` of what was built; empty without ``path``.
        failures: why nothing was built, in words.
    """

    path: Path | None
    then: Mapping[str, Any]
    now: Mapping[str, Any]
    failures: list[str]

    @property
    def same(self) -> bool:
        """Whether every released number is the one of then."""
        return bool(self.now) and self.now["content_hash"] == self.then["content_hash"]


def label_of(project: Project, refresh_id: str) -> dict[str, Any]:
    """What the warehouse noted of a release.

    Raises:
        CannotRebuild: it noted none of that refresh.
    """
    with duckdb.connect(str(project.warehouse), read_only=True) as connection:
        rows = connection.execute(
            f"FROM {MetaRelease.table()} WHERE refresh_id = ? ORDER BY released_at DESC LIMIT 1", [refresh_id]
        ).pl()
    if rows.is_empty():
        raise CannotRebuild(f"the warehouse knows no release of the refresh {refresh_id}")
    return rows.row(0, named=True)


def rebuild(project: Project, then: Mapping[str, Any], root: Path) -> Rebuilt:
    """Build a release again.

    Args:
        project: the study.
        then: as :func:`label_of` gives it.
        root: an empty folder on the file system of ``project.published``; it will hold identities.

    Raises:
        CannotRebuild: the configuration or the decisions of then are not there.
    """
    past = lay_out(project, then, root)
    given = [asset_key(past, table) for table in (MetaRefresh.table(), *OF_FILES)]
    # The rule checks are one operation over all layers, the received one too: all of them or none.
    unchecked = dg.AssetSelection.checks(rule_checks.checks(past))
    needed = dg.AssetSelection.assets(release_key(past)).upstream().required_multi_asset_neighbors()
    wanted = needed - dg.AssetSelection.assets(*given)
    job = dg.define_asset_job("rebuild", selection=wanted - unchecked)
    definitions = dg.Definitions.merge(build_definitions(past), dg.Definitions(jobs=[job]))
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(job.name).execute_in_process(
            instance=instance, run_config=jobs.QUIET, raise_on_error=False
        )
    failures = [
        f"{jobs.short_name(event.step_key or '')}: {jobs.reason(event.step_failure_data)}"
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


def lay_out(project: Project, then: Mapping[str, Any], root: Path) -> Project:
    """Lay out the project as it was: configuration, decisions, key, and a warehouse with the records of then.

    Raises:
        CannotRebuild: the configuration or the decisions of then are not there.
    """
    name = project.study.name
    folder = root / "data/studies" / name
    folder.mkdir(parents=True)
    with duckdb.connect(str(project.warehouse), read_only=True) as connection:
        files = connection.execute(
            f"SELECT path, content FROM {MetaConfiguration.table()} WHERE configuration_hash = ?",
            [then["configuration_hash"]],
        ).fetchall()
        known = Decision.conform(connection.execute(f"FROM {Decision.table()}").pl())
    for path, content in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8", newline="")
    try:
        past = places.load(name, root)
    except places.UnknownStudy:
        raise CannotRebuild("the configuration of then was not kept") from None
    if past.configuration_hash() != then["configuration_hash"]:
        raise CannotRebuild("the configuration of then was not kept whole")
    decided = known.sort("at", "decision_id").head(then["decisions"])
    if provenance.decisions_hash(decided) != then["decisions_hash"]:
        raise CannotRebuild("the decisions of then are no longer what they were")
    decision_log.restore(past.decisions, decided)
    past.warehouse.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
    shutil.copy2(key_of(project, then["refresh_id"]), past.key)
    _receive(project.warehouse, past.warehouse, then["refresh_id"])
    return past


def _receive(source: Path, target: Path, refresh_id: str) -> None:
    """Fill a new warehouse with what was current at a refresh, and with the history before it."""
    current = "first_refresh <= $at AND (last_refresh IS NULL OR last_refresh >= $at)"
    wanted = dict.fromkeys(OF_FILES, current)
    wanted |= {MetaRefresh.table(): "refresh_id <= $at", Volume.table(): "refresh_id < $at"}
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
