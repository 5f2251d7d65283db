"""Propose the mapping of a table: entities, columns, formats, codes, and questions for a person.

What neither headers nor words tell is written as "?", which the configuration refuses, listing the allowed
values: a guess could be a wrong number without a finding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sarcoma_pipeline.curation.registry_reply import meanings
from sarcoma_pipeline.curation.spreadsheet_cells import BIRTHS_COUNTED_FROM, DAYS_COUNTED_FROM
from sarcoma_pipeline.operations import setup_words as words
from sarcoma_pipeline.operations.setup_looking import NUMBER, Table, counted_day, either_order, formats
from sarcoma_pipeline.operations.setup_toml import inline, text, texts

UNKNOWN = "?"
"""Placeholder for an answer that only a person can give."""

_MOST_CODES = 12
_LONGEST_CODE = 30
_DATED = (
    words.DEATH, words.CONTACT, "person.birth_date", "diagnosis.diagnosis_date", "surgery.surgery_date",
    "radiotherapy.start_date", "radiotherapy.end_date", "relapse.local_status", "relapse.distant_status",
    "relapse.overall_status",
)  # fmt: skip
_NUMERIC = tuple(words.UNITS)
_PATTERNS = {
    "diagnosis.icdo3_morphology": r"\d{4}/\d",
    "diagnosis.icd10_code": r"[A-Z]\d\d(\.\d{1,2})?",
    "diagnosis.icdo3_topography": r"C\d\d(\.\d\d?)?",
}


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
        if not _counted(table, f"person.{t}", c)
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
    strange = sorted(a for a, n in answers.items() if n > 1 and len(a) <= _LONGEST_CODE)
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
    numeric = [c for t in _NUMERIC for c in table.cells.get(columns.get(t, ""), [])]
    commas = sum("," in c for c in numeric) > sum("." in c for c in numeric)
    dates = {t: table.cells[h] for t, h in columns.items() if t in _DATED}
    counted = {t: [c for c in cells if _counted(table, t, c)] for t, cells in dates.items()}
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
    entities = _Entities(made, table, columns, number or UNKNOWN, dated)
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
        and len(set(cells)) <= _MOST_CODES
        and len(set(zip(numbers, cells, strict=True))) == table.rows
    ]
    return f" Perhaps {', '.join(found)}." if found else ""


def _times(cells: list[str]) -> bool:
    """Return whether all cells are numbers, and too many different ones for codes."""
    return len(set(cells)) > min(_MOST_CODES, len(cells) // 2) and all(map(NUMBER.fullmatch, cells))


def _counted(table: Table, target: str, cell: str) -> bool:
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
    if found in _DATED:
        left = [c for c in cells if not _counted(table, found, c)]
        return found if formats(left) or (cells and not left) else None
    if found in _NUMERIC and cells and sum(bool(NUMBER.fullmatch(c)) for c in cells) < 0.6 * len(cells):
        return None
    if found in words.CODES and len(set(cells)) > _MOST_CODES:
        return None
    return found


class _Entities:
    """Writes the entities of a table's rows."""

    def __init__(
        self, made: Proposal, table: Table, columns: dict[str, str], number: str, dated: bool
    ) -> None:
        self.made, self.table, self.columns, self.number, self.dated = made, table, columns, number, dated
        self.unused: set[str] = set()

    def write(self) -> None:
        person = [t for t in self.columns if t.startswith("person.") and t != words.NUMBER]
        if person or "diagnosis.diagnosis_date" in self.columns or not self.dated:
            # A follow-up table alone introduces no new patients.
            self._entity("person", person)
        diagnosis = [t for t in self.columns if t.startswith("diagnosis.")]
        extra = []
        if words.TIME in self.columns and (words.CONTACT not in self.columns or not self.dated):
            self.made.questions.append("Are times counted from the diagnosis? (status_day)")
        if not self.dated and words.TIME in self.columns:
            extra = ['diagnosis_day = { constant = "0" }  # times are counted from the diagnosis']
        elif not self.dated:
            extra = [f"diagnosis_date = {text(UNKNOWN)}"]
            told = self._candidates(lambda cells: bool(formats(cells)))
            self.made.questions.append(f"Which column holds the date of diagnosis? (diagnosis_date){told}")
        if diagnosis or extra:
            self._entity("diagnosis", diagnosis, extra)
        for entity in ("surgery", "radiotherapy", "systemic_therapy"):
            named = [t for t in self.columns if t.startswith(f"{entity}.")]
            if named:
                extra = ['kind = { constant = "chemotherapy" }'] if entity == "systemic_therapy" else []
                self._entity(
                    entity, named, extra, when=f"{{ column = {text(self.columns[named[0]])}, filled = true }}"
                )
        for target in [t for t in self.columns if t.startswith("relapse.")]:
            header = self.columns[target]
            status = f'{target.partition(".")[2]} = {{ constant = "relapse" }}'
            lines = [f"assessment_date = {text(header)}", status]
            self._entity("assessment", [], lines, when=f"{{ column = {text(header)}, filled = true }}")
            self.made.questions.append(
                f'"{header}" is read as the date of a relapse. Who has none must have been examined: map the '
                "dates of the last examinations before you declare an endpoint of relapses."
            )
        self._vital()

    def _vital(self) -> None:
        status, death = self.columns.get(words.STATUS), self.columns.get(words.DEATH)
        contact, time = self.columns.get(words.CONTACT), self.columns.get(words.TIME)
        if not (status or death):
            self.unused |= {h for h in (contact, time) if h}
            if contact:
                self._statement('{ constant = "alive" }', f"status_date = {text(contact)}", "filled", contact)
            return
        if status is None:
            assert death is not None
            self._statement('{ constant = "deceased" }', f"status_date = {text(death)}", "filled", death)
            if contact:
                self._statement('{ constant = "alive" }', f"status_date = {text(contact)}", "filled", contact)
            return
        codes = self._codes(words.STATUS, status)
        timed = time and not self.dated
        if death and contact and not timed and UNKNOWN in codes.values():
            # The day of a death is never that of the last contact, regardless of the codes.
            for value, header in (("deceased", death), ("alive", contact)):
                equals = (
                    f"{{ column = {text(status)}, equals = [{text(UNKNOWN)}] }}  # codes: {', '.join(codes)}"
                )
                self._statement(
                    f"{{ constant = {text(value)} }}", f"status_date = {text(header)}", equals, header
                )
            return
        if death and contact and not timed:
            for value, header in (("deceased", death), ("alive", contact)):
                said = {code: v for code, v in codes.items() if v == value}
                if said:
                    equals = f"{{ column = {text(status)}, equals = {texts(list(said))} }}"
                    mapping = f"{{ column = {text(status)}, codes = {inline(said)} }}"
                    self._statement(mapping, f"status_date = {text(header)}", equals, header)
            return
        mapping = f"{{ column = {text(status)}, codes = {inline(codes)} }}"
        if time and not self.dated:
            # Dates without that of the diagnosis tell no time.
            self._statement(mapping, self._number("status_day", words.TIME, time), "", "")
            self.unused |= {h for h in (contact, death) if h}
            told = self._candidates(lambda cells: bool(formats(cells)))
            self.made.questions.append(
                "No column is the date of diagnosis: times are read, and no dates. If there is one, map it, "
                f"and the date of the last contact or of death. (diagnosis_date, status_date){told}"
            )
        elif contact or death:
            self._statement(mapping, f"status_date = {text(contact or death or '')}", "", "")
            self.unused |= {death} if contact and death else set()
        elif time:
            self._statement(mapping, self._number("status_day", words.TIME, time), "", "")
        else:
            self._statement(mapping, f"status_date = {text(UNKNOWN)}", "", "")
            told = self._candidates(lambda cells: bool(formats(cells)) or _times(cells))
            self.made.questions.append(f"Of which day is the vital status? (status_date or status_day){told}")
        if time and self.dated and (contact or death):
            self.unused.add(time)

    def _candidates(self, fits: Callable[[list[str]], bool]) -> str:
        """Name columns that are mapped to nothing and whose content fits."""
        taken = set(self.columns.values())
        free = [h for h in self.table.headers if h not in taken and self.table.cells.get(h)]
        named = [h for h in free if fits(self.table.cells[h])]
        return f" Perhaps {', '.join(named[:8])}." if named else ""

    def _statement(self, status: str, day: str, when: str, header: str) -> None:
        condition = f"{{ column = {text(header)}, filled = true }}" if when == "filled" else when
        self._entity("vital_status", [], [f"status = {status}", day], when=condition)

    def _entity(
        self, entity: str, targets: list[str], extra: list[str] | None = None, when: str = ""
    ) -> None:
        lines = ["", "[[source.entities]]", f"entity = {text(entity)}"]
        if when:
            condition, _, remark = when.partition("  # ")
            lines.append(f"when = [{condition}]" + (f"  # {remark}" if remark else ""))
        lines += ["", "[source.entities.columns]", f"hospital_number = {text(self.number)}"]
        lines += [self._column(t) for t in targets]
        self.made.lines += [*lines, *(extra or [])]

    def _column(self, target: str) -> str:
        name, header = target.partition(".")[2], self.columns[target]
        if target in _NUMERIC:
            return self._number(name, target, header)
        if target in words.CODES:
            return f"{name} = {{ column = {text(header)}, codes = {inline(self._codes(target, header))} }}"
        return f"{name} = {text(header)}"

    def _number(self, name: str, target: str, header: str) -> str:
        unit = (self.table.units or {}).get(header, "")
        factor = words.scale(target, header, unit, self.table.cells[header])
        if factor is None:
            self.made.questions.append(f'In which unit is "{header}"? (scale of {name})')
            choice = f"factor to {words.UNITS[target]}"
            if target == words.TIME:
                choice = "1 for days, 7 for weeks, 30.4375 for months, 365.25 for years"
            return f"{name} = {{ column = {text(header)}, scale = {text(UNKNOWN)} }}  # {choice}"
        if factor == 1:
            return f"{name} = {text(header)}"
        return f"{name} = {{ column = {text(header)}, scale = {factor} }}"

    def _codes(self, target: str, header: str) -> dict[str, str]:
        """Return the meaning of the codes found; "?" where neither header nor word tells it."""
        known = words.codes(target, header)
        counts = Counter(self.table.cells[header])
        codes: dict[str, str] = {}
        for code, times in sorted(counts.items()):
            plain = words.plain(code.removesuffix(".0"))
            if plain in known or (times > 1 and len(code) <= _LONGEST_CODE):
                if code.casefold() not in (c.casefold() for c in codes):
                    codes[code] = known.get(plain, UNKNOWN)
                if target == words.STATUS and codes.get(code) == "deceased":
                    self.made.deaths += times
        asked = [code for code, value in codes.items() if value == UNKNOWN]
        if asked or not codes:
            listed = ", ".join(f'"{c}" ({counts[c]} rows)' for c in asked) or "(none found)"
            self.made.questions.append(f'What do the codes {listed} of "{header}" mean? (codes)')
        return codes or {UNKNOWN: UNKNOWN}


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
