"""Propose the mapping of a table of patients."""

from __future__ import annotations

import re

from sarcoma_pipeline.operations import setup_words as words
from sarcoma_pipeline.operations.setup_columns import (
    DATED,
    MOST_CODES,
    NUMERIC,
    is_counted,
    target_of,
)
from sarcoma_pipeline.operations.setup_entities import Entities
from sarcoma_pipeline.operations.setup_looking import Table, either_order, formats
from sarcoma_pipeline.operations.setup_proposal import UNKNOWN, Proposal, _ignore, layout
from sarcoma_pipeline.operations.setup_toml import text, texts


def table(name: str, pattern: str, table: Table, *, dated: bool = False) -> Proposal:
    """Propose the mapping of a table of patients.

    Args:
        name: name of the source.
        pattern: pattern of its file.
        table: the table.
        dated: whether this or another file has the date of diagnosis.
    """
    made = Proposal(name, f"a table of {table.rows} rows and {len(table.headers)} columns")
    columns: dict[str, str] = {}
    for header in table.headers:
        found = target_of(header, table) if header != table.row_names else None
        if found and found not in columns:
            columns[found] = header
    number = columns.get(words.NUMBER)
    if number is None and table.row_names:
        number = columns[words.NUMBER] = table.row_names
        made.questions.append(
            "No header is that of a patient's number. One column has no header and another value in every "
            "row: is it the patient's number, the same in every delivery? (key, hospital_number)"
        )
    elif number is None:
        made.questions.append(
            "Which column names the patient? None looks like it. If there is none, add a column with a "
            "number per patient to the table. (key, hospital_number)"
        )
    elif len(set(table.cells[number])) < table.rows:
        made.questions.append(
            f'"{number}" does not tell all rows apart. If a patient has several rows, add the column that '
            "does to key, and say in every entity which rows it is made from (when)."
            + _tells_apart(table, number)
        )
    numeric = [c for t in NUMERIC for c in table.cells.get(columns.get(t, ""), [])]
    commas = sum("," in c for c in numeric) > sum("." in c for c in numeric)
    dates = {t: table.cells[h] for t, h in columns.items() if t in DATED}
    counted = {t: [c for c in cells if is_counted(table, t, c)] for t, cells in dates.items()}
    usual = formats([c for t, cells in dates.items() for c in cells if c not in set(counted[t])])
    usual = usual or ["%d.%m.%Y"]
    made.questions += [
        f'{len(cells)} cells of "{columns[t]}" hold a number: they are read as the days that a '
        "spreadsheet counts. Format the column as a date in the spreadsheet: are these the right days?"
        for t, cells in counted.items()
        if cells
    ]
    made.lines = [
        "[[source]]",
        f"name = {text(name)}",
        'kind = "table"',
        f"files = [{text(pattern)}]",
        *layout(table),
        f"key = [{text(number or UNKNOWN)}]  # what names a row",
        f"decimal = {text(',' if commas else '.')}",
    ]
    slashed = [c for cells in dates.values() for c in cells if re.fullmatch(r"\d{1,2}/\d{1,2}/\d{2,4}", c)]
    if slashed and either_order(slashed):
        made.lines.append(f'date_format = {text(UNKNOWN)}  # "%d/%m/%Y" or "%m/%d/%Y"')
        made.questions.append("Which comes first in the dates, day or month? Both orders fit. (date_format)")
    else:
        made.lines.append(f"date_format = {texts(usual) if len(usual) > 1 else text(usual[0])}")
    if table.missing:
        made.lines.append(f"missing = {texts(['', *table.missing])}  # words for a missing value")
    if len(table.sheets) > 1:
        made.questions.append(
            f"The spreadsheet has {len(table.sheets)} visible sheets; the first is read. (sheet)"
        )
    if table.totals:
        made.lines.append(
            f"totals = {texts(sorted(set(table.totals)))}  # these rows sum up others: not read"
        )
        many = len(table.totals)
        made.questions.append(f"{many} rows of totals are not read; a finding will name them. (totals)")
    if table.nameless:
        made.questions.append(
            f"{table.nameless} columns have values and no header (a merged one?). They are not read."
        )
    entities = Entities(made, table, columns, number or UNKNOWN, dated)
    entities.write()
    made.mapped = set(columns)
    _ignore(made, table, set(columns.values()) - entities.unused)
    return made


def _tells_apart(table: Table, number: str) -> str:
    """Name the columns of few values that tell the rows of a patient apart."""
    numbers = table.cells[number]
    found = [
        header
        for header, cells in table.cells.items()
        if header != number
        and len(cells) == len(numbers) == table.rows
        and len(set(cells)) <= MOST_CODES
        and len(set(zip(numbers, cells, strict=True))) == table.rows
    ]
    return f" Perhaps {', '.join(found)}." if found else ""
