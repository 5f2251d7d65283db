"""Propose the mapping of a table: entities, columns, formats, codes, and questions for a person.

What neither headers nor words tell is written as "?", which the configuration refuses, listing the allowed
values: a guess could be a wrong number without a finding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sarcoma_pipeline.curation.registry_reply import meanings
from sarcoma_pipeline.operations import setup_words as words
from sarcoma_pipeline.operations.setup_columns import (
    LONGEST_CODE,
    is_counted,
)
from sarcoma_pipeline.operations.setup_looking import Table, formats
from sarcoma_pipeline.operations.setup_toml import inline, text, texts

UNKNOWN = "?"
"""Placeholder for an answer that only a person can give."""


@dataclass
class Proposal:
    """The proposal for one file.

    Attributes:
        name: name of the source.
        what: description of the file for the person.
        lines: its ``[[source]]`` in ``sources.toml``.
        mapped: targets that have a column.
        questions: questions that only a person can answer.
        deaths: number of rows whose word says that the patient is dead.
    """

    name: str
    what: str
    lines: list[str] = field(default_factory=list)
    mapped: set[str] = field(default_factory=set)
    questions: list[str] = field(default_factory=list)
    deaths: int = 0


def layout(table: Table) -> Iterator[str]:
    """Yield the keys that describe the layout of the table."""
    yield f"format = {text(table.format)}"
    if table.delimiter and table.delimiter != {"csv": ",", "tsv": "\t"}[table.format]:
        yield f"delimiter = {text(table.delimiter)}"
    if table.header_row:
        yield f"header_row = {table.header_row}  # rows above are not read"
    if table.units is not None:
        yield "units_row = true  # the row below the header holds units"
    if table.comment:
        yield f"comment = {text(table.comment)}"
    if table.skipped:
        yield f"skipped_rows = {table.skipped}  # they repeat the header"


def is_reply(table: Table) -> bool:
    """Return whether the table is a registry office's reply: persons with answers on life and death."""
    found = {words.target(h, words.REPLY): h for h in table.headers}
    answer = found.get("answer")
    if answer is None or not ({"family_name", "hospital_number"} & set(found)):
        return False
    told = meanings(table.cells.get(answer, []))
    clinical = {"diagnosis.diagnosis_date", "diagnosis.icd10_code", words.TIME}
    columns = {words.target(h) for h in table.headers}
    return bool(told) and sum(a is not None for a in told) >= 0.5 * len(told) and not clinical & columns


def _answer(cell: str) -> str:
    plain = " ".join(cell.split()).rstrip(".").casefold()
    return re.sub(r" (am|seit|zum) [\d.\-]+$", "", plain)


def reply(name: str, pattern: str, table: Table) -> Proposal:
    """Propose the mapping of a registry office's reply."""
    made = Proposal(name, f"a reply of a registry office, {table.rows} rows")
    columns: dict[str, str] = {}
    for header in table.headers:
        found = words.target(header, words.REPLY)
        if found and found not in columns:
            columns[found] = header
    dates = [
        c
        for t in ("birth_date", "event_date", "answered_on")
        for c in table.cells.get(columns.get(t, ""), [])
        if not is_counted(table, f"person.{t}", c)
    ]
    made.lines = [
        "[[source]]",
        f"name = {text(name)}",
        'kind = "registry"',
        f"files = [{text(pattern)}]",
        *layout(table),
        f"date_formats = {texts(formats(dates) or ['%d.%m.%Y'])}",
    ]
    cells = table.cells.get(columns.get("answer", ""), [])
    said = zip(cells, meanings(cells), strict=True)
    answers = Counter(_answer(cell) for cell, status in said if status is None)
    strange = sorted(a for a, n in answers.items() if n > 1 and len(a) <= LONGEST_CODE)
    if strange:
        made.lines.append("# What these answers mean: alive, deceased, moved or no information.")
        made.lines.append(f"answers = {inline(dict.fromkeys(strange, UNKNOWN))}")
        made.questions.append(f"What do these answers of the office mean: {', '.join(strange)}? (answers)")
    rare = sum(n for a, n in answers.items() if a not in strange)
    if rare:
        made.questions.append(
            f"{rare} answers are no usual ones and occur once each: sarcoma check lists them."
        )
    made.lines += ["", "[source.columns]", *(f"{t} = {text(h)}" for t, h in sorted(columns.items()))]
    for needed in ("answer", "event_date"):
        if needed not in columns:
            made.lines.append(f"{needed} = {text(UNKNOWN)}")
            made.questions.append(f"Which column holds the {needed.replace('_', ' ')}? ({needed})")
    if "answered_on" not in columns:
        made.questions.append("On which day did the office answer? Without it, who is alive has no day.")
    _ignore(made, table, set(columns.values()))
    return made


def _ignore(made: Proposal, table: Table, mapped: set[str]) -> None:
    """Add the unused columns to the proposal, for the person to decide on."""
    rest = [h for h in table.headers if h not in mapped]
    if not rest:
        return
    made.questions.append(
        f"{len(rest)} columns are not mapped: {', '.join(rest[:8])}{' …' if len(rest) > 8 else ''}."
    )
    at = next(i for i, line in enumerate(made.lines) if not line)
    made.lines[at:at] = [
        "",
        "# Columns that nothing uses yet: map them below, or leave them here with the reason.",
        "[[source.ignored]]",
        'reason = "not needed so far"',
        f"columns = {texts(rest)}",
    ]


def source_of(kind: str, name: str, patterns: list[str], count: int) -> Proposal:
    """Propose a source of oBDS or DICOM files, which need no mapping."""
    what = {"obds": "tumour documentation (oBDS 3)", "dicom": "treatment planning (DICOM)"}[kind]
    lines = ["[[source]]", f"name = {text(name)}", f"kind = {text(kind)}", f"files = {texts(patterns)}"]
    mapped = {
        "obds": {
            "person.sex",
            "person.birth_date",
            words.STATUS,
            "diagnosis.icd10_code",
            "diagnosis.icdo3_morphology",
        },
        "dicom": set[str](),
    }[kind]
    return Proposal(name, f"{what}, {count} files", lines, set(mapped))
