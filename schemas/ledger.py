"""Contracts of the findings ledger: findings over time, stewards' decisions, and trends."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column
from schemas.quality import ShownFinding


class Decision(Contract, table="quality.decisions"):
    """One steward's decision about one finding; the last one counts, and decisions are never changed."""

    decision_id: pl.String = column("Decision", "Names the decision.", nullable=False, unique=True)
    finding_id: pl.String = column("Finding", "Key of quality.ledger.", nullable=False)
    action: pl.String = column("Action", "What was decided.", nullable=False, vocabulary="decision_action")
    who: pl.String = column("Who", "Who decided.", nullable=False)
    at: pl.String = column("When", "UTC, ISO 8601, to the microsecond; sorts by time.", nullable=False)
    reason: pl.String = column("Why", "The steward's words.", nullable=False)
    until: pl.Date = column("Until", "Last day on which a waiver is in force; null for other actions.")
    content_hash: pl.String = column(
        "Content", "Content hash of the record that was decided on: a waiver is for this content only."
    )
    reading_key: pl.String = column(
        "Reading",
        "Key of the chosen reading (curated.radiotherapy_reading); it lapses when the plans change.",
    )
    assignee: pl.String = column("Assigned to", "Who looks it up; only with an acknowledgement.")
    due: pl.Date = column("Due", "Day by which the answer is expected.")
    answer: pl.String = column("Answer", "What the sender answered to a letter.", vocabulary="letter_answer")


class LedgerEntry(ShownFinding, table="quality.ledger"):
    """One finding over all refreshes, also a resolved one; pages show it through the identity gate."""

    status: pl.String = column("Status", "Where it stands.", nullable=False, vocabulary="finding_status")
    first_seen: pl.String = column("First seen", "Refresh that first showed it.", nullable=False)
    last_seen: pl.String = column("Last seen", "Last refresh that showed it.", nullable=False)
    times_seen: pl.Int64 = column("Times seen", "Refreshes that showed it.", nullable=False)
    resolved_at: pl.String = column(
        "Resolved at", "First refresh that no longer showed it; null while the fault is there."
    )
    reopened_count: pl.Int64 = column(
        "Times reopened", "How often it became `reopened`: came back, lapsed or by decision.", nullable=False
    )
    decision_id: pl.String = column("Decision", "The last decision, key of quality.decisions.")
    who: pl.String = column("Who", "Of the last decision.")
    reason: pl.String = column("Why", "Of the last decision.")
    until: pl.Date = column("Until", "Of the last decision, if it is a waiver.")
    news_in: pl.String = column(
        "News in",
        "Last refresh in which it was news: first seen, back, about more records, or more severe.",
    )
    assignee: pl.String = column("Assigned to", "Who looks it up, by the last decision that says so.")
    due: pl.Date = column("Due", "Day by which the answer is expected, by the last decision that says so.")
    answer: pl.String = column("Answer", "The sender's last answer to a letter.", vocabulary="letter_answer")


class Trend(Contract, table="quality.trend"):
    """Number of findings of one rule by status after one refresh."""

    refresh_id: pl.String = column("Refresh", "Key of meta.refreshes.", nullable=False)
    rule_id: pl.String = column("Rule", "Key of quality.rules.", nullable=False)
    severity: pl.String = column("Severity", "Of the findings.", nullable=False, vocabulary="severity")
    open: pl.Int64 = column("Open", "Never settled.", nullable=False)
    acknowledged: pl.Int64 = column("Acknowledged", "Somebody is at it.", nullable=False)
    waived: pl.Int64 = column("Waived", "With a waiver in force.", nullable=False)
    reopened: pl.Int64 = column("Reopened", "Settled once, and open again.", nullable=False)
    new: pl.Int64 = column("New", "First seen in this refresh.", nullable=False)
    resolved: pl.Int64 = column("Resolved", "Gone since the last refresh.", nullable=False)
