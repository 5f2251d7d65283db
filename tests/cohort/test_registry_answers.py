"""The registry office's last answer of each patient, and its age at the cut-off."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from sarcoma_pipeline.cohort import covariates
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from tests.one_curation import OfCase, together

CUT_OFF = Assumptions(data_cutoff=dt.date(2015, 1, 1))


def answered(outcome: OfCase) -> tuple[Any, ...]:
    """Days from diagnosis to the last answer, and its age in months."""
    described = outcome.of_all(
        "described", lambda all_: covariates.as_delivered(all_.frames, timeline(all_.frames, CUT_OFF))
    )
    return described.select("registry_answer_days", "registry_answer_age_months").row(0)


def asked(patient, *days: str, **values: str) -> None:
    patient.patient()
    patient.diagnosis("2012-01-01")
    for day in days:
        patient.reply(answer="lebt", answered_on=day, **values)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # 731 of 1096 days: 365 days are 11.99 months of 365.25 / 12 days, 366 are 12.02.
        (["01.01.2014"], (731, 11)),
        (["31.12.2013"], (730, 12)),
        (["01.01.2015"], (1096, 0)),
        (["01.01.2013", "01.06.2014"], (882, 7)),  # 214 days are 7.03 months
        (["01.01.2013", "02.01.2015"], (366, 23)),  # after the cut-off; 730 days are 23.98 months
        ([], (None, None)),
    ],
)
@together()
def test_the_age_of_the_last_answer_up_to_the_cut_off(patient, days, expected):
    asked(patient, *days)
    outcome = yield
    assert answered(outcome) == expected


@together()
def test_a_statement_of_another_source_is_no_answer_of_the_office(patient):
    asked(patient, "01.01.2014")
    cells = f'{{"Nr": "{patient.number}", "cm": "5,5", "seen": "01.06.2014"}}'
    patient.add(r.TableRow, table_name="sheet", **{"values": cells})
    outcome = yield
    assert outcome["vital_statement"].height == 2
    assert answered(outcome) == (731, 11)


@together()
def test_the_last_answer_about_a_dead_patient_does_not_grow_old(patient):
    asked(patient, "01.01.2014")
    patient.meldung(r.ObdsDeath, Sterbedatum="2014-06-01", Sterbedatum_Datumsgenauigkeit="E")
    outcome = yield
    assert answered(outcome) == (731, None)
