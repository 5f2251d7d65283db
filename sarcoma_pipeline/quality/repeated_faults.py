"""Joins a fault that repeats in a file into one finding per file, rule and column.

A wrong file of a million rows is one thing to correct, one letter and one decision, so it is one finding. The
records behind it stay apart: quarantine and accounting know each of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection

import polars as pl

MANY = 50
"""Records of one file that may break one rule in one column, each with a finding of its own."""

POSITIONS = 3
"""First positions that a joined finding names."""

_GROUP = ("rule_id", "severity", "path", "table_name", "column_name")


def join_repeated(
    found: pl.DataFrame, decided: Collection[str] = (), centre: str = "", never: Collection[str] = ()
) -> pl.DataFrame:
    """Give the records of a repeated fault the id of one finding.

    The id is a hash of rule, path, table and column, so it stays when the number of records changes. A record
    whose own finding was decided on keeps it, and a joined finding that was decided on stays joined, however
    few records are left: no decision lapses because a fault became more or less frequent.

    Args:
        found: observations with ``finding_id`` and their places, in the order of the files.
        decided: findings on which a data steward has decided.
        centre: the records' centre in a study with several.
        never: rules whose findings are of whole files anyhow.

    Returns:
        The same rows in the same order, with ``finding_id`` of the joined ones replaced, and ``joined``.
    """
    groups = found.select(_GROUP).unique().sort(_GROUP)
    of = (centre,) if centre else ()
    ids = [
        hashlib.blake2b(repr(("repeated", *row, *of)).encode(), digest_size=8).hexdigest()
        for row in groups.drop("severity").iter_rows()
    ]
    own = pl.col("finding_id").is_in(list(decided)) | pl.col("rule_id").is_in(list(never))
    one_of_many = ~own & pl.col("path").is_not_null() & pl.col("file_id").is_not_null()
    marked = found.join(
        groups.with_columns(_group=pl.Series(ids, dtype=pl.String)),
        on=_GROUP,
        how="left",
        nulls_equal=True,
        maintain_order="left",
    ).with_columns(_one=one_of_many)
    times = pl.col("_one").sum().over("_group")
    joined = pl.col("_one") & ((times > MANY) | pl.col("_group").is_in(list(decided)))
    return marked.with_columns(
        finding_id=pl.when(joined).then("_group").otherwise("finding_id"), joined=joined
    ).drop("_group", "_one")


def content(found: pl.DataFrame) -> pl.DataFrame:
    """Return ``finding_id`` and ``content_hash``: of a joined finding, of the contents of all its records.

    A waiver is for the content that was decided on. So a record that joins the finding ends the waiver, and
    the finding is open again under the same id.

    Args:
        found: rows of :func:`join_repeated`.
    """
    parts = (
        found.group_by("finding_id", maintain_order=True)
        .agg(pl.col("joined").first(), pl.col("content_hash").sort())
        .select("finding_id", "joined", "content_hash")
    )
    hashes = [
        hashlib.blake2b(" ".join(h or "" for h in hashes).encode(), digest_size=8).hexdigest()
        if joined
        else next(iter(hashes), None)
        for _, joined, hashes in parts.iter_rows()
    ]
    return parts.select("finding_id", content_hash=pl.Series(hashes, dtype=pl.String))


def one_row_each(found: pl.DataFrame) -> pl.DataFrame:
    """Return one row per finding: the first of its records, their number, and the first positions.

    Args:
        found: rows of :func:`join_repeated` with ``pseudonym``.
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
            # The finding is of a patient only if every record is theirs.
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
        The other records, and of each repeated fault the first record in the order of the file.
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
