"""Exports findings as a CSV sheet for a steward to fill in, and reads the decisions back."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl

from sarcoma_pipeline.quality import own_sheets
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from schemas.spreadsheet import neutralised

SHOWN = (
    "finding_id", "severity", "rule_id", "status", "pseudonym", "path", "position", "table_name",
    "column_name", "value", "what", "remedy", "first_seen", "last_seen", "content_hash",
)  # fmt: skip
TO_FILL_IN = ("action", "by", "reason", "until")
_READING = "reading"
"""Column to fill in for a finding with readings; sheets of earlier versions lack it."""


def write(path: Path, found: pl.DataFrame) -> None:
    """Write findings with empty columns ``action``, ``by``, ``reason``, ``until``, ``reading``.

    Cells that a spreadsheet would treat as a formula get a leading apostrophe. Only the owner can read the
    file; an existing file is never overwritten.

    Args:
        path: the new file.
        found: rows of ``quality.ledger``.

    Raises:
        FileExistsError: the file exists.
    """
    sheet = neutralised(found.select(SHOWN))
    content = sheet.with_columns(pl.lit("").alias(name) for name in (*TO_FILL_IN, _READING)).write_csv()
    own_sheets.create(path, content.encode("utf-8-sig"))


def read(path: Path) -> list[Request]:
    """Read a filled-in sheet, with any delimiter and encoding that spreadsheets use.

    Args:
        path: the file.

    Returns:
        One request per line with an action.

    Raises:
        DecisionRefused: the file is no such sheet, or a line is filled in without an action.
    """
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    lines = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    missing = [name for name in ("finding_id", *TO_FILL_IN) if name not in (lines.fieldnames or ())]
    if missing:
        raise DecisionRefused([f"{path.name} has no column {', '.join(missing)}"])
    requests: list[Request] = []
    problems: list[str] = []
    for cells in lines:
        place = f"line {lines.line_num}"
        filled = {name: (cells.get(name) or "").strip() for name in (*TO_FILL_IN, _READING)}
        if None in cells:
            problems.append(f"{place}: more cells than columns; quote cells that contain the delimiter")
        elif filled["action"]:
            requests.append(
                Request(
                    finding_id=(cells["finding_id"] or "").strip(),
                    action=filled["action"].lower(),
                    who=filled["by"],
                    reason=filled["reason"],
                    until=filled["until"],
                    content_hash=cells.get("content_hash") or None,
                    place=place,
                    reading=filled[_READING] or None,
                )
            )
        elif any(filled.values()):
            problems.append(f"{place}: filled in, but without an action")
    if problems:
        raise DecisionRefused(problems)
    return requests
