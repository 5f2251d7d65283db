"""Who is in the study and why not, told as described patients; and the covariates of those who are."""

import json

import polars as pl
import pytest

from sarcoma_pipeline.cohort import covariates, eligibility
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from schemas.configuration import Study
from tests.conftest import Outcome
from tests.one_curation import OfCase, OfPatient, sarcoma, together

ASSUMED = Assumptions(residual_status_unknown="RX")

CRITERIA = [
    {"name": "histology", "rule": "histology", "label": "Sarcoma"},
    {"name": "site", "rule": "site", "label": "Site", "values": ["extremities", "trunk"]},
    {"name": "no_metastasis", "rule": "no_metastasis", "label": "M0"},
    {"name": "curative", "rule": "curative", "label": "Curative"},
    {"name": "radiotherapy", "rule": "radiotherapy", "label": "RT", "values": ["preoperative"]},
    {"name": "window", "rule": "window", "label": "Window", "start": "2011-01-01", "end": "2020-12-31"},
]


def study(*criteria: dict) -> Study:
    chosen = criteria or CRITERIA
    return Study.model_validate(
        {"name": "s", "title": "s", "description": "s", "drop": "d", "criteria": chosen, "endpoints": []}
    )


def course(patient: OfPatient, start="2012-02-01", **values):
    values = {"Intention": "K", "Stellung_OP": "N", "Gesamtdosis": "50", "Einzeldosis": "2", **values}
    patient.meldung(
        r.ObdsRadiotherapy, Beginn=start, Ende=start, Module_ID="ST", Applikationsart="Perkutan", **values
    )


def whole(patient: OfPatient, diagnosis=None, radiotherapy=None):
    patient.patient()
    patient.diagnosis(**(diagnosis or {}))
    course(patient, **(radiotherapy or {}))


def judged(outcome: Outcome, chosen: Study | None = None):
    frames, chosen = outcome.frames, chosen or study()
    happened = timeline(frames, Assumptions())
    made = eligibility.assess(frames, happened, chosen)
    described = covariates.describe(frames, happened, chosen.gate)
    without_verdicts = eligibility.meeting(frames, happened, chosen, described)
    assert without_verdicts.equals(eligibility.eligible(made.eligibility))
    return made


def judged_alone(outcome: OfCase, *criteria: dict) -> pl.DataFrame:
    """The eligibility of one of several patients."""
    key = ("eligibility", json.dumps(criteria))
    return outcome.of_all(key, lambda all_: judged(all_, study(*criteria)).eligibility)


def test_who_meets_every_criterion_is_eligible(records):
    whole(OfPatient(records, "1"))
    made = judged(records.run())
    assert made.eligibility["met"].all()
    assert eligibility.eligible(made.eligibility).to_list() == ["number:1"]


@pytest.mark.parametrize(
    ("criterion", "diagnosis", "radiotherapy"),
    [
        ("histology", {"Morphologie_ICD_O": '["8000/3"]'}, {}),
        ("histology", {"Diagnosesicherung": "2"}, {}),
        ("site", {"Primaertumor_ICD": "C48.0", "Primaertumor_Topographie_ICD_O": "C48.0"}, {}),
        ("no_metastasis", {"M": "1"}, {}),
        ("curative", {}, {"Intention": "P"}),
        ("curative", {}, {"Intention": None}),
        ("radiotherapy", {}, {"Stellung_OP": "O"}),
        ("window", {}, {"start": "2021-02-01"}),
    ],
)
@together()
def test_each_criterion_excludes_and_says_why(patient, criterion, diagnosis, radiotherapy):
    whole(patient, diagnosis, radiotherapy)
    outcome = yield
    unmet = judged_alone(outcome).filter("excluded_here")
    assert unmet["criterion"].to_list() == [criterion]
    assert unmet["reason"].null_count() == 0


@pytest.mark.parametrize(
    ("start", "end", "met"),
    [
        ("2012-02-01", "2012-02-01", True),
        ("2012-02-02", None, False),
        ("2012-02-02", "2012-02-03", False),
        (None, "2012-01-31", False),
        ("2012-01-01", "2012-01-31", False),
        (None, None, True),
    ],
)
@together(whole)
def test_the_first_and_the_last_day_of_the_window_belong_to_it(_, start, end, met):
    """The irradiation begins on 1 February 2012."""
    outcome = yield
    dated = {key: day for key, day in (("start", start), ("end", end)) if day}
    rule = {"name": "window", "rule": "window", "label": "Window", **dated}
    assert judged_alone(outcome, rule).select("met", "value").rows() == [(met, "2012")]


