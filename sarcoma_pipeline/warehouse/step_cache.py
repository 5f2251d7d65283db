"""Records the inputs of every step, so that a refresh skips steps whose inputs have not changed.

For each step, the tables that it read are recorded with their versions. The step is skipped as long as these
versions, the program, the configuration and the key are the same. Dependencies are recorded from the actual
reads, so none can be missed. A version identifies content: if a step is recomputed with the same result, the
steps after it are skipped.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse.centres import Tables, literal
from schemas.meta import MetaStep, MetaStepFile, MetaStepPatient, MetaStepResult, MetaVersion


@dataclass(frozen=True)
class Content:
    """What is noted of the content of a table, or of a step's part of it.

    Attributes:
        version: names the content.
        rows: number of its rows; None if it was not counted.
    """

    version: str
    rows: int | None = None


def version(frame: pl.DataFrame) -> str:
    """Return a hash of a frame's content, including the order of its rows."""
    seen = hashlib.blake2b(repr(frame.schema).encode(), digest_size=16)
    if frame.height:
        seen.update(frame.hash_rows(0).to_numpy().tobytes())
    return seen.hexdigest()


def circumstances(
    project: Project, other_inputs: str, *, keyed: bool = True, configuration_hash: str = ""
) -> str:
    """Return a hash of everything a step depends on other than tables.

    Args:
        project: the study.
        other_inputs: further inputs of this step, as text.
        keyed: whether it may depend on the key of the pseudonyms.
        configuration_hash: hash of an earlier configuration; by default that of the present one.
    """
    has_key = keyed and project.key.exists()
    key = hmac.new(project.key.read_bytes(), b"step", "sha256").hexdigest() if has_key else ""
    configuration = configuration_hash or project.configuration_hash()
    parts = (provenance.code_hash(), configuration, key, other_inputs)
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def known(tables: Tables) -> dict[str, str]:
    """Return the current version of each table, and of each step's part of a table (``table#step``)."""
    parts: dict[str, list[str]] = {}
    noted = f"SELECT table_name, step, version FROM {tables.rows(MetaVersion.table())} ORDER BY ALL"
    for table, step, named in tables.execute(noted).fetchall():
        parts.setdefault(table, []).append(f"{step}={named}")
        if step:
            parts.setdefault(f"{table}#{step}", []).append(named)
    return {table: " ".join(named) for table, named in parts.items()}


def known_parts(tables: Tables) -> dict[tuple[str, str], Content]:
    """Return what is noted of each table that is written here, by table and step (empty if not shared)."""
    noted = f"SELECT table_name, step, version, rows FROM {tables.own(MetaVersion.table())}"
    return {(table, step): Content(*named) for table, step, *named in tables.execute(noted).fetchall()}


def chosen(versions: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str] | None:
    """Return the versions of some tables; None if one of them is not known."""
    names = sorted(set(wanted))
    return None if any(table not in versions for table in names) else {t: versions[t] for t in names}


def kept(tables: Tables, step: str, circumstances: str) -> bool:
    """Return whether none of a step's inputs has changed since it was computed.

    Args:
        tables: the study's tables.
        step: name of the step.
        circumstances: its current :func:`circumstances`.
    """
    row = tables.execute(
        f"SELECT circumstances, reads FROM {tables.own(MetaStep.table())} WHERE step = {literal(step)}"
    ).fetchone()
    if row is None or row[0] != circumstances:
        return False
    reads: dict[str, str] = json.loads(row[1])
    return chosen(known(tables), reads) == reads


def note_versions(tables: Tables, named: Mapping[str, str], step: str = "") -> None:
    """Record new versions of tables that are only added to; see :func:`note_contents`."""
    note_contents(tables, {table: Content(version) for table, version in named.items()}, step)


def note_contents(tables: Tables, named: Mapping[str, Content], step: str = "") -> None:
    """Record the new content of tables, in the transaction that writes them.

    Args:
        tables: the study's tables.
        named: table to content.
        step: the step, for its part of a shared table.
    """
    if not named:
        return
    noted = tables.own(MetaVersion.table())
    of_tables = ", ".join(map(literal, named))
    rows = ", ".join(
        f"({literal(table)}, {literal(step)}, {literal(content.version)}, "
        f"{'NULL' if content.rows is None else content.rows})"
        for table, content in named.items()
    )
    tables.execute(f"DELETE FROM {noted} WHERE step = {literal(step)} AND table_name IN ({of_tables})")
    tables.execute(f"INSERT INTO {noted} VALUES {rows}")


def note_step(tables: Tables, step: str, circumstances: str, reads: Mapping[str, str] | None) -> None:
    """Record the inputs of a step.

    Args:
        tables: the study's tables.
        step: name of the step.
        circumstances: its :func:`circumstances`.
        reads: table to the version that was read; None if one is unknown, so that the step is never skipped.
    """
    noted = tables.own(MetaStep.table())
    tables.execute(f"DELETE FROM {noted} WHERE step = {literal(step)}")
    if reads is not None:
        row = ", ".join(map(literal, (step, circumstances, json.dumps(reads))))
        tables.execute(f"INSERT INTO {noted} VALUES ({row})")


def forget(tables: Tables) -> None:
    """Make the next refresh compute every step, for every file and every patient."""
    for contract in (MetaStep, MetaStepFile, MetaStepPatient, MetaStepResult):
        tables.execute(f"DELETE FROM {tables.own(contract.table())}")
