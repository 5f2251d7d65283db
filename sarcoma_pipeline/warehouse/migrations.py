"""Versions of the warehouse, and the migrations that upgrade one of an older version.

Most changes need no migration: derived tables are recreated when their contract changes, and append-only
tables get new columns and keep the old ones (:func:`.ddl.prepare`). Only other changes, such as a renamed
column, need one. A released migration is never changed.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import re
from collections.abc import Set
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.warehouse.centres import Tables
from schemas.meta import MetaMigration

_NAMED = re.compile(r"\{([a-z_.]+)\}")


class WarehouseNewer(Exception):
    """A newer program created the warehouse; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """The upgrade to one version.

    Attributes:
        version: the version after the upgrade.
        what: description for people.
        statements: SQL on the tables of the version before, with table names in braces.
    """

    version: int
    what: str
    statements: tuple[str, ...] = ()


MIGRATIONS = (
    Migration(1, "the first warehouse"),
    Migration(
        2,
        "volumes became a separate step: remove observations under the old step name",
        ("DROP TABLE IF EXISTS {quality.observed}",),
    ),
)

VERSION = MIGRATIONS[-1].version


def version(tables: Tables, there: Set[str]) -> int:
    """Return the warehouse's version; 0 if it has no tables yet.

    Args:
        tables: the study's tables.
        there: names of the existing tables.

    Raises:
        WarehouseNewer: the version is newer than this program.
    """
    if not there:
        return 0
    known = 1
    if MetaMigration.table() in there:
        row = tables.execute(f"SELECT max(version) FROM {tables.own(MetaMigration.table())}").fetchone()
        known = (row[0] if row else None) or 1
    if known > VERSION:
        raise WarehouseNewer(
            f"the warehouse has version {known}, this program knows up to version {VERSION}: "
            "use the newer program, or sarcoma restore a backup from before the upgrade"
        )
    return known


def migrate(tables: Tables, known: int) -> pl.DataFrame:
    """Upgrade the tables of an older version, within the caller's transaction.

    Args:
        tables: the study's tables.
        known: the warehouse's version; 0 if it has no tables yet.

    Returns:
        The rows to add to ``meta.migrations``.
    """
    rows = []
    for step in MIGRATIONS[max(known - 1, 0) :]:
        if step.version > known > 0:
            for statement in step.statements:
                tables.execute(_NAMED.sub(lambda name: tables.own(name[1]), statement))
        rows.append(
            {
                "version": step.version,
                "what": step.what,
                "applied_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
                "code_version": importlib.metadata.version("sarcoma-pipeline"),
            }
        )
    return pl.DataFrame(rows, schema=MetaMigration.polars_schema())
