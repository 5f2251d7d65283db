"""The findings ledger: a state machine driven by refreshes and by decisions of stewards.

``open → acknowledged | waived → resolved → reopened``, by these rules, in this order:

* A fault that is absent in this refresh is ``resolved``, whatever was decided.
* If the last decision is a waiver: ``waived`` while it is in force, then ``reopened``. It is in force
  until its last day, and only while the record's content is the same.
* If the last decision is an acknowledgement: ``acknowledged`` until the fault is resolved, and
  ``reopened`` when it comes back.
* If the last decision chose a reading of a course: ``reopened``, because a choice in force removes the
  fault. The plans have changed, and the choice no longer holds. Between the choice and the next refresh
  it is ``acknowledged``.
* If the last decision is to reopen, or the fault comes back: ``reopened``.
* Else: ``open``.

A row depends only on the row of the refresh before, the findings of this refresh and the decisions.
"""

from __future__ import annotations

import datetime as dt

import polars as pl

from schemas.ledger import LedgerEntry, Trend
from schemas.quality import ShownFinding
from schemas.vocabularies import (
    ACKNOWLEDGE,
    ACKNOWLEDGED,
    DECIDE,
    ERROR,
    OPEN,
    REOPEN,
    REOPENED,
    RESOLVED,
    WAIVE,
    WAIVED,
)

_OF_DECISION = ("decision_id", "who", "reason", "until")
_SHOWN = tuple(c.name for c in ShownFinding.columns() if c.name != "finding_id")
"""Columns copied from the finding of this refresh; a resolved finding keeps its last values."""

_CARRIED = ("assignee", "due", "answer")
"""Columns of an acknowledgement that stay until a later one changes them, or the finding is reopened."""


def advance(
    ledger: pl.DataFrame,
    tonight: pl.DataFrame,
    decisions: pl.DataFrame,
    content: pl.DataFrame,
    refresh_id: str,
    today: dt.date,
) -> pl.DataFrame:
    """Return the ledger after a refresh; applying the same refresh again changes nothing.

    Args:
        ledger: ``quality.ledger`` after the last refresh.
        tonight: ``quality.findings``.
        decisions: ``quality.decisions``.
        content: ``record_id``, ``content_hash`` of the received records.
        refresh_id: this refresh.
        today: its day, for which waivers are checked.

    Returns:
        ``quality.ledger``: one row per finding ever seen, sorted by ``finding_id``.
    """
    of_record = content.select("record_id", _content="content_hash").unique("record_id")
    seen = (
        tonight.join(of_record, on="record_id", how="left")
        .with_columns(content_hash=pl.coalesce("content_hash", "_content"))
        .select("finding_id", *_SHOWN, present=pl.lit(True))
    )
    rows = ledger.join(seen, on="finding_id", how="full", coalesce=True, suffix="_now")
    present = pl.col("present").fill_null(False)
    again = pl.col("last_seen").eq_missing(pl.lit(refresh_id))
    rows = rows.with_columns(
        *(pl.when(present).then(f"{c}_now").otherwise(c).alias(c) for c in _SHOWN),
        present=present,
        first_seen=pl.col("first_seen").fill_null(refresh_id),
        last_seen=pl.when(present).then(pl.lit(refresh_id)).otherwise("last_seen"),
        times_seen=pl.col("times_seen").fill_null(0) + (present & ~again).cast(pl.Int64),
        resolved_at=pl.when(~present).then(pl.col("resolved_at").fill_null(refresh_id)),
    )
    return _with_news(ledger, _settled(rows, decisions, today), refresh_id)


def _with_news(before: pl.DataFrame, after: pl.DataFrame, refresh_id: str) -> pl.DataFrame:
    """Note which findings are new or changed in this refresh; the others cause no notification."""
    earlier = before.select("finding_id", _status="status", _records="records", _severity="severity")
    rows = after.join(earlier, on="finding_id", how="left", maintain_order="left")
    is_new = pl.col("first_seen") == refresh_id
    is_back = (pl.col("status") == REOPENED) & (pl.col("_status") != REOPENED)
    has_grown = pl.col("records") > pl.col("_records")
    is_worse = (pl.col("severity") == ERROR) & (pl.col("_severity") != ERROR)
    is_news = pl.any_horizontal(is_new, is_back, has_grown, is_worse).fill_null(False)
    present = pl.col("status") != RESOLVED
    since = pl.coalesce("news_in", "first_seen")
    return LedgerEntry.conform(
        rows.with_columns(news_in=pl.when(is_news & present).then(pl.lit(refresh_id)).otherwise(since))
    )


def standing(ledger: pl.DataFrame, decisions: pl.DataFrame, today: dt.date) -> pl.DataFrame:
    """Return the ledger of today: the faults of the last refresh with all decisions taken since.

    Args:
        ledger: ``quality.ledger``.
        decisions: ``quality.decisions``.
        today: the day for which waivers are checked.
    """
    present = ledger.with_columns(present=pl.col("resolved_at").is_null())
    return _settled(present, decisions, today, between_refreshes=True)


