"""Several centres in one study: whose tables a step works on, and what they are as one pooled study.

Each centre has a set of tables of its own, in schemas named after it (``north_received.unread``), because a
DuckLake catalog refuses a transaction that inserts into a table from which another one has just deleted,
whichever rows they were: centres that shared a table would wait for each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

CENTRE = "_centre"
"""Names the centre of a row where several are read together."""

POOLED_LAYER = "analysis"
"""Made once, of all centres; every other layer is made centre by centre."""

_OF_THE_POOL = (
    "meta.release", "meta.refreshes", "meta.steps", "meta.configurations", "meta.dictionary",
    "meta.vocabularies", "meta.migrations",
)  # fmt: skip
"""Centres have these too, but the pooled study's own are meant."""

_OF_BOTH = "meta.versions"
"""A step of the pooled study rests on what it made itself and on the centres' tables."""


@dataclass(frozen=True)
class Tables:
    """A study's tables on one connection, by the names of their contracts.

    Attributes:
        connection: to the file or the catalog.
        centre: whose tables are written; empty for the pooled study, and for a study without centres.
        pooled: the centres whose tables are read together.
        catalog: its name and a dot, where it is not the connection's default.
    """

    connection: duckdb.DuckDBPyConnection
    centre: str = ""
    pooled: Sequence[str] = ()
    catalog: str = ""

    def own(self, table: str) -> str:
        """Where a table is that may be written."""
        return self.catalog + of_centre(table, self.centre)

    def rows(self, table: str) -> str:
        """What to read a table's rows from; those of several centres have a column :data:`CENTRE` more."""
        if not self.pooled or table in _OF_THE_POOL or table.startswith(f"{POOLED_LAYER}."):
            return self.own(table)
        parts = {centre: self.catalog + of_centre(table, centre) for centre in self.pooled}
        if table == _OF_BOTH:
            parts[""] = self.own(table)
        selected = (f"SELECT *, '{centre}' AS {CENTRE} FROM {part}" for centre, part in parts.items())
        return f"({' UNION ALL BY NAME '.join(selected)})"

    def execute(self, sql: str, values: Any = None) -> duckdb.DuckDBPyConnection:
        """Run one statement."""
        return self.connection.execute(sql, values)


def of_centre(table: str, centre: str) -> str:
    """A table's name in the schemas of a centre; its own if there is none."""
    return f"{centre}_{table}" if centre else table


def parts(name: str) -> tuple[str, str]:
    """The centre and the contract's name of a table in a database: no layer has an underscore in its name."""
    schema, _, table = name.partition(".")
    centre, _, layer = schema.rpartition("_")
    return centre, f"{layer}.{table}"


def pooled(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """The rows of all centres as the pooled study's: one below the other, but for a few tables.

    Args:
        table: name as in its contract.
        frame: the centres' rows, with the column :data:`CENTRE`.
    """
    merge = MERGED.get(table)
    return merge(frame) if merge else frame


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    """What every centre says of the study as a whole."""
    return frame.drop(CENTRE).unique(maintain_order=True)


def _flow(frame: pl.DataFrame) -> pl.DataFrame:
    """The centres' STROBE flows as one."""
    counts = pl.col("entered", "excluded", "remaining").sum()
    return frame.group_by("position", "criterion", "label").agg(counts).sort("position")


def _trend(frame: pl.DataFrame) -> pl.DataFrame:
    """The nights of the study: of each day every centre's last refresh, whenever that was."""
    nights = frame.with_columns(_day=pl.col("refresh_id").str.head(8))
    last = nights.filter(pl.col("refresh_id") == pl.col("refresh_id").max().over(CENTRE, "_day"))
    counts = pl.col(name for name, kind in frame.schema.items() if kind == pl.Int64)
    summed = last.group_by("_day", "rule_id", "severity", maintain_order=True).agg(counts.sum())
    return summed.rename({"_day": "refresh_id"})


MERGED: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "cohort.flow": _flow,
    "cohort.derivability": _once,
    "quality.decisions": _once,
    "quality.rules": _once,
    "quality.trend": _trend,
}
"""The few tables that are not simply one below the other."""
