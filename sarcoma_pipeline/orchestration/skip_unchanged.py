"""Decides whether the nightly refresh can be skipped because no input has changed.

A refresh over unchanged files keeps every step, but still costs a run: hundreds of Dagster events for one
scan of the folder. The schedule therefore checks first. It skips a night only if every input of every step is
unchanged and the night before brought the same counts, because volume rules compare one night with the night
before.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import duckdb
import polars as pl

from sarcoma_pipeline.orchestration.dose_inbox import inbox
from sarcoma_pipeline.orchestration.night import DRAFT, REFRESH
from sarcoma_pipeline.orchestration.run_history import BUSY, History
from sarcoma_pipeline.orchestration.standing_release import is_intact
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality import chart_review, decision_log
from sarcoma_pipeline.sources import manifest
from sarcoma_pipeline.sources.drop_folder import Entry, walk
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import centres, ducklake, read_only, step_cache
from schemas.curated_dose import MetaDoseCalculation
from schemas.ledger import Decision, LedgerEntry, Trend
from schemas.meta import MetaFile, MetaRefresh, MetaStep
from schemas.volumes import Volume

_EXTENDED_BY_THEIR_STEP = frozenset(c.table() for c in (Decision, LedgerEntry, Trend, Volume))
"""Tables to which a step adds rows after reading them; such a change is no change of input."""
_SCAN_SECONDS = 30.0
"""Timeout of the folder scan: half of Dagster's 60 s limit for a schedule evaluation."""
VERIFIED_FOR = dt.timedelta(days=7)
"""Maximum time between two refreshes that compare the content of all files, not only size and time."""
_CONFIRMED = "confirmed.json"
"""File next to the release: when a command found that nothing had changed."""
_TYPED = "typed"
"""A step that depends on program, configuration and key, but neither on the day nor on decisions."""


@dataclass(frozen=True)
class Unchanged:
    """The state after the last refresh, if nothing has changed since.

    Attributes:
        files: number of files in the drop folder.
        refresh_id: the last refresh.
        content_hash: content hash of the published release.
    """

    files: int
    refresh_id: str
    content_hash: str

    def __str__(self) -> str:
        """Return the sentence for the operator."""
        return (
            f"Nothing changed since refresh {self.refresh_id}: {self.files} files, program, configuration, "
            f"key and decisions are the same. The release {self.content_hash} is still valid."
        )


def check(project: Project, today: dt.date) -> Unchanged | None:
    """Check whether a refresh would change nothing; return None if it might, or if that is unknown.

    Args:
        project: the study. For a study with several centres the result is always None.
        today: the date for which waivers are checked.
    """
    if project.centres or ducklake.catalog_address() or not project.drop.is_dir():
        return None
    try:
        label = release.read_label(project.release)
        if label is None or not _published_intact(project, label["refresh_id"]):
            return None
        with read_only.connect(project) as warehouse:
            if not _steps_unchanged(project, warehouse, today) or _doses_wait(project, warehouse):
                return None
            nights = warehouse.execute(f"SELECT received_on, verified FROM {MetaRefresh.table()}").pl()
            if verification_is_due(nights, today):
                return None
            known = warehouse.execute(f"FROM {MetaFile.table()} WHERE last_refresh IS NULL").pl()
            last = _refreshes(warehouse)[0]
        if label.get("chart_reviews_hash") != chart_review.digest(project.reviews):
            return None
        if label["decisions_hash"] != provenance.decisions_hash(decision_log.read(project.decisions)):
            return None
        entries = _with_timeout(walk(project.drop))
        scan = manifest.scan(project.drop, project.sources, known, last, entries=entries)
    except (duckdb.Error, OSError, decision_log.DecisionLogDamaged):
        return None
    if scan.to_read or scan.touched or scan.closed or scan.manifest_hash != label["manifest_hash"]:
        return None
    return Unchanged(known.height, last, label["content_hash"])


def verification_is_due(refreshes: pl.DataFrame, today: dt.date) -> bool:
    """Return whether the content of every file should be compared.

    Args:
        refreshes: ``verified`` and ``received_on`` of all refreshes so far.
        today: the day of this one.
    """
    last = refreshes.filter(pl.col("verified"))["received_on"].max()
    return not isinstance(last, dt.date) or today - last >= VERIFIED_FOR