def _settled(
    rows: pl.DataFrame, decisions: pl.DataFrame, today: dt.date, *, between_refreshes: bool = False
) -> pl.DataFrame:
    """Return the rows with their status, from ``present``, the former ``status`` and the decisions."""
    rows = rows.join(last_decisions(decisions), on="finding_id", how="left", suffix="_last")
    rows = rows.join(_carried(decisions), on="finding_id", how="left")
    was, action = pl.col("status"), pl.col("action")
    fresh = pl.col("decision_id_last").ne_missing(pl.col("decision_id"))
    acknowledged = (action == ACKNOWLEDGE) & (fresh | (was == ACKNOWLEDGED).fill_null(False))
    if between_refreshes:
        acknowledged = acknowledged | ((action == DECIDE) & fresh)
    never_settled = action.is_null() & (was.is_null() | (was == OPEN))
    status = (
        pl.when(~pl.col("present"))
        .then(pl.lit(RESOLVED))
        .when((action == WAIVE) & _in_force(pl.col("content_hash"), today))
        .then(pl.lit(WAIVED))
        .when(acknowledged)
        .then(pl.lit(ACKNOWLEDGED))
        .when(never_settled)
        .then(pl.lit(OPEN))
        .otherwise(pl.lit(REOPENED))
    )
    settled = rows.with_columns(
        status=status,
        reopened_count=pl.col("reopened_count").fill_null(0)
        + ((status == REOPENED) & was.ne_missing(pl.lit(REOPENED))).cast(pl.Int64),
        **{c: pl.col(f"{c}_last") for c in (*_OF_DECISION, *_CARRIED)},
    )
    return LedgerEntry.conform(settled.sort("finding_id"))


def last_decisions(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the last decision on each finding, with columns for the join to the ledger."""
    return (
        decisions.sort("at", maintain_order=True)
        .unique("finding_id", keep="last", maintain_order=True)
        .select(
            "finding_id",
            "action",
            decided_on="content_hash",
            **{f"{c}_last": pl.col(c) for c in _OF_DECISION},
        )
    )


def _carried(decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the last assignee, due day and answer of each finding since it was last reopened by decision."""
    ordered = decisions.sort("at", maintain_order=True)
    times = (pl.col("action") == REOPEN).cum_sum().over("finding_id")
    since = ordered.filter(times == times.max().over("finding_id"))
    return since.group_by("finding_id", maintain_order=True).agg(
        **{f"{c}_last": pl.col(c).drop_nulls().last() for c in _CARRIED}
    )


def _in_force(content_hash: pl.Expr, today: dt.date) -> pl.Expr:
    """Return whether a waiver is in force: its last day is not past, and the content has not changed."""
    return ((pl.col("until_last") >= today) & (pl.col("decided_on") == content_hash)).fill_null(False)


def waived(decisions: pl.DataFrame, tonight: pl.DataFrame, today: dt.date) -> pl.Series:
    """Return findings whose waiver is in force.

    Args:
        decisions: ``quality.decisions``.
        tonight: ``finding_id`` and ``content_hash`` of tonight's findings or observations.
        today: the day for which waivers are checked.

    Returns:
        Their ``finding_id``.
    """
    waivers = last_decisions(decisions).filter(pl.col("action") == WAIVE)
    held = tonight.join(waivers, on="finding_id").filter(_in_force(pl.col("content_hash"), today))
    return held["finding_id"].unique().sort()


def chosen_readings(decisions: pl.DataFrame) -> frozenset[str]:
    """Return the keys of the readings that data stewards chose and did not withdraw.

    Args:
        decisions: ``quality.decisions``.
    """
    last = decisions.sort("at", maintain_order=True).unique("finding_id", keep="last", maintain_order=True)
    return frozenset(last.filter(pl.col("action") == DECIDE)["reading_key"].drop_nulls())


def trend(ledger: pl.DataFrame, refresh_id: str) -> pl.DataFrame:
    """Return the number of findings per rule and status after a refresh.

    Args:
        ledger: ``quality.ledger`` after that refresh.
        refresh_id: the refresh.

    Returns:
        Its rows of ``quality.trend``: one per rule and severity with a finding, including one just resolved.
    """
    gone = pl.col("resolved_at") == refresh_id
    stands = [
        (pl.col("status") == status).sum().alias(status) for status in (OPEN, ACKNOWLEDGED, WAIVED, REOPENED)
    ]
    counted = (
        ledger.filter((pl.col("status") != RESOLVED) | gone)
        .group_by("rule_id", "severity")
        .agg(
            *stands,
            new=(pl.col("first_seen") == refresh_id).sum(),
            resolved=gone.fill_null(False).sum(),
            refresh_id=pl.lit(refresh_id),
        )
    )
    return Trend.conform(counted.sort("rule_id", "severity"))
