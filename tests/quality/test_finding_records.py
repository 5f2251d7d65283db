"""Each finding over several records shows both sides, with values, and says who won and why."""

import json

import polars as pl
import pytest

from sarcoma_pipeline.quality import finding_records, rule_catalogue
from schemas import received as r
from tests import both_sides
from tests.conftest import FILES, SOURCES


@pytest.fixture
def patient(records):
    records.patient()
    records.diagnosis(Menge_Weitere_Klassifikation='[{"Name": "FNCLCC", "Stadium": "G3"}]')
    return records


def _shown(records, rule):
    """Return record, role, column and value of the finding of a rule, and its findings."""
    import datetime as dt

    from sarcoma_pipeline.quality.curate import curate

    on = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})
    made = curate(records.frames, SOURCES, on, FILES)
    found, shown = both_sides.records_of(made, records.frames, FILES)
    one = found.filter(pl.col("rule_id") == rule)
    assert one.height == 1
    return shown.filter(pl.col("finding_id") == one["finding_id"].item())


@pytest.mark.parametrize("name", sorted(rule_catalogue.rules()))
def test_every_rule_over_several_records_names_its_sides_or_says_why_there_are_none(name):
    rule = rule_catalogue.rules()[name]
    if rule.scope in ("patient", "source"):
        assert bool(rule.sides) != bool(rule.alone)
    for side in rule.sides:
        assert side.table is None or side.table in rule_catalogue.CONTRACTS
        columns = rule_catalogue.CONTRACTS[side.table].polars_schema() if side.table else {}
        assert not side.table or set(side.columns) <= set(columns)


def test_a_date_of_death_is_shown_with_the_other_one_and_the_registry_office_won(patient):
    tumour_documentation = patient.meldung(r.ObdsDeath, Sterbedatum="2013-06-01")
    office = patient.reply(hospital_number="1", answer="verstorben", event_date="09.06.2013")
    dates = _shown(patient, "vital-status.death-date-conflict").filter(column_name="status_date")
    assert {row["record_id"]: (row["role"], row["value"]) for row in dates.to_dicts()} == {
        office: ("won", "2013-06-09"),
        tumour_documentation: ("lost", "2013-06-01"),
    }


def test_a_record_in_quarantine_lost_and_says_by_which_rule(patient):
    operation = patient.meldung(r.ObdsSurgery, Datum="2011-01-01", Intention="K", Module_ID="O1")
    sides = _shown(patient, "surgery.before-diagnosis")
    lost, won = sides.filter(role="lost"), sides.filter(role="won")
    assert lost["record_id"].to_list() == [operation]
    assert lost["why"].to_list() == ["in quarantine: surgery.before-diagnosis"]
    assert won["column_name"].to_list() == ["diagnosis_date"]


def test_two_records_that_are_both_used_are_won_by_neither(patient):
    early = patient.meldung(
        r.ObdsFollowUp,
        Module_ID="V1",
        Untersuchungsdatum_Verlauf="2011-12-01",
        Gesamtbeurteilung_Tumorstatus="V",
    )
    sides = _shown(patient, "assessment.before-diagnosis")
    assert set(sides["role"]) == {"other"}
    assert early in sides["record_id"].to_list() and sides.height == 2


def test_roles_do_not_depend_on_how_many_records_are_asked_about_together(patient, monkeypatch):
    patient.meldung(r.ObdsSurgery, Datum="2011-01-01", Intention="K", Module_ID="O1")
    patient.meldung(
        r.ObdsFollowUp,
        Module_ID="V1",
        Untersuchungsdatum_Verlauf="2011-12-01",
        Gesamtbeurteilung_Tumorstatus="V",
    )
    rules = ("surgery.before-diagnosis", "assessment.before-diagnosis")
    together = [_shown(patient, rule) for rule in rules]
    monkeypatch.setattr(finding_records, "_RECORDS", 1)
    assert all(one.equals(_shown(patient, rule)) for one, rule in zip(together, rules, strict=True))
    assert {role for one in together for role in one["role"]} == {"lost", "won", "other"}


def test_a_near_match_names_the_patient_and_shows_in_what_they_differ_without_a_name(patient):
    reply = patient.reply(
        family_name="Müllers", given_names="Anna", birth_date="04.03.1950", sex="w", answer="lebt"
    )
    sides = _shown(patient, "identity.near-match")
    known = sides.filter(~pl.col("at_fault"))
    assert set(known["pseudonym"]) == {"number:1"}
    values = {(row["record_id"], row["column_name"]): row["value"] for row in sides.to_dicts()}
    other = known["record_id"][0]
    assert values[reply, "family_name"] == "xxxxxxx" and values[other, "family_name"] == "xxxxxx"
    assert values[reply, "birth_date"] == "9999-99-99"
    assert "Müller" not in json.dumps(sides.to_dicts(), ensure_ascii=False)


def test_a_missing_value_contradicts_nothing(patient):
    patient.meldung(r.ObdsDeath, Sterbedatum="2013-06-01")
    patient.meldung(r.ObdsFollowUp, Module_ID="V1", Untersuchungsdatum_Verlauf="2014-01-01",
                    Gesamtbeurteilung_Tumorstatus="V")  # fmt: skip
    sides = _shown(patient, "assessment.after-death")
    assert sides.filter(pl.col("value").is_null() & pl.col("column_name").is_not_null()).is_empty()
    assert set(sides["role"]) == {"lost", "won"}


def test_the_records_are_the_same_whatever_the_order_of_rows(patient):
    patient.meldung(r.ObdsDeath, Sterbedatum="2013-06-01")
    patient.reply(hospital_number="1", answer="verstorben", event_date="09.06.2013")
    before = _shown(patient, "vital-status.death-date-conflict")
    for table, frame in patient.frames.items():
        patient.frames[table] = frame.reverse()
    assert _shown(patient, "vital-status.death-date-conflict").equals(before)
