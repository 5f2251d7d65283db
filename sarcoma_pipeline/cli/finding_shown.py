"""Say all about one finding, for ``sarcoma findings show``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from schemas.finding_words import said
from schemas.language import gettext

Row = Mapping[str, Any]


def lines(
    finding: Row, records: Sequence[Row], readings: Mapping[int, str], decisions: Sequence[Row]
) -> Iterator[str]:
    """Describe a finding: its values, its records, what can be chosen, and every decision ever taken on it.

    Texts of the program are in the language that is set.

    Args:
        finding: the columns of ``quality.ledger``, as delivered.
        records: its rows of ``quality.finding_records``.
        readings: what each reading that a steward can choose means, by its number.
        decisions: its rows of the log of decisions.
    """
    for name, value in finding.items():
        if value is not None:
            yield f"{name:15} {_in_words(name, value)}"
    yield from _sides(records)
    for number, meaning in readings.items():
        yield f"reading {number}       {meaning}"
    for one in decisions:
        until = f" until {one['until']}" if one["until"] else ""
        yield f"{one['at'][:19]}Z {one['action']}{until} by {one['who']}: {one['reason']}"


def _in_words(name: str, value: Any) -> Any:
    """Translate a text of the program; delivered values stay as they are."""
    if name in ("what", "remedy", "role"):
        return gettext(value)
    return said(value, name) if value and name in ("position", "note", "why") else value


def _sides(records: Sequence[Row]) -> Iterator[str]:
    """Describe the records of a finding that has several, each with its place, its values and its role."""
    places = [(row["record_id"], row["path"], row["position"]) for row in records]
    for place in dict.fromkeys(places) if len(set(places)) > 1 else ():
        rows = [row for row, own in zip(records, places, strict=True) if own == place]
        whose = f", patient {rows[0]['pseudonym']}" if rows[0]["pseudonym"] else ""
        name = "this record" if rows[0]["at_fault"] else "compared with"
        at = f"{place[1]}, {_in_words('position', place[2])}{whose}"
        yield f"{name:15} {rows[0]['source'] or 'no source'}: {at}"
        for row in rows:
            value = f"{row['column_name']} = {row['value'] or 'no value'}: " if row["column_name"] else ""
            yield f"{'':15} {value}{_in_words('role', row['role'])}, {_in_words('why', row['why'])}"
