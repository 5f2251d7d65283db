"""Rows of tables to typed records: the cell that counts, and the rows without a number."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import table_rows
from tests.sources.sent_tables import source_of

NUMBER = {"hospital_number": "Pat"}


def read(
    row: dict[str, str | None], *entities: dict[str, Any], **source: Any
) -> tuple[dict[str, pl.DataFrame], list[tuple[str, str, str | None]]]:
    """The typed tables of one row, and what was observed of it."""
    of_receipt = {"record_id": "r", "received_on": dt.date(2021, 12, 1)}
    received = pl.DataFrame([of_receipt | row], schema_overrides=dict.fromkeys(row, pl.String))
    made, seen = {}, []
    for contract, frame, observed in table_rows.typed_frames(
        received, source_of(entities=entities, **source)
    ):
        made[contract.table()] = frame
        seen += observed.select("rule_id", "column_name", "value").rows()
    return made, seen


@pytest.mark.parametrize(
    ("cell", "first_of", "size", "told"),
    [
        ("4,5 / 5,0", " / ", 4.5, True),
        ("5,0 / 4,5 / 6,0", " / ", 5.0, True),
        ("4,5", " / ", 4.5, False),
        # Which value counts is never guessed.
        ("4,5 / 5,0", None, None, True),
        ("4,5", None, 4.5, False),
    ],
)
def test_of_several_values_in_a_cell_the_first_counts_if_the_mapping_says_so(cell, first_of, size, told):
    column = {"column": "Größe"} | ({"first_of": first_of} if first_of else {})
    diagnosis = {"entity": "diagnosis", "columns": NUMBER | {"tumour_size_cm": column}}
    made, seen = read({"Pat": "1", "Größe": cell}, diagnosis, separator=" / ")
    assert made["typed.diagnosis"]["tumour_size_cm"].to_list() == [size]
    assert seen == ([("value.several", "tumour_size_cm", cell)] if told else [])


@pytest.mark.parametrize(("number", "told"), [(None, True), ("1", False)])
def test_a_row_lacks_its_number_where_any_of_its_records_has_one(number, told):
    person = {"entity": "person", "columns": {"family_name": "Name"}}
    diagnosis = {"entity": "diagnosis", "columns": NUMBER | {"tumour_size_cm": "Größe"}}
    row = {"Pat": number, "Größe": "5", "Name": "Testfall"}
    _, seen = read(row, person, diagnosis)
    assert seen == ([("identity.number-missing", "values", None)] if told else [])
    # A table that has no numbers lacks none.
    assert read(row, person)[1] == []


@pytest.mark.parametrize(
    ("column", "first"), [("birth_date", dt.date(1910, 1, 1)), ("diagnosis_date", dt.date(1950, 1, 1))]
)
def test_a_spreadsheet_counts_births_from_1910_and_other_days_from_1950(column, first):
    """Day 1 is 1 January 1900, and 29 February 1900 is counted (docs/formats.md)."""
    entity = "person" if column == "birth_date" else "diagnosis"
    mapped = {"entity": entity, "columns": NUMBER | {column: "Tag"}}
    serial = (first - dt.date(1899, 12, 30)).days
    for number, day in ((serial, first), (serial - 1, None)):
        made, _ = read({"Pat": "1", "Tag": str(number)}, mapped, format="xlsx", delimiter=None)
        assert made[f"typed.{entity}"][column].to_list() == [day]


def test_a_constant_is_one_value_whatever_separates_the_values_of_a_cell():
    drugs = {"entity": "systemic_therapy", "columns": NUMBER | {"protocol": {"constant": "AI / VIDE"}}}
    made, seen = read({"Pat": "1"}, drugs, separator=" / ")
    assert made["typed.systemic_therapy"]["protocol"].to_list() == ["AI / VIDE"]
    assert seen == []
