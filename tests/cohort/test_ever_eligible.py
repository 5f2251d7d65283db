"""Whose records the cohort and its runs under other assumptions rest on, told as described patients."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort import ever_eligible
from sarcoma_pipeline.cohort.eligibility import RULES
from schemas.assumptions import Assumptions
from tests.cohort.test_eligibility import CRITERIA, study, whole
from tests.cohort.test_not_known import KNOWN, NOT_FULFILLED
from tests.conftest import Records
from tests.one_curation import OfPatient

SKIN = {"Primaertumor_ICD": "C44.5", "Primaertumor_Topographie_ICD_O": "C44.5"}
LIPOMATOUS = {"Morphologie_ICD_O": '["8850/1"]'}
OTHERWISE_ELIGIBLE = {
    "a site of the skin": (SKIN, {}),
    "an atypical lipomatous tumour": (LIPOMATOUS, {}),
    "irradiated after the window, diagnosed within it": ({"on": "2020-11-01"}, {"start": "2021-02-01"}),
    "additive radiotherapy": ({}, {"Stellung_OP": "A"}),
}
"""Diagnosis and radiotherapy of patients who are eligible under one value of a switch only."""


def described(records: Records, number: str, *of: dict) -> OfPatient:
    """Describe a patient with diagnosis and radiotherapy."""
    patient = OfPatient(records, number)
    whole(patient, *of)
    return patient


def answered(patient: OfPatient, until: str) -> None:
    """Add the answer of the registry office that the patient lives."""
    born = dt.date.fromisoformat(patient.born).strftime("%d.%m.%Y")
    patient.records.reply(
        hospital_number=patient.number, family_name=patient.family, birth_date=born, answer="lebt",
        answered_on=until,
    )  # fmt: skip


def found(records: Records, *criteria: dict) -> list[str]:
    chosen = study(*criteria)
    return ever_eligible.patients(records.run().frames, chosen).to_list()


@pytest.fixture
def one(records) -> Records:
    """The records of an eligible patient, about whom the registry office answered last."""
    answered(described(records, "9"), "01.02.2021")
    return records


@pytest.mark.parametrize(
    ("criterion", "diagnosis", "radiotherapy"), NOT_FULFILLED.values(), ids=NOT_FULFILLED
)
def test_who_fulfils_a_criterion_under_no_assumption_is_left_out(one, criterion, diagnosis, radiotherapy):
    described(one, "1", diagnosis, radiotherapy)
    if criterion["name"] == "window":
        # The day of diagnosis, which a switch may count instead, must be outside, too.
        criterion = {**criterion, "start": "2013-01-01"}
    assert found(one, criterion) == ["number:9"]


def test_without_a_tumour_nobody_is_eligible(one):
    OfPatient(one, "1").patient()
    assert found(one) == ["number:9"]


@pytest.mark.parametrize(("diagnosis", "radiotherapy"), OTHERWISE_ELIGIBLE.values(), ids=OTHERWISE_ELIGIBLE)
def test_who_is_eligible_under_some_assumption_is_found(one, diagnosis, radiotherapy):
    described(one, "1", diagnosis, radiotherapy)
    sequence = {**CRITERIA[4], "values": ["preoperative", "postoperative adjuvant"]}
    assert found(one, *CRITERIA[:4], sequence, CRITERIA[5]) == ["number:1", "number:9"]


def test_a_fact_of_the_timeline_leaves_nobody_out(one):
    described(one, "1")
    assert found(one, KNOWN) == ["number:1", "number:9"]
    assert set(RULES) - set(ever_eligible.FROM_RECORDS) == {"known"}


def test_who_dates_the_cut_off_is_kept(one):
    answered(described(one, "1", {"M": "1"}), "01.03.2021")
    assert found(one, CRITERIA[2]) == ["number:1", "number:9"]


def test_without_an_answer_of_a_registry_office_anybody_may_date_the_cut_off(records):
    described(records, "1", {"M": "1"})
    assert found(records, CRITERIA[2]) == ["number:1"]


def test_a_declared_cut_off_needs_nobody_to_date_it(records):
    described(records, "1", {"M": "1"})
    described(records, "2")
    assumed = Assumptions(data_cutoff=dt.date(2020, 1, 1))
    declared = study(CRITERIA[2]).model_copy(update={"assumptions": assumed})
    frames = records.run().frames
    assert ever_eligible.patients(frames, declared).to_list() == ["number:2"]
    assert ever_eligible.patients(frames, study(CRITERIA[2])).to_list() == ["number:1", "number:2"]


def test_an_eligible_patient_who_is_not_found_is_an_error(one):
    frames = one.run().frames
    rows = ever_eligible.rows(frames, study(), pl.Series(["number:9"]))
    assert rows["curated.patient"].height == 1
    with pytest.raises(ever_eligible.EligibleLeftOut, match="1 patients"):
        ever_eligible.rows(frames, study(), pl.Series(["number:9", "number:7"]))


def test_rows_read_of_some_patients_are_those_chosen_from_all(records):
    for number in ("1", "2"):
        described(records, number)
    frames, asked = records.run().frames, []

    def of_patients(table, ids):
        asked.append(table)
        return frames[table].filter(pl.col("patient_id").is_in(ids.implode()))

    who = pl.Series(["number:1"])
    chosen, read = (ever_eligible.rows(frames, study(), who, by) for by in (None, of_patients))
    assert chosen.keys() == read.keys() == set(asked) and len(asked) == len(frames)
    assert all(chosen[table].equals(read[table]) for table in frames)
