"""On which of a patient's records a finding of the cohort stands: on the one that a steward would open first.

That is the first in the order of the sources in ``sources.toml``, then of the files by name, then of the
position in the file. No place depends on a hash, but where two records share their position.
"""

from __future__ import annotations

import polars as pl

from schemas.configuration import Sources
from schemas.observations import observation
from schemas.quality import Observation
from schemas.ranks import place_in
from schemas.rule import Rule

PATIENT = "patient"
"""Column of candidates: whose finding it is."""

_FINDING = (PATIENT, "rule_id", "table_name", "column_name")


def in_order(records: pl.DataFrame, places: pl.DataFrame, sources: Sources, *first: str) -> pl.DataFrame:
    """Add ``source`` to records and sort them, the one that a steward would open first at the top.

    Args:
        records: ``record_id`` and further columns.
        places: ``record_id``, ``path``, ``position``, ``source`` of these records.
        sources: their order.
        first: columns that decide before the place.
    """
    rank = place_in([source.name for source in sources.source], "source")
    known = places.select("record_id", "path", "position", "source").unique("record_id", keep="any")
    # Sorted by length first, so that line 9 comes before line 10.
    length = pl.col("position").str.len_chars()
    return records.join(known, on="record_id", how="left").sort(
        *first, rank, "path", length, "position", "record_id", nulls_last=True
    )


def candidates(
    frame: pl.DataFrame,
    patient: str,
    rule: Rule,
    table: str,
    column: str,
    value: pl.Expr | None = None,
    note: pl.Expr | None = None,
) -> pl.DataFrame:
    """Return observations, one for each record on which a finding could stand, with :data:`PATIENT`.

    Args:
        frame: the rows at fault, with ``record_ids``.
        patient: column that says whose a row is.
        rule: what they break.
        table: the table that they stand in.
        column: the column at fault.
        value: what it holds.
        note: what else the steward needs.
    """
    each = frame.with_columns(record_id="record_ids").explode("record_id").drop_nulls("record_id")
    seen = observation(each, rule, table, column, value, note)
    return seen.with_columns(each[patient].cast(pl.String).alias(PATIENT))


def placed(found: pl.DataFrame, places: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """Return one observation for each finding of a patient, on the record that a steward would open first.

    Args:
        found: from :func:`candidates`.
        places: ``record_id``, ``path``, ``position``, ``source`` of these records.
        sources: their order.
    """
    ordered = in_order(found, places, sources).unique(_FINDING, keep="first", maintain_order=True)
    return Observation.conform(ordered.sort(_FINDING).select(Observation.empty().columns))
