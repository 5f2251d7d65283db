"""Coverage of the queries to registry offices: asked, answered, known, and when."""

import datetime as dt

import polars as pl

from sarcoma_pipeline.quality import registry_coverage

STATEMENTS = pl.DataFrame(
    {
        "record_id": ["a", "b", "c", "d", "x"],
        "source": ["registry office"] * 4 + ["oBDS"],
        "person_ref": ["number:1", "number:2", "record:c", "number:3", "number:4"],
        "status": ["alive", "no information", "deceased", None, "alive"],
        "reported_on": [
            dt.date(2020, 2, 1),
            dt.date(2020, 2, 3),
            None,
            dt.date(2021, 1, 1),
            dt.date(2022, 1, 1),
        ],
    }
)
REPLIES = pl.DataFrame({"record_id": ["a", "b", "c", "d"], "file_id": ["F", "F", "F", "G"]})
FILES = pl.DataFrame({"file_id": ["F", "G"], "path": ["north.csv", "south.csv"]})
LINK = pl.DataFrame({"person_ref": ["number:1", "number:2", "number:4"], "patient_id": ["1", "2", "4"]})
PATIENTS = pl.DataFrame({"patient_id": ["1", "2", "4"]})
TABLES = {
    "typed.vital_status": STATEMENTS,
    "received.registry_reply": REPLIES,
    "curated.link": LINK,
    "curated.patient": PATIENTS,
}


def test_each_file_is_counted():
    found = registry_coverage.coverage(STATEMENTS, REPLIES, FILES, LINK)
    assert found.rows() == [
        ("north.csv", 3, 2, 2, "2020-02-01", "2020-02-03"),
        ("south.csv", 1, 0, 0, "2021-01-01", "2021-01-01"),
    ]


def test_in_words_and_who_was_never_asked():
    told = registry_coverage.described(TABLES, FILES)
    assert told == [
        "north.csv: 3 asked, 2 answered, 2 known patients; as of 2020-02-01 to 2020-02-03",
        "south.csv: 1 asked, 0 answered, 0 known patients; as of 2021-01-01",
        "no reply about 1 of 3 patients",
    ]


def test_a_study_without_replies_says_nothing():
    assert registry_coverage.described({**TABLES, "received.registry_reply": REPLIES.clear()}, FILES) == []
