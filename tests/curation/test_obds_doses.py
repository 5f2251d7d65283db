"""Doses, activities and what else an oBDS irradiation says, as it is typed."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import obds
from schemas import received as r
from schemas import typed

UNIT, UNREADABLE = "radiotherapy.unit-unexpected", "value.number-unreadable"


def read(contract, typed_contract, **values):
    """The one typed row, and the rules that its reading breaks by column."""
    received = contract.conform(
        pl.DataFrame([{"record_id": "r", **values}], schema=contract.polars_schema())
    ).with_columns(received_on=pl.lit(dt.date(2021, 1, 1)))
    ((made, seen),) = [
        (made, seen)
        for one, made, seen in obds.typed_frames(contract.table(), received)
        if one is typed_contract
    ]
    return made.row(0, named=True), set(seen.select("rule_id", "column_name").rows())


@pytest.mark.parametrize("column", ["Gesamtdosis", "Einzeldosis"])
@pytest.mark.parametrize(
    ("kind", "dose", "unit", "gray", "rules"),
    [
        ("Perkutan", "50", "Gy", 50.0, []),
        ("Perkutan", "50", " gy", 50.0, []),
        ("Perkutan", "50", None, 50.0, []),
        ("Perkutan", "5000", "cGy", 50.0, [UNIT]),
        ("Perkutan", "50", "rad", None, [UNREADABLE]),
        ("Perkutan", "viel", "Gy", None, [UNREADABLE]),
        ("Perkutan", "viel", None, None, [UNREADABLE]),
        ("Perkutan", None, "cGy", None, []),
        # An activity is no dose, whatever the other field says.
        ("Metabolisch", "7.4", "GBq", None, []),
        ("Metabolisch", "7.4", "Gy", None, []),
        ("Perkutan", "7.4", "GBq", None, []),
        (None, "50", "Gy", 50.0, []),
        (None, "7.4", "MBq", None, []),
    ],
)
def test_a_dose_is_in_gray_and_no_activity(column, kind, dose, unit, gray, rules):
    told = {"Applikationsart": kind, column: dose, f"{column}_Einheit": unit}
    row, found = read(r.ObdsRadiotherapy, typed.Radiotherapy, **told)
    name = {"Gesamtdosis": "prescribed_dose_gy", "Einzeldosis": "single_dose_gy"}[column]
    assert row[name] == (None if gray is None else pytest.approx(gray))
    assert {rule for rule, of in found if of == name} == set(rules)


@pytest.mark.parametrize(
    ("kind", "dose", "unit", "becquerel", "faulty"),
    [
        ("Metabolisch", "7.4", "GBq", 7.4, False),
        ("Metabolisch", "7400", "MBq", 7.4, True),
        ("Metabolisch", "7400000", "kBq", 7.4, True),
        ("Metabolisch", "7.4", None, None, True),
        ("Metabolisch", "7.4", "Gy", None, True),
        ("Metabolisch", None, "MBq", None, False),
        ("Perkutan", "50", "Gy", None, False),
        (None, "50", None, None, False),
    ],
)
def test_an_activity_is_in_gigabecquerel_and_needs_its_unit(kind, dose, unit, becquerel, faulty):
    told = {"Applikationsart": kind, "Gesamtdosis": dose, "Gesamtdosis_Einheit": unit}
    row, found = read(r.ObdsRadiotherapy, typed.Radiotherapy, **told)
    assert row["activity_gbq"] == (None if becquerel is None else pytest.approx(becquerel))
    assert ((UNIT, "activity_gbq") in found) is faulty


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, {"irradiated": False, "stereotactic": None, "with_chemotherapy": None, "radiation": None}),
        ({"Beginn": "2012-02-01"}, {"irradiated": True}),
        ({"Ende": "2012-02-01"}, {"irradiated": True}),
        ({"Gesamtdosis": "50"}, {"irradiated": True}),
        ({"Applikationsart": "Perkutan"}, {"irradiated": True, "stereotactic": False}),
        ({"Applikationsart": "Perkutan", "Stereotaktisch": "ST "}, {"stereotactic": True}),
        ({"Applikationsart": "Kontakt", "Stereotaktisch": "ST"}, {"stereotactic": None}),
        ({"Radiochemo": "RCJ"}, {"with_chemotherapy": True}),
        ({"Radiochemo": " RCN"}, {"with_chemotherapy": False}),
        ({"Applikationsart": "Metabolisch"}, {"radiation": "radionuclide"}),
        ({"position": "line 3 /ST/Menge_Bestrahlung/Bestrahlung[12]"}, {"part": 12}),
        ({"position": "line 3 /ST"}, {"part": None}),
        ({"Patient_ID": " 7 "}, {"person_ref": "number:7"}),
        ({"Patient_ID": None}, {"person_ref": "record:r"}),
    ],
)
def test_what_an_irradiation_says(values, expected):
    row, _ = read(r.ObdsRadiotherapy, typed.Radiotherapy, **values)
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("kind", "given", "chemotherapy"),
    [("CH", "yes", True), ("CIZ ", "yes", True), ("HO", "yes", False), ("WW", "no", False),
     ("AS", "no", False), ("WS ", "no", False), (None, "yes", None)],
)  # fmt: skip
def test_surveillance_is_no_therapy(kind, given, chemotherapy):
    row, _ = read(r.ObdsSystemicTherapy, typed.SystemicTherapy, Therapieart=kind)
    assert (row["given"], row["chemotherapy"]) == (given, chemotherapy)


@pytest.mark.parametrize(("day", "status"), [("2014-01-01", "deceased"), (None, "deceased, date unknown")])
def test_a_death_without_its_day(day, status):
    row, _ = read(r.ObdsDeath, typed.VitalStatus, Sterbedatum=day)
    assert row["status"] == status


@pytest.mark.parametrize(
    ("told", "exactness", "rules"),
    [
        ("00.10.2016", None, {"date.legacy-format"}),
        ("2016-10-04", "T", {"date.partial"}),
        ("2016-10-04", "E", set()),
    ],
)
def test_a_month_in_the_format_of_older_exports_has_a_finding_of_its_own(told, exactness, rules):
    dates = {"Beginn": told, "Beginn_Datumsgenauigkeit": exactness}
    _, found = read(r.ObdsSystemicTherapy, typed.SystemicTherapy, Therapieart="CH", **dates)
    assert found == {(rule, "start_date") for rule in rules}
    dates = {"Diagnosedatum": told, "Diagnosedatum_Datumsgenauigkeit": exactness}
    _, found = read(r.ObdsDiagnosis, typed.Diagnosis, **dates)
    assert {rule for rule, column in found if column == "diagnosis_date"} == rules
