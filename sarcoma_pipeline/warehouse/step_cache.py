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

import polars as pl

from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse.centres import Tables
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


def known(tables: Tables) -> dict[str, str]:
    """Table, or a step's part of one (``table#step``), to its version."""
    parts: dict[str, list[str]] = {}
    noted = f"SELECT table_name, step, version FROM {tables.rows(MetaVersion.table())} ORDER BY ALL"
    for table, step, named in tables.execute(noted).fetchall():
        parts.setdefault(table, []).append(f"{step}={named}")
        if step:
            parts.setdefault(f"{table}#{step}", []).append(named)
    return {table: " ".join(named) for table, named in parts.items()}


def chosen(versions: Mapping[str, str], wanted: Iterable[str]) -> dict[str, str] | None:
    """The versions of some tables; None if one of them is not known."""
    names = sorted(set(wanted))
    return None if any(table not in versions for table in names) else {t: versions[t] for t in names}


def kept(tables: Tables, step: str, made_in: str) -> bool:
    """Whether a step's tables are what it would make again.

    Args:
        tables: of the study.
        step: its name.
        made_in: as :func:`circumstances` names them now.
    """
    row = tables.execute(
        f"SELECT circumstances, reads FROM {tables.own(MetaStep.table())} WHERE step = ?", [step]
    ).fetchone()
    if row is None or row[0] != made_in:
        return False
    reads: dict[str, str] = json.loads(row[1])
    return chosen(known(tables), reads) == reads


def note_versions(tables: Tables, named: Mapping[str, str], step: str = "") -> None:
    """Note new versions of tables, in the transaction that writes them.

    Args:
        tables: of the study.
        named: table to version.
        step: of a table that several steps share.
    """
    noted = tables.own(MetaVersion.table())
    for table, content in named.items():
        tables.execute(f"DELETE FROM {noted} WHERE table_name = ? AND step = ?", [table, step])
        tables.execute(f"INSERT INTO {noted} VALUES (?, ?, ?)", [table, step, content])


def note_step(tables: Tables, step: str, made_in: str, reads: Mapping[str, str] | None) -> None:
    """Note what a step was made of; a step that read a table of unknown version is not kept.

    Args:
        tables: of the study.
        step: its name.
        made_in: as :func:`circumstances` named them.
        reads: table to version, as they were read.
    """
    noted = tables.own(MetaStep.table())
    tables.execute(f"DELETE FROM {noted} WHERE step = ?", [step])
    if reads is not None:
        tables.execute(f"INSERT INTO {noted} VALUES (?, ?, ?)", [step, made_in, json.dumps(reads)])


def forget(tables: Tables) -> None:
    """Have every step computed again in the next refresh."""
    tables.execute(f"DELETE FROM {tables.own(MetaStep.table())}")
