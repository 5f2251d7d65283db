"""Find the rows of a table that are records; others are the header, rows above it, units and remarks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sarcoma_pipeline.sources.headers import missing_columns, named, too_wide
from sarcoma_pipeline.sources.received_record import Batch
from schemas import units
from schemas.configuration import TableLayout, TableSource

_SEPARATOR_LINE = re.compile(r"sep=.?", re.IGNORECASE)
"""First line that tells Excel the delimiter of a CSV; it is no header."""


class Layout:
    """Separate the records of one table from its other rows, in the order of the file.

    Args:
        batch: collects the faults of the header and the rows.
        declared: the layout as declared in ``sources.toml``.
        needed: headers without which no row can be read.
        known: all headers that the configuration names.
    """

    def __init__(
        self, batch: Batch, declared: TableLayout, needed: Sequence[str], known: Sequence[str]
    ) -> None:
        self._batch = batch
        self._declared = declared
        self._needed = needed
        self._known = known
        self._missing: list[str] = []
        self._units_to_come = declared.units_row
        self.headers: list[str] = []
        """One name per column; empty until the header has been read."""

    def record(self, number: int, position: str, cells: Sequence[str]) -> dict[str, str] | None:
        """Return header to cell of a row that is a record; None for any other row.

        Args:
            number: number of the row, or of its first line, from 1.
            position: the same, as a finding names it.
            cells: the row's cells.
        """
        filled = sum(bool(cell.strip()) for cell in cells)
        if not filled:
            return None
        declared, batch = self._declared, self._batch
        if declared.comment and cells[0].lstrip().startswith(declared.comment):
            return self._set_aside(filled, "(remarks)", "a line that begins as a remark does")
        if number in declared.skipped_rows:
            return self._set_aside(filled, "(skipped rows)", "skipped_rows names the row")
        if not self.headers:
            if number == 1 and _SEPARATOR_LINE.fullmatch("".join(cells).strip()):
                return self._set_aside(filled, "(above the header)", "names the delimiter for a spreadsheet")
            if number < (declared.header_row or 0):
                return self._set_aside(filled, "(above the header)", "stands above the header row")
            # Check this before naming the columns, which would be slow for a million columns.
            too_wide(batch, len(cells), position)
            self.headers = named(batch, cells, self._known, position)
            self._missing = missing_columns(batch, self.headers, self._needed, position)
            return None
        if self._units_to_come:
            self._units_to_come = False
            self._judge_units(cells, position)
            return self._set_aside(filled, "(row of units)", "the row below the header holds units")
        if self._missing:
            batch.unread(position, "file.column-missing", "the row cannot be read without the column")
        elif len(cells) < len(self.headers) or any(cell.strip() for cell in cells[len(self.headers) :]):
            detail = f"{len(cells)} cells under {len(self.headers)} headers"
            batch.unread(position, "file.row-malformed", detail)
        else:
            batch.account.delivered += filled
            return dict(zip(self.headers, cells, strict=False))
        return None

    def _judge_units(self, cells: Sequence[str], position: str) -> None:
        """Note units that differ from the units in ``sources.toml``."""
        expected = self._declared.units() if isinstance(self._declared, TableSource) else {}
        for header, cell in zip(self.headers, cells, strict=False):
            unit = expected.get(header)
            factor = units.factor(unit, "", cell) if unit else None
            if factor not in (None, 1.0):
                detail = f"column {header!r}: {cell.strip()!r} is no {unit}; the factor to it is {factor:g}"
                self._batch.unread(position, "file.unit-differs", detail)

    def _set_aside(self, filled: int, path: str, reason: str) -> None:
        """Account for the cells of a row that is declared not to be a record."""
        self._batch.account.delivered += filled
        self._batch.account.set_aside(filled, path, reason)
