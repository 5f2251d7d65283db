"""Reads replies of registry offices into received frames (docs/formats.md)."""

from __future__ import annotations

from sarcoma_pipeline.sources.delimited import rows
from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from schemas.configuration import DEFAULT_LIMITS, Limits, RegistrySource
from schemas.received import RegistryReply


def read(file: SourceFile, source: RegistrySource, refresh: str, limits: Limits = DEFAULT_LIMITS) -> Batch:
    """Read one file of replies.

    Args:
        file: the file.
        source: its headers, delimiter and encodings.
        refresh: id of the refresh that reads it.
        limits: what the file may ask for.

    Returns:
        Records of ``received.registry_reply``, known by the office's reference, and ``received.unread``.
    """
    batch = Batch(file, refresh, limits)
    headers = source.columns
    with batch.guarded():
        for position, cells in rows(batch, source.delimiter, source.encodings, list(headers.values())):
            values = {name: cells[header] for name, header in headers.items()}
            batch.add(RegistryReply, position, (values.get("reference"),), values)
    return batch
