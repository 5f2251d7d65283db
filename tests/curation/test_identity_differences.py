"""Which differences of name, date of birth and sex contradict the person of a number."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import identity_differences as differences
from sarcoma_pipeline.curation.number_history import Holder, Question

MORE, LESS = "identity.contradiction", "identity.detail-differs"
BORN = dt.date(1950, 3, 4)
IDENTITY = {
    "_folded": pl.String, "birth_date": pl.Date, "family_names": pl.List(pl.String), "family_name": pl.String,
    "birth_date_precision": pl.String, "sex": pl.String, "reported_on": pl.Date, "place": pl.String,
    "record_id": pl.String, "given_names": pl.String,
}  # fmt: skip
MASTER = {"_folded": "mueller|anna", "birth_date": BORN, "family_names": ["mueller"], "sex": "female"}


def found(observed: pl.DataFrame) -> list[tuple[str, str]]:
    return observed.select("rule_id", "record_id").sort("rule_id", "record_id").rows()


@pytest.mark.parametrize(
    ("record", "rules"),
    [
        ({}, []),
        ({"_folded": "schmidt|anna", "family_names": ["schmidt"]}, [LESS]),
        ({"birth_date": dt.date(1951, 3, 4)}, [LESS]),
        ({"_folded": "schmidt|anna", "family_names": ["schmidt"], "birth_date": dt.date(1951, 3, 4)}, [MORE]),
        # What a record does not say contradicts nothing.
        ({"_folded": None, "birth_date": dt.date(1951, 3, 4)}, [LESS]),
        ({"_folded": "schmidt|anna", "family_names": ["schmidt"], "birth_date": None}, [LESS]),
        ({"_folded": None, "birth_date": None}, []),
        # A birth or former name is no other name; other given names are one.
        ({"_folded": "schmidt|anna", "family_names": ["mueller", "schmidt"]}, []),
        ({"_folded": "schmidt|anna", "family_names": ["mueller", "schmidt"],
          "birth_date": dt.date(1951, 3, 4)}, [LESS]),
        ({"_folded": "schmidt|eva", "family_names": ["mueller", "schmidt"]}, [LESS]),
        ({"_folded": "mueller|eva"}, [LESS]),
        ({"_folded": "mueller|eva", "birth_date": dt.date(1951, 3, 4)}, [MORE]),
    ],
)  # fmt: skip
def test_name_and_birth_of_a_record_are_compared_with_the_patient_of_its_number(record, rules):
    known = pl.DataFrame(
        [MASTER | {"person_ref": "number:1", "record_id": "r", "family_name": "F"} | record],
        schema=IDENTITY | {"person_ref": pl.String},
    )
    latest = pl.DataFrame([MASTER | {"patient_id": "number:1"}], schema=IDENTITY | {"patient_id": pl.String})
    assert found(differences.contradictions(known, latest)) == [(rule, "r") for rule in rules]


@pytest.mark.parametrize(
    ("older", "newest", "columns"),
    [
        ({"birth_date": dt.date(1950, 3, 5)}, {}, ["birth_date"]),
        ({"birth_date": dt.date(1950, 3, 3)}, {}, ["birth_date"]),
        ({"birth_date": dt.date(1950, 3, 15), "birth_date_precision": "month"}, {}, []),
        ({"birth_date": dt.date(1950, 4, 15), "birth_date_precision": "month"}, {}, ["birth_date"]),
        ({"birth_date": dt.date(1950, 2, 15), "birth_date_precision": "month"}, {}, ["birth_date"]),
        ({}, {"birth_date": dt.date(1950, 7, 1), "birth_date_precision": "year"}, []),
        ({}, {"birth_date": dt.date(1949, 7, 1), "birth_date_precision": "year"}, ["birth_date"]),
        # The first and the last day that a month may mean are days of it.
        ({"birth_date": dt.date(1950, 3, 1)},
         {"birth_date": dt.date(1950, 3, 15), "birth_date_precision": "month"}, []),
        ({"birth_date": dt.date(1950, 3, 31)},
         {"birth_date": dt.date(1950, 3, 15), "birth_date_precision": "month"}, []),
        ({"birth_date": None}, {}, []),
        ({"sex": "male"}, {}, ["sex"]),
        ({"sex": "unknown"}, {}, []),
        ({"sex": None}, {}, []),
        ({"sex": "male"}, {"sex": "unknown"}, []),
        ({"sex": "male", "birth_date": dt.date(1950, 3, 5)}, {}, ["birth_date", "sex"]),
    ],
)  # fmt: skip
def test_older_master_data_differ_where_no_day_or_sex_is_that_of_the_newest(older, newest, columns):
    schema = IDENTITY | {"person_ref": pl.String}
    rows = [
        MASTER | {"person_ref": "number:1", "record_id": "old"} | older,
        MASTER | {"person_ref": "number:1", "record_id": "new"} | newest,
    ]
    masters = pl.DataFrame(rows, schema=schema)
    latest = masters.tail(1).rename({"person_ref": "patient_id"})
    seen = differences.masters_differ(masters, latest).sort("column_name")
    assert seen.select("record_id", "column_name").rows() == [("old", column) for column in columns]


@pytest.mark.parametrize(
    ("before", "after", "columns"),
    [
        (Holder("1931-01-01", "male", ()), Holder("1950-03-04", "female", ()), ["birth_date", "sex"]),
        (Holder("1931-01-01", "female", ()), Holder("1950-03-04", "female", ()), ["birth_date"]),
        (Holder("1931-01-01", "", ()), Holder("1950-03-04", "female", ()), ["birth_date"]),
        (Holder("1931-01-01", "male", ()), Holder("", "female", ()), ["sex"]),
        (Holder("1931-01-01", "male", ("delivered",)), Holder("1950-03-04", "female", ()), []),
    ],
)
def test_a_number_formerly_had_each_value_that_is_another_now(before, after, columns):
    asked = [Question("number:1", before, after, "new", True)]
    assert differences.formerly(asked).select("record_id", "column_name").rows() == [
        ("new", column) for column in columns
    ]


@pytest.mark.parametrize(
    ("former", "was"),
    [
        ([{}], []),
        ([{"family_name": "Schmidt"}], ["Schmidt"]),
        ([{"given_names": "Eva"}], ["Müller"]),
        ([{"family_name": "MUELLER"}], []),
        ([{"family_name": "Schmidt", "birth_date": dt.date(1951, 3, 4)}], []),
        ([{"family_name": "Schmidt", "sex": "male"}], []),
        ([{"family_name": "Schmidt", "person_ref": "number:2"}], []),
        # The newest of the former names; one of an unknown day is the oldest.
        ([{"family_name": "Schmidt", "reported_on": dt.date(2018, 1, 1)},
          {"family_name": "Schulz", "reported_on": dt.date(2019, 1, 1)}], ["Schulz"]),
        ([{"family_name": "Schmidt", "reported_on": dt.date(2018, 1, 1)},
          {"family_name": "Schulz", "reported_on": None}], ["Schmidt"]),
    ],
)  # fmt: skip
def test_another_name_before_with_the_same_birth_and_sex_is_a_change_of_name(former, was):
    person = {"family_name": "Müller", "given_names": "Anna", "birth_date": BORN, "sex": "female"}
    rows = [
        person | {"person_ref": "number:1", "record_id": f"f{n}", "place": f"{n}"} | one
        for n, one in enumerate(former)
    ]
    latest = pl.DataFrame(
        [person | MASTER | {"patient_id": "number:1", "record_id": "new"}],
        schema=IDENTITY | {"patient_id": pl.String},
    )
    for some in (rows, rows[::-1]):
        frame = pl.DataFrame(some, schema=IDENTITY | {"person_ref": pl.String})
        assert differences.renamed(frame, latest)["value"].to_list() == was
    assert differences.renamed(None, latest).is_empty()
