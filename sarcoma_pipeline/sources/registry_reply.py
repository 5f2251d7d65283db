"""Read replies of registry offices into received frames (docs/formats.md)."""

from __future__ import annotations

import json

from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from sarcoma_pipeline.sources.table_file import table_rows
from sarcoma_pipeline.sources.value_account import IGNORED, READ
from schemas.configuration import DEFAULT_LIMITS, Limits, RegistrySource
from schemas.received import RegistryReply


def read(file: SourceFile, source: RegistrySource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one file of replies.

    Args:
        file: the file.
        source: its format, headers and layout.
        refresh: id of the refresh.
        limits: limits for the file.

    Returns:
        Records of ``received.registry_reply``, with the office's reference as key, and of
        ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    headers = source.columns
    mapped = {header: (READ, name) for name, header in headers.items()}
    ignored = {header: (IGNORED, reason) for header, reason in source.reasons().items()}
    batch.account.outcomes = mapped | ignored
    with batch.guarded():
        for position, cells in table_rows(batch, source, list(headers.values())):
            batch.account.cells(cells)
            values: dict[str, str | None] = {name: cells[header] for name, header in headers.items()}
            rest = {h: c for h, c in cells.items() if h not in batch.account.outcomes and c.strip()}
            values["unmapped_cells"] = json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else None
            # Two offices may use the same reference.
            reference = values.get("reference")
            key = (file.source, reference) if reference and reference.strip() else ()
            batch.add(RegistryReply, position, key, values)
    return batch
