"""What the data cut-off leaves: rows and days up to it, and who was alive then."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort import covariates
from sarcoma_pipeline.cohort.data_cutoff import days_until, rows_until
from sarcoma_pipeline.cohort.life_and_death import CUT_OFF
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from tests.one_curation import OfCase, sarcoma, together

ZERO = pl.DataFrame(
    {"patient_id": ["dated", "in days"], "zero": [dt.date(2012, 1, 1), None]},
    {"patient_id": pl.String, "zero": pl.Date},
)
LAST = dt.date(2012, 4, 10)
"""Day 100."""


@pytest.mark.parametrize(
    ("patient", "day", "kept"),
    [
        ("dated", 100, True),
        ("dated", 101, False),
        ("dated", None, True),
        # A source that counts in days has no date of diagnosis: no day is known to be after the cut-off.
        ("in days", 101, True),
    ],
)
def test_rows_and_days_up_to_the_cut_off_stay(patient, day, kept):
    frame = pl.DataFrame({"patient_id": [patient], "day": [day]}, {"patient_id": pl.String, "day": pl.Int32})
    assert rows_until(frame, "day", ZERO, LAST).equals(frame if kept else frame.clear())
    assert days_until(frame, ["day"], ZERO, LAST)["day"].to_list() == [day if kept else None]
    assert rows_until(frame, "day", ZERO, None).equals(frame)
    assert days_until(frame, ["day"], ZERO, None).equals(frame)


def test_the_cut_off_is_dated_by_the_patients_of_the_last_answer_alone():
    zero = dt.date(2012, 1, 1)
    tumours = pl.DataFrame(
        {"patient_id": ["a", "b", "c"], "index_tumour": [True] * 3,
         "diagnosis_date": [zero, zero + dt.timedelta(10), zero]},
    )  # fmt: skip
    answers = pl.DataFrame(
        {
            # Days 100, 90 and 10 later: the same date. The clinic's statement is none of an office.
            "patient_id": ["a", "b", "c", "c"], "told_day": [100, 90, 99, 500],
            "source": ["registry office", "registry office", "registry office", "obds"],
        }
    )  # fmt: skip
    frames = {"curated.diagnosis": tumours, "curated.vital_statement": answers}
    assert covariates.last_answered(frames).to_list() == ["a", "b"]


def rows(outcome: OfCase, kind: str) -> list[tuple]:
    assumed = Assumptions(data_cutoff=LAST)
    events = outcome.of_all("cut", lambda all_: timeline(all_.frames, assumed).events)
    return events.filter(kind=kind).select("day", "detail").rows()


@together(sarcoma)
def test_a_death_without_a_date_is_not_after_the_cut_off(sarcoma):
    sarcoma.meldung(r.ObdsDeath, Sterbedatum=None)
    outcome = yield
    assert [day for day, _ in rows(outcome, "death")] == [None]
    assert (100, CUT_OFF) not in rows(outcome, "alive")


@pytest.mark.parametrize(("died", "dead"), [("2012-04-10", True), ("2012-04-11", False)])
@together(sarcoma)
def test_who_died_after_the_cut_off_was_alive_then(sarcoma, died, dead):
    sarcoma.meldung(r.ObdsDeath, Sterbedatum=died)
    outcome = yield
    assert [day for day, _ in rows(outcome, "death")] == ([100] if dead else [])
    assert ((100, CUT_OFF) in rows(outcome, "alive")) is not dead


@pytest.mark.parametrize(("diagnosed", "alive"), [("2012-04-10", [(0, CUT_OFF)]), ("2012-04-11", [])])
@together()
def test_who_was_diagnosed_after_the_cut_off_was_not_known_then(patient, diagnosed, alive):
    patient.patient()
    patient.diagnosis(diagnosed)
    patient.meldung(r.ObdsDeath, Sterbedatum="2013-01-01")
    outcome = yield
    assert rows(outcome, "alive") == alive
