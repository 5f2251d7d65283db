"""A row of a table that is no longer delivered is reported with the patient whose row it was."""

import json

import polars as pl

from sarcoma_pipeline.orchestration.assets.lost_records import numbers_in_rows
from schemas.configuration import Sources

SOURCES = Sources.model_validate(
    {
        "source": [
            {
                "name": name, "kind": "table", "format": "csv", "files": [name], "key": ["Nr"],
                "entities": [
                    {"entity": "vital_status", "columns": {"status": {"constant": "alive"}}},
                    {"entity": "diagnosis", "columns": {**number, "tumour_size_cm": "cm"}},
                ],
            }
            for name, number in (("a", {"hospital_number": "Pat. \"Nr\""}), ("b", {}))
        ]
    }
)  # fmt: skip


def _rows(*rows: tuple[str, dict[str, str]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(name, json.dumps(values)) for name, values in rows], schema=["table_name", "values"], orient="row"
    )


def test_the_number_is_that_of_the_mapped_header():
    rows = _rows(
        ("a", {'Pat. "Nr"': " 12 ", "Nr": "9"}), ("a", {"Nr": "9"}), ("b", {"Nr": "9"}), ("gone", {"Nr": "9"})
    )
    assert numbers_in_rows(rows, SOURCES).to_list() == ["12", None, None, None]
