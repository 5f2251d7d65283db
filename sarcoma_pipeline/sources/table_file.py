"""Tables of any layout (CSV, TSV, XLSX, Parquet) to received frames: every cell as text, nothing judged."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sarcoma_pipeline.sources import sandboxed_reader
from sarcoma_pipeline.sources.delimited import missing_columns, rows
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, Stopped
from sarcoma_pipeline.sources.value_account import IGNORED, READ, Outcome
from schemas.configuration import DEFAULT_LIMITS, Limits, TableSource
from schemas.received import TableRow

_MAGIC = {"xlsx": b"PK\x03\x04", "parquet": b"PAR1"}


def read(file: SourceFile, source: TableSource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one table.

    Args:
        file: the file.
        source: its format, headers and key, as mapped in ``sources.toml``.
        refresh: id of the refresh that reads it.
        limits: what the file may ask for.

    Returns:
        Records of ``received.table_row`` (all columns, mapped or not), and ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    mapped: dict[str, Outcome] = dict.fromkeys(source.headers(), (READ, "values"))
    batch.account.outcomes = mapped | {h: (IGNORED, reason) for h, reason in source.reasons().items()}
    with batch.guarded():
        if source.format in ("csv", "tsv"):
            delimiter = source.delimiter or {"csv": ",", "tsv": "\t"}[source.format]
            found = rows(batch, delimiter, source.encodings, source.headers())
        else:
            found = _binary_rows(batch, source)
        for position, cells in found:
            batch.account.cells(cells)
            filled = {header: cell for header, cell in cells.items() if cell.strip()}
            batch.add(
                TableRow,
                position,
                (source.name, *key) if any(key := [filled.get(h) for h in source.key]) else (),
                {"table_name": source.name, "values": json.dumps(filled, ensure_ascii=False, sort_keys=True)},
            )
    return batch


def _content(batch: Batch) -> bytes:
    most = batch.limits.held_bytes
    with open_file(batch.file.path) as stream:
        data = stream.read(most + 1)
    if len(data) > most:
        raise Stopped("file", "file.too-large", f"more than {most:,} bytes, which must be held at once")
    if not data.strip():
        raise Stopped("file", "file.empty", "no content")
    return data


def _binary_rows(batch: Batch, source: TableSource) -> Iterator[tuple[str, dict[str, str]]]:
    data = _content(batch)
    if not data.startswith(_MAGIC[source.format]):
        raise Stopped("file", "file.wrong-format", f"the content is not {source.format}")
    limits = batch.limits
    try:
        text = sandboxed_reader.read(
            data,
            source.format,
            source.sheet,
            (limits.held_bytes, limits.columns, limits.records),
            limits.native_seconds,
        )
    except sandboxed_reader.Refused as refused:
        raise Stopped("file", *refused.args) from None
    if missing_columns(batch, text.columns, source.headers(), "row 1"):
        for number in range(2, text.height + 2):
            batch.unread(f"row {number}", "file.column-missing", "the row cannot be read without the column")
        return
    for number, cells in enumerate(text.iter_rows(named=True), start=2):
        if filled := sum(bool(cell.strip()) for cell in cells.values()):
            batch.account.delivered += filled
            yield f"row {number}", cells
