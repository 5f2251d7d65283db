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


@dataclass(frozen=True, eq=False)
class Tally:
    """Values that always come together; equal to itself only.

    Attributes:
        counts: path to number of values that are read or ignored.
    """

    counts: Mapping[str, int]


@dataclass
class Account:
    """Counts the values of one file by path.

    Attributes:
        unknown: path to number of values that are not read into a column.
        outcomes: path to the outcome that the reader declares.
        delivered: number of all values, counted independently of the above.
        tallies: tallies with how often each was met; their values are not among :attr:`counts` yet.
    """

    _counts: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    delivered: int = 0
    tallies: list[tuple[Tally, int]] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Path to number of values that are read or ignored."""
        self.settle()
        return self._counts

    def settle(self) -> None:
        """Add the tallies to the counts."""
        counts = self._counts
        for tally, times in self.tallies:
            for path, values in tally.counts.items():
                counts[path] = counts.get(path, 0) + values * times
        self.tallies.clear()

    @property
    def alike(self) -> tuple[tuple[Tally, int], ...] | None:
        """The tallies, if they are all that was counted: the same ones give the same :attr:`counts`."""
        return None if self._counts else tuple(self.tallies)

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
                counts = self._counts if header in self.outcomes else self.unknown
                counts[header] = counts.get(header, 0) + 1

    def set_aside(self, cells: int, path: str, reason: str) -> None:
        """Count the filled cells of a row that is no record: ignored, under a path of their own."""
        self.outcomes = {**self.outcomes, path: (IGNORED, reason)}
        self._counts[path] = self._counts.get(path, 0) + cells


def frame(accounts: Iterable[tuple[str, Account]], refresh: str) -> pl.DataFrame:
    """Return the accounts of several files as ``meta.value_account``.

    Args:
        accounts: ``file_id`` and account.
        refresh: id of the refresh that read the files.
    """
    # Files of one kind have the same paths. Texts are therefore looked up by number, not built for each row:
    # a folder of images has hundreds of thousands of rows.
    places: dict[tuple[str, str, str | None], int] = {}
    places_of: dict[tuple[int | str, ...], list[int]] = {}
    alike: dict[object, tuple[list[int], list[int]]] = {}
    kept: list[Mapping[str, Outcome]] = []
    """Keeps the identity of each mapping that is part of a key above."""
    ids: list[str] = []
    file_of: list[int] = []
    place_of: list[int] = []
    values: list[int] = []
    for file_id, account in accounts:
        key = (id(account.outcomes), account.alike)
        if (known := alike.get(key)) is None:
            counts = account.counts
            paths = (id(account.outcomes), *counts)
            if (found := places_of.get(paths)) is None:
                kept.append(account.outcomes)
                rows = [(path, *account.outcomes[path]) for path in counts]
                found = places_of[paths] = [places.setdefault(row, len(places)) for row in rows]
            known = found, list(counts.values())
            if key[1] is not None:
                alike[key] = known
        place_of += known[0]
        values += known[1]
        for path, number in account.unknown.items():
            place_of.append(places.setdefault((path, UNKNOWN, None), len(places)))
            values.append(number)
        file_of += [len(ids)] * (len(known[0]) + len(account.unknown))
        ids.append(file_id)
    schema = MetaValueAccount.polars_schema()
    named = pl.DataFrame(
        list(places), {name: schema[name] for name in ("path", "outcome", "detail")}, orient="row"
    )
    return named[pl.Series(place_of, dtype=pl.UInt32)].select(
        pl.Series("file_id", ids, schema["file_id"]).gather(pl.Series(file_of, dtype=pl.UInt32)),
        "path", "outcome", "detail", pl.Series("values", values, schema["values"]),
        first_refresh=pl.lit(refresh), last_refresh=pl.lit(None, dtype=pl.String),
    )  # fmt: skip
