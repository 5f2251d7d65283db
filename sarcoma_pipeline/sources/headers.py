"""Clean the headers of a table, make them unique, and match them to the configuration.

Matching ignores case, blanks and Unicode normal form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sarcoma_pipeline.sources.received_record import Batch, Stopped
from schemas.entity_mapping import folded


def too_wide(batch: Batch, columns: int, position: str) -> None:
    """Refuse a table with too many columns.

    Raises:
        Stopped: it is.
    """
    if columns > batch.limits.columns:
        raise Stopped(position, "file.too-many-columns", f"{columns:,} columns")


def named(batch: Batch, cells: Sequence[str], known: Sequence[str], position: str) -> list[str]:
    """Give every column a unique name; known headers get the spelling of the configuration.

    Args:
        batch: receives a note for each known header that occurs twice.
        cells: the header's cells as delivered.
        known: headers that the configuration names.
        position: position of the header, for the note.

    Returns:
        One name per cell. The first of several equal headers keeps its name.
    """
    words = {folded(name): name for name in reversed(known)}
    exact = set(known)
    trimmed = [cell.strip() for cell in cells]
    headers = [h if h in exact else words.get(folded(h), h) for h in trimmed]
    for header, times in Counter(headers).items():
        if times > 1 and header in exact:
            batch.unread(position, "file.column-twice", f"column {header!r} stands there {times} times")
    return _named_once(headers)


def missing_columns(batch: Batch, headers: Sequence[str], needed: Sequence[str], position: str) -> list[str]:
    """Return the required headers that are missing; each is noted at the header's position."""
    missing = [name for name in needed if name not in headers]
    for name in missing:
        batch.unread(position, "file.column-missing", f"column {name!r} is missing")
    return missing


def without_header(place: int) -> str:
    """Return the name of a column without a header, counted from 1.

    ``sources.toml`` can map it by this name.
    """
    return f"(column {place} without a header)"


def _named_once(headers: list[str]) -> list[str]:
    taken = set(headers)
    names: list[str] = []
    used: set[str] = set()
    for place, header in enumerate(headers, start=1):
        name, times = header, 1
        while not name or name in used or (times > 1 and name in taken):
            times += 1
            name = f"{header} ({times})" if header else without_header(place) + "'" * (times - 2)
        used.add(name)
        names.append(name)
    return names
