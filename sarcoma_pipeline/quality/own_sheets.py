"""Write the files that people fill in, and read the spreadsheets that come back."""

from __future__ import annotations

import os
from pathlib import Path

from sarcoma_pipeline.sources import sandboxed_reader

_LIMITS = (16 * 1024**2, 100, 20_000)
"""Bytes, columns and rows of a filled-in spreadsheet."""
_SECONDS = 60


def create(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read.

    Raises:
        FileExistsError: the file exists; somebody may have filled it in.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)


def lines(path: Path) -> list[list[str]]:
    """Read the rows of a spreadsheet as texts, in a process of its own; an empty cell is an empty text.

    Raises:
        ValueError: it cannot be read as a spreadsheet.
    """
    try:
        table = sandboxed_reader.read(path.read_bytes(), "xlsx", None, _LIMITS, _SECONDS)
    except sandboxed_reader.Refused as refused:
        raise ValueError(f"{path.name} cannot be read as a spreadsheet: {refused.args[-1]}") from None
    return [["" if cell is None else str(cell) for cell in row] for row in table.iter_rows()]
