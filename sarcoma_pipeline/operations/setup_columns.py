"""Find the target of a table's column by its header and its content."""

from __future__ import annotations

import re

from sarcoma_pipeline.curation.spreadsheet_cells import BIRTHS_COUNTED_FROM, DAYS_COUNTED_FROM
from sarcoma_pipeline.operations import setup_words as words
from sarcoma_pipeline.operations.setup_looking import NUMBER, Table, counted_day, formats

MOST_CODES = 12
LONGEST_CODE = 30
DATED = (
    words.DEATH, words.CONTACT, "person.birth_date", "diagnosis.diagnosis_date", "surgery.surgery_date",
    "radiotherapy.start_date", "radiotherapy.end_date", "relapse.local_status", "relapse.distant_status",
    "relapse.overall_status",
)  # fmt: skip
NUMERIC = tuple(words.UNITS)
_PATTERNS = {
    "diagnosis.icdo3_morphology": r"\d{4}/\d",
    "diagnosis.icd10_code": r"[A-Z]\d\d(\.\d{1,2})?",
    "diagnosis.icdo3_topography": r"C\d\d(\.\d\d?)?",
}


def are_times(cells: list[str]) -> bool:
    """Return whether all cells are numbers, and too many different ones for codes."""
    return len(set(cells)) > min(MOST_CODES, len(cells) // 2) and all(map(NUMBER.fullmatch, cells))


def is_counted(table: Table, target: str, cell: str) -> bool:
    """Return whether a cell is a date that the spreadsheet formats as a number."""
    earliest = BIRTHS_COUNTED_FROM if target == "person.birth_date" else DAYS_COUNTED_FROM
    return table.format == "xlsx" and counted_day(cell, earliest)


def target_of(header: str, table: Table) -> str | None:
    """Return the target of a column: by its header if the content fits, else by its content."""
    cells = table.cells[header]
    found = words.target(header)
    if found in _PATTERNS or found is None:
        for coded, pattern in _PATTERNS.items():
            fits = [c for c in cells if re.fullmatch(pattern, c)]
            if cells and len(fits) >= 0.8 * len(cells) and (found is None or coded == found):
                # A site may be either code: the header decides, else it is ICD-10.
                return found or coded
        return None
    if found in DATED:
        left = [c for c in cells if not is_counted(table, found, c)]
        return found if formats(left) or (cells and not left) else None
    if found in NUMERIC and cells and sum(bool(NUMBER.fullmatch(c)) for c in cells) < 0.6 * len(cells):
        return None
    if found in words.CODES and len(set(cells)) > MOST_CODES:
        return None
    return found
