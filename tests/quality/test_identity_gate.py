"""What the identity gate lets out: known words, short numbers, codes; nothing that could name anybody."""

import datetime as dt
import random

import polars as pl
import pytest

from sarcoma_pipeline.quality.identity_gate import IdentityGate, known_words, printable, texts
from sarcoma_pipeline.quality.rule_catalogue import catalogue

PERSONS = pl.DataFrame(
    {
        "hospital_number": ["4711", "40627116"],
        "family_name": ["Nord", "Wölpgrund-Bärg"],
        "given_names": ["Bernd", "Änne"],
        "birth_date": [dt.date(1950, 3, 12), dt.date(1939, 12, 10)],
    }
)
GATE = IdentityGate(known_words([PERSONS]), ("verstorben", "Tumorgröße (cm)", "obds/*.xml"), ("nord", "sued"))


@pytest.mark.parametrize(
    "value",
    [
        "documented 64, prescribed 60", "1: 50 Gy in 25 (the plan was not treated)", "15 of 30 fractions",
        "A, 25 of 25 fractions", "T2b", "pT1a", "G3", "R0", "9042/3", "C49.2", "5-852.a1", "12,x",
        "4,5 / 5,0", "310.0", "5040", "50Gy", "verstorben", "deceased, date unknown", "UNAPPROVED", "false",
        "Q", "-3",
    ],
)  # fmt: skip
def test_clinical_values_pass(value):
    assert GATE.value(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "Nord", "NORD", "Woelpgrund", "Wolpgrund", "wölpgrund", "Wo\u0308lpgrund", "Änne Bärg", "B. Nord",
        "Schmidt", "Will Young", "E.K.", "E K", "verschollen",
        "1950-03-12", "12.03.1950", "12.3.50", "19500312", "12031950", "12/03/50", "12-03-1950", "12 03 1950",
        "12, 03, 1950", "2029-06-01", "03.1950 4711",
        "4711", "40627116", "0040627116", "40 627 116", "406-271-16", "4 0 6 2 7 1 1 6", "40627116a",
        "zq17xk",
    ],
)  # fmt: skip
def test_names_dates_and_numbers_show_their_shape_only(value):
    shown = GATE.value(value)
    assert not set(shown) & (set(value) - set("x9") - set(" .,/-"))
    assert GATE.value(shown) == shown


def test_a_part_of_a_sentence_is_hidden_and_the_rest_is_not():
    assert GATE.value("documented 64, prescribed by Schmidt") == "documented 64, prescribed by xxxxxxx"
    assert GATE.value("C49.2 against 12.03.1950") == "C49.2 against 99.99.9999"


def test_a_known_word_that_is_a_patients_name_is_hidden():
    assert IdentityGate(frozenset(), (), ("nord",)).path("obds/nord.xml", "f") == "obds/nord.xml"
    assert GATE.path("obds/nord.xml", "0123456789abcdef") == "obds/••• (file 0123456789ab)"
    assert GATE.path("obds/sued.xml", "0123456789abcdef") == "obds/sued.xml"


@pytest.mark.parametrize(
    "name",
    ["tudok-20211230.xml", "tudok_2021-12-30.xml", "Müller.xml", "4711.xml", "40627116_1.xml", "x1.xml"],
)
def test_a_file_whose_name_may_name_somebody_is_shown_by_its_id(name):
    shown = GATE.path(f"obds/{name}", "0123456789abcdef")
    assert shown == "obds/••• (file 0123456789ab)"
    assert GATE.path(shown, None) == shown


def test_years_and_counters_in_names_of_files_pass():
    assert GATE.path("obds/tudok_2009-2012.xml", "f") == "obds/tudok_2009-2012.xml"
    assert GATE.path("obds/export 12.xml", "f") == "obds/export 12.xml"


def test_positions_keep_lines_and_known_elements():
    place = "line 14330 /oBDS/Menge_Patient/Patient[42]/Menge_Meldung/Meldung[7]"
    assert GATE.position(place) == place
    assert GATE.position("sheet Müller, row 7") == "sheet •••, row 7"
    assert GATE.position("line 3 /oBDS/zq17xk[2]") == "line 3 /oBDS/•••[2]"
    assert GATE.position("record 40627116") == "record 99999999"


def test_only_columns_that_are_known_are_named():
    assert GATE.column("diagnosis_date") == "diagnosis_date"
    assert GATE.column("Tumorgröße (cm)") == "Tumorgröße (cm)"
    assert GATE.column("Frau Schmidt") == "•••"


