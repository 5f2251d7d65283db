"""Report a fault that repeats in a file as one finding per file, rule and column.

A wrong file with a million rows needs one correction and one decision, so it is one finding. The records
stay separate in quarantine and accounting.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import polars as pl

MANY = 50
"""Maximum number of records of one file with separate findings for one rule and column."""

POSITIONS = 3
"""Number of positions in a joined finding."""


def digest(contents: Iterable[str | None]) -> str:
    """Return one hash of the sorted content hashes of several records."""
    return hashlib.blake2b(" ".join(c or "" for c in contents).encode(), digest_size=8).hexdigest()


def content(found: pl.DataFrame) -> pl.DataFrame:
    """Return ``finding_id`` and ``content_hash``; that of a joined finding covers all its records.

    A waiver holds for the content on which it was decided. A record that joins the finding therefore ends the
    waiver, and the finding is reopened under the same id.

    Args:
        found: rows of :func:`.findings.joined_ids`.
    """
    parts = (
        found.group_by("finding_id", maintain_order=True)
        .agg(pl.col("joined").first(), pl.col("content_hash").sort())
        .select("finding_id", "joined", "content_hash")
    )
    hashes = [
        digest(hashes) if joined else next(iter(hashes), None) for _, joined, hashes in parts.iter_rows()
    ]
    return parts.select("finding_id", content_hash=pl.Series(hashes, dtype=pl.String))


def one_row_each(found: pl.DataFrame) -> pl.DataFrame:
    """Return one row per finding: the first of its records, their number, and the first positions.

    Args:
        found: rows of :func:`.findings.joined_ids` with ``pseudonym``.
    """
    more = pl.len() - POSITIONS
    first_positions = pl.col("position").head(POSITIONS).str.join("; ")
    values = pl.col("value").n_unique()
    once = [c for c in found.columns if c not in ("finding_id", "joined", "position", "pseudonym", "note")]
    single = found.filter(~pl.col("joined"))
    counts = single.group_by("finding_id").agg(records=pl.len().cast(pl.Int64))
    single = single.filter(pl.col("finding_id").is_first_distinct()).join(
        counts, on="finding_id", how="left", maintain_order="left"
    )
    joined = (
        found.filter("joined")
        .group_by("finding_id", maintain_order=True)
        .agg(
            *(pl.col(c).first() for c in once),
            position=pl.when(more > 0)
            .then(pl.format("{} and {} more", first_positions, more))
            .otherwise(first_positions),
            # The finding has a patient only if every record belongs to them.
            pseudonym=pl.when(pl.col("pseudonym").n_unique() == 1).then(pl.col("pseudonym").first()),
            note=pl.format("{} records, {} different values", pl.len(), values),
            records=pl.len().cast(pl.Int64),
            joined=pl.lit(True),
        )
    )
    return pl.concat([single.select(*joined.columns), joined])


def once_a_file(held: pl.DataFrame, places: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Separate the records in quarantine that break the same rules as many others of their file.

    Args:
        held: ``quality.quarantine``.
        places: places of its records.

    Returns:
        The other records, and the first record of each repeated fault in file order.
    """
    of_file = held.join(
        places.select("record_id", "path", "position").unique("record_id", keep="any"),
        on="record_id", how="left", maintain_order="left",
    ).with_columns(_rules=pl.col("rule_ids").list.join(" "))  # fmt: skip
    many = (pl.len().over("path", "_rules") > MANY) & pl.col("path").is_not_null()
    marked = of_file.with_columns(_many=many)
    order = ["path", pl.col("position").str.len_chars(), "position", "record_id"]
    first = marked.filter("_many").sort(order).unique(["path", "_rules"], keep="first", maintain_order=True)
    return marked.filter(~pl.col("_many")).select(held.columns), first["record_id"]
