"""Name and pool the tables of a study with several centres.

Each centre has its own set of tables in schemas named after it (``north_received.unread``). A DuckLake
catalog refuses a transaction that inserts into a table from which another one has just deleted, even for
different rows: centres that shared a table would block each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

CENTRE = "_centre"
"""Column with the centre of a row, if several centres are read together."""

POOLED_LAYER = "analysis"
"""Layer that is computed once for all centres; every other layer is computed per centre."""

_OF_THE_POOL = (
    "meta.release", "meta.refreshes", "meta.steps", "meta.configurations", "meta.dictionary",
    "meta.vocabularies", "meta.migrations",
)  # fmt: skip
"""Tables that exist for each centre and for the pooled study; the pooled study reads its own."""

_OF_BOTH = "meta.versions"
"""Table that the pooled study reads from itself and all centres: its steps depend on tables of both."""


@dataclass(frozen=True)
class Tables:
    """The tables of a study on one connection, addressed by the names of their contracts.

    Attributes:
        connection: connection to the file or the catalog.
        centre: centre whose tables are written; empty for the pooled study and for a study without centres.
        pooled: centres whose tables are read together.
        catalog: name of the catalog with a dot, if it is not the connection's default.
    """

    connection: duckdb.DuckDBPyConnection
    centre: str = ""
    pooled: Sequence[str] = ()
    catalog: str = ""

    def own(self, table: str) -> str:
        """Return the SQL name of a table for writing."""
        return self.catalog + of_centre(table, self.centre)

    def rows(self, table: str) -> str:
        """Return the SQL source of a table's rows; of several centres with the column :data:`CENTRE`."""
        if not self.pooled or table in _OF_THE_POOL or table.startswith(f"{POOLED_LAYER}."):
            return self.own(table)
        parts = {centre: self.catalog + of_centre(table, centre) for centre in self.pooled}
        if table == _OF_BOTH:
            parts[""] = self.own(table)
        selected = (f"SELECT *, '{centre}' AS {CENTRE} FROM {part}" for centre, part in parts.items())
        return f"({' UNION ALL BY NAME '.join(selected)})"

    def execute(self, sql: str) -> duckdb.DuckDBPyConnection:
        """Execute statements; values are written with :func:`literal`."""
        return self.connection.execute(sql)


def literal(text: str) -> str:
    """Return a text as SQL writes it: for parameters of a statement, DuckDB imports pandas."""
    return "'" + text.replace("'", "''") + "'"


def of_centre(table: str, centre: str) -> str:
    """Return a table's name in the schemas of a centre; the unchanged name if there is no centre."""
    return f"{centre}_{table}" if centre else table


def parts(name: str) -> tuple[str, str]:
    """Split a table's name in the database into centre and contract name (layers have no underscore)."""
    schema, _, table = name.partition(".")
    centre, _, layer = schema.rpartition("_")
    return centre, f"{layer}.{table}"


def pooled(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Combine the rows of all centres into those of the pooled study: concatenated, except for a few tables.

    Args:
        table: name as in its contract.
        frame: the centres' rows, with the column :data:`CENTRE`.
    """
    merge = MERGED.get(table)
    return merge(frame) if merge else frame


def _once(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep one copy of rows about the whole study, which every centre repeats."""
    return frame.drop(CENTRE).unique(maintain_order=True)


def _flow(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up the centres' STROBE flows."""
    counts = pl.col("entered", "excluded", "not_known", "remaining").sum()
    return frame.group_by("position", "criterion", "label").agg(counts).sort("position")


def _trend(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up the centres' findings per day, using each centre's last refresh of the day."""
    nights = frame.with_columns(_day=pl.col("refresh_id").str.head(8))
    last = nights.filter(pl.col("refresh_id") == pl.col("refresh_id").max().over(CENTRE, "_day"))
    counts = pl.col(name for name, kind in frame.schema.items() if kind == pl.Int64)
    summed = last.group_by("_day", "rule_id", "severity", maintain_order=True).agg(counts.sum())
    return summed.rename({"_day": "refresh_id"})


def _rule_results(frame: pl.DataFrame) -> pl.DataFrame:
    """Add up what each rule judged at the centres; a threshold is exceeded if it is at any centre."""
    judged = pl.when(pl.col("judged").is_not_null().any()).then(pl.col("judged").sum())
    share = 100 * (pl.col("broken") - pl.col("waived")) / pl.col("judged")
    return (
        frame.group_by("rule_id", "category", "severity", "source")
        .agg(judged, pl.col("broken", "waived").sum(), pl.col("max_percent", "check", "above_since").max())
        .with_columns(percent=pl.when(pl.col("judged") > 0).then(share.clip(upper_bound=100)))
        .sort("rule_id", "source")
    )


MERGED: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "cohort.flow": _flow,
    "cohort.derivability": _once,
    "quality.decisions": _once,
    "quality.rule_results": _rule_results,
    "quality.rules": _once,
    "quality.trend": _trend,
}
"""Tables that are not simply concatenated."""
