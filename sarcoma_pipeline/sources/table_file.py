"""Read tables of any layout (CSV, TSV, XLSX, Parquet) into received frames: every cell as text, unjudged."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.sources import sandboxed_reader
from sarcoma_pipeline.sources.delimited import rows
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, Stopped
from sarcoma_pipeline.sources.table_layout import Layout
from sarcoma_pipeline.sources.value_account import IGNORED, READ, Outcome
from schemas.configuration import DEFAULT_LIMITS, Limits, TableLayout, TableSource
from schemas.entity_mapping import folded
from schemas.received import TableRow
from schemas.sources_toml import COUNTED_FROM_1904

TOTALS = frozenset(
    (
        "summe", "gesamt", "gesamtsumme", "insgesamt", "total", "totals", "sum", "mittel", "mittelwert",
        "mean", "average", "durchschnitt", "median", "anzahl", "count",
    )
)  # fmt: skip
"""What stands in the key of a row that sums up the others, in any case."""
_COUNT = re.compile(r"n ?[=:] ?\d+")
_ADDED = re.compile(r"[ ]?[:=(].*$")
"""What may follow the word: "Summe: 12", "Gesamt (n = 12)"."""


def is_total(cell: str, declared: Collection[str] = ()) -> bool:
    """Return whether a cell says that its row sums up others.

    Args:
        cell: as delivered.
        declared: further words of the study for it.
    """
    text = folded(cell)
    word = _ADDED.sub("", text)
    return (
        word in TOTALS or bool(_COUNT.fullmatch(text)) or bool({text, word} & {folded(d) for d in declared})
    )


_COUNTED = re.compile(r"\d{4,5}(\.\d+)?")
"""A date in a cell that is formatted as a number."""
_MAGIC = {"xlsx": b"PK\x03\x04", "parquet": b"PAR1"}


def read(file: SourceFile, source: TableSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one table.

    Args:
        file: the file.
        source: its format, headers and key, as mapped in ``sources.toml``.
        refresh: id of the refresh.
        limits: limits for the file.

    Returns:
        Records of ``received.table_row`` (all columns, mapped or not), and of ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    mapped: dict[str, Outcome] = dict.fromkeys(source.headers(), (READ, "values"))
    batch.account.outcomes = mapped | {h: (IGNORED, reason) for h, reason in source.reasons().items()}
    with batch.guarded():
        for position, cells in table_rows(batch, source, source.headers()):
            if _sums_up(cells, source):
                batch.unread(position, "file.totals-row", "a total or a mean")
                filled = sum(bool(cell.strip()) for cell in cells.values())
                batch.account.set_aside(filled, "(row of totals)", "a total or a mean, nobody's record")
                continue
            batch.account.cells(cells)
            filled = {header: cell for header, cell in cells.items() if cell.strip()}
            if len(cells) > len(source.key) and not set(filled) - set(source.key):
                batch.unread(position, "file.row-only-key", "nothing but the key is filled")
            batch.add(
                TableRow,
                position,
                (source.name, *key) if any(key := [filled.get(h) for h in source.key]) else (),
                {"table_name": source.name, "values": json.dumps(filled, ensure_ascii=False, sort_keys=True)},
            )
    return batch


def _sums_up(cells: Mapping[str, str], source: TableSource) -> bool:
    keys = [cells[header] for header in source.key]
    if any(key.strip() for key in keys):
        return any(is_total(key, source.totals) for key in keys)
    # The word may stand in the first filled column, with the key left empty.
    first = next((cell for cell in cells.values() if cell.strip()), "")
    return is_total(first, source.totals)


def table_rows(
    batch: Batch, declared: TableLayout, needed: Sequence[str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Read the rows of a table in any format.

    Args:
        batch: collects the faults of the file and its rows; has all headers that the source names.
        declared: the table's format and layout.
        needed: headers without which no row can be read.

    Yields:
        Position, and header to cell.

    Raises:
        Stopped: the file is no such table, or exceeds a limit.
    """
    known = list(batch.account.outcomes)
    if declared.between_cells is not None:
        yield from rows(batch, declared, declared.between_cells, needed, known)
        return
    layout = Layout(batch, declared, needed, known)
    sheet = _sheet(batch, declared)
    from_1904 = sandboxed_reader.marked(sheet, sandboxed_reader.DATE_1904) is not None
    dates = declared.dates() if declared.spreadsheet and from_1904 else ()
    if alike := sandboxed_reader.marked(sheet, sandboxed_reader.SAME_HEADER):
        batch.unread("file", "file.sheet-not-read", f"{alike} more sheets begin with the same header")
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        position = f"row {number}"
        row = layout.record(number, position, cells)
        if row is not None:
            for header in dates:
                if _COUNTED.fullmatch(row.get(header, "")):
                    row[header] += COUNTED_FROM_1904
            yield position, row


def _content(batch: Batch) -> bytes:
    most = batch.limits.held_bytes
    with open_file(batch.file.path) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Stopped("file", "file.too-large", f"more than {most:,} bytes, which must be held at once")
    if not data.strip():
        raise Stopped("file", "file.empty", "no content")
    return data


def _sheet(batch: Batch, declared: TableLayout) -> pl.DataFrame:
    data = _content(batch)
    if not data.startswith(_MAGIC[declared.format]):
        raise Stopped("file", "file.wrong-format", f"the content is not {declared.format}")
    limits = batch.limits
    try:
        return sandboxed_reader.read(
            data,
            declared.format,
            declared.sheet,
            (limits.held_bytes, limits.columns, limits.records),
            limits.native_seconds,
        )
    except sandboxed_reader.Refused as refused:
        raise Stopped("file", *refused.args) from None
