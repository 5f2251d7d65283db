"""What a step was made of, so that a night that brings nothing new computes nothing anew.

A step notes which tables it read and in which version. It is kept as long as these versions, the program,
the configuration and the key are the same: a table that a step reads cannot be forgotten, for the reading
itself is what is noted. A version names content: a step that was computed anew to the same result ends the
chain.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import polars as pl

from sarcoma_pipeline import provenance
from sarcoma_pipeline.project import Project
from schemas.meta import MetaStep, MetaVersion


def version(frame: pl.DataFrame) -> str:
    """Names a frame's content, its order included."""
    seen = hashlib.blake2b(repr(frame.schema).encode(), digest_size=16)
    if frame.height:
        seen.update(frame.hash_rows(0).to_numpy().tobytes())
    return seen.hexdigest()


def circumstances(project: Project, further: str) -> str:
    """Names everything that a step depends on and that is no table.

    Args:
        project: the study.
        further: what else this step depends on, in words.
    """
    key = hmac.new(project.key.read_bytes(), b"step", "sha256").hexdigest() if project.key.exists() else ""
    parts = (provenance.code_hash(), project.configuration_hash(), key, further)
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


def versions(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, str] | None:
    """The versions of tables, or of a step's part of one (``table#step``); None if one is not known."""
    known: dict[str, list[str]] = {}
    for table, step, named in connection.execute(f"FROM {MetaVersion.table()} ORDER BY ALL").fetchall():
        known.setdefault(table, []).append(f"{step}={named}")
        known[f"{table}#{step}"] = [named]
    wanted = sorted(set(tables))
    if any(table not in known for table in wanted):
        return None
    return {table: " ".join(known[table]) for table in wanted}


def kept(connection: duckdb.DuckDBPyConnection, step: str, made_in: str) -> bool:
    """Whether a step's tables are what it would make again.

    Args:
        connection: to the warehouse.
        step: its name.
        made_in: as :func:`circumstances` names them now.
    """
    row = connection.execute(
        f"SELECT circumstances, reads FROM {MetaStep.table()} WHERE step = ?", [step]
    ).fetchone()
    if row is None or row[0] != made_in:
        return False
    reads: dict[str, str] = json.loads(row[1])
    return versions(connection, reads) == reads


def note_versions(connection: duckdb.DuckDBPyConnection, named: Mapping[str, str], step: str = "") -> None:
    """Note new versions of tables, in the transaction that writes them.

    Args:
        connection: to the warehouse.
        named: table to version.
        step: of a table that several steps share.
    """
    for table, content in named.items():
        connection.execute(
            f"DELETE FROM {MetaVersion.table()} WHERE table_name = ? AND step = ?", [table, step]
        )
        connection.execute(f"INSERT INTO {MetaVersion.table()} VALUES (?, ?, ?)", [table, step, content])


def note_step(
    connection: duckdb.DuckDBPyConnection, step: str, made_in: str, reads: Mapping[str, str] | None
) -> None:
    """Note what a step was made of; a step that read a table of unknown version is not kept.

    Args:
        connection: to the warehouse.
        step: its name.
        made_in: as :func:`circumstances` named them.
        reads: table to version, as they were read.
    """
    connection.execute(f"DELETE FROM {MetaStep.table()} WHERE step = ?", [step])
    if reads is not None:
        connection.execute(
            f"INSERT INTO {MetaStep.table()} VALUES (?, ?, ?)", [step, made_in, json.dumps(reads)]
        )


def forget(warehouse: Path) -> None:
    """Have every step computed again in the next refresh."""
    with duckdb.connect(str(warehouse)) as connection:
        found = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema || '.' || table_name = ?",
            [MetaStep.table()],
        ).fetchone()
        if found and found[0]:
            connection.execute(f"DELETE FROM {MetaStep.table()}")
