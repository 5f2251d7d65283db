"""Count the values of one file by what was done with them.

A value is an element or an attribute with text, a filled cell of a table, or an attribute of a DICOM object.
It is read into a received column, ignored by name (``schemas.ignored_values``), or unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from schemas.meta import MetaValueAccount

READ, IGNORED, UNKNOWN = "read", "ignored", "unknown"

Outcome = tuple[str, str | None]
"""Outcome of a value, and its detail: the column that it is read into, or why it is ignored."""


@dataclass
class Account:
    """Counts the values of one file by path.

    Attributes:
        counts: path to number of values that are read or ignored.
        unknown: path to number of values that are not read into a column.
        outcomes: path to the outcome that the reader declares.
        delivered: number of all values, counted independently of the above.
    """

    counts: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    delivered: int = 0

    def include(self, other: Account) -> None:
        """Add the counts of another part of the file."""
        for counts, others in ((self.counts, other.counts), (self.unknown, other.unknown)):
            for path, values in others.items():
                counts[path] = counts.get(path, 0) + values
        self.delivered += other.delivered

    def cells(self, row: Mapping[str, str]) -> None:
        """Count the filled cells of a table row, each under its header."""
        for header, cell in row.items():
            if cell.strip():
                counts = self.counts if header in self.outcomes else self.unknown
                counts[header] = counts.get(header, 0) + 1

    def set_aside(self, cells: int, path: str, reason: str) -> None:
        """Count the filled cells of a row that is no record: ignored, under a path of their own."""
        self.outcomes = {**self.outcomes, path: (IGNORED, reason)}
        self.counts[path] = self.counts.get(path, 0) + cells


def frame(accounts: Iterable[tuple[str, Account]], refresh: str) -> pl.DataFrame:
    """Return the accounts of several files as ``meta.value_account``.

    Args:
        accounts: ``file_id`` and account.
        refresh: id of the refresh that read the files.
    """
    columns: dict[str, list[object]] = {
        name: [] for name in ("file_id", "path", "outcome", "detail", "values")
    }
    for file_id, account in accounts:
        # Build columns, not rows: a folder of images has hundreds of thousands of rows.
        known = [account.outcomes[path] for path in account.counts]
        columns["file_id"] += [file_id] * (len(account.counts) + len(account.unknown))
        columns["path"] += [*account.counts, *account.unknown]
        columns["outcome"] += [outcome for outcome, _ in known] + [UNKNOWN] * len(account.unknown)
        columns["detail"] += [detail for _, detail in known] + [None] * len(account.unknown)
        columns["values"] += [*account.counts.values(), *account.unknown.values()]
    schema = MetaValueAccount.polars_schema()
    return pl.DataFrame(columns, schema={name: schema[name] for name in columns}).select(
        *columns, first_refresh=pl.lit(refresh), last_refresh=pl.lit(None, dtype=pl.String)
    )
