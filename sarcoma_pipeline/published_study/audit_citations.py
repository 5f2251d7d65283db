"""Audit citations by number: each must be in the list of references, and no lower number may be left out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sarcoma_pipeline.published_study.audit_rules import CITATION, Check, Row
from sarcoma_pipeline.published_study.printed_number import number, plain

_CITED = re.compile(r"\[(\d{1,4}(?:\s*[-,;]\s*\d{1,4})*)\]")
_CONTEXT = 40
"""Characters before a citation that are quoted."""

_LIST = re.compile(r"^[#\d. ]*(?:references|bibliography|literature|literatur)[ :]*$", re.I | re.M)
_ENTRY = re.compile(r"^[ \t]*\[?(\d{1,4})(?:[.)\]]|(?=\s+[^\W\d]))", re.M)
_LOST = 3
"""Entries in a row whose number may be missing in the text of a list."""

_FEWEST = 3
"""Fewest entries of a list of references; what is shorter may be numbered otherwise."""

_MOST = 2000
"""Maximum numbers in one range of citations; a longer range is no citation."""


def checks(rows: list[Row]) -> Iterator[Check]:
    """Yield the checks of rows with the statistic `citation`, against `n` of the row `references`.

    Citations are numbers in square brackets in `quote`.
    """
    listed = [r for r in rows if r["statistic"] == "references" and number(r["n"]) is not None]
    citing = [r for r in rows if r["statistic"] == "citation"]
    if not citing:
        return
    most = int(float(listed[0]["n"])) if listed else None
    cited: set[int] = set()
    for row in citing:
        mine = numbers(row["quote"])
        cited |= mine
        if most is not None and mine:
            outside = sorted(n for n in mine if not 1 <= n <= most)
            yield CITATION.check(
                [row, listed[0]],
                ", ".join(f"[{n}]" for n in outside or sorted(mine)),
                f"1 to {most}",
                not outside,
            )
    last = max((n for n in cited if most is None or n <= most), default=0)
    if never := sorted(set(range(1, last + 1)) - cited):
        yield CITATION.check(
            [row for row in citing if last in numbers(row["quote"])],
            f"citations up to [{last}]",
            f"never cited: {', '.join(str(n) for n in never)}",
            "tension",
        )


def rows_of(text: str) -> list[dict[str, str]]:
    """Return a row of the table for each bracket with citations in a text, and one for its list."""
    body, last = _listed(text)
    words = plain(body)
    references = {"id": "text list", "section": "text", "quantity": "references", "statistic": "references",
                  "n": str(last)}  # fmt: skip
    return [references] * bool(last) + [
        {
            "id": f"text {i}", "section": "text", "quantity": "citation", "statistic": "citation",
            "quote": words[max(0, found.start() - _CONTEXT) : found.end()],
        }
        for i, found in enumerate(_CITED.finditer(words), 1)
    ]  # fmt: skip


def _listed(text: str) -> tuple[str, int]:
    """Return a text without its list of references, and the last number of the list; 0 without a list.

    The list follows a line that says so. Its entries begin lines, numbered from 1; a few may be lost.
    """
    headings = list(_LIST.finditer(text))
    if not headings:
        return text, 0
    last = 0
    for entry in _ENTRY.finditer(text, headings[-1].end()):
        number_of = int(entry[1])
        if last < number_of <= last + 1 + _LOST:
            last = number_of
    return (text[: headings[-1].start()], last) if last >= _FEWEST else (text, 0)


def numbers(text: str) -> set[int]:
    """Return the numbers that a text cites: `[8, 21-23]` are 8, 21, 22 and 23."""
    found: set[int] = set()
    for group in _CITED.findall(plain(text)):
        for part in re.split(r"[,;]", group):
            first, _, last = part.partition("-")
            end = int(last or first)
            if 0 <= end - int(first) <= _MOST:
                found |= set(range(int(first), end + 1))
    return found