def test_a_steward_may_write_words_but_no_patient():
    assert GATE.remark("Asked the ward, 12.12.2024.") == "Asked the ward, 12.12.2024."
    assert GATE.remark("Frau Wölpgrund, born 10.12.1939") == "Frau xxxxxxxxx, born 10.12.1939"


def test_missing_values_stay_missing():
    frame = pl.DataFrame(
        {"path": [None], "file_id": [None], "position": [None], "column_name": [None], "value": [None]},
        schema=dict.fromkeys(("path", "file_id", "position", "column_name", "value"), pl.String),
    )
    assert GATE.frame(frame).equals(frame)


def test_control_characters_are_written_out():
    assert printable("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"


def test_the_gate_knows_keys_and_values_of_a_configuration():
    assert set(texts({"a": {"b": ["c", {"d": "e"}]}, "n": 1})) == {"a", "b", "c", "d", "e", "n"}


def test_a_note_is_a_sentence_of_the_program_without_the_names_of_patients():
    names = PERSONS["family_name"].drop_nulls().to_list()
    frame = pl.DataFrame(
        {"path": ["a.xml"], "position": ["line 1"], "column_name": ["family_name"], "value": [None],
         "note": [f"the names are spelled differently: {names[0]}"], "file_id": ["f"]},
        schema_overrides={"value": pl.String},
    )  # fmt: skip
    shown = GATE.frame(frame)["note"][0]
    assert shown.startswith("the names are spelled differently: ") and names[0] not in shown


def test_words_of_the_rules_pass_as_they_are_read_from_the_warehouse():
    rules = catalogue().select("rule_id", "what", "remedy")
    words = {w for w in " ".join(rules["remedy"]).split() if w.isascii() and w.isalpha() and w.islower()}
    shown = [
        {word for word in words if IdentityGate(frozenset(), rules=given).value(word) == word}
        for given in (None, rules, rules.clear())
    ]
    assert shown[0] == shown[1] == words
    # Without the rules only the words of contracts and vocabularies pass.
    assert shown[2] < words


def _random_texts(seed):
    """Texts of what occurs in paths and positions: words, numbers of any length, signs, odd characters."""
    draw = random.Random(seed)
    pieces = (
        "nord", "Nord", "obds", "tudok", "zq", "sheet", "row", "line", "x1", "Müller", "•••", "\u202e", "\n",
        "٣", "0", "7", "12", "03", "1950", "2009", "12345", "1234567", "12345678", " (file ", "0123456789ab)",
        "/", "/", "/", ".", "-", "_", " ", " ", "[", "]", ",",
    )  # fmt: skip
    return ["".join(draw.choices(pieces, k=draw.randint(0, 9))) for _ in range(400)]


@pytest.mark.parametrize("seed", range(5))
def test_columns_of_places_are_shown_as_each_of_their_texts(seed):
    some = [*_random_texts(seed), None]
    frame = pl.DataFrame({"path": some, "position": some[::-1]}).with_columns(
        file_id=pl.Series(random.Random(seed).choices(["0123456789abcdef", "", None], k=len(some)))
    )
    frame = pl.concat([frame, frame.head(50)])
    shown = GATE.places(frame)
    rows = frame.iter_rows(named=True)
    assert shown["path"].to_list() == [r["path"] and GATE.path(r["path"], r["file_id"]) for r in rows]
    assert shown["position"].to_list() == [p and GATE.position(p) for p in frame["position"]]


@pytest.mark.parametrize("seed", range(20))
def test_places_depend_only_on_some_of_the_names(seed):
    draw = random.Random(seed)
    words = (
        "Nord",
        "Müller",
        "muller",
        "obds",
        "Straße",
        "STRASSE",
        "sheet",
        "٣",
        "7",
        "1950",
        "x1",
        "nord12",
    )
    some = [
        *_random_texts(seed),
        *("".join(draw.choices((*words, "/", "/", " ", "_", "-"), k=5)) for _ in range(400)),
    ]
    named = draw.sample((*words, "12345", "zq", "1234567", "Süd-Nord", "0", "12", "page", "2009-12-30"), 8)
    known = known_words([pl.DataFrame({"family_name": named})])
    configured, listed = ["Nord", "Straße", "sheet", "müller"], ["x", "zq"]
    gate = IdentityGate(known, configured, listed)
    frame = pl.DataFrame({"path": some, "position": some[::-1], "file_id": "f" * 32})
    shown = gate.places(frame)
    assert shown.equals(IdentityGate(gate.names_in_places(), configured, listed).places(frame))
    assert not shown.equals(IdentityGate(frozenset(), configured, listed).places(frame))
    assert {"12345", "1234567", "20091230"}.isdisjoint(gate.names_in_places())
