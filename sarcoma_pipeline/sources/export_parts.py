"""Says into which patients an export was cut, so that the next one is compared patient by patient."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.sources.value_account import Account, Outcome
from schemas.meta import MetaExportPatient

WORTH_BYTES = 1 << 17
"""Smaller exports are not cut: that would save nothing."""


@dataclass(frozen=True)
class ExportPart:
    """One patient of an export.

    Attributes:
        number: place among the patients of the file, from 1.
        part_hash: hash of the patient's bytes and of everything outside that the reading of them depends on.
        line: line on which the patient begins, from 1.
        before: number of records of the file before the patient's.
        records: number of the patient's records.
        account: the account of the patient's values; None if the records are taken over.
    """

    number: int
    part_hash: str
    line: int
    before: int
    records: int
    account: Account | None


@dataclass(frozen=True)
class CutExport:
    """An export that was cut into patients.

    Attributes:
        parts: its patients, in the order of the file.
        facts: column to text of what holds for the whole export and is no content of a record.
        reporters: ``Melder_ID`` to number of the reporter, ``Melder_IKNR``.
        outcomes: path to outcome, for every known path.
    """

    parts: Sequence[ExportPart]
    facts: Mapping[str, str | None]
    reporters: Mapping[str, str]
    outcomes: Mapping[str, Outcome]


def frame(cut: CutExport, file_id: str, refresh: str) -> pl.DataFrame:
    """Return the patients of an export as ``meta.export_patients``; what is taken over has no account yet."""
    numbers = {path: number for number, path in enumerate(sorted(cut.outcomes))}
    rows = [
        (
            file_id, refresh, one.number, one.part_hash, one.line, one.before, one.records,
            None if one.account is None else one.account.delivered,
            None if one.account is None else _told(one.account, numbers),
            json.dumps(one.account.unknown) if one.account is not None and one.account.unknown else None,
        )
        for one in cut.parts
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=MetaExportPatient.polars_schema(), orient="row")


def summed(parts: pl.DataFrame, outcomes: Mapping[str, Outcome]) -> Account:
    """Return the account of several patients together.

    Args:
        parts: rows of ``meta.export_patients``.
        outcomes: :attr:`CutExport.outcomes` of the reader that made them.
    """
    token = pl.col("account").str.split(",").explode().str.split_exact(":", 1)
    counts = (
        parts.filter(pl.col("account") != "")
        .select(token.struct.rename_fields(["number", "values"]).struct.unnest().cast(pl.Int64))
        .group_by("number")
        .agg(pl.col("values").sum())
        .sort("number")
    )
    paths = sorted(outcomes)
    account = Account({paths[number]: values for number, values in counts.iter_rows()}, outcomes=outcomes)
    account.delivered = int(parts["delivered"].sum())
    _add(account.unknown, (json.loads(text) for text in parts["unknown"].drop_nulls()))
    return account


def _told(account: Account, numbers: Mapping[str, int]) -> str:
    return ",".join([f"{numbers[path]}:{values}" for path, values in account.counts.items()])


def _add(counts: dict[str, int], others: Iterable[Mapping[str, int]]) -> None:
    for other in others:
        for path, values in other.items():
            counts[path] = counts.get(path, 0) + values
