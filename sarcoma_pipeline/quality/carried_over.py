"""Carry findings and decisions over when a new version of the program reads the same files differently.

A new reader may read more of a record, or give it another key. Findings then get other ids, and records
other content hashes: without this module every waiver would lapse with an upgrade. A record at the same
position of a file with the same bytes is the same record. The ledger's findings get their new ids, and
each decision in force is recorded again under the new id, with the steward's own words.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import polars as pl

from sarcoma_pipeline.quality.findings import WHOLE_FILE, stem
from schemas.ledger import Decision, LedgerEntry

PLACE = ("path", "received_as", "position")
"""Position of a record, which does not change between versions of a reader."""

NAMES = (*PLACE, "source", "record_key", "content_hash")
"""Columns of the records before and after: positions and keys."""

_SCHEMA = {
    "finding_id": pl.String, "became": pl.String, "content_before": pl.String, "content_hash": pl.String,
}  # fmt: skip


def carried(
    ledger: pl.DataFrame, before: pl.DataFrame, after: pl.DataFrame, centre: str = ""
) -> pl.DataFrame:
    """Return the findings that get another id, or whose record gets another content hash.

    Args:
        ledger: ``quality.ledger``.
        before: the records before the change, with the columns :data:`NAMES`.
        after: the records of the same files after the change.
        centre: the records' centre in a study with several.

    Returns:
        ``finding_id``, ``became``, ``content_before``, ``content_hash``; one row per such finding.
    """
    nth = pl.int_range(pl.len()).over(PLACE)
    sides = [f.select(NAMES).sort(NAMES, nulls_last=True).with_columns(nth=nth) for f in (before, after)]
    pairs = sides[0].join(sides[1], on=[*PLACE, "nth"], suffix="_now")
    # Findings of a whole file had the path as key before; now they have the source.
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
        # Several records may have this content; the hash identifies the one with the finding.
        if stem(subjects[0], centre) == name:
            became = f"{stem(subjects[1], centre)}{dash}{suffix}"
            rows.append((row["finding_id"], became, row["content"], row["content_hash_now"]))
    found = pl.DataFrame(rows, schema=_SCHEMA, orient="row")
    moved = (pl.col("finding_id") != pl.col("became")) | (pl.col("content_before") != pl.col("content_hash"))
    once = found.filter(moved).sort(pl.all()).unique("finding_id", keep="first", maintain_order=True)
    return once.unique("became", keep="first", maintain_order=True)


def decisions(known: pl.DataFrame, moved: pl.DataFrame, now: dt.datetime) -> pl.DataFrame:
    """Return the decisions to add: the last one on each finding, with its new id and content hash.

    A decision on other content than before the change had already lapsed; it is not carried over.

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
    """Return the ledger with the findings' new ids and contents; their history is kept.

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
