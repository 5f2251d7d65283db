"""Endpoints of described patients."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort import endpoints
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.configuration import Study
from tests.conftest import Outcome
from tests.one_curation import OfCase, sarcoma, together

ALL = ["local relapse", "regional relapse", "distant relapse", "relapse of unknown site", "second malignancy"]
STUDY = Study.model_validate(
    {
        "name": "s", "title": "s", "description": "s", "drop": "d", "criteria": [],
        "assumptions": {"never_disease_free": "include"},
        "endpoints": [
            {"name": "OS", "title": "OS", "events": ["death"], "censor": "last known alive"},
            {"name": "DFS", "title": "DFS", "events": [*ALL, "death"], "censor": "last disease assessment"},
            {"name": "DMFS", "title": "DMFS", "events": ["distant relapse", "death"],
             "censor": "last disease assessment"},
            {"name": "LRFS", "title": "LRFS", "events": ["local relapse", "regional relapse", "death"],
             "censor": "last disease assessment"},
        ],
    }
)  # fmt: skip
ZERO = dt.date(2012, 1, 1)


def days(date: str) -> int:
    return (dt.date.fromisoformat(date) - ZERO).days


def seen(records, on: str, **status: str):
    return records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=on, **status)


CLEAN = {"Gesamtbeurteilung_Tumorstatus": "V", "Verlauf_Lokaler_Tumorstatus": "K"}


def derive(outcome: Outcome | OfCase, study: Study = STUDY) -> endpoints.Derived:
    members = outcome["patient"].select("patient_id", "pseudonym")
    return endpoints.derive(timeline(outcome.frames, study.assumptions), members, study)


def derived(made: OfCase, study: Study = STUDY) -> dict[str, dict]:
    frame = made.of_all(study.model_dump_json(), lambda outcome: derive(outcome, study).endpoints)
    return {row["endpoint"]: row for row in frame.iter_rows(named=True)}


def ends(made: OfCase) -> dict[str, tuple[int, str]]:
    return {name: (row["time_days"], row["event_kind"]) for name, row in derived(made).items()}


@together(sarcoma)
def test_an_offices_alive_moves_only_overall_survival(sarcoma):
    seen(sarcoma, "2014-01-01", **CLEAN)
    reply = sarcoma.reply(answer="lebt", answered_on="01.06.2016")
    outcome = yield
    found = derived(outcome)
    assert (found["OS"]["time_days"], found["OS"]["evidence"]) == (days("2016-06-01"), [reply])
    assert {found[e]["time_days"] for e in ("DFS", "DMFS", "LRFS")} == {days("2014-01-01")}
    assert not any(row["event"] for row in found.values())


@pytest.mark.parametrize(("on", "counts"), [("2012-01-01", True), ("2011-12-31", False)])
@together(sarcoma)
def test_an_examination_on_the_day_of_diagnosis_is_the_last_look_and_an_earlier_one_is_none(
    sarcoma, on, counts
):
    exam = seen(sarcoma, on, **CLEAN)
    outcome = yield
    for name in ("DFS", "DMFS", "LRFS"):
        row = derived(outcome)[name]
        assert (row["time_days"], row["event"], exam in row["evidence"]) == (0, False, counts)


@together(sarcoma)
def test_death_counts_for_all_four(sarcoma):
    seen(sarcoma, "2014-01-01", **CLEAN)
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2015-03-01")
    outcome = yield
    assert set(ends(outcome).values()) == {(days("2015-03-01"), "death")}


@together(sarcoma)
def test_each_relapse_ends_its_own_endpoints(sarcoma):
    seen(sarcoma, "2013-01-01", Verlauf_Tumorstatus_Lymphknoten="R")
    seen(sarcoma, "2014-01-01", Verlauf_Tumorstatus_Fernmetastasen="R")
    seen(sarcoma, "2015-01-01", Verlauf_Lokaler_Tumorstatus="R")
    outcome = yield
    found = ends(outcome)
    assert found["DFS"] == found["LRFS"] == (days("2013-01-01"), "regional relapse")
    assert found["DMFS"] == (days("2014-01-01"), "distant relapse")
    assert found["OS"] == (days("2015-01-01"), "censored")


@together(sarcoma)
def test_the_overall_r_is_a_remission_and_y_a_relapse(sarcoma):
    seen(sarcoma, "2013-01-01", Gesamtbeurteilung_Tumorstatus="R")
    seen(sarcoma, "2014-01-01", Gesamtbeurteilung_Tumorstatus="Y")
    outcome = yield
    found = ends(outcome)
    assert found["DFS"] == (days("2014-01-01"), "relapse of unknown site")
    # No examination says anything of a site.
    assert found["LRFS"] == found["DMFS"] == (0, "censored")


@together(sarcoma)
def test_a_metastasis_happened_on_its_own_day(sarcoma):
    seen(
        sarcoma, "2014-01-10", Verlauf_Tumorstatus_Fernmetastasen="R",
        Menge_FM='[{"Diagnosedatum": "2013-12-20", "Datumsgenauigkeit": "E", "Lokalisation": "PUL"}]',
    )  # fmt: skip
    outcome = yield
    assert ends(outcome)["DMFS"] == (days("2013-12-20"), "distant relapse")


@pytest.mark.parametrize(("operated_on", "kind"), [(None, "local relapse"), ("2012-03-01", "local relapse"),
                                                   ("2012-12-01", "censored")])  # fmt: skip
@together(sarcoma)
def test_a_growing_tumour_has_relapsed_unless_it_is_then_removed(sarcoma, operated_on, kind):
    if operated_on:
        sarcoma.meldung(r.ObdsSurgery, Datum=operated_on, Intention="K", Module_ID="OP1")
    seen(sarcoma, "2012-06-01", Verlauf_Lokaler_Tumorstatus="P")
    outcome = yield
    assert ends(outcome)["LRFS"][1] == kind


@together(sarcoma)
def test_a_second_malignancy_ends_only_disease_free_survival(sarcoma):
    seen(sarcoma, "2014-01-01", **CLEAN)
    sarcoma.diagnosis(
        on="2013-05-01", tumour="T2", Primaertumor_ICD="C18.0", Morphologie_ICD_O='["8140/3"]',
        Primaertumor_Topographie_ICD_O="C18.0", TNM_Version="8", T="1",
    )  # fmt: skip
    outcome = yield
    found = ends(outcome)
    assert found["DFS"] == (days("2013-05-01"), "second malignancy")
    assert {found[e][1] for e in ("OS", "DMFS", "LRFS")} == {"censored"}


@together(sarcoma)
def test_of_two_events_on_one_day_the_study_says_which_counts(sarcoma):
    seen(sarcoma, "2014-01-01", Verlauf_Tumorstatus_Fernmetastasen="R", Verlauf_Lokaler_Tumorstatus="R")
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2014-01-01")
    outcome = yield
    found = ends(outcome)
    assert found["DFS"][1] == "local relapse"
    assert found["DMFS"][1] == "distant relapse"
    assert found["OS"][1] == "death"


@together(sarcoma)
def test_an_examination_that_says_nothing_of_the_disease_censors_nothing(sarcoma):
    seen(sarcoma, "2013-01-01", **CLEAN)
    seen(sarcoma, "2015-01-01", Gesamtbeurteilung_Tumorstatus="U", Verlauf_Lokaler_Tumorstatus="X")
    outcome = yield
    found = ends(outcome)
    assert found["DFS"] == (days("2013-01-01"), "censored")
    assert found["OS"] == (days("2015-01-01"), "censored")


@pytest.mark.parametrize("reply", [{"answer": "lebt", "answered_on": "01.06.2016"},
                                   {"answer": "verstorben", "event_date": "01.06.2016"}])  # fmt: skip
@together(sarcoma)
def test_who_was_never_examined_is_censored_at_once_dead_or_alive(sarcoma, reply):
    sarcoma.reply(**reply)
    outcome = yield
    found = ends(outcome)
    assert {found[e] for e in ("DFS", "DMFS", "LRFS")} == {(0, "censored")}
    assert found["OS"][0] == days("2016-06-01")


@together(sarcoma)
def test_a_partial_death_stands_in_the_middle_with_both_ends(sarcoma):
    sarcoma.reply(answer="verstorben", event_date="00.05.2014")
    outcome = yield
    row = derived(outcome)["OS"]
    assert row["time_days"] == days("2014-05-15")
    assert (row["time_days_earliest"], row["time_days_latest"]) == (days("2014-05-01"), days("2014-05-31"))
    assert (row["event"], row["date_precision"]) == (True, "month")


# 20 to 31 May: the middle, rounded down; on 31 May one day is left.
@pytest.mark.parametrize(("on", "expected"), [("2014-05-20", (5, 0, 11)), ("2014-05-31", (0, 0, 0))])
@together()
def test_a_death_in_the_month_of_the_diagnosis_is_not_before_it(records, on, expected):
    records.patient()
    records.diagnosis(on=on)
    records.reply(answer="verstorben", event_date="00.05.2014")
    outcome = yield
    row = derived(outcome)["OS"]
    assert (row["time_days"], row["time_days_earliest"], row["time_days_latest"]) == expected


@together()
def test_a_partial_time_zero_widens_every_time(records):
    records.patient()
    records.diagnosis(on="2012-06-15", exactness="T")
    seen(records, "2012-12-15", **CLEAN)
    outcome = yield
    row = derived(outcome)["DFS"]
    assert row["time_days"] == (dt.date(2012, 12, 15) - dt.date(2012, 6, 15)).days
    assert (row["time_days"] - row["time_days_earliest"], row["time_days_latest"] - row["time_days"]) == (
        15,
        14,
    )


@together(sarcoma)
def test_an_endpoint_that_cannot_be_derived_is_said_and_not_guessed(sarcoma):
    seen(sarcoma, "2013-01-01", **CLEAN)
    rules = [
        rule.model_copy(update={"derivable": False, "reason": "no such data"}) if rule.name == "DFS" else rule
        for rule in STUDY.endpoints
    ]
    outcome = yield
    made = derive(outcome, STUDY.model_copy(update={"endpoints": tuple(rules)}))
    assert "DFS" not in set(made.endpoints["endpoint"])
    refused = made.derivability.filter(~pl.col("derivable"))
    assert refused.rows() == [("DFS", False, "no such data")]


def assuming(*endpoints: dict, **assumed: str) -> Study:
    told = STUDY.model_dump()
    own = {"assumptions": told["assumptions"] | assumed}
    return Study.model_validate(told | own | ({"endpoints": list(endpoints)} if endpoints else {}))


@pytest.mark.parametrize(("relapsed", "kind"), [(True, "tumour-related death"), (False, "censored")])
@together(sarcoma)
def test_a_death_of_unknown_cause_on_the_day_of_a_relapse_is_by_the_tumour(sarcoma, relapsed, kind):
    seen(sarcoma, "2013-01-01", Verlauf_Lokaler_Tumorstatus="R" if relapsed else "K")
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2013-01-01")
    outcome = yield
    row = derived(outcome, assuming(cause_of_death="tumour"))["OS"]
    assert (row["time_days"], row["event_kind"]) == (366, kind)


@together(sarcoma)
def test_an_event_rests_on_the_records_of_its_kind_and_day_alone(sarcoma):
    relapsed = seen(sarcoma, "2013-01-01", Verlauf_Lokaler_Tumorstatus="R")
    seen(sarcoma, "2013-06-01", Verlauf_Lokaler_Tumorstatus="R", Module_ID="V2")
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2013-01-01")
    outcome = yield
    assert derived(outcome)["LRFS"]["evidence"] == [relapsed]


@together(sarcoma)
def test_the_last_answer_of_the_office_ends_the_time_of_the_dead_too(sarcoma):
    sarcoma.reply(answer="lebt", answered_on="01.01.2013")
    seen(sarcoma, "2013-06-01", **CLEAN)
    sarcoma.meldung(r.ObdsDeath, Sterbedatum="2014-01-01")
    outcome = yield
    local = {"name": "L", "title": "L", "events": ["local relapse"], "censor": "last known alive"}
    assert derived(outcome, assuming(local))["L"]["time_days"] == 366


@together(sarcoma)
def test_who_was_operated_before_the_diagnosis_and_never_examined_is_censored_on_day_0(sarcoma):
    sarcoma.meldung(r.ObdsSurgery, Datum="2011-12-27", Intention="K", Lokale_Beurteilung_Residualstatus="R0")
    outcome = yield
    row = derived(outcome, assuming(never_examined="definitive resection"))["DFS"]
    assert (row["time_days"], row["time_days_latest"]) == (0, 0)


@together(sarcoma)
def test_the_precision_of_the_last_examination_is_not_that_of_an_earlier_one(sarcoma):
    seen(sarcoma, "00.00.2013", **CLEAN)
    seen(sarcoma, "00.03.2014", Module_ID="V2", **CLEAN)
    outcome = yield
    row = derived(outcome)["DFS"]
    assert (row["time_days"], row["date_precision"]) == (804, "month")
