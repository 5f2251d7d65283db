"""Versions of the warehouse, from the first on: what is done to one that an older program made.

Most changes need no migration. Derived tables are made anew when their contract changed, and tables that
nothing can bring back get the new columns and keep the old (:func:`.ddl.prepare`). What
that cannot do, such as a renamed column, stands here. A migration never changes once it was released.
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
    """A newer program made the warehouse; the message says what to do."""


@dataclass(frozen=True)
class Migration:
    """The step to one version.

    Attributes:
        version: the one that it leads to.
        what: for people.
        statements: SQL, run on the tables as the version before left them; a table's name stands in braces.
    """

    version: int
    what: str
    statements: tuple[str, ...] = ()


MIGRATIONS = (
    Migration(1, "the first warehouse"),
    Migration(
        2,
        "the volumes became a step of their own: what was observed under the old name would stand for ever",
        ("DROP TABLE IF EXISTS {quality.observed}",),
    ),
)

VERSION = MIGRATIONS[-1].version


def version(tables: Tables, there: Set[str]) -> int:
    """The warehouse's version; 0 if it holds nothing yet.

    Args:
        tables: of the study.
        there: the names of those that exist.

    Raises:
        WarehouseNewer: it is not known here.
    """
    if not there:
        return 0
    known = 1
    if MetaMigration.table() in there:
        row = tables.execute(f"SELECT max(version) FROM {tables.own(MetaMigration.table())}").fetchone()
        known = (row[0] if row else None) or 1
    if known > VERSION:
        raise WarehouseNewer(
            f"the warehouse has version {known}, this program knows {VERSION}: "
            "run the program that made it, or sarcoma restore a backup from before the upgrade"
        )
    return known


def migrate(tables: Tables, known: int) -> pl.DataFrame:
    """Bring the tables of an older version to this one, within the caller's transaction.

    Args:
        tables: of the study.
        known: its version; 0 if it holds nothing yet.

    Returns:
        What is to be noted, as ``meta.migrations``.
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