def look(project: Project, history: History, today: dt.date) -> Unchanged | None:
    """Check whether a refresh would change nothing, for a command that starts one.

    Args:
        project: the study.
        history: its runs: after a failed run, and while another runs, a refresh is always started.
        today: the date for which waivers are evaluated.
    """
    study = project.study.name
    last = [run for run in history.runs(study, REFRESH) if DRAFT not in run.tags][:1]
    if not last or last[0].state != "success" or history.runs(study, states=BUSY):
        return None
    return check(project, today)


def confirm(project: Project, unchanged: Unchanged, now: dt.datetime) -> None:
    """Record next to the release that it is still valid, for ``sarcoma status``."""
    said = {"content_hash": unchanged.content_hash, "confirmed_at": now.isoformat()}
    written = project.published / f"{_CONFIRMED}.part"
    written.touch(mode=0o640)
    written.write_text(json.dumps(said), "utf-8")
    written.replace(project.published / _CONFIRMED)


def confirmed(project: Project, content_hash: str) -> dt.datetime | None:
    """Return when a command last found that the release is still valid; None: never, or another release.

    Args:
        project: the study.
        content_hash: content hash of the release.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads((project.published / _CONFIRMED).read_text("utf-8"))
        at = dt.datetime.fromisoformat(said["confirmed_at"])
        return at if said["content_hash"] == content_hash and at.tzinfo else None
    return None


def _with_timeout(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries of a folder.

    Raises:
        TimeoutError: the scan takes so long that Dagster would abort the schedule's evaluation.
    """
    deadline = time.monotonic() + _SCAN_SECONDS
    for entry in entries:
        if time.monotonic() > deadline:
            raise TimeoutError
        yield entry


def _published_intact(project: Project, refresh_id: str) -> bool:
    """Return whether the published pages exist and the release equals its kept copy byte for byte."""
    pages = (project.published / "report/index.html", project.published / "steward.html")
    return all(page.exists() for page in pages) and is_intact(project, refresh_id)


def _refreshes(warehouse: duckdb.DuckDBPyConnection) -> list[str]:
    newest = f"SELECT refresh_id FROM {MetaRefresh.table()} ORDER BY refresh_id DESC LIMIT 2"
    return [name for (name,) in warehouse.execute(newest).fetchall()]


def _steps_unchanged(project: Project, warehouse: duckdb.DuckDBPyConnection, today: dt.date) -> bool:
    """Return whether no step has a changed input, and the last two nights delivered the same counts."""
    steps = warehouse.execute(f"SELECT step, circumstances, reads FROM {MetaStep.table()}").fetchall()
    made_in = {step: circumstances for step, circumstances, _ in steps}
    if made_in.get(_TYPED) != step_cache.circumstances(project, ""):
        return False
    known = step_cache.known(centres.Tables(warehouse))
    for _, _, noted in steps:
        reads = {t: v for t, v in json.loads(noted).items() if t not in _EXTENDED_BY_THEIR_STEP}
        if step_cache.chosen(known, reads) != reads:
            return False
    nights = _refreshes(warehouse)
    # Without parameters: for those, DuckDB imports pandas.
    counted = warehouse.execute(f"SELECT refresh_id, source, measure, count FROM {Volume.table()}").pl()
    volumes = [counted.filter(refresh_id=night).drop("refresh_id").sort(pl.all()).rows() for night in nights]
    same_counts = len(nights) == 2 and volumes[0] == volumes[1]
    return same_counts and not _waiver_expired(warehouse, nights[0], today)


def _doses_wait(project: Project, warehouse: duckdb.DuckDBPyConnection) -> bool:
    """Return whether volumes and doses were computed that no refresh has taken yet."""
    waiting = set(inbox(project).waiting())
    if not waiting:
        return False
    known = warehouse.execute(f"SELECT calculation FROM {MetaDoseCalculation.table()}").fetchall()
    return not waiting <= {key for (key,) in known}


def _waiver_expired(warehouse: duckdb.DuckDBPyConnection, last: str, today: dt.date) -> bool:
    """Return whether a waiver that was in force in the last refresh has expired since."""
    received = warehouse.execute(f"SELECT refresh_id, received_on FROM {MetaRefresh.table()}").fetchall()
    on = dict(received).get(last)
    until = warehouse.execute(f"SELECT until FROM {Decision.table()}").pl()["until"].cast(pl.Date)
    return on is None or bool(((until >= on) & (until < today)).any())
