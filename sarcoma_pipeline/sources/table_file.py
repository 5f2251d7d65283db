"""Tables of any layout (CSV, TSV, XLSX, Parquet) to received frames: every cell as text, nothing judged."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sarcoma_pipeline.sources import sandboxed_reader
from sarcoma_pipeline.sources.delimited import rows
from sarcoma_pipeline.sources.drop_folder import open_file
from sarcoma_pipeline.sources.headers import folded, missing_columns, named
from sarcoma_pipeline.sources.received_record import Batch, SourceFile, Stopped
from sarcoma_pipeline.sources.value_account import IGNORED, READ, Outcome
from schemas.configuration import DEFAULT_LIMITS, Limits, TableSource
from schemas.received import TableRow

TOTALS = frozenset(
    (
        "summe", "gesamt", "gesamtsumme", "insgesamt", "total", "totals", "sum", "mittel", "mittelwert",
        "mean", "average", "durchschnitt", "median", "anzahl", "count",
    )
)  # fmt: skip
"""What stands in the key of a row that sums up the others, in any case."""

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
            found = rows(batch, delimiter, source.encodings, source.headers(), list(batch.account.outcomes))
        else:
            found = _binary_rows(batch, source)
        for position, cells in found:
            if any(folded(cells[h]).rstrip(":") in TOTALS for h in source.key):
                batch.unread(position, "file.totals-row", "a total or a mean")
                batch.account.set_aside(cells, "(row of totals)", "a total or a mean, nobody's record")
                continue
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
    headers: list[str] = []
    missing: list[str] = []
    for number, cells in enumerate(text.iter_rows(), start=1):
        filled = sum(bool(cell.strip()) for cell in cells)
        if not filled:
            continue
        position = f"row {number}"
        if not headers:
            headers = named(batch, cells, list(batch.account.outcomes), position)
            missing = missing_columns(batch, headers, source.headers(), position)
        elif missing:
            batch.unread(position, "file.column-missing", "the row cannot be read without the column")
        else:
            batch.account.delivered += filled
            yield position, dict(zip(headers, cells, strict=True))
