"""Dates of death in the rows of a table that no record is made of."""

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import death_beside_life
from tests.sources.sent_tables import source_of

DEAD = {"tot": "deceased", "gestorben": "deceased", "tot, Tag unbekannt": "deceased, date unknown"}
ALIVE = {"lebt": "alive"}


def statement(codes: dict[str, str], header: str, *words: str) -> dict[str, Any]:
    return {
        "entity": "vital_status",
        "when": [{"column": "Status", "equals": list(words)}],
        "columns": {"status": {"column": "Status", "codes": codes}, "status_date": header},
    }


@pytest.mark.parametrize(
    ("status", "entities", "told"),
    [
        ("lebt", [statement(DEAD, "Tod", "tot")], True),
        ("tot", [statement(DEAD, "Tod", "tot")], False),
        # A death without a day is a death, too.
        ("lebt", [statement({"tot": "deceased, date unknown"}, "Tod", "tot")], True),
        # Each of two words makes a record of the date.
        ("tot", [statement(DEAD, "Tod", "tot"), statement(DEAD, "Tod", "gestorben")], False),
        ("gestorben", [statement(DEAD, "Tod", "tot"), statement(DEAD, "Tod", "gestorben")], False),
        ("lebt", [statement(DEAD, "Tod", "tot"), statement(DEAD, "Tod", "gestorben")], True),
        # A column that also has the days of living patients is no column of deaths.
        ("?", [statement(DEAD, "Tod", "tot"), statement(ALIVE, "Tod", "lebt")], False),
        ("?", [statement(DEAD | ALIVE, "Tod", "tot", "lebt")], False),
        # Without codes nobody knows what the status says.
        ("lebt", [statement({}, "Tod", "tot")], False),
    ],
)
def test_a_date_in_a_column_of_deaths_that_no_condition_reads_is_told(status, entities, told):
    source = source_of(entities=entities)
    row = {"record_id": ["r"], "_cell_Status": [status], "_cell_Tod": ["01.02.2015"]}
    matches = {
        at: pl.col("_cell_Status").is_in(entity["when"][0]["equals"]) for at, entity in enumerate(entities)
    }
    seen = death_beside_life.in_rows(pl.DataFrame(row), source, matches)
    found = seen.select("rule_id", "record_id", "value", "note").rows()
    rule = "vital-status.death-not-read"
    assert found == ([(rule, "r", "01.02.2015", "column 'Tod'")] if told else [])
