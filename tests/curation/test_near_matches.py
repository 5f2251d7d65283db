"""Near matches: how near and to whom, and nobody who merely has the same name."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation.near_matches import near_matches, number_form, without_prefix, without_title

KNOWN = {
    "family_name": "Hoffmann",
    "given_names": "Anna Maria",
    "birth_date": dt.date(1951, 4, 11),
    "sex": "female",
}
SCHEMA = {"family_name": pl.String, "given_names": pl.String, "birth_date": pl.Date, "sex": pl.String}


def _near(person: dict, *patients: dict) -> list[tuple]:
    one = pl.DataFrame([{**KNOWN, **person}], schema=SCHEMA).with_columns(record_id=pl.lit("r"))
    known = pl.DataFrame([{**KNOWN, **p} for p in patients or ({},)], schema=SCHEMA)
    known = known.with_row_index("patient_id").with_columns(pl.col("patient_id").cast(pl.String))
    return near_matches(one, known).select("patient_id", "candidates", "why").rows()


@pytest.mark.parametrize(
    ("person", "why"),
    [
        ({"family_name": "Hofmann"}, "one letter of the family name differs"),
        ({"family_name": "Hoffamnn"}, "one letter of the family name differs"),
        ({"family_name": "Hoffmann-Lange"}, "a part of a double name"),
        ({"given_names": "Ana Maria"}, "one letter of the given names differs"),
        ({"given_names": "Anna"}, "one given name more"),
        ({"birth_date": dt.date(1951, 11, 4)}, "day and month of birth are transposed"),
        ({"birth_date": dt.date(1951, 4, 17)}, "one digit of the date of birth differs"),
        ({"birth_date": dt.date(1938, 4, 11)}, "day, month or year of birth differs"),
        ({"sex": None}, "the sex is missing"),
        ({"sex": "unknown"}, "the sex is missing"),
        ({"sex": "male"}, "the sex differs"),
        ({"family_name": "Hofmann", "given_names": "Anna"},
         "one letter of the family name differs; one given name more"),
        ({"family_name": "Hofmann", "birth_date": dt.date(1951, 4, 1), "sex": None},
         "one letter of the family name differs; one digit of the date of birth differs; the sex is missing"),
    ],
)  # fmt: skip
def test_up_to_two_small_errors_are_near(person, why):
    assert _near(person) == [("0", 1, why)]


@pytest.mark.parametrize(
    "person",
    [
        {"family_name": "Schmidt"},
        {"given_names": "Berta"},
        {"birth_date": dt.date(1938, 5, 11)},
        {"birth_date": None},
        {"family_name": None},
        # Three small errors.
        {"family_name": "Hofmann", "given_names": "Anna", "birth_date": dt.date(1951, 4, 17)},
        {"family_name": "Hofmann", "given_names": "Anna", "sex": "male"},
        # Two letters in one field.
        {"family_name": "Hofman"},
    ],
)
def test_what_differs_more_is_nobody(person):
    assert _near(person) == []


def test_the_nearest_is_named_and_the_others_are_counted_whatever_their_order():
    near = {"given_names": "Anna"}
    for patients in ([{}, near], [near, {}]):
        found = _near({"family_name": "Hofmann"}, *patients)
        assert found == [(str(patients.index({})), 2, "one letter of the family name differs")]


def test_a_spelling_with_umlauts_written_out_is_near():
    assert _near({"family_name": "Mueller"}, {"family_name": "Müller"}) == [
        ("0", 1, "the names are spelled differently")
    ]


@pytest.mark.parametrize(
    ("name", "bare"),
    [("von Berg", "berg"), ("Prof. Dr. von der Heide", "heide"), ("Vonberg", "vonberg"), ("Zu", "zu"),
     ("van den Berg", "berg"), ("Berg", "berg"), ("Berg, von", "berg"), ("BERG VON DER", "berg"),
     ("Heide (v. d.)", "heide"), ("v.d. Heide", "heide"), ("v. Berg", "berg"), ("Freiherr von Berg", "berg"),
     ("Berg, Frhr. v.", "berg"), ("Graf von und zu Berg", "berg"), ("Berg, Graf", "berg"), ("Graf", "graf"),
     ("von Graf", "graf"), ("Graf, von", "graf"), ("Le Van", "le van"), ("Berg-von Heide", "berg-von heide"),
     ("Müller v. Berg", "müller v berg"), ("Vandenberg", "vandenberg"), ("  ", ""), (None, None)],
)  # fmt: skip
def test_titles_and_prefixes_do_not_count(name, bare):
    assert pl.select(without_prefix(pl.lit(name, pl.String))).item() == bare


@pytest.mark.parametrize(
    ("names", "bare"),
    [("Toni", "toni"), ("Toni von", "toni"), ("Toni Freiherr v.", "toni"), ("Dr. Toni", "toni"),
     ("Toni van der", "toni"), ("Thi Van", "thi van"), ("Maria La", "maria la"), ("Graf", "graf"),
     ("Dr. Dr.", "dr"), (" ", ""), (None, None)],
)  # fmt: skip
def test_a_prefix_behind_the_given_names_does_not_count(names, bare):
    assert pl.select(without_title(pl.lit(names, pl.String))).item() == bare


@pytest.mark.parametrize(
    ("number", "form"),
    [("0075901", "75901"), ("759040.0", "759040"), ("739 020", "739020"), ("7-39/020", "739020"),
     ("000", None), ("A0012", "a0012"), (" 5 ", "5"), ("100", "100"), ("", None)],
)  # fmt: skip
def test_the_form_of_a_number(number, form):
    assert pl.select(number_form(pl.lit(number))).item() == form
