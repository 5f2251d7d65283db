"""Contracts of the patients' events, in days since time zero, and of endpoints without time at risk."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column


class CohortEvent(Contract, table="cohort.events"):
    """One event or examination of an eligible patient, as read under the study's assumptions."""

    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    day: pl.Int32 = column(
        "Day", "Days since time zero; missing where nothing dates the event, as of a death without a date."
    )
    kind: pl.String = column("Kind", "What happened.", nullable=False, vocabulary="cohort_event")
    detail: pl.String = column("Detail", "What the records say of it, in the codes' own words.")
    states: TextList = column(
        "States",
        "Of an examination: which parts of the disease it looked at (overall, local, regional, distant).",
        nullable=False,
    )
    day_earliest: pl.Int32 = column(
        "Earliest day", "First day that the date may mean; negative before time zero."
    )
    day_latest: pl.Int32 = column("Latest day", "Last day that the date may mean.")
    precision: pl.String = column(
        "Precision", "To what the date is exact.", nullable=False, vocabulary="date_precision"
    )
    evidence: TextList = column("Evidence", "Records that tell of it.", nullable=False)


class CohortNotAtRisk(Contract, table="cohort.not_at_risk"):
    """One endpoint of an eligible patient who is not at risk of it: no row in cohort.endpoints."""

    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    reason: pl.String = column("Reason", "Why the patient is not at risk.", nullable=False)
    time_days: pl.Int32 = column(
        "Time", "Days since the endpoint's origin at which the time would have ended; negative before it."
    )
    event_kind: pl.String = column("Kind of event", "What would have ended it.", vocabulary="event_kind")
