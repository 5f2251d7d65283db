"""Cases of the rules on rows of tables beside the tumour documentation: toxicity, sizes, tumour numbers."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
import pytest

from schemas import received as r
from schemas.configuration import Sources
from tests.conftest import FILES, SOURCES
from tests.quality.rule_cases import together
from tests.quality.rule_cases.curated_reports import Told, death, diagnosis, irradiation, of, reply, sarcoma
from tests.quality.rule_cases.four import Four

_PATIENT = {"hospital_number": "Nr"}
_LATE = {
    "name": "late", "kind": "table", "format": "csv", "files": ["l"], "key": ["Nr"], "decimal": ",",
    "date_format": "%d.%m.%Y",
    "entities": [
        {"entity": "toxicity", "when": [{"column": "Grad", "filled": True}], "columns": _PATIENT | {
            "therapy": {"column": "Therapie", "codes": {"RT": "radiotherapy", "OP": "surgery"}},
            "category": {"constant": "fibrosis", "codes": {"fibrosis": "fibrosis"}},
            "grade": "Grad", "onset_date": "Tag",
        }},
        {"entity": "radiotherapy", "when": [{"column": "Ende", "filled": True}], "columns": _PATIENT | {
            "start_date": "Beginn", "end_date": "Ende"}},
        {"entity": "diagnosis", "when": [{"column": "Alter", "filled": True}], "columns": _PATIENT | {
            "age_at_diagnosis_years": "Alter"}},
    ],
}  # fmt: skip
WITH_LATE = Sources.model_validate(
    SOURCES.model_dump() | {"source": [*SOURCES.model_dump()["source"], _LATE]}
)


def line(table: str, **cells: str | None) -> Told:
    """Return a row of a table about the patient."""
    return lambda p: p.add(r.TableRow, table_name=table, values=json.dumps({"Nr": p.number} | cells))


def toxic(on: str | None, therapy: str = "RT", **cells: str) -> Told:
    """Return a row with fibrosis of grade 2."""
    return line("late", Grad="2", Tag=on, Therapie=therapy, **cells)


def treated(*steps: Told, start: str | None = "2012-02-01") -> Told:
    """Return a patient with a sarcoma, one course of radiotherapy, and more records."""
    return sarcoma(irradiation(start), *steps)


OF_ROW: dict[str, Any] = {"Beginn": "01.02.2012", "Ende": "07.03.2012"}
AGAIN = irradiation("2013-02-01", Ende="2013-03-07", Module_ID="S2")
DEAD = death("2013-06-01")

TOXICITY: dict[str, Four[Told]] = {
    "toxicity.after-death": of(
        treated(DEAD, toxic("02.06.2013")),
        treated(DEAD, toxic("01.06.2013")),
        treated(DEAD, toxic(None)),
        treated(reply("verstorben", "01.08.2013", event_date="01.06.2013"), toxic("15.07.2013")),
    ),
    "toxicity.before-therapy": of(
        sarcoma(toxic("01.01.2012", **OF_ROW)),
        sarcoma(toxic("01.02.2012", **OF_ROW)),
        sarcoma(toxic(None, **OF_ROW)),
        sarcoma(toxic("00.01.2012", **OF_ROW)),
    ),
    "toxicity.not-placed": of(
        treated(toxic(None)),
        treated(toxic("02.05.2012")),  # day 91
        sarcoma(toxic("02.05.2012", Ende="07.03.2012")),
        treated(toxic("00.05.2012")),  # 1 May is day 90
        fires_on_null=True,
    ),
    "toxicity.unattributed": of(
        treated(AGAIN, toxic("01.05.2014")),
        treated(AGAIN, toxic("01.05.2012")),
        treated(AGAIN, toxic(None)),
        treated(toxic("01.05.2014", "OP")),
        fires_on_null=True,  # two courses, and nothing tells which
    ),
}  # fmt: skip

SECOND = diagnosis("2013-01-01", tumour="T2", site="C61", code="8140/3")

TUMOURS: dict[str, Four[Told]] = {
    "diagnosis.number-unknown": of(
        sarcoma(line("numbered", Tumor="77", Tag="01.02.2013")),
        sarcoma(line("numbered", Tumor="T1", Tag="01.02.2013")),
        sarcoma(line("numbered", Tumor=None, Tag="01.02.2013")),
        sarcoma(SECOND, line("numbered", Tumor="T3", Tag="01.02.2013")),
    ),
    "diagnosis.values-differ": of(
        sarcoma(line("sheet", cm="4,5"), line("sheet", cm="6,0")),
        sarcoma(line("sheet", cm="4,5"), line("sheet", cm="4,50")),
        sarcoma(line("sheet", cm="4,5"), line("sheet", cm=None)),
        sarcoma(line("late", Alter="61"), line("late", Alter="63")),
    ),
}  # fmt: skip

TABLED = TOXICITY | TUMOURS


def broken_by(cases: dict[str, Four[Told]]) -> set[tuple[str, str]]:
    """Return each case with the rules that the records of its patient break, curated with these tables."""
    more = pl.DataFrame({"file_id": ["l"], "path": ["l"], "source": ["late"]})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.conftest.SOURCES", WITH_LATE)
        patched.setattr(together, "FILES", pl.concat([FILES, more]))
        return together.broken_by(cases)
