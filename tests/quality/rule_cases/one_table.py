"""Cases of the rules on the cells of a table: its text, and what differs from the usual mapping."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from tests.quality.rule_cases.four import THE_FAULT, Four
from tests.sources.sent_tables import workbook_of


@dataclass(frozen=True)
class Table:
    """A table with patient number (Pat), date of diagnosis (Datum) and size of the tumour (Größe).

    Attributes:
        content: the file.
        source: what its source in sources.toml has else.
    """

    content: str | bytes
    source: dict[str, Any] = field(default_factory=dict)


def rows(*lines: str, head: str = "Pat;Datum;Größe", **source: Any) -> Table:
    """Return a text table."""
    return Table("\n".join([head, *lines, ""]), source)


def born(line: str) -> Table:
    """Return a row of a person and their diagnosis, dated with two digits of the year."""
    entities = [
        {"entity": "person", "columns": {"hospital_number": "Pat", "birth_date": "Geb"}},
        {"entity": "diagnosis", "columns": {"hospital_number": "Pat", "diagnosis_date": "Datum"}},
    ]
    return rows(line, head="Pat;Geb;Datum", entities=entities, date_format="%d.%m.%y")


def _vital(status: str, column: str, word: str) -> dict[str, Any]:
    return {
        "entity": "vital_status", "when": [{"column": "Status", "equals": [word]}],
        "columns": {"hospital_number": "Pat", "status": {"constant": status}, "status_date": column},
    }  # fmt: skip


def vital(*lines: str) -> Table:
    """Return rows with a status, a day of death and a day of the last contact."""
    entities = [_vital("deceased", "Tod", "tot"), _vital("alive", "Kontakt", "lebt")]
    return rows(*lines, head="Pat;Status;Tod;Kontakt", entities=entities)


def one_day(*lines: str) -> Table:
    """Return rows with a status and its day."""
    entities = [_vital("deceased", "Datum", "tot"), _vital("alive", "Datum", "lebt")]
    return rows(*lines, head="Pat;Status;Datum", entities=entities)


def sheet(*cells: Any) -> Table:
    """Return a workbook with one row."""
    return Table(workbook_of(cells), {"format": "xlsx", "delimiter": None})


def of(
    fires: Table, silent: Table, null: Table | str, sibling: Table, *, fires_on_null: bool = False
) -> Four[Table]:
    """Return the cases of a rule on tables."""
    return Four(fires, silent, null, sibling, fires_on_null)


TABLES: dict[str, Four[Table]] = {
    "date.century-unclear": of(
        born("1;03.04.15;01.02.19"),  # born in 1915 or in 2015
        born("1;03.04.50;01.02.12"),  # the day of receipt is 1 December 2021: 1950 and 2012
        born("1;;01.02.45"),  # 2045 lies in the future
        born("1;;01.02.12"),  # nothing tells 1912 from 2012
    ),
    "identity.number-damaged": of(
        rows("1,23E+11;01.02.2015;5,0"),
        rows("123000000000;01.02.2015;5,0"),
        rows(";01.02.2015;5,0"),
        rows("unbekannt;01.02.2015;5,0"),
    ),
    "identity.number-missing": of(
        rows("1;01.02.2015;5,0", ";01.02.2015;5,0"),
        rows("1;01.02.2015;5,0", "0;01.02.2015;5,0"),
        THE_FAULT,
        rows("1;01.02.2015;5,0", "NA;;7,0"),
    ),
    "value.several": of(
        rows("1;01.02.2015;4,5 / 5,0", separator=" / "),
        rows("1;01.02.2015;4,5", separator=" / "),
        rows("1;01.02.2015;", separator=" / "),
        rows("1;01.02.2015 / 03.04.2015;4,5", separator=" / "),
    ),
    "value.condition-unmatched": of(
        one_day("1;verschollen;01.02.2015"),
        one_day("1; TOT ;01.02.2015"),
        one_day("1;;01.02.2015"),
        one_day("1;tot?;"),
    ),
    "value.condition-empty": of(
        one_day("1;;01.02.2015", "2;tot;01.02.2015"),
        one_day("1;;", "2;tot;01.02.2015"),
        THE_FAULT,
        vital("1;;;01.03.2016", "2;lebt;;01.03.2016"),
    ),
    "vital-status.death-not-read": of(
        vital("1;lebt;01.02.2015;01.03.2016"),
        vital("1;tot;01.02.2015;"),
        vital("1;lebt;;01.03.2016"),
        vital("1;verzogen;01.02.2015;"),
    ),
    "date.from-number": of(
        sheet("1", 41671, 5.0),  # 1 February 2014
        sheet("1", dt.date(2014, 2, 1), 5.0),
        sheet("1", None, 5.0),
        sheet("1", "41671", 5.0),
    ),
    "number.from-date": of(
        sheet("1", dt.date(2014, 2, 1), dt.date(1900, 1, 5)),
        sheet("1", dt.date(2014, 2, 1), 5),
        sheet("1", dt.date(2014, 2, 1), None),
        sheet("1", dt.date(2014, 2, 1), dt.date(1900, 1, 12)),
    ),
}  # fmt: skip