def test_the_flow_counts_the_first_unmet_criterion_only(records):
    site = {"Primaertumor_ICD": "C48.0", "Primaertumor_Topographie_ICD_O": "C48.0"}
    whole(OfPatient(records, "1"))
    whole(OfPatient(records, "2"), {"M": "1", **site})
    whole(OfPatient(records, "3"), {"M": "1"})
    records.patient(number="4", family="Ohne Diagnose")
    made = judged(records.run())
    assert made.flow["excluded"].to_list() == [1, 1, 1, 0, 0, 0]
    assert made.flow["remaining"].to_list() == [3, 2, 1, 1, 1, 1]
    assert made.flow["entered"][0] == 4


@together(whole)
def test_a_technique_is_shown_by_a_plan_or_not_met(_):
    outcome = yield
    rule = {**CRITERIA[4], "techniques": ["VMAT"]}
    assert judged_alone(outcome, rule)["reason"].to_list() == ["no plan shows the technique"]


@together(whole)
def test_a_covariate_may_be_asked_for(_):
    outcome = yield
    rule = {"name": "size", "rule": "known", "label": "Size known", "column": "tumour_size_cm"}
    assert judged_alone(outcome, rule)["met"].to_list() == [False]


def without_criteria() -> Study:
    return study().model_copy(update={"criteria": ()})


def test_a_study_without_criteria_admits_everybody_with_a_tumour(records):
    whole(OfPatient(records, "1"))
    whole(OfPatient(records, "2"), {"M": "1"})
    records.patient(number="3", family="Ohne Diagnose")
    made = judged(records.run(), without_criteria())
    assert eligibility.eligible(made.eligibility).to_list() == ["number:1", "number:2"]
    flow = made.flow.select("criterion", "entered", "excluded", "not_known", "remaining").rows()
    assert flow == [("tumour documented", 3, 1, 1, 2)]
    assert made.missing.rows() == [("number:3", "tumour documented", eligibility.TUMOUR)]


def test_who_has_no_tumour_is_excluded_whatever_the_criteria_ask_for(records):
    whole(OfPatient(records, "1"))
    records.patient(number="3", family="Ohne Diagnose")
    made = judged(records.run(), study(CRITERIA[2]))
    assert made.flow.select("criterion", "excluded", "remaining").rows() == [
        ("no_metastasis", 0, 2), ("tumour documented", 1, 1),
    ]  # fmt: skip
    assert eligibility.eligible(made.eligibility).to_list() == ["number:1"]


def test_without_any_patient_the_flow_has_a_row_for_each_criterion(records):
    outcome = records.run()
    assert judged(outcome).flow["entered"].to_list() == [0] * 6
    assert judged(outcome, without_criteria()).flow["entered"].to_list() == [0]


def described(outcome: OfCase, assumptions: Assumptions = ASSUMED) -> dict:
    """The covariates of one of several patients."""

    def describe(outcome: Outcome) -> pl.DataFrame:
        return covariates.describe(outcome.frames, timeline(outcome.frames, assumptions))

    key = ("covariates", assumptions.model_dump_json())
    return outcome.of_all(key, describe).row(0, named=True)


@together()
def test_age_is_counted_in_days(records):
    records.patient(born="1950-03-04")
    records.diagnosis(on="2012-01-01")
    outcome = yield
    row = described(outcome)
    assert row["age_at_diagnosis_years"] == pytest.approx(22583 / 365.25)
    assert (row["sex"], row["histology_group"], row["region"]) == ("female", "UPS", "extremities")


@pytest.mark.parametrize(("edition", "t", "said"), [("7", "2b", "T2"), ("8", "1", "T1"), ("8", "4", "T2")])
@together()
def test_the_t_category_speaks_ajcc_7(records, edition, t, said):
    records.patient()
    records.diagnosis(TNM_Version=edition, T=t)
    outcome = yield
    assert described(outcome)["t_stage"] == said


@together(sarcoma)
def test_a_re_resection_replaces_what_it_mended_and_a_biopsy_is_none(records):
    for number, (on, intention, status) in enumerate(
        [("2012-01-02", "D", "R2"), ("2012-03-01", "K", "R1"), ("2012-03-20", "K", "R0")]
    ):
        records.meldung(
            r.ObdsSurgery, Datum=on, Intention=intention, Module_ID=f"OP{number}",
            Lokale_Beurteilung_Residualstatus=status,
        )  # fmt: skip
    outcome = yield
    row = described(outcome)
    assert (row["residual_status"], row["resected"]) == ("R0", True)


