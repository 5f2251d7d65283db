"""The log of stewards' decisions: an append-only CSV file that survives the loss of the warehouse.

No source can deliver decisions again. One line is one decision. A line is on disk before the command reports
success, and no line is ever changed.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from sarcoma_pipeline.quality import decision_requests
from schemas.contract import ContractBroken
from schemas.ledger import Decision


class DecisionLogDamaged(Exception):
    """The log was not written by this program, or is damaged; a person must repair it."""


def read(path: Path) -> pl.DataFrame:
    """Read all decisions in the order in which they were taken.

    Args:
        path: the log; a missing file means no decisions.

    Returns:
        ``quality.decisions``.

    Raises:
        DecisionLogDamaged: the log cannot be read; the message names the file, never its content.
    """
    try:
        return _parsed(path.read_bytes(), path)
    except FileNotFoundError:
        return Decision.empty()


def record(
    path: Path,
    entries: pl.DataFrame,
    requests: Sequence[decision_requests.Request],
    now: dt.datetime,
    readings: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Check the requests and record the decisions, all or none.

    Args:
        path: the log.
        entries: ``quality.ledger``.
        requests: the stewards' requests.
        now: the time of the decision, with its time zone.
        readings: readings that may be chosen, from :func:`.ledger.offered`.

    Returns:
        The new decisions.

    Raises:
        ledger.DecisionRefused: nothing was written; the exception has the reasons.
        DecisionLogDamaged: nothing was written; the log cannot be read.
    """
    # Validates before creating the file, and again under the lock.
    decision_requests.decide(entries, read(path), requests, now, readings)
    with _locked(path) as (known, append):
        made = decision_requests.decide(entries, known, requests, now, readings)
        append(made)
    return made


def restore(path: Path, known: pl.DataFrame) -> pl.DataFrame:
    """Merge the log and the warehouse's copy of it, so that either one survives the loss of the other.

    Args:
        path: the log; missing decisions are appended to it.
        known: ``quality.decisions`` of the warehouse.

    Returns:
        ``quality.decisions``: all decisions in the order in which they were taken.

    Raises:
        DecisionLogDamaged: the log cannot be read.
    """
    if known.is_empty() and not path.exists():
        return Decision.empty()
    with _locked(path) as (logged, append):
        lost = known.join(logged, on="decision_id", how="anti")
        append(lost)
    return pl.concat([logged, lost]).sort("at", maintain_order=True)


@contextmanager
def _locked(path: Path) -> Iterator[tuple[pl.DataFrame, Callable[[pl.DataFrame], None]]]:
    """Lock the log; yield its decisions and a function that appends to it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        content = stream.read()
        known = _parsed(content, path)

        def append(decisions: pl.DataFrame) -> None:
            if decisions.is_empty():
                return
            # A crash left an incomplete last line, which was not reported as success: remove it.
            whole = content.rfind(b"\n") + 1
            stream.truncate(whole)
            text = Decision.enforce(decisions).write_csv(include_header=not _is_current(content[:whole]))
            try:
                stream.write(text.encode())
                stream.flush()
                os.fsync(stream.fileno())
            except OSError:
                os.ftruncate(stream.fileno(), whole)
                raise
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

        yield known, append


def _parsed(content: bytes, path: Path) -> pl.DataFrame:
    whole = content[: content.rfind(b"\n") + 1]
    if not whole:
        return Decision.empty()
    try:
        parts = []
        for block in _blocks(whole):
            text = pl.read_csv(io.BytesIO(block), infer_schema=False)
            if tuple(text.columns) not in _KNOWN:
                raise DecisionLogDamaged(f"{path.name} does not have the columns of the decision log")
            days = [c for c in ("until", "due") if c in text.columns]
            dated = text.with_columns(pl.col(days).str.to_date("%Y-%m-%d"))
            parts.append(Decision.conform(dated))
        return Decision.enforce(pl.concat(parts))
    except (pl.exceptions.PolarsError, ContractBroken):
        raise DecisionLogDamaged(
            f"the decision log {path.name} is damaged; repair it before the next refresh"
        ) from None


_COLUMNS = tuple(Decision.polars_schema())
_KNOWN = (_COLUMNS, *(_COLUMNS[: _COLUMNS.index(added)] for added in ("reading_key", "assignee")))
"""Columns of logs, or parts of a log, of each version: first no reading could be chosen, then no finding
assigned."""
_HEADER = b"decision_id,"


def _blocks(content: bytes) -> list[bytes]:
    """Split the log at its headers: lines never change, so a new column starts with a new header."""
    blocks: list[list[bytes]] = [[]]
    for line in content.splitlines(keepends=True):
        if line.startswith(_HEADER) and blocks[-1]:
            blocks.append([])
        blocks[-1].append(line)
    return [b"".join(lines) for lines in blocks]


def _is_current(content: bytes) -> bool:
    """Return whether the last header of a log has the current columns."""
    headers = [line for line in content.splitlines() if line.startswith(_HEADER)]
    return bool(headers) and headers[-1] == ",".join(_COLUMNS).encode()
