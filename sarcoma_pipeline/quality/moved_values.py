"""List the released values that differ between two releases."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Tables = Mapping[str, pl.DataFrame]

OF_PATIENTS: Mapping[str, tuple[str, ...]] = {
    "cohort.patients": ("pseudonym",),
    "cohort.endpoints": ("pseudonym", "endpoint"),
}
"""Compared tables with values of patients, with the columns that identify a row."""

OF_ESTIMATES: Mapping[str, tuple[str, ...]] = {
    "analysis.survival_estimate": ("endpoint", "quantity", "horizon_months"),
    "analysis.hazard_ratio": ("model", "contrast", "method"),
}
"""Compared tables with estimates, with the columns that identify a row."""

EVERYTHING: Mapping[str, tuple[str, ...]] = {**OF_PATIENTS, **OF_ESTIMATES}
"""All compared tables."""

_ESTIMATES = {
    "analysis.survival_estimate": ("value", "ci_low", "ci_high"),
    "analysis.hazard_ratio": ("hazard_ratio", "ci_low", "ci_high", "p_value"),
}
_NOT_COMPARED = {"record_ids", "evidence"}
"""Columns with record ids; the records behind the values are compared by content instead."""

ROW = "(row)"
"""Column name for a row that was added or removed."""
ABSENT, PRESENT = "absent", "present"

PLACE = ("table_name", "pseudonym", "row", "column_name")
"""Columns that identify a value; ``pseudonym`` and ``row`` may be null."""

_SCHEMA = pl.Schema({c: pl.String() for c in (*PLACE, "old", "new")})


def moved(old: Tables, new: Tables, keys: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    """List every value that differs.

    Args:
        old: tables of the older release.
        new: tables of the newer release.
        keys: the tables to compare, with the columns that identify a row.

    Returns:
        ``table_name``, ``pseudonym`` (null for estimates), ``row`` (the rest of its key; may be null),
        ``column_name``, ``old``, ``new``. An added or removed row has the column :data:`ROW` with the values
        :data:`ABSENT` and :data:`PRESENT`. Sorted.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for table, key in keys.items():
        if table in old and table in new:
            parts.append(_table(table, old[table], new[table], list(key)))
    return pl.concat(parts)


def _table(table: str, old: pl.DataFrame, new: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    values = _ESTIMATES.get(table) or [c for c in new.columns if c not in {*keys, *_NOT_COMPARED}]
    values = [c for c in values if c in old.columns and c in new.columns]
    rest = [pl.col(k).cast(pl.String).fill_null("") for k in keys if k != "pseudonym"]
    named = [
        pl.col("pseudonym") if "pseudonym" in keys else pl.lit(None, dtype=pl.String).alias("pseudonym"),
        (pl.concat_str(rest, separator=" ") if rest else pl.lit(None, dtype=pl.String)).alias("row"),
    ]
    texts = [f.select(*named, pl.col(values).cast(pl.String)) for f in (old, new)]
    whole = texts[0].columns
    # Most rows are unchanged: only the others are compared value by value.
    other = [
        a.join(b, on=whole, how="anti", nulls_equal=True)
        .with_columns(pl.lit(PRESENT).alias(ROW))
        .unpivot(index=["pseudonym", "row"], variable_name="column_name", value_name="cell")
        for a, b in ((texts[0], texts[1]), (texts[1], texts[0]))
    ]
    row = ["pseudonym", "row"]
    both = other[0].join(
        other[1], on=[*row, "column_name"], how="full", coalesce=True, suffix="_new", nulls_equal=True
    )
    is_row = pl.col("column_name") == ROW
    one_sided = both.filter(is_row, pl.col("cell").is_null() | pl.col("cell_new").is_null())
    changed = both.filter(~is_row, pl.col("cell").ne_missing(pl.col("cell_new")))
    changed = changed.join(one_sided.select(row), on=row, how="anti", nulls_equal=True)
    rows = pl.concat([one_sided.with_columns(pl.col("cell", "cell_new").fill_null(ABSENT)), changed])
    return rows.select(
        pl.lit(table).alias("table_name"), *row, "column_name", old="cell", new="cell_new"
    ).sort(*row, "column_name", nulls_last=True)


def sentence(row: Mapping[str, str | None]) -> str:
    """Return one moved value as a line: table, row, column, before and after."""
    key = " ".join(part for part in (row["pseudonym"], row["row"]) if part)
    return f"{row['table_name']}  {key}  {row['column_name']}: {row['old']} → {row['new']}"
