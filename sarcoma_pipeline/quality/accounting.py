"""The accounting identity: records read = curated + quarantined + exact duplicates + out of scope."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.quality import Accounting
from schemas.vocabularies import DUPLICATE, OUT_OF_SCOPE


def account(
    received: Mapping[str, pl.DataFrame],
    curated: Mapping[str, pl.DataFrame],
    quarantine: pl.DataFrame,
    disposition: pl.DataFrame,
) -> pl.DataFrame:
    """Account for every received record, per file.

    A record counts as curated only if a curated row names it in ``record_ids``: nothing is derived from the
    other three, so that a record which fell through shows up as unaccounted.

    Args:
        received: received tables, current rows.
        curated: curated tables.
        quarantine: ``quality.quarantine``.
        disposition: ``quality.disposition``.

    Returns:
        ``quality.accounting``.
    """
    records = pl.concat(
        [pl.DataFrame(schema={"record_id": pl.String, "file_id": pl.String})]
        + [frame.select("record_id", "file_id") for frame in received.values()]
    )
    used = pl.concat(
        [pl.Series("record_id", [], dtype=pl.String)]
        + [
            frame["record_ids"].explode().drop_nulls().alias("record_id")
            for frame in curated.values()
            if "record_ids" in frame.columns
        ]
    ).unique()
    kinds = {
        "curated": used,
        "quarantined": quarantine["record_id"],
        "duplicates": disposition.filter(pl.col("disposition") == DUPLICATE)["record_id"],
        "out_of_scope": disposition.filter(pl.col("disposition") == OUT_OF_SCOPE)["record_id"],
    }
    marked = records.with_columns(
        pl.col("record_id").is_in(ids.implode()).alias(k) for k, ids in kinds.items()
    )
    times = pl.sum_horizontal(pl.col(list(kinds)).cast(pl.Int64))
    totals = marked.group_by("file_id").agg(
        records=pl.len(),
        **{kind: pl.col(kind).sum() for kind in kinds},
        unaccounted=(times == 0).sum(),
        counted_twice=(times > 1).sum(),
    )
    return Accounting.conform(totals.sort("file_id"))
