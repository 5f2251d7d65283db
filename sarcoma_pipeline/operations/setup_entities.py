"""Propose the entities of a table's rows: which records a row gives, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sarcoma_pipeline.operations import setup_words as words
from sarcoma_pipeline.operations.setup_columns import (
    LONGEST_CODE,
    NUMERIC,
    are_times,
)
from sarcoma_pipeline.operations.setup_looking import Table, formats
from sarcoma_pipeline.operations.setup_proposal import UNKNOWN, Proposal
from sarcoma_pipeline.operations.setup_toml import inline, text, texts


class Entities:
    """Writes the entities of a table's rows."""

    def __init__(
        self, made: Proposal, table: Table, columns: dict[str, str], number: str, dated: bool
    ) -> None:
        self.made, self.table, self.columns, self.number, self.dated = made, table, columns, number, dated
        self.unused: set[str] = set()

    def write(self) -> None:
        """Add the entities to the proposal, and the questions about them."""
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
            # Times cannot be computed without the date of diagnosis.
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
            told = self._candidates(lambda cells: bool(formats(cells)) or are_times(cells))
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
        if target in NUMERIC:
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
            if plain in known or (times > 1 and len(code) <= LONGEST_CODE):
                if code.casefold() not in (c.casefold() for c in codes):
                    codes[code] = known.get(plain, UNKNOWN)
                if target == words.STATUS and codes.get(code) == "deceased":
                    self.made.deaths += times
        asked = [code for code, value in codes.items() if value == UNKNOWN]
        if asked or not codes:
            listed = ", ".join(f'"{c}" ({counts[c]} rows)' for c in asked) or "(none found)"
            self.made.questions.append(f'What do the codes {listed} of "{header}" mean? (codes)')
        return codes or {UNKNOWN: UNKNOWN}
