"""The invariants, looked at: what must hold between two refreshes, and the one command that heals it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb

from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import disk_space, permissions, read_only
from schemas.release import RELEASED


@dataclass(frozen=True)
class Diagnosis:
    """One invariant.

    Attributes:
        what: the invariant.
        faults: how it is broken; empty if it holds.
        remedy: what to do.
    """

    what: str
    faults: list[str]
    remedy: str = ""


Checks = tuple[tuple[str, Callable[[Project], list[str]], str], ...]


def examine(project: Project) -> Iterator[Diagnosis]:
    """Look at every invariant, one after the other; what cannot be looked at is a fault of its own.

    Args:
        project: the study, with no refresh running.
    """
    name = project.study.name
    refresh = f"sarcoma refresh --full --study {name}"
    checks: Checks = (
        ("there is room for the next refresh", disk_space.faults, f"make room, then {refresh}"),
        ("only their owner reads what holds identities", permissions.faults, "the command behind each file"),
        (
            "the decision log can be read and lacks none",
            _decisions,
            f"mend the file, or sarcoma restore; {refresh}",
        ),
        ("the warehouse can be read", _warehouse, f"sarcoma restore, or move it away, then {refresh}"),
        ("every record is accounted for", _accounting, refresh),
        ("every endpoint goes back to its records", _lineage, refresh),
        (
            "the pseudonyms are those of the key",
            _pseudonyms,
            f"sarcoma restore the key (or sarcoma key new), then {refresh}",
        ),
        ("the release is what its hash says", _release, f"sarcoma release rollback, or {refresh}"),
        ("the kept releases can be read", _kept, "delete those that cannot"),
        ("no crash left anything behind", _leftovers, "delete them: they are halves of what was never used"),
    )
    for what, look, remedy in checks:
        try:
            found = look(project)
        except (duckdb.Error, OSError, ValueError, decision_log.DecisionLogDamaged) as broken:
            found = [f"cannot be looked at: {type(broken).__name__}"]
        yield Diagnosis(what, found, remedy if found else "")


def _rows(project: Project, sql: str, centre: str = "") -> list[tuple[int, ...]]:
    if not read_only.is_built(project):
        return []
    with read_only.connect(project, centre) as connection:
        return connection.execute(sql).fetchall()


def _warehouse(project: Project) -> list[str]:
    tables = _rows(project, "SELECT table_schema || '.' || table_name FROM information_schema.tables")
    with_faults = []
    for (table,) in tables:
        try:
            _rows(project, f"SELECT count(*), count(COLUMNS(*)) FROM {table}")
        except duckdb.Error as broken:
            with_faults.append(f"{table}: {type(broken).__name__}")
    return with_faults


def _decisions(project: Project) -> list[str]:
    logged = decision_log.read(project.decisions)
    known = {row[0] for row in _rows(project, "SELECT decision_id FROM quality.decisions")}
    lost = known - set(logged["decision_id"])
    return [f"{len(lost)} decisions of the warehouse are not in it"] if lost else []


def _accounting(project: Project) -> list[str]:
    found = []
    for files, odd, records, read in _rows(
        project,
        "SELECT count(*), count(*) FILTER (unaccounted > 0 OR counted_twice > 0), sum(records), "
        "(SELECT sum(records) FROM meta.files WHERE last_refresh IS NULL) FROM quality.accounting",
    ):
        if odd:
            found.append(f"{odd} of {files} files have records that are nowhere, or in two places")
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
    return [f"{n} records that decided an endpoint are not in meta.lineage" for (n,) in lost if n]


def _pseudonyms(project: Project) -> list[str]:
    import polars as pl

    found = []
    for centre in project.centres or ("",):
        pairs = _rows(project, "SELECT patient_id, pseudonym FROM curated.patient", centre)
        if not pairs:
            continue
        if not project.key.exists():
            return [f"{project.key.name} is missing"]
        key = release.pseudonym_key(project.key, centre)
        made = release.pseudonyms(pl.Series([p for p, _ in pairs]), key)
        wrong = set(pairs) - set(made.iter_rows())
        found += [f"{len(wrong)} of {len(pairs)} are others"] if wrong else []
    return found


def _release(project: Project) -> list[str]:
    frames = release.on_demand(project.release)
    if frames is None:
        return []
    label = frames["meta.release"].row(0, named=True)
    held = release.content_hash({table: frames[table] for table in RELEASED if table in frames})
    return [] if held == label["content_hash"] else ["its tables are not those that were published"]


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
    halves = [p for pattern in published for p in project.published.glob(pattern)]
    halves += project.warehouse.parent.glob(".as-of-*")
    return sorted({str(p.relative_to(project.root)) for p in halves})
