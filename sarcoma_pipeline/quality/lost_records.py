"""Report records that were delivered in the last refresh and are missing now, per patient or file.

A record is still present if any file has its key or its content: reports replaced by newer ones,
cumulative exports with a new name, and renamed or split files lose nothing.
"""

from __future__ import annotations

import polars as pl

from schemas.printable import ID_SHOWN
from schemas.quality import Observation
from schemas.rule import Rule

RECORDS_LOST = Rule(
    "delivery.records-lost",
    "warning",
    on="quality.volumes",
    scope="dataset",
    what="Records of the patient that were delivered in an earlier refresh are no longer delivered: their "
    "file is gone, or contains fewer records.",
    remedy="Compare the newest export with the previous one: the note names files and positions of the "
    "missing records. If they were left out by mistake, deliver them again. If they were withdrawn "
    "on purpose, acknowledge the finding with the reason.",
    waivable=False,
)

VERSION = (
    "record_id", "record_key", "content_hash", "file_id", "position", "ordinal", "first_refresh",
    "last_refresh",
)  # fmt: skip
"""Columns of the versions of received records needed for the comparison."""

_LISTED = 8
"""Maximum number of positions in a note; the warehouse has all."""

_NAME = ["table_name", "record_key"]
_CONTENT = ["table_name", "content_hash"]


def lost(versions: pl.DataFrame, files: pl.DataFrame, base: str) -> pl.DataFrame:
    """Return the records that were current after a refresh and are in no file now.

    A record whose position in the file now has a new record is changed, not lost. The same holds for a record
    without its own key (a row of a table) if its file has as many new ones. A file that is only read
    differently loses nothing: its bytes are still delivered.

    Args:
        versions: ``table_name`` and :data:`VERSION` of the records that were current after the refresh or are
            current now.
        files: ``file_id``, ``path``, ``content_hash``, ``last_refresh`` of ``meta.files`` with its earlier
            versions.
        base: the refresh.

    Returns:
        The rows of ``versions`` that are lost, with ``path``, in a total order.
    """
    last, first = pl.col("last_refresh"), pl.col("first_refresh")
    paths = files.select("file_id", "path").unique("file_id", keep="first", maintain_order=True)
    placed = versions.join(paths, on="file_id", how="left")
    now = placed.filter(last.is_null())
    then = placed.filter(first <= base, last.is_null() | (last >= base))
    bytes_now = files.filter(last.is_null())["content_hash"].unique()
    unchanged = files.filter(pl.col("content_hash").is_in(bytes_now.implode()))["file_id"].unique()
    gone = (
        then.filter(last.is_not_null(), ~pl.col("file_id").is_in(unchanged.implode()))
        .join(now.select(_NAME), on=_NAME, how="anti")
        .join(now.select(_CONTENT), on=_CONTENT, how="anti")
        .sort("table_name", "record_id", "first_refresh", "path", "file_id", nulls_last=True)
        .unique(["table_name", "record_id"], keep="first", maintain_order=True)
    )
    new = (
        now.filter(first > base)
        .join(then.select(_NAME), on=_NAME, how="anti")
        .join(then.select(_CONTENT), on=_CONTENT, how="anti")
    )
    place = ["table_name", "path", "position"]
    gone = gone.join(new.select(place), on=place, how="anti")
    # Rows without their own key are matched by number: as many new rows as old ones are the same rows.
    own_key = pl.col("record_key") != pl.col("record_id")
    file = ["table_name", "path"]
    order = [*file, "ordinal", "record_id"]
    free = new.filter(~own_key).group_by(file).agg(_new=pl.len())
    rows = gone.sort(order, nulls_last=True).join(free, on=file, how="left", maintain_order="left")
    left = own_key | (
        pl.int_range(pl.len()).over([*file, own_key.alias("_own")]) >= pl.col("_new").fill_null(0)
    )
    return rows.filter(left).drop("_new")


def observe(records: pl.DataFrame, files: pl.DataFrame, counts: pl.DataFrame) -> pl.DataFrame:
    """Return one observation per patient with lost records; per file if the patient is not known.

    Args:
        records: from :func:`lost`, with ``source`` of the file and ``patient`` (null if not known) and
            ``pseudonym`` (null for a patient who is no longer present).
        files: ``file_id``, ``path``, ``last_refresh`` of ``meta.files`` with its earlier versions.
        counts: ``path``, ``before``, ``now``: number of records of each file after the last refresh and now.

    Returns:
        Observations (``schemas.quality.Observation``); each points to the first lost record.
    """
    if records.is_empty():
        return Observation.empty()
    there = files.filter(pl.col("last_refresh").is_null())["path"].unique()
    told = records.join(counts, on="path", how="left").with_columns(
        _whose=pl.coalesce("patient", "path"),
        _kind=pl.col("table_name").str.strip_prefix("received."),
        _file=pl.col("file_id").str.head(ID_SHOWN),
        _gone=~pl.col("path").is_in(there.implode()),
    )
    told = told.with_columns(
        _place=pl.format("{} {}", "_file", "position"),
        _what=pl.when("_gone")
        .then(pl.format("file {} is gone", "_file"))
        .otherwise(pl.format("file {}: {} records, {} before", "_file", "now", "before")),
    ).sort("source", "_whose", "path", "ordinal", "table_name", "record_id", nulls_last=True)
    group = told.group_by("source", "_whose", maintain_order=True).agg(
        pl.col("record_id", "table_name").first(),
        _records=pl.len(),
        _kinds=pl.col("_kind").unique().sort().str.join(", "),
        _files=pl.col("_what").unique().sort(),
        _places=pl.col("_place"),
        _patient=pl.col("pseudonym").first(),
    )
    return Observation.conform(
        group.select(
            rule_id=pl.lit(RECORDS_LOST.id),
            severity=pl.lit(RECORDS_LOST.severity),
            record_id="record_id",
            table_name="table_name",
            column_name=pl.lit(None, dtype=pl.String),
            value=pl.format("{} records of {}", "_records", "_kinds"),
            note=pl.concat_str(
                (pl.lit("patient ") + pl.col("_patient") + pl.lit("; ")).fill_null(""),
                pl.format("{}; {}", _listed("_files"), _listed("_places")),
            ),
        )
    )


def _listed(column: str) -> pl.Expr:
    """Return the first texts of a list and the number of others."""
    more = pl.col(column).list.len() - _LISTED
    first = pl.col(column).list.head(_LISTED).list.join(", ")
    return (
        pl.when(pl.col(column).list.len() > _LISTED)
        .then(pl.format("{}, {} more", first, more))
        .otherwise(first)
    )
