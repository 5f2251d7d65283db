"""Carries findings and decisions over when the program reads the same files in another way than before.

A new version of a reader may read more of a record, or name it in another way. Its findings then get other
ids, and its content another hash: without this, every waiver would lapse with an upgrade. The record at one
place of a file whose bytes are the same is the same record. So the ledger's findings get their new ids, and
each decision in force is recorded once more under the new id, with the steward's own words.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import polars as pl

from sarcoma_pipeline.quality.findings import WHOLE_FILE, stem
from schemas.ledger import Decision, LedgerEntry

PLACE = ("path", "received_as", "position")
"""Where a record is, from one version of a reader to the next."""

NAMES = (*PLACE, "source", "record_key", "content_hash")
"""Columns of the records before and after: their places and names."""

_SCHEMA = {
    "finding_id": pl.String, "became": pl.String, "content_before": pl.String, "content_hash": pl.String,
}  # fmt: skip


def carried(
    ledger: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame, centre: str = ""
) -> pl.DataFrame:
    """Find the findings that get another id or whose record gets another content hash.

    Args:
        ledger: ``quality.ledger``.
        before: the records as they were, with the columns :data:`NAMES`.
        after: the same files' records as they are read now.
        centre: the records' centre in a study with several.

    Returns:
        ``finding_id``, ``became``, ``content_before``, ``content_hash``; one row per such finding.
    """
    nth = pl.int_range(pl.len()).over(PLACE)
    sides = [f.select(NAMES).sort(NAMES, nulls_last=True).with_columns(nth=nth) for f in (before, after)]
    pairs = sides[0].join(sides[1], on=[*PLACE, "nth"], suffix="_now")
    # A file's path is its place only before; a finding of a whole file now has its source as key.
    shown = ledger.select("finding_id", "rule_id", "table_name", "column_name", content="content_hash")
    whole = pl.col("rule_id") == WHOLE_FILE
    rows = []
    asked = shown.join(pairs, left_on="content", right_on="content_hash").with_columns(
        was=pl.when(whole).then("path").otherwise("record_key"),
        now=pl.when(whole).then("source_now").otherwise("record_key_now"),
    )
    for row in asked.iter_rows(named=True):
        name, dash, suffix = row["finding_id"].partition("-")
        subjects = [(row["rule_id"], row[k], row["table_name"], row["column_name"]) for k in ("was", "now")]
        # Several records have this content: the hash tells whose finding it is.
        if stem(subjects[0], centre) == name:
            became = f"{stem(subjects[1], centre)}{dash}{suffix}"
            rows.append((row["finding_id"], became, row["content"], row["content_hash_now"]))
    found = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    moved = (pl.col("finding_id") != pl.col("became")) | (pl.col("content_before") != pl.col("content_hash"))
    once = found.filter(moved).sort(pl.all()).unique("finding_id", keep="first", maintain_order=True)
    return once.unique("became", keep="first", maintain_order=True)


def decisions(known: pl.DataFrame, moved: pl.DataFrame, now: dt.datetime) -> pl.DataFrame:
    """Return the decisions to add: the last one on each finding, on its new id and content.

    A decision on another content than that of before the change had lapsed; it is not carried over.

    Args:
        known: ``quality.decisions``.
        moved: from :func:`carried`.
        now: the time of the change, with its time zone.
    """
    last = known.sort("at", maintain_order=True).unique("finding_id", keep="last", maintain_order=True)
    held = last.join(moved, on="finding_id", suffix="_now", maintain_order="left").filter(
        pl.col("content_hash").is_null() | (pl.col("content_hash") == pl.col("content_before"))
    )
    at = now.astimezone(dt.UTC).isoformat(timespec="microseconds")
    rows = held.with_columns(
        reason=pl.format(
            "{} [decision {} of {}, carried over]", "reason", "decision_id", pl.col("at").str.head(10)
        ),
        at=pl.lit(at),
        content_hash="content_hash_now",
        finding_id="became",
        decision_id=pl.struct("decision_id", "became").map_elements(_decision_id, pl.String),
    )
    return Decision.conform(rows.sort("decision_id"))


def _decision_id(row: dict[str, str]) -> str:
    text = f"{row['decision_id']} {row['became']}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def ledger(entries: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger with the findings' new ids and contents; their history stays.

    Args:
        entries: ``quality.ledger``.
        moved: from :func:`carried`.
    """
    free = moved.join(entries, left_on="became", right_on="finding_id", how="anti")
    same = moved.filter(pl.col("finding_id") == pl.col("became"))
    renamed = entries.join(pl.concat([free, same]), on="finding_id", how="left", suffix="_now")
    return LedgerEntry.conform(
        renamed.with_columns(
            finding_id=pl.coalesce("became", "finding_id"),
            content_hash=pl.coalesce("content_hash_now", "content_hash"),
        ).sort("finding_id")
    )
