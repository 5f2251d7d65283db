"""Contract of the answers that a data steward can choose about the identity of patients."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class IdentityReading(Contract, table="curated.identity_reading"):
    """One possible answer to whom a record belongs, or whether two numbers belong to one person."""

    rule_id: pl.String = column("Rule", "Rule of the finding that asks.", nullable=False)
    record_id: pl.String = column("Record", "Record of the finding that asks.", nullable=False)
    reading: pl.Int32 = column("Reading", "Number of the answer, from 1.", nullable=False)
    text: pl.String = column("In words", "The answer.", nullable=False)
    patient_id: pl.String = column("Patient", "The patient that it names.", identifying="identifier")
    reading_key: pl.String = column(
        "Key",
        "Hash of the question and the answer. It rests on numbers, names, birth dates and sexes: a decision "
        "counts as long as they stay the same.",
        nullable=False,
    )
    chosen: pl.Boolean = column("Chosen", "Whether a data steward decided for it.", nullable=False)
