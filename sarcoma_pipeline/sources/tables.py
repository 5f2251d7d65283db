"""Tables of any layout (CSV, TSV, XLSX, Parquet) to received frames: every cell as text, nothing judged."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.sources.delimited import content, missing_columns, rows
from sarcoma_pipeline.sources.record import Batch, SourceFile
from schemas.configuration import TableSource
from schemas.received import TableRow

_MAGIC = {"xlsx": b"PK\x03\x04", "parquet": b"PAR1"}


def read(file: SourceFile, source: TableSource, refresh: str) -> Batch:
    """Read one table.

    Args:
        file: the file.
        source: its format, headers and key, as mapped in ``sources.toml``.
        refresh: id of the refresh that reads it.

    Returns:
        Records of ``received.table_row`` (all columns, mapped or not), and ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    if source.format in ("csv", "tsv"):
        delimiter = source.delimiter or {"csv": ",", "tsv": "\t"}[source.format]
        found = rows(batch, delimiter, source.encodings, source.headers())
    else:
        found = _binary_rows(batch, source)
    for position, cells in found:
        filled = {header: cell for header, cell in cells.items() if cell.strip()}
        batch.add(
            TableRow,
            position,
            tuple(filled.get(header) for header in source.key),
            {"table_name": source.name, "values": json.dumps(filled, ensure_ascii=False, sort_keys=True)},
        )
    return batch


def _binary_rows(batch: Batch, source: TableSource) -> Iterator[tuple[str, dict[str, str]]]:
    data = content(batch)
    if data is None:
        return
    if not data.startswith(_MAGIC[source.format]):
        batch.unread("file", "file.wrong-format", f"the content is not {source.format}")
        return
    try:
        frame = _spreadsheet(data, source) if source.format == "xlsx" else pl.read_parquet(data)
    except Exception as broken:
        # Both readers raise whatever their native library says, a panic included; its text may quote cells.
        rule = "file.truncated" if source.format == "parquet" else "file.unreadable"
        batch.unread("file", rule, f"the reader gave up: {type(broken).__name__}")
        return
    if missing_columns(batch, frame.columns, source.headers(), "row 1"):
        for number in range(2, frame.height + 2):
            batch.unread(f"row {number}", "file.column-missing", "the row cannot be read without the column")
        return
    text = frame.select(pl.all().cast(pl.String).fill_null(""))
    for number, cells in enumerate(text.iter_rows(named=True), start=2):
        if any(cell.strip() for cell in cells.values()):
            yield f"row {number}", cells


def _spreadsheet(data: bytes, source: TableSource) -> pl.DataFrame:
    import fastexcel

    sheet = fastexcel.read_excel(data).load_sheet(source.sheet or 0, dtypes="string")
    return pl.DataFrame(sheet.to_arrow())
