"""A night that would make nothing new is told of and not computed.

A refresh over the same files keeps every step, and still costs a run: hundreds of Dagster's events for a look
at the folder. So the schedule looks first. A night is left out only if the very things that a step is kept
for are as they were, and the night before it was quiet as well: rules compare a night with the one before.
"""

from __future__ import annotations

import datetime as dt
import filecmp
import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import duckdb
import polars as pl

from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.sources import manifest
from sarcoma_pipeline.sources.drop_folder import Entry, walk
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import centres, ducklake, read_only, step_cache
from schemas.ledger import Decision, LedgerEntry, Trend
from schemas.meta import MetaFile, MetaRefresh, MetaStep
from schemas.volumes import Volume

_CARRIED_ON = frozenset(c.table() for c in (Decision, LedgerEntry, Trend, Volume))
"""Tables that a step reads to write them on: they change with the step itself."""
_PATIENCE_SECONDS = 30.0
"""Half of what Dagster gives a schedule to say what it wants."""
_TYPED = "typed"
"""A step that depends on program, configuration and key, and on no day and no decision."""


@dataclass(frozen=True)
class Quiet:
    """What makes a night quiet.

    Attributes:
        files: that lie in the drop folder as they did.
        refresh_id: the last refresh.
        content_hash: of the release that stands.
    """

    files: int
    refresh_id: str
    content_hash: str

    def __str__(self) -> str:
        """As the operator reads it."""
        return (
            f"Nothing changed since refresh {self.refresh_id}: {self.files} files, program, configuration, "
            f"key and decisions are as they were. The release {self.content_hash} stands."
        )


def look(project: Project, today: dt.date) -> Quiet | None:
    """Whether a refresh would make nothing new; None if it may, or if that cannot be known.

    Args:
        project: the study; of one with several centres nothing is known.
        today: the day on which waivers are judged.
    """
    if project.centres or ducklake.named() or not project.drop.is_dir():
        return None
    try:
        standing = release.read_label(project.release)
        if standing is None or not _published_as_made(project, standing["refresh_id"]):
            return None
        with read_only.connect(project) as warehouse:
            if not _settled(project, warehouse, today):
                return None
            known = warehouse.execute(f"FROM {MetaFile.table()} WHERE last_refresh IS NULL").pl()
            last = _refreshes(warehouse)[0]
        if standing["decisions_hash"] != provenance.decisions_hash(decision_log.read(project.decisions)):
            return None
        here = _in_time(walk(project.drop))
        scan = manifest.scan(project.drop, project.sources, known, last, entries=here)
    except (duckdb.Error, OSError, decision_log.DecisionLogDamaged):
        return None
    if scan.to_read or scan.touched or scan.closed or scan.manifest_hash != standing["manifest_hash"]:
        return None
    return Quiet(known.height, last, standing["content_hash"])


def _in_time(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries of a folder.

    Raises:
        TimeoutError: the walk takes so long that Dagster would give the schedule up.
    """
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for entry in entries:
        if time.monotonic() > deadline:
            raise TimeoutError
        yield entry


def _published_as_made(project: Project, refresh_id: str) -> bool:
    """Whether what people read is there, and the release byte for byte as it was made."""
    pages = (project.published / "report/index.html", project.published / "steward.html")
    kept = project.published / "releases" / f"{refresh_id}.duckdb"
    return all(p.exists() for p in (*pages, kept)) and filecmp.cmp(kept, project.release, shallow=False)


def _refreshes(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    newest = f"SELECT refresh_id FROM {MetaRefresh.table()} ORDER BY refresh_id DESC LIMIT 2"
    return [name for (name,) in warehouse.execute(newest).fetchall()]


def _settled(project: Project, warehouse: duckdb.DuckDBPyConnection, today: dt.date) -> bool:
    """Whether every step is as it would be made again, and the last two nights brought the same."""
    steps = warehouse.execute(f"SELECT step, circumstances, reads FROM {MetaStep.table()}").fetchall()
    made_in = {step: circumstances for step, circumstances, _ in steps}
    if made_in.get(_TYPED) != step_cache.circumstances(project, ""):
        return False
    known = step_cache.known(centres.Tables(warehouse))
    for _, _, noted in steps:
        reads = {t: v for t, v in json.loads(noted).items() if t not in _CARRIED_ON}
        if step_cache.chosen(known, reads) != reads:
            return False
    nights = _refreshes(warehouse)
    volumes = [
        warehouse.execute(
            f"SELECT source, measure, count FROM {Volume.table()} WHERE refresh_id = ? ORDER BY ALL", [night]
        ).fetchall()
        for night in nights
    ]
    return len(nights) == 2 and volumes[0] == volumes[1] and not _waiver_ends(warehouse, nights[0], today)


def _waiver_ends(warehouse: duckdb.DuckDBPyConnection, last: str, today: dt.date) -> bool:
    """Whether a waiver was in force on the day of a refresh and is not today."""
    row = warehouse.execute(
        f"SELECT received_on FROM {MetaRefresh.table()} WHERE refresh_id = ?", [last]
    ).fetchone()
    until = warehouse.execute(f"SELECT until FROM {Decision.table()}").pl()["until"].cast(pl.Date)
    return row is None or bool(((until >= row[0]) & (until < today)).any())
