"""Check the invariants that must hold between two refreshes, with a remedy for each violation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb

from sarcoma_pipeline.operations import key_rotation
from sarcoma_pipeline.orchestration import separate_process
from sarcoma_pipeline.publish import pseudonym_key, release
from sarcoma_pipeline.publish.tables_on_demand import held_open
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import disk_space, opening, permissions, read_only
from schemas.release import RELEASED


@dataclass(frozen=True)
class Diagnosis:
    """The result for one invariant.

    Attributes:
        what: the invariant.
        faults: how it is violated; empty if it holds.
        remedy: what to do.
    """

    what: str
    faults: list[str]
    remedy: str = ""


Checks = tuple[tuple[str, Callable[[Project], list[str]], str], ...]


def examine(project: Project) -> Iterator[Diagnosis]:
    """Yield the result for every invariant; an invariant that cannot be checked counts as violated.

    Args:
        project: the study, with no refresh running.
    """
    name = project.study.name
    refresh = f"sarcoma refresh --full --study {name}"
    checks: Checks = (
        (
            "the disk has space for the next refresh",
            disk_space.faults,
            f"free disk space, then {refresh}",
        ),
        (
            "files with identities are readable by their owner only",
            permissions.faults,
            "run the command shown after each file",
        ),
        (
            "pages and Dagster's storage are closed to others",
            permissions.shared_faults,
            "run the command shown, or refresh",
        ),
        (
            "the decision log can be read and is complete",
            _decisions,
            f"repair the file, or sarcoma restore; then {refresh}",
        ),
        ("the warehouse can be read", _warehouse, f"sarcoma restore, or move the file away, then {refresh}"),
        ("every record is accounted for", _accounting, refresh),
        ("every endpoint is traceable to its records", _lineage, refresh),
        (
            "the pseudonyms match the key",
            _pseudonyms,
            f"sarcoma restore the key (or sarcoma key new), then {refresh}",
        ),
        (
            "no rotation of the key was interrupted",
            lambda p: [path.name for path in pseudonym_key.unfinished(p)],
            f"{refresh}: it finishes the rotation, or undoes it",
        ),
        ("the release matches its hash", _release, f"sarcoma release rollback, or {refresh}"),
        ("the kept releases can be read", _kept, "delete the unreadable files"),
        ("no partial files of a crash remain", _leftovers, "delete them: they were never used"),
    )
    for what, look, remedy in checks:
        try:
            found = look(project)
        except opening.CannotOpen as why:
            # The same remedy for all faults that only the warehouse shows.
            found, remedy = ["cannot be checked"], str(why)
        except (duckdb.Error, OSError, ValueError, decision_log.DecisionLogDamaged) as broken:
            found = [f"cannot be checked: {type(broken).__name__}"]
        yield Diagnosis(what, found, remedy if found else "")


def _rows(project: Project, sql: str, centre: str = "") -> list[tuple[int, ...]]:
    if not read_only.is_built(project):
        return []
    with opening.explained(project.warehouse), read_only.connect(project, centre) as connection:
        return connection.execute(sql).fetchall()


def _warehouse(project: Project) -> list[str]:
    tables = _rows(project, "SELECT table_schema || '.' || table_name FROM information_schema.tables")
    faults = []
    for (table,) in tables:
        try:
            _rows(project, f"SELECT count(*), count(COLUMNS(*)) FROM {table}")
        except opening.Damaged:
            faults.append(f"{table} cannot be read")
        except duckdb.Error as broken:
            faults.append(f"{table}: {type(broken).__name__}")
    return faults


def _decisions(project: Project) -> list[str]:
    logged = decision_log.read(project.decisions)
    known = {row[0] for row in _rows(project, "SELECT decision_id FROM quality.decisions")}
    lost = known - set(logged["decision_id"])
    return [f"{len(lost)} decisions of the warehouse are missing in it"] if lost else []


def _accounting(project: Project) -> list[str]:
    found = []
    for files, odd, records, read in _rows(
        project,
        "SELECT count(*), count(*) FILTER (unaccounted > 0 OR counted_twice > 0), sum(records), "
        "(SELECT sum(records) FROM meta.files WHERE last_refresh IS NULL) FROM quality.accounting",
    ):
        if odd:
            found.append(f"{odd} of {files} files have records that are lost or counted twice")
        if (records or 0) != (read or 0):
            found.append(f"{read or 0} records were read, {records or 0} are accounted for")
    return found


def _lineage(project: Project) -> list[str]:
    lost = _rows(
        project,
        "SELECT count(*) FROM "
        "(SELECT pseudonym, endpoint AS subject, unnest(evidence) AS record_id FROM cohort.endpoints) "
        "ANTI JOIN meta.lineage USING (pseudonym, subject, record_id)",
    )
    return [f"{n} records that decided an endpoint are missing in meta.lineage" for (n,) in lost if n]


def _pseudonyms(project: Project) -> list[str]:
    if not read_only.is_built(project):
        return []
    if not project.key.exists():
        known = sum(n for c in project.centres or ("",) for (n,) in _rows(project, _PATIENTS, c))
        return [f"{project.key.name} is missing"] if known else []
    wrong, total = key_rotation.differing(project, project.key)
    return [f"{wrong} of {total} differ"] if wrong else []


_PATIENTS = "SELECT count(*) FROM curated.patient"


def _release(project: Project) -> list[str]:
    frames = release.on_demand(project.release)
    if frames is None:
        return []
    with held_open(frames):
        label = frames["meta.release"].row(0, named=True)
        content = release.content_hash({table: frames[table] for table in RELEASED if table in frames})
    whole = content == label["content_hash"] and release.wide_is_true(project.release)
    return [] if whole else ["its tables have changed since it was published"]


def _kept(project: Project) -> list[str]:
    found = []
    for path in sorted((project.published / "releases").glob("*.duckdb")):
        try:
            release.read(path)
        except duckdb.Error as broken:
            found.append(f"{path.name}: {type(broken).__name__}")
    return found


def _leftovers(project: Project) -> list[str]:
    published = (".building-*", "*.part", ".*.part", "releases/*.part")
    partial = [p for pattern in published for p in project.published.glob(pattern)]
    partial += project.warehouse.parent.glob(".as-of-*")
    partial += project.warehouse.parent.glob(".restoring-*")
    partial += {*project.warehouse.parent.glob(".*.part")} - {*pseudonym_key.unfinished(project)}
    if any(separate_process.is_locked(lock) for lock in project.published.glob(".*.lock")):
        # A process that the last refresh started is still writing its files.
        partial = [p for p in partial if not p.is_relative_to(project.published)]
    # What was finished meanwhile has its own name by now.
    return sorted({str(p.relative_to(project.root)) for p in partial if p.exists()})
