"""Tests whose patients are curated together: each gets its own patient, and fails alone."""

import pytest

from schemas import received as r
from tests.mutation.reach import shared
from tests.one_curation import sarcoma, together


@pytest.mark.parametrize("operations", [0, 1, 2])
@together(sarcoma)
def test_each_case_gets_the_rows_of_its_own_patient(patient, operations):
    ids = [
        patient.meldung(r.ObdsSurgery, Datum=f"2012-02-0{n}", Module_ID=f"{n}", Intention="K")
        for n in range(1, operations + 1)
    ]
    outcome = yield
    assert [one for rows in outcome["surgery"]["record_ids"] for one in rows] == ids
    assert outcome["patient"].height == outcome.frames["curated.patient"].height == 1


@pytest.mark.parametrize("operated_on", ["2012-02-01", "2011-02-01"])
@together(sarcoma)
def test_each_case_gets_the_findings_of_its_own_patient(patient, operated_on):
    operation = patient.meldung(r.ObdsSurgery, Datum=operated_on, Module_ID="1", Intention="K")
    outcome = yield
    before = operated_on < "2012"
    assert outcome.found("surgery.before-diagnosis") == [operation] * before
    assert outcome.quarantined == {operation} & ({operation} if before else set())


@pytest.mark.xfail(strict=True, raises=AssertionError)
@together(sarcoma)
def test_what_is_wrong_after_the_curation_fails(patient):
    outcome = yield
    assert outcome["patient"].is_empty()


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception)
@together(sarcoma)
def test_a_test_yields_once(patient):
    yield
    yield


@together()
def test_what_they_reach_is_recorded_together(patient):
    patient.patient()
    yield
    assert list(shared(RECORDED[0])) == [RECORDED[0].nodeid.partition("::")[0]]


RECORDED: list[pytest.Item] = []


@pytest.fixture(autouse=True)
def _this(request):
    RECORDED[:] = [request.node]
