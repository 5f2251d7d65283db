"""Contract of the impact: how the study would change if a record in quarantine were admitted."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class Impact(Contract, table="quality.impact"):
    """One quantity that would change if one record left quarantine and nothing else changed."""

    record_id: pl.String = column("Record", "The record in quarantine.", nullable=False)
    pseudonym: pl.String = column("Patient", "Pseudonym, where the record could be linked.")
    quantity: pl.String = column(
        "Quantity", "eligibility, an endpoint, or what else is said of the record.", nullable=False
    )
    now: pl.String = column("Now", "Without the record, as it stands tonight.")
    admitted: pl.String = column("Admitted", "With the record, the cohort run again.")
