"""What moved between two releases, and because of which files."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Tables = Mapping[str, pl.DataFrame]

_KEYS = {
    "cohort.patients": ["pseudonym"],
    "cohort.endpoints": ["pseudonym", "endpoint"],
    "analysis.survival_estimate": ["endpoint", "quantity", "horizon_months"],
    "analysis.hazard_ratio": ["model", "contrast", "method"],
}
"""Tables that are compared, and what names a row of each."""

_ESTIMATES = {
    "analysis.survival_estimate": ["value", "ci_low", "ci_high"],
    "analysis.hazard_ratio": ["hazard_ratio", "ci_low", "ci_high", "p_value"],
}
_NOT_COMPARED = {"record_ids", "evidence"}
"""They name records, not what was found; :func:`causes` compares them."""

_SCHEMA = {name: pl.String() for name in ("table_name", "row", "column_name", "old", "new")}


def moved(old: Tables, new: Tables) -> pl.DataFrame:
    """Every value that differs.

    Args:
        old: tables of the one release, as ``release.read`` gives them.
        new: of the other.

    Returns:
        ``table_name``, ``row`` (its key), ``column_name``, ``old``, ``new``; a row that came or went has the
        column ``(row)`` with ``absent`` and ``present``.
    """
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for table, keys in _KEYS.items():
        if table in old and table in new:
            parts.append(_table(table, old[table], new[table], keys))
    return pl.concat(parts)


def _table(table: str, old: pl.DataFrame, new: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    values = _ESTIMATES.get(table) or [c for c in new.columns if c not in {*keys, *_NOT_COMPARED}]
    values = [c for c in values if c in old.columns and c in new.columns]
    named = pl.concat_str([pl.col(k).cast(pl.String).fill_null("") for k in keys], separator=" ")
    sides = [
        f.select(
            named.alias("row"), pl.col(values).cast(pl.String), pl.lit("present").alias("(row)")
        ).unpivot(index="row", variable_name="column_name", value_name="told")
        for f in (old, new)
    ]
    both = sides[0].join(sides[1], on=["row", "column_name"], how="full", coalesce=True, suffix="_new")
    whole = pl.col("column_name") == "(row)"
    there = both.filter(whole, pl.col("told").is_null() | pl.col("told_new").is_null())
    changed = both.filter(~whole, pl.col("told").ne_missing(pl.col("told_new")))
    changed = changed.join(there.select("row"), on="row", how="anti")
    rows = pl.concat([there.with_columns(pl.col("told", "told_new").fill_null("absent")), changed])
    return rows.select(
        pl.lit(table).alias("table_name"), "row", "column_name", old="told", new="told_new"
    ).sort("row", "column_name")


def causes(old: Tables, new: Tables) -> pl.DataFrame:
    """Which files gave or took records of each patient.

    Returns:
        ``pseudonym``, ``path``, ``gone`` and ``new``: records of the file that only one release rests on.
    """
    sides = [t["meta.lineage"].select("pseudonym", "path", "record_id").unique() for t in (old, new)]
    gone, came = (
        a.join(b, on=["pseudonym", "record_id"], how="anti").group_by("pseudonym", "path").len(name)
        for a, b, name in ((sides[0], sides[1], "gone"), (sides[1], sides[0], "new"))
    )
    both = gone.join(came, on=["pseudonym", "path"], how="full", coalesce=True)
    return both.with_columns(pl.col("gone", "new").fill_null(0)).sort("pseudonym", "path")
