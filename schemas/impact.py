"""Impact: what a record in quarantine keeps from the study."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class Impact(Contract, table="quality.impact"):
    """One thing that would be otherwise if one record were let out of quarantine; nothing else amended."""

    record_id: pl.String = column("Record", "The record in quarantine.", nullable=False)
    pseudonym: pl.String = column("Patient", "Pseudonym, where the record could be linked.")
    quantity: pl.String = column(
        "Quantity", "eligibility, an endpoint, or what else is said of the record.", nullable=False
    )
    now: pl.String = column("Now", "Without the record, as it stands tonight.")
    admitted: pl.String = column("Admitted", "With the record, the cohort run again.")