@pytest.mark.parametrize(
    ("therapies", "said"),
    [
        ([], "unknown"),
        ([("CH", "yes")], "yes"),
        ([("CH", "no")], "no"),
        ([("CH", "no"), ("CH", "yes")], "yes"),
        # A therapy of undocumented kind may or may not have been chemotherapy.
        ([(None, "yes")], "unknown"),
        ([(None, "yes"), ("CH", "no")], "no"),
        ([(None, "yes"), ("CH", "yes")], "yes"),
        ([("WW", "no")], "unknown"),
    ],
)
@together(sarcoma)
def test_chemotherapy_is_what_any_report_of_it_says(records, therapies, said):
    givens: dict[str, str] = {}
    for number, (kind, given) in enumerate(therapies, start=1):
        record = records.meldung(
            r.ObdsSystemicTherapy, Therapieart=kind, Beginn=f"2012-03-0{number}", Module_ID=f"C{number}"
        )
        givens[record] = given
    outcome = yield
    frames = outcome.frames
    told = frames["curated.systemic_therapy"].with_columns(
        given=pl.col("record_ids").list.first().replace_strict(givens, default=None)
    )
    frames = {**frames, "curated.systemic_therapy": told}
    assert covariates.describe(frames, timeline(frames, ASSUMED)).row(0, named=True)["chemotherapy"] == said


@together(sarcoma)
def test_without_an_operation_the_residual_status_is_rx(records):
    outcome = yield
    row = described(outcome)
    assert (row["residual_status"], row["resected"], row["chemotherapy"]) == ("RX", False, "unknown")


@pytest.mark.parametrize(
    ("status", "pattern"),
    [
        ({}, "none"),
        ({"Verlauf_Lokaler_Tumorstatus": "R"}, "local only"),
        ({"Verlauf_Tumorstatus_Lymphknoten": "R"}, "local only"),
        ({"Verlauf_Tumorstatus_Fernmetastasen": "R"}, "distant only"),
        (
            {"Verlauf_Lokaler_Tumorstatus": "R", "Verlauf_Tumorstatus_Fernmetastasen": "R"},
            "local and distant",
        ),
    ],
)
@together(sarcoma)
def test_the_pattern_of_relapse_over_the_whole_follow_up(records, status, pattern):
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-01-01", **status)
    outcome = yield
    assert described(outcome)["relapse_pattern"] == pattern


@together()
def test_the_sequence_is_told_by_the_dates_where_nobody_documented_it(records):
    whole(records, radiotherapy={"Stellung_OP": None})
    records.meldung(r.ObdsSurgery, Datum="2012-05-01", Intention="K", Module_ID="OP1")
    outcome = yield
    assert described(outcome)["radiation_sequence"] == "preoperative"


@together(whole)
def test_every_row_names_the_records_it_rests_on(_):
    outcome = yield
    rested = set(
        covariates.describe(outcome.frames, timeline(outcome.frames, ASSUMED))["record_ids"].explode()
    )
    used = pl.concat([f["record_ids"].explode() for f in outcome.frames.values()]).drop_nulls()
    assert rested == set(used)


@pytest.mark.parametrize(
    ("seen_on", "died", "days"),
    [
        # March 2014 begins on day 366 + 365 + 59; a reply that somebody lives does not undo a death.
        ("00.03.2014", None, 790),
        ("15.03.2014", None, 804),
        ("2011-12-01", None, 0),
        ("2014-03-15", "2013-01-01", 366),
    ],
)
@together(sarcoma)
def test_the_follow_up_ends_with_the_death_or_on_the_first_possible_day_of_the_last_contact(
    records, seen_on, died, days
):
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=seen_on, Gesamtbeurteilung_Tumorstatus="V")
    if died:
        records.meldung(r.ObdsDeath, Sterbedatum=died)
    outcome = yield
    assert described(outcome)["follow_up_months"] == pytest.approx(days / 30.4375)


@pytest.mark.parametrize(
    ("begun", "primary", "ever"),
    [("2012-12-31", "yes", "yes"), ("2013-01-01", "unknown", "yes"), (None, "yes", "yes")],
)
@together(sarcoma)
def test_chemotherapy_from_the_day_of_the_first_relapse_on_is_not_primary(records, begun, primary, ever):
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-01-01", Verlauf_Lokaler_Tumorstatus="R")
    records.meldung(r.ObdsSystemicTherapy, Therapieart="CH", Beginn=begun, Module_ID="C1")
    outcome = yield
    for switch, said in (("primary", primary), ("ever", ever)):
        assert (
            described(outcome, Assumptions.model_validate({"chemotherapy": switch}))["chemotherapy"] == said
        )


@pytest.mark.parametrize(
    ("operations", "met"),
    [({"2012-03-01": "K", "2012-05-01": "P"}, True), ({"2012-03-01": "P", "2012-05-01": "K"}, False)],
)
@together(whole)
def test_the_intent_of_the_first_operation_counts(records, operations, met):
    for number, (on, intention) in enumerate(reversed(operations.items())):
        records.meldung(r.ObdsSurgery, Datum=on, Intention=intention, Module_ID=f"O{number}")
    outcome = yield
    assert judged_alone(outcome).filter(criterion="curative")["met"].to_list() == [met]
