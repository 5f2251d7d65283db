"""Account for every record: read = curated + quarantined + exact duplicates + out of scope; and every value.

Values delivered = read + ignored by name + unknown. Delivered values are counted independently of the
reading (``meta.files``).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.meta import MetaFile, MetaValueAccount
from schemas.quality import Accounting, Observation
from schemas.rule import Rule
from schemas.vocabularies import DUPLICATE, OUT_OF_SCOPE, VALUE_OUTCOME
from schemas.volumes import DATASET

UNKNOWN_VALUE = Rule(
    "value.unknown",
    "notice",
    on="meta.value_account",
    scope="source",
    what="The files contain values that are not read into a column and not used. Those of oBDS, tables and "
    "replies are kept as delivered, those of DICOM only in the file.",
    remedy="Check the element, attribute or column. A column of a table: map it in sources.toml, or list it"
    " there as ignored with the reason. Any other: report it to the program's developers.",
    alone="the value is in no column",
)


def account(
    received: Mapping[str, pl.DataFrame],
    curated: Mapping[str, pl.DataFrame],
    quarantine: pl.DataFrame,
    disposition: pl.DataFrame,
    files: pl.DataFrame | None = None,
    values: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Account for every received record and every delivered value, per file.

    A record counts as curated only if ``record_ids`` of a curated row contains it, not because no other
    outcome applies: so a lost record is counted as unaccounted.

    Args:
        received: received tables, current rows.
        curated: curated tables.
        quarantine: ``quality.quarantine``.
        disposition: ``quality.disposition``.
        files: ``file_id``, ``delivered_values`` of ``meta.files``; without it values are not accounted for.
        values: ``file_id``, ``outcome``, ``values`` of ``meta.value_account``.

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
    files = MetaFile.empty() if files is None else files
    values = MetaValueAccount.empty() if values is None else values
    return Accounting.conform(
        totals.join(_values(files, values), on="file_id", how="full", coalesce=True)
        .with_columns(pl.col(pl.Int64, pl.UInt32).fill_null(0))
        .sort("file_id")
    )


def unknown(files: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Return a notice for every path of a source that no column reads, with the number of values.

    Args:
        files: ``file_id``, ``source`` of ``meta.files``.
        values: ``meta.value_account``.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    counted = (
        values.filter(pl.col("outcome") == "unknown")
        .join(files.select("file_id", "source"), on="file_id")
        .group_by("source", "path")
        .agg(pl.col("values").sum(), files=pl.col("file_id").n_unique())
        .sort("source", "path")
    )
    return Observation.conform(
        counted.select(
            rule_id=pl.lit(UNKNOWN_VALUE.id),
            severity=pl.lit(UNKNOWN_VALUE.severity),
            record_id=pl.format(DATASET + "{}", "source"),
            table_name=pl.lit(MetaValueAccount.table()),
            column_name="path",
            value=pl.format("{} values in {} files", "values", "files"),
            note=pl.lit(None, dtype=pl.String),
        )
    )


def _values(files: pl.DataFrame, values: pl.DataFrame) -> pl.DataFrame:
    """Return values per file and outcome; the difference to the delivered values is unaccounted."""
    by = {
        f"values_{outcome}": pl.col("values").filter(pl.col("outcome") == outcome).sum()
        for outcome in VALUE_OUTCOME
    }
    counted = files.select("file_id", values_delivered=pl.col("delivered_values").fill_null(0)).join(
        values.group_by("file_id").agg(**by), on="file_id", how="left"
    )
    found = pl.sum_horizontal(pl.col(c).fill_null(0) for c in by)
    return counted.with_columns(values_unaccounted=(pl.col("values_delivered") - found).abs())
