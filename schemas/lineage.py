"""Contract of the lineage: the records from which the values of the cohort are derived."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column


class Lineage(Contract, table="meta.lineage"):
    """One record from which one value of one patient is derived; without identifying data."""

    pseudonym: pl.String = column("Patient", "Pseudonym.", nullable=False, identifying="quasi-identifier")
    subject: pl.String = column(
        "Subject", "An endpoint, or `patient` for the row of cohort.patients.", nullable=False
    )
    role: pl.String = column(
        "Role",
        "decided: the value is taken from it; supports: it was read for it; overruled: another source won.",
        nullable=False,
        vocabulary="lineage_role",
    )
    record_id: pl.String = column("Record", "Key of the received tables.", nullable=False)
    table_name: pl.String = column("Table", "The received table that holds it.", nullable=False)
    file_id: pl.String = column("File", "Key of meta.files in the warehouse.", nullable=False)
    path: pl.String = column(
        "Path", "Below the drop folder, unknown words hidden.", nullable=False, identifying="identifier"
    )
    position: pl.String = column("Position", "Where in the file.", nullable=False)
    rule_ids: TextList = column("Rules", "Every rule that the record breaks; empty for most.", nullable=False)
