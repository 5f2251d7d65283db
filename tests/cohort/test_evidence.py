"""Evidence of an endpoint: the records that say what ended it on the day on which it ended, and no others."""

from schemas import received as r
from tests.cohort.test_endpoints import CLEAN, derived, seen
from tests.one_curation import sarcoma, together

LOCAL = {"Verlauf_Lokaler_Tumorstatus": "R"}


@together(sarcoma)
def test_evidence_of_an_event_is_what_reports_it_on_its_day(sarcoma):
    """A clean examination; two reports of one local relapse and a death on that day; a later relapse.

    Reports of one tumour and one day are one assessment: its records are evidence of all that it says.
    """
    told = {
        "clean": seen(sarcoma, "2013-01-01", **CLEAN),
        "local": seen(sarcoma, "2014-01-01", **LOCAL),
        "local again": seen(sarcoma, "2014-01-01", Meldung_ID="M2", **LOCAL),
        "death": sarcoma.meldung(r.ObdsDeath, Sterbedatum="2014-01-01"),
        "local later": seen(sarcoma, "2015-01-01", **LOCAL),
    }
    found = derived((yield))
    for endpoint in ("LRFS", "DFS"):
        # If two kinds are on one day, the one that the endpoint names first counts.
        assert found[endpoint]["event_kind"] == "local relapse"
        assert set(found[endpoint]["evidence"]) == {told["local"], told["local again"]}
    for endpoint in ("OS", "DMFS"):
        assert (found[endpoint]["event_kind"], found[endpoint]["evidence"]) == ("death", [told["death"]])


@together(sarcoma)
def test_evidence_of_a_censoring_is_the_last_examination(sarcoma):
    seen(sarcoma, "2013-01-01", **CLEAN)
    last = {seen(sarcoma, "2014-01-01", **CLEAN), seen(sarcoma, "2014-01-01", Meldung_ID="M2", **CLEAN)}
    alive = sarcoma.reply(answer="lebt", answered_on="01.06.2016")
    outcome = yield
    found = derived(outcome)
    assert set(found["DFS"]["evidence"]) == last
    assert found["OS"]["evidence"] == [alive]


@together(sarcoma)
def test_evidence_of_a_death_is_the_reports_of_the_death(sarcoma):
    seen(sarcoma, "2014-01-01", **CLEAN)
    died = {
        sarcoma.meldung(r.ObdsDeath, Sterbedatum="2016-03-01"),
        sarcoma.reply(answer="verstorben", event_date="01.03.2016", answered_on="01.06.2016"),
    }
    outcome = yield
    found = derived(outcome)["OS"]
    assert (found["event_kind"], set(found["evidence"])) == ("death", died)


@together()
def test_without_an_examination_the_diagnosis_is_the_evidence(records):
    records.patient()
    diagnosis = records.diagnosis()
    outcome = yield
    found = derived(outcome)
    assert {row["event_kind"] for row in found.values()} <= {"censored"}
    assert all(diagnosis in row["evidence"] for row in found.values())
