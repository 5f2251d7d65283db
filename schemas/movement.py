"""Contracts of the movement: what changed since the previous release, and why."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column


class _Moved(Contract):
    """Columns of every changed value."""

    compared_with: pl.String = column(
        "Compared with", "Refresh of the release that stood before.", nullable=False
    )
    table_name: pl.String = column("Table", "The released table.", nullable=False)
    row: pl.String = column("Row", "Key of the row: the endpoint, or what names the estimate.")
    column_name: pl.String = column(
        "Column", "The column that moved; `(row)` for a row that came or went.", nullable=False
    )
    old: pl.String = column("Before", "The value in that release, as text; `absent` for no row.")
    new: pl.String = column("Now", "The value tonight, as text; `absent` for no row.")
    causes: TextList = column(
        "Causes",
        "What explains it: file added, file changed, file removed, decision, program, configuration, "
        "calendar, key, patients; empty for nothing.",
        nullable=False,
    )
    unexplained: pl.Boolean = column(
        "Unexplained", "Whether it moved and neither a cause nor a finding says why.", nullable=False
    )


class Movement(_Moved, table="meta.movement"):
    """One value of one patient that changed since the previous release, with its causes."""

    refresh_id: pl.String = column("Refresh", "The refresh that first saw it moved.", nullable=False)
    pseudonym: pl.String = column("Patient", "Pseudonym.", nullable=False, identifying="quasi-identifier")
    criterion: pl.String = column(
        "Criterion", "Of a patient who left the cohort: the first criterion that they do not meet."
    )
    reason: pl.String = column("Reason", "Why they do not meet it.", identifying="identifier")
    file_ids: TextList = column(
        "Files", "Keys of meta.files in the warehouse: what brought it or held it before.", nullable=False
    )
    record_id: pl.String = column("Record", "The record to look at first, where the move is unexplained.")


class MovementRecord(Contract, table="meta.movement_record"):
    """One record of a patient's values that changed since the previous release."""

    compared_with: pl.String = column(
        "Compared with", "Refresh of the release that stood before.", nullable=False
    )
    pseudonym: pl.String = column("Patient", "Pseudonym.", nullable=False, identifying="quasi-identifier")
    table_name: pl.String = column("Table", "The received table that holds it.", nullable=False)
    change: pl.String = column("Change", "What became of it.", nullable=False, vocabulary="record_change")
    cause: pl.String = column("Cause", "The kind of cause that brought it, where it is known.")
    differing: TextList = column(
        "Columns", "Received columns that differ, of a changed record.", nullable=False
    )
    record_before: pl.String = column("Record before", "Its key at the release before.")
    record_now: pl.String = column("Record now", "Its key tonight.")
    file_before: pl.String = column("File before", "Key of meta.files.")
    file_now: pl.String = column("File now", "Key of meta.files.")
    new_rules: TextList = column(
        "New findings", "Rules that it breaks now and did not break then.", nullable=False
    )
    explained: pl.Boolean = column("Explained", "Whether it needs no finding, or has one.", nullable=False)
    moved: pl.Boolean = column(
        "Moved", "Whether a released value of the patient moved through it.", nullable=False
    )


class EstimateMovement(_Moved, table="analysis.estimate_movement"):
    """One estimate that changed since the previous release, because of the patients' changes."""
