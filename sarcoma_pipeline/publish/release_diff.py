"""Compare the records behind two releases: through which files patients gained or lost records."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

Tables = Mapping[str, pl.DataFrame]

SAME_RECORDS = """
SELECT DISTINCT a.record_id AS former, b.record_id
FROM {table} AS a
JOIN meta.files AS was ON was.file_id = a.file_id
JOIN meta.files AS became
    ON became.path = was.path AND became.content_hash = was.content_hash AND became.file_id <> was.file_id
JOIN {table} AS b ON b.file_id = became.file_id AND b.position = a.position
WHERE a.record_id <> b.record_id
"""
"""Ids of one record in two versions of the program: the same position of a file with the same bytes."""


def causes(old: Tables, new: Tables, files: pl.DataFrame, same: pl.DataFrame | None = None) -> pl.DataFrame:
    """List the files through which each patient gained or lost records.

    Args:
        old: tables of the older release.
        new: tables of the newer release.
        files: ``file_id`` and ``path`` of the warehouse; a release has only file ids, and a changed file has
            another id. For a file that the warehouse does not have, the id is used as path.
        same: ``former``, ``record_id``: ids of one record in two versions of the program
            (:data:`SAME_RECORDS`).

    Returns:
        ``pseudonym``, ``path``, ``gone`` and ``new``: numbers of records that only one of the releases uses.
    """
    sides = [_used(t["meta.lineage"], files) for t in (old, new)]
    if same is not None:
        now = same.join(sides[1].select("pseudonym", "record_id"), on="record_id")
        now = now.sort("pseudonym", "former", "record_id").unique(["pseudonym", "former"], keep="first")
        renamed = sides[0].join(
            now.rename({"former": "record_id", "record_id": "now"}), on=["pseudonym", "record_id"], how="left"
        )
        sides[0] = renamed.with_columns(record_id=pl.coalesce("now", "record_id")).drop("now").unique()
    gone, added = (
        a.join(b, on=["pseudonym", "record_id"], how="anti").group_by("pseudonym", "path").len(name)
        for a, b, name in ((sides[0], sides[1], "gone"), (sides[1], sides[0], "new"))
    )
    both = gone.join(added, on=["pseudonym", "path"], how="full", coalesce=True)
    return both.with_columns(pl.col("gone", "new").fill_null(0)).sort("pseudonym", "path")


def _used(lineage: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    # Releases of older versions of the program contain the path itself.
    if "file_id" in lineage.columns:
        known = files.select("file_id", "path").unique("file_id")
        lineage = lineage.join(known, on="file_id", how="left").with_columns(pl.coalesce("path", "file_id"))
    return lineage.select("pseudonym", "path", "record_id").unique()
