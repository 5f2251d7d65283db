"""Read a file with a table of published numbers and audit it."""

from __future__ import annotations

import csv
from collections import Counter
from io import StringIO
from pathlib import Path

import polars as pl

from sarcoma_pipeline.published_study.audit import audit_table
from sarcoma_pipeline.published_study.audit_citations import rows_of
from sarcoma_pipeline.published_study.audit_rows import COLUMNS, NUMBERS

_ENCODINGS = ("utf-8-sig", "cp1252")
_SEPARATORS = ",;\t|"
_ALIASES = {
    "row": "id",
    "no": "id",
    "where printed": "section",
    "place": "section",
    "low": "ci_low",
    "lower": "ci_low",
    "high": "ci_high",
    "upper": "ci_high",
    "ci low": "ci_low",
    "ci high": "ci_high",
    "p value": "p",
    "p-value": "p",
    "p_value": "p",
    "percent": "pct",
    "percentage": "pct",
    "%": "pct",
    "group": "group/level",
    "of n": "denominator",
    "95% ci": "ci",
    "text": "quote",
}
"""Other common headings of the columns."""


_OF_A_CITATION = ("id", "section", "quantity", "statistic", "quote", "n")


class NotATable(ValueError):
    """The file is no table of published numbers."""


def audit_file(file: Path, groups: Path | None = None, text: Path | None = None) -> pl.DataFrame:
    """Audit a CSV file of published numbers.

    Args:
        file: the table; separator `,`, `;`, tab or `|`, UTF-8 or Windows-1252.
        groups: another file with more columns by id.
        text: the paper's text, in which citations in square brackets are checked.

    Returns:
        `schemas.audit.PublishedAudit`.

    Raises:
        NotATable: the file has no rows, no column of numbers, or an id twice.
    """
    table = _read(file)
    if groups is not None:
        further = _read(groups)
        if strange := sorted(set(further["id"]) - set(table["id"])):
            raise NotATable(
                f"{groups.name} has rows that {file.name} does not have: {', '.join(strange[:5])}"
            )
        table = table.join(
            further.drop([c for c in further.columns if c != "id" and c in table.columns]),
            on="id",
            how="left",
            maintain_order="left",
        )
    elif not set(table.columns) & set(NUMBERS) and "ci" not in table.columns:
        raise NotATable(f"{file.name} has no column of numbers; they are called {', '.join(NUMBERS)}")
    if text is not None:
        cited = pl.DataFrame(rows_of(_decoded(text)), schema=dict.fromkeys(_OF_A_CITATION, pl.String))
        table = pl.concat([table, cited], how="diagonal")
    return audit_table(table)


def _decoded(file: Path) -> str:
    raw = file.read_bytes()
    for encoding in _ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise NotATable(f"{file.name} is neither UTF-8 nor Windows-1252")


def _read(file: Path) -> pl.DataFrame:
    text = _decoded(file)
    first = text.partition("\n")[0]
    separator = max(_SEPARATORS, key=lambda sign: (first.count(sign), -_SEPARATORS.index(sign)))
    try:
        lines = list(csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        raise NotATable(f"{file.name} is no CSV file: {error}") from None
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if len(lines) < 2:
        raise NotATable(f"{file.name} has no rows")
    head = [_heading(cell) for cell in lines[0]]
    if doubled := [name for name, times in Counter(head).items() if times > 1 and name]:
        raise NotATable(f"{file.name} has the column {', '.join(doubled)} twice")
    for number, line in enumerate(lines[1:], 2):
        if len(line) > len(head) and any(cell.strip() for cell in line[len(head) :]):
            raise NotATable(
                f"{file.name}, row {number}: {len(line)} cells under {len(head)} headings; put a number "
                "with the separator in quotation marks"
            )
    kept = [i for i, name in enumerate(head) if name]
    rows = [{head[i]: line[i].strip() if i < len(line) else "" for i in kept} for line in lines[1:]]
    for number, row in enumerate(rows, 1):
        row["id"] = row.get("id") or str(number)
    if doubled := sorted(i for i, times in Counter(row["id"] for row in rows).items() if times > 1):
        raise NotATable(f"{file.name} has the id {', '.join(doubled[:5])} twice")
    return pl.DataFrame(
        rows,
        schema=dict.fromkeys(["id", *(n for n in dict.fromkeys(head) if n not in ("", "id"))], pl.String),
    )


def _heading(cell: str) -> str:
    name = " ".join(cell.strip().lower().split())
    return name if name in COLUMNS else _ALIASES.get(name, name.replace(" ", "_"))
