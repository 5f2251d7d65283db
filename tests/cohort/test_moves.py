"""Who moved away is censored on that day; whoever was seen later has a finding."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort import moves as move_findings
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from tests.conftest import Outcome
from tests.one_curation import OfCase, sarcoma, together

DEFAULT = Assumptions()
MOVE = "vital-status.seen-after-move"


def moved(records, on, **values):
    return records.reply(answer="verzogen", event_date=on, **values)


def moves(made: OfCase, assumptions=DEFAULT):
    def observe(outcome: Outcome) -> pl.DataFrame:
        members = outcome["patient"].select("patient_id", "pseudonym")
        return move_findings.observe(timeline(outcome.frames, assumptions), members)

    found = made.of_all(assumptions.model_dump_json(), observe)
    assert set(found["rule_id"]) <= {MOVE}
    return sorted(found["record_id"])


@pytest.mark.parametrize(
    ("seen_on", "found"),
    [("2014-06-02", True), ("2014-06-01", False), ("00.06.2014", False), ("00.07.2014", True), (None, False)],
)
@together(sarcoma)
def test_an_examination_after_a_move_is_a_finding(sarcoma, seen_on, found):
    said = moved(sarcoma, "01.06.2014")
    sarcoma.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=seen_on, Gesamtbeurteilung_Tumorstatus="V")
    outcome = yield
    assert moves(outcome) == ([said] if found else [])


@pytest.mark.parametrize(
    ("contract", "values"),
    [
        (r.ObdsSurgery, {"Datum": "2014-06-02", "Intention": "P"}),
        (r.ObdsRadiotherapy, {"Beginn": "2014-05-02", "Ende": "2014-06-02", "Applikationsart": "Perkutan"}),
        (r.ObdsSystemicTherapy, {"Beginn": "2014-06-02", "Therapieart": "CH"}),
    ],
)
@together(sarcoma)
def test_a_treatment_after_a_move_is_a_finding(sarcoma, contract, values):
    said = moved(sarcoma, "01.06.2014")
    sarcoma.meldung(contract, **values)
    outcome = yield
    assert moves(outcome) == [said]


@together(sarcoma)
def test_surveillance_is_no_treatment_after_a_move(sarcoma):
    moved(sarcoma, "01.06.2014")
    sarcoma.meldung(r.ObdsSystemicTherapy, Beginn="2014-06-02", Therapieart="AS")
    outcome = yield
    assert moves(outcome) == []


@pytest.mark.parametrize(("answered_on", "found"), [("01.07.2015", False), ("01.05.2014", True)])
@together(sarcoma)
def test_a_later_answer_of_the_office_ends_the_time_instead_of_the_move(sarcoma, answered_on, found):
    said = moved(sarcoma, "01.06.2014")
    sarcoma.reply(answer="lebt", answered_on=answered_on)
    sarcoma.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-08-01",
                    Gesamtbeurteilung_Tumorstatus="V")  # fmt: skip
    outcome = yield
    assert moves(outcome) == ([said] if found else [])


@together(sarcoma)
def test_a_death_after_a_move_is_no_such_finding(sarcoma):
    moved(sarcoma, "01.06.2014")
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2015-01-01")
    outcome = yield
    assert moves(outcome) == []


@together(sarcoma)
def test_where_the_last_contact_ends_the_time_no_move_does(sarcoma):
    moved(sarcoma, "01.06.2014")
    sarcoma.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-08-01", Gesamtbeurteilung_Tumorstatus="V"
    )
    outcome = yield
    assert moves(outcome, Assumptions(alive_until="last contact")) == []


@together(sarcoma)
def test_who_is_not_in_the_cohort_has_no_finding(sarcoma):
    moved(sarcoma, "01.06.2014")
    sarcoma.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-08-01", Gesamtbeurteilung_Tumorstatus="V"
    )
    outcome = yield
    nobody = outcome["patient"].select("patient_id", "pseudonym").clear()
    assert move_findings.observe(timeline(outcome.frames, DEFAULT), nobody).is_empty()


@pytest.mark.parametrize(("moved_on", "found"), [("01.01.2012", True), ("31.12.2011", False)])
@together(sarcoma)
def test_a_move_before_the_diagnosis_ends_no_time(sarcoma, moved_on, found):
    said = moved(sarcoma, moved_on)
    sarcoma.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-08-01", Gesamtbeurteilung_Tumorstatus="V"
    )
    outcome = yield
    assert moves(outcome) == ([said] if found else [])


@together(sarcoma)
def test_an_answer_alive_is_no_move(sarcoma):
    sarcoma.reply(answer="lebt", answered_on="01.06.2014")
    sarcoma.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-08-01", Gesamtbeurteilung_Tumorstatus="V"
    )
    outcome = yield
    assert moves(outcome) == []


@together(sarcoma)
def test_only_a_contact_after_the_move_is_one(sarcoma):
    """A tumour dated to July 2014 alone shows nobody who saw the patient."""
    moved(sarcoma, "01.06.2014")
    sarcoma.diagnosis(
        "2014-07-01", "T", tumour="T2", Primaertumor_ICD="C61", Primaertumor_Topographie_ICD_O="C61.9",
        Morphologie_ICD_O='["8140/3"]',
    )  # fmt: skip
    outcome = yield
    assert moves(outcome) == []
