"""A date of an event that is exact to the month or year only counts as a day, and is a finding."""

import datetime as dt

import polars as pl
import pytest

from schemas import received as r
from tests.one_curation import sarcoma, together

RULE = "date.counted-as-day"


def found(outcome):
    return outcome.observed.filter(rule_id=RULE).select("column_name", "value").rows()


EVENTS = [
    (r.ObdsFollowUp, "Untersuchungsdatum_Verlauf", "assessment_date", {"Gesamtbeurteilung_Tumorstatus": "V"}),
    (r.ObdsSurgery, "Datum", "surgery_date", {"Intention": "K", "Lokale_Beurteilung_Residualstatus": "R0"}),
    (r.ObdsRadiotherapy, "Beginn", "start_date", {"Applikationsart": "Perkutan", "Gesamtdosis": "50"}),
    (r.ObdsRadiotherapy, "Ende", "end_date", {"Applikationsart": "Perkutan", "Gesamtdosis": "50"}),
]


@pytest.mark.parametrize(("contract", "element", "column", "values"), EVENTS)
@pytest.mark.parametrize(
    ("told", "day", "finding"),
    [
        ("00.10.2016", dt.date(2016, 10, 15), True),
        ("00.00.2016", dt.date(2016, 7, 1), True),
        ("04.10.2016", dt.date(2016, 10, 4), False),
        ("2016-10-04", dt.date(2016, 10, 4), False),
        ("00.00.0000", None, False),
        (None, None, False),
    ],
)
@together(sarcoma)
def test_the_middle_of_a_month_or_year_is_no_exact_day(
    patient, contract, element, column, values, told, day, finding
):
    patient.meldung(contract, **{element: told, **values})
    outcome = yield
    assert found(outcome) == ([(column, told)] if finding else [])
    dates = outcome.typed[f"typed.{'radiotherapy' if contract is r.ObdsRadiotherapy else column[:-5]}"][
        column
    ]
    assert dates.to_list() == [day]


@pytest.mark.parametrize("exactness", ["T", "M", "E"])
@together(sarcoma)
def test_a_date_whose_precision_is_kept_is_no_such_finding(patient, exactness):
    patient.meldung(
        r.ObdsSystemicTherapy, Therapieart="CH", Beginn="2016-10-04", Beginn_Datumsgenauigkeit=exactness
    )
    patient.meldung(r.ObdsDeath, Sterbedatum="00.10.2019")
    outcome = yield
    assert found(outcome) == []
    assert outcome["vital_status"]["death_date_precision"].to_list() == ["month"]


@together(sarcoma)
def test_it_quarantines_nothing(patient):
    patient.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="00.10.2016", Gesamtbeurteilung_Tumorstatus="V"
    )
    outcome = yield
    assert outcome.quarantined == set()
    assert outcome.observed.filter(rule_id=RULE).select(pl.col("severity")).item() == "warning"
