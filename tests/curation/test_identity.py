"""Linking: by number, else by name, date of birth and sex; near-matches are findings, never merges."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import identity, identity_numbers
from schemas import received as r
from tests.conftest import Records


def _reply(records, **values):
    records.patient()
    records.diagnosis()
    return records.reply(answer="lebt", answered_on="01.06.2015", **values)


def test_a_reply_with_the_number_is_linked(records):
    _reply(records, hospital_number="1")
    outcome = records.run()
    assert outcome.rules() == set()
    assert outcome["vital_status"]["last_alive_day"].to_list() == [1247]


def test_a_reply_without_a_number_is_linked_by_exact_name_birth_and_sex(records):
    _reply(records, family_name=" MÜLLER ")
    assert records.run().rules() == set()


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"family_name": "Mueller"}, "identity.near-match"),
        ({"family_name": "Müller-Weber"}, "identity.near-match"),
        ({"birth_date": "03.04.1950"}, "identity.near-match"),
        ({"family_name": "Schmidt"}, "identity.no-patient"),
        ({"sex": "m"}, "identity.near-match"),
        ({"hospital_number": "77"}, "identity.no-patient"),
        (
            {"hospital_number": "1", "family_name": "Schmidt", "birth_date": "01.01.1931"},
            "identity.contradiction",
        ),
    ],
)
def test_what_does_not_fit_exactly_is_quarantined_and_found(records, values, rule):
    reply = _reply(records, **values)
    outcome = records.run()
    assert outcome.rules() == {rule}
    assert outcome.quarantined == {reply}
    assert outcome["vital_status"]["last_alive_day"].to_list() == [0]


def test_a_change_of_name_under_the_same_number_is_a_warning_only(records):
    _reply(records, hospital_number="1", family_name="Schmidt")
    outcome = records.run()
    assert outcome.rules() == {"identity.detail-differs"}
    assert outcome.quarantined == set()


def test_twins_of_name_and_birth_are_never_merged(records):
    records.patient("1")
    records.patient("2")
    records.reply(answer="lebt", answered_on="01.06.2015")
    outcome = records.run()
    assert outcome.rules() == {"identity.two-numbers", "identity.ambiguous"}
    assert outcome["patient"].height == 2


@pytest.mark.parametrize("number", ["01", "1.0", "0 1", "001.00"])
def test_a_number_in_another_form_is_a_near_match_where_name_birth_and_sex_agree(records, number):
    reply = _reply(records, hospital_number=number)
    outcome = records.run()
    assert outcome.rules() == {"identity.near-match"}
    assert outcome.quarantined == {reply}
    assert "another form" in outcome.observed["note"][0]


@pytest.mark.parametrize(
    "values", [{"family_name": "Mueller"}, {"birth_date": None}, {"sex": "m"}, {"given_names": None}]
)
def test_a_number_in_another_form_alone_is_found_and_not_linked(records, values):
    reply = _reply(records, hospital_number="01", **values)
    outcome = records.run()
    assert outcome.rules() == {"identity.number-differs-in-form"}
    assert outcome.quarantined == {reply}


def test_of_two_records_in_another_form_the_one_that_agrees_is_near(records):
    first = _reply(records, hospital_number="01")
    second = records.reply(
        answer="lebt", answered_on="01.06.2016", hospital_number="01", family_name="Schmidt"
    )
    outcome = records.run()
    assert outcome.rules() == {"identity.near-match", "identity.number-differs-in-form"}
    assert outcome.quarantined == {first, second}


def test_a_number_that_two_patients_have_in_other_forms_is_not_linked(records):
    records.patient("17")
    records.patient("0017", family="Schmidt")
    reply = records.reply(answer="lebt", answered_on="01.06.2015", hospital_number="1 7")
    outcome = records.run()
    assert outcome.rules() == {"identity.numbers-alike", "identity.number-differs-in-form"}
    assert outcome.quarantined == {reply}


@pytest.mark.parametrize(
    ("others", "note"),
    [
        (["Meyer"], "one letter of the family name differs"),
        (["Meyer", "Meier"], "one letter of the family name differs; 1 other patients are near as well"),
        (
            ["Meyer", "Meier", "Mever"],
            "one letter of the family name differs; 2 other patients are near as well",
        ),
    ],
)
def test_a_near_match_says_how_many_other_patients_are_near(records, others, note):
    for number, family in enumerate(others, start=1):
        records.patient(str(number), family=family)
    records.reply(answer="lebt", answered_on="01.06.2015", family_name="Meser")
    seen = identity.link(records.typed()).observed.filter(rule_id="identity.near-match")
    assert seen["note"].to_list() == [note]


def test_blanks_around_a_number_are_no_difference(records):
    _reply(records, hospital_number=" 1 ")
    assert records.run().rules() == set()


def test_two_patients_whose_numbers_differ_in_form_only_are_told(records):
    records.patient("17")
    records.patient("0017", family="Schmidt")
    outcome = records.run()
    assert outcome.rules() == {"identity.numbers-alike"}
    assert outcome["patient"].height == 2


@pytest.mark.parametrize(("filed", "told"), [
    ("von Müller", "Müller"), ("Müller", "Dr. von Müller"), ("Müller", "Müller, von"),
    ("Müller", "MÜLLER VON DER"), ("v. d. Müller", "Müller, von der"), ("Freiherr von Müller", "Müller"),
])  # fmt: skip
def test_a_name_prefix_on_one_side_links_when_all_else_agrees(records, filed, told):
    records.patient(family=filed)
    records.diagnosis()
    records.reply(answer="lebt", answered_on="01.06.2015", family_name=told)
    assert records.run().rules() == set()


@pytest.mark.parametrize("given", ["Anna von", "Dr. Anna", "Anna, Freifrau v."])
def test_a_name_prefix_with_the_given_names_links(records, given):
    records.patient()
    records.diagnosis()
    records.reply(answer="lebt", answered_on="01.06.2015", given_names=given)
    assert records.run().rules() == set()


@pytest.mark.parametrize(
    ("master", "reply"),
    [
        # The office knows the name of before the marriage, or names it itself.
        ({"family": "Neumann", "Geburtsname": "Müller"}, {"family_name": "Müller"}),
        ({"family": "Neumann", "Menge_Frueherer_Name": '["Schulz", "Müller"]'}, {"family_name": "Müller"}),
        ({}, {"family_name": "Neumann", "birth_name": "Müller"}),
        ({}, {"family_name": "Neumann", "former_names": "Schulz, von Müller"}),
        # Both have changed their name since.
        (
            {"family": "Neumann", "Geburtsname": "Müller"},
            {"family_name": "Schulz", "birth_name": "Dr. Müller"},
        ),
    ],
)
def test_a_birth_or_former_name_links_when_all_else_agrees(records, master, reply):
    records.patient(**master)
    records.diagnosis()
    records.reply(answer="lebt", answered_on="01.06.2015", **reply)
    outcome = records.run()
    assert outcome.rules() == set() and outcome.quarantined == set()
    assert outcome["vital_status"]["last_alive_day"].to_list() == [1247]
    methods = set(outcome.link["method"])
    assert "birth or former name, date of birth and sex" in methods


@pytest.mark.parametrize(
    "values",
    [
        {"family_name": "Neumann", "birth_name": "Müller", "sex": "m"},
        {"family_name": "Neumann", "birth_name": "Müller", "birth_date": "05.03.1950"},
        {"family_name": "Neumann", "birth_name": "Müller", "given_names": "Ottilie"},
        {"family_name": "Neumann", "birth_name": "Schmidt"},
        {"family_name": "Neumann", "birth_name": ""},
    ],
)
def test_a_birth_name_links_nobody_in_whom_anything_differs(records, values):
    records.patient()
    records.diagnosis()
    reply = records.reply(answer="lebt", answered_on="01.06.2015", **values)
    outcome = records.run()
    assert outcome.quarantined == {reply}


def test_a_birth_name_of_two_patients_is_ambiguous(records):
    records.patient("1")
    records.patient("2", family="Schulz", Geburtsname="Müller")
    records.reply(answer="lebt", answered_on="01.06.2015", family_name="Neumann", birth_name="Müller")
    assert "identity.ambiguous" in records.run().rules()


def test_a_birth_name_under_the_same_number_is_no_difference(records):
    _reply(records, hospital_number="1", family_name="Neumann", birth_name="Müller")
    assert records.run().rules() == set()


def unlinked(records: Records) -> list[tuple[str, str, str]]:
    seen = identity.link(records.typed()).observed
    return seen.select("rule_id", "record_id", "table_name").rows()


def plan(records: Records, number: str | None, **values: str | None) -> str:
    return records.add(r.DicomPlan, PatientID=number, SOPInstanceUID="1.2", Modality="RTPLAN", **values)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("1", []),
        ("77", [("identity.no-patient", "typed.plan")]),
        ("01", [("identity.number-differs-in-form", "typed.plan")]),
        # Without a PatientID the name is looked up, and a phantom is nobody.
        (None, [("identity.no-patient", "typed.person")]),
        ("QA_phantom", []),
    ],
)
def test_a_plan_of_nobody_has_one_finding(records, number, told):
    records.patient()
    one = plan(records, number)
    assert unlinked(records) == [(rule, one, table) for rule, table in told]


def test_phantoms_are_out_of_scope_once(records):
    records.patient()
    one, _ = plan(records, "QA_phantom"), plan(records, "1")
    told = identity.link(records.typed()).disposition
    assert told.select("record_id", "disposition").rows() == [(one, "out of scope")]


def test_a_reply_of_nobody_has_one_finding_though_it_names_a_person_and_a_status(records):
    records.patient()
    one = records.reply(answer="lebt", answered_on="01.06.2015", hospital_number="77")
    assert [(rule, record) for rule, record, _ in unlinked(records)] == [("identity.no-patient", one)]


@pytest.mark.parametrize(
    "days", [("2019-01-01", "2020-01-01"), (None, "2020-01-01"), ("2020-01-01", "2019-01-01")]
)
def test_the_newest_master_data_are_the_patients_and_those_without_a_day_are_the_oldest(records, days):
    for family, day in zip(("Schmidt", "Müller"), days, strict=True):
        records.patient(family=family, Meldedatum=day)
    newest = "Müller" if days[1] == "2020-01-01" else "Schmidt"
    other = records.reply(
        answer="lebt", answered_on="01.06.2015", hospital_number="1",
        family_name="Schmidt" if newest == "Müller" else "Müller",
    )  # fmt: skip
    records.reply(answer="lebt", answered_on="01.06.2016", hospital_number="1", family_name=newest)
    assert [(rule, record) for rule, record, _ in unlinked(records)] == [("identity.detail-differs", other)]


def test_two_numbers_are_one_name_birth_and_sex_and_what_is_unknown_is_not_the_same():
    who = {"_name": "Meyer|Anna", "birth_date": dt.date(1950, 3, 4), "sex": "female"}
    other = {"_name": "Schmidt|Eva", "birth_date": dt.date(1950, 3, 4), "sex": "female"}
    for unknown in ("_name", "birth_date", "sex", None):
        rows = [who | ({unknown: None} if unknown else {}) for _ in range(2)]
        named = [one | {"patient_id": f"number:{n}"} for n, one in enumerate((*rows, other))]
        schema = {"_name": pl.String, "birth_date": pl.Date, "sex": pl.String, "patient_id": pl.String}
        twins = identity_numbers.twins(pl.DataFrame(named, schema=schema))["patient_id"].to_list()
        assert twins == ([] if unknown else ["number:0", "number:1"]), unknown
