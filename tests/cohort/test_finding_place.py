"""A finding of the cohort stands on the record that a steward would open first, never on a hash."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort import finding_place
from sarcoma_pipeline.quality.rule_catalogue import rules
from schemas.configuration import Sources

RULE = rules()["patient.value-implausible"]
SOURCES = Sources.model_validate(
    {
        "source": [
            {"name": "documentation", "kind": "obds", "files": ["o/*"]},
            {"name": "planning", "kind": "dicom", "files": ["d/*"]},
        ]
    }
)


def place(record: str, source: str | None, path: str, position: str) -> dict[str, str | None]:
    return {"record_id": record, "source": source, "path": path, "position": position}


FIRST = place("z", "documentation", "o/1.xml", "line 9")


@pytest.mark.parametrize(
    "other",
    [
        place("a", "planning", "a", "line 1"),
        place("a", None, "a", "line 1"),
        place("a", "documentation", "o/2.xml", "line 1"),
        place("a", "documentation", "o/1.xml", "line 10"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_source_file_and_position_decide_and_not_the_id(other, turned):
    rows = pl.DataFrame({"who": ["p"], "value": [7], "record_ids": [["z", "a"][:: -1 if turned else 1]]})
    found = finding_place.candidates(rows, "who", RULE, "cohort.patients", "value", pl.col("value"))
    assert found.height == 2
    places = pl.DataFrame([FIRST, other][:: -1 if turned else 1])
    (seen,) = finding_place.placed(found, places, SOURCES).rows(named=True)
    assert (seen["record_id"], seen["value"]) == ("z", "7")


def test_each_patient_and_column_has_a_finding_of_its_own_and_nobody_without_records_has_one():
    rows = pl.DataFrame(
        {"who": ["p", "q", "r"], "value": [1, 2, 3], "record_ids": [["z"], ["z", None], None]},
        schema_overrides={"record_ids": pl.List(pl.String)},
    )
    both = [finding_place.candidates(rows, "who", RULE, "t", column) for column in ("value", "other")]
    placed = finding_place.placed(pl.concat(both), pl.DataFrame([FIRST]), SOURCES)
    assert placed.select("record_id", "column_name").rows() == [
        ("z", "other"), ("z", "value"), ("z", "other"), ("z", "value"),
    ]  # fmt: skip
    nobody = finding_place.candidates(rows.clear(), "who", RULE, "t", "value")
    assert finding_place.placed(nobody, pl.DataFrame([FIRST]), SOURCES).is_empty()
