"""The baseline under each switch: T, grade, histology group, sequence, and the sites that are eligible."""

from __future__ import annotations

from typing import Any, cast

import polars as pl
import pytest

from sarcoma_pipeline.cohort import eligibility
from sarcoma_pipeline.cohort.baseline_choice import index_tumour
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas import site_codes
from schemas.assumptions import Assumptions
from tests.cohort import test_eligibility
from tests.cohort.test_eligibility import CRITERIA, course, judged_alone, study, whole
from tests.conftest import Outcome
from tests.curation.baseline_patients import diagnose, fnclcc, irradiation, operation, pathology, several, tnm
from tests.one_curation import OfCase, sarcoma, together


def described(outcome: OfCase, **assumptions: Any) -> dict[str, Any]:
    return test_eligibility.described(outcome, Assumptions(**assumptions))


def judged(outcome: OfCase, **assumptions: Any) -> pl.DataFrame:
    """The eligibility of one of several patients under assumptions."""
    assumed = Assumptions(**assumptions)

    def assess(outcome: Outcome) -> pl.DataFrame:
        return eligibility.assess(outcome.frames, timeline(outcome.frames, assumed), study()).eligibility

    return outcome.of_all(("eligibility", assumed.model_dump_json()), assess)


@pytest.mark.parametrize(
    ("first", "switch", "stage"),
    [
        ("surgery", "by treatment", "T2"),
        ("surgery", "clinical", "T1"),
        ("surgery", "pathological", "T2"),
        ("radiotherapy", "by treatment", "T1"),
        ("radiotherapy", "clinical", "T1"),
        # The specimen was irradiated before: its T is no baseline.
        ("radiotherapy", "pathological", None),
    ],
)
@together()
def test_t_is_that_of_the_report_that_the_switch_names(records, first, switch, stage):
    diagnose(records, TNM=tnm(T="1"))
    irradiation(records, "2012-02-01" if first == "radiotherapy" else "2012-06-01")
    operation(records, "2012-05-01", TNM=tnm("pTNM", T="2b"))
    outcome = yield
    assert described(outcome, t_category=switch)["t_stage"] == stage


@together()
def test_an_unknown_t_gives_way_to_a_known_one(records):
    diagnose(records, TNM=several(tnm(T="X"), tnm("pTNM", T="1")))
    operation(records, "2012-02-01", TNM=tnm("pTNM", T="2b"))
    outcome = yield
    assert described(outcome, t_category="clinical")["t_stage"] == "TX"
    assert described(outcome, t_category="pathological")["t_stage"] == "T2"


@together()
def test_an_unknown_t_of_a_later_report_gives_way_too(records):
    diagnose(records, TNM=tnm(T="X"))
    operation(records, "2012-02-01", TNM=tnm("pTNM", T="2b"))
    operation(records, "2012-02-20", TNM=tnm("pTNM", T="X"))
    outcome = yield
    assert described(outcome, t_category="pathological")["t_stage"] == "T2"


@pytest.mark.parametrize(
    ("first", "second", "stage"),
    [
        # The newer report counts; of two reports of one day the higher category.
        (("2012-02-01", "1"), ("2012-02-20", "2b"), "T2"),
        (("2012-02-01", "2b"), ("2012-02-20", "1"), "T1"),
        (("2012-02-01", "1"), ("2012-02-01", "2b"), "T2"),
        (("2012-02-01", "2b"), ("2012-02-01", "1"), "T2"),
    ],
)
@together()
def test_of_two_reports_the_newer_one_counts_and_of_one_day_the_higher_category(
    records, first, second, stage
):
    diagnose(records)
    for n, (day, category) in enumerate((first, second)):
        records.meldung(
            r.ObdsSurgery, Datum=day, Intention="K", Module_ID=f"O{n}", Menge_OPS='["5-782.b0"]',
            TNM=tnm("pTNM", T=category),
        )  # fmt: skip
    outcome = yield
    assert described(outcome, t_category="pathological")["t_stage"] == stage


@together()
def test_an_undated_report_is_not_the_newest(records):
    diagnose(records)
    operation(records, "2012-02-01", TNM=tnm("pTNM", T="1"))
    pathology(records, TNM=tnm("pTNM", T="2b"))
    outcome = yield
    assert described(outcome, t_category="pathological")["t_stage"] == "T1"


@together()
def test_without_such_a_report_t_is_missing(records):
    diagnose(records, TNM=tnm("pTNM", T="2b"))
    operation(records, "2012-02-01")
    outcome = yield
    assert described(outcome, t_category="clinical")["t_stage"] is None


@pytest.mark.parametrize(
    ("first", "switch", "grade"),
    [
        ("surgery", "by treatment", "G3"),
        ("surgery", "biopsy", "G2"),
        ("surgery", "specimen", "G3"),
        ("radiotherapy", "by treatment", "G2"),
        ("radiotherapy", "biopsy", "G2"),
        ("radiotherapy", "specimen", None),
    ],
)
@together()
def test_the_grade_is_that_of_the_report_that_the_switch_names(records, first, switch, grade):
    diagnose(records, Menge_Weitere_Klassifikation=fnclcc("2"))
    irradiation(records, "2012-02-01" if first == "radiotherapy" else "2012-06-01")
    operation(records, "2012-05-01", Menge_Weitere_Klassifikation=fnclcc("3"))
    outcome = yield
    assert described(outcome, grade=switch)["fnclcc_grade"] == grade


@pytest.mark.parametrize(
    ("morphology", "switch", "group"),
    [
        ("8805/3", {}, "UPS"),
        ("8805/3", {"undifferentiated_sarcoma": "others"}, "others"),
        ("8830/3", {"undifferentiated_sarcoma": "others"}, "others"),
        ("8802/3", {"undifferentiated_sarcoma": "others"}, "UPS"),
        ("8805/3", {"undifferentiated_sarcoma": "older name only"}, "others"),
        ("8830/3", {"undifferentiated_sarcoma": "older name only"}, "UPS"),
        ("8850/1", {}, None),
        ("8850/1", {"atypical_lipomatous_tumour": "include"}, "liposarcoma"),
        ("8850/0", {"atypical_lipomatous_tumour": "include"}, None),
        ("8851/3", {"atypical_lipomatous_tumour": "include"}, "liposarcoma"),
        ("8805/3", {"atypical_lipomatous_tumour": "include"}, "UPS"),
        ("8858/3", {"undifferentiated_sarcoma": "others"}, "liposarcoma"),
        ("8801/3", {}, "others"),
        ("8801/3", {"spindle_cell_sarcoma": "UPS"}, "UPS"),
        ("8811/3", {"spindle_cell_sarcoma": "UPS"}, "myxofibrosarcoma"),
    ],
)
@together()
def test_the_groups_of_the_histologies(records, morphology, switch, group):
    records.patient()
    records.diagnosis(Morphologie_ICD_O=f'["{morphology}"]')
    outcome = yield
    assert described(outcome, **switch)["histology_group"] == group


@pytest.mark.parametrize("group", ["UPS", "others", "liposarcoma"])
@pytest.mark.parametrize(
    "switch",
    [
        {"undifferentiated_sarcoma": "others"},
        {"undifferentiated_sarcoma": "older name only"},
        {"atypical_lipomatous_tumour": "include"},
        {"spindle_cell_sarcoma": "UPS"},
    ],
)
@together()
def test_a_group_without_a_code_of_its_morphology_stays(records, switch, group):
    """A table may give the group alone: no switch about codes says anything of such a patient."""
    records.patient()
    records.diagnosis(Morphologie_ICD_O=None)
    outcome = yield
    frames = outcome.frames
    told = frames["curated.diagnosis"].with_columns(
        histology_group=pl.lit(group).cast(frames["curated.diagnosis"]["histology_group"].dtype)
    )
    assumptions = Assumptions(**cast("Any", switch))
    chosen = index_tumour({**frames, "curated.diagnosis": told}, assumptions)
    assert chosen["icdo3_morphology"].to_list() == [None]
    assert chosen["histology_group"].to_list() == [group]


@pytest.mark.parametrize(
    ("position", "switch", "sequence"),
    [
        ("Z", "its own", "postoperative additive"),
        ("Z", "adjuvant", "postoperative adjuvant"),
        ("A", "adjuvant", "postoperative adjuvant"),
        ("N", "adjuvant", "preoperative"),
    ],
)
@together(sarcoma)
def test_additive_radiotherapy(records, position, switch, sequence):
    course(records, Stellung_OP=position)
    outcome = yield
    assert described(outcome, additive_radiotherapy=switch)["radiation_sequence"] == sequence


@pytest.mark.parametrize(
    ("site", "switch", "reason"),
    [
        ("C47.2", {}, None),
        ("C47.2", {"nerve_sites": "exclude"}, "a peripheral nerve"),
        ("C49.2", {"nerve_sites": "exclude", "visceral_sites": "exclude"}, None),
        ("C49.4", {}, None),
        ("C49.3", {"visceral_sites": "exclude"}, "a site that may be visceral"),
        ("C49.6", {"visceral_sites": "exclude"}, None),
        ("C44.7", {}, "a site of the skin"),
        ("C44.7", {"skin_sites": "include"}, None),
    ],
)
@together()
def test_the_sites_that_are_eligible(patient, site, switch, reason):
    whole(patient, {"Primaertumor_ICD": site, "Primaertumor_Topographie_ICD_O": site})
    outcome = yield
    row = judged(outcome, **switch).filter(criterion="site").row(0, named=True)
    assert (row["met"], row["reason"]) == (reason is None, reason)


@together(whole)
def test_the_defaults_judge_as_before(_):
    outcome = yield
    assert judged_alone(outcome)["met"].to_list() == [True] * len(CRITERIA)


@pytest.mark.parametrize(("switch", "met"), [("exclude", False), ("include", True)])
@together()
def test_an_atypical_lipomatous_tumour_is_eligible_by_the_switch(patient, switch, met):
    whole(patient, {"Morphologie_ICD_O": '["8850/1"]'})
    outcome = yield
    made = judged(outcome, atypical_lipomatous_tumour=switch)
    assert made.filter(criterion="histology")["met"].to_list() == [met]


# UICC TNM 7: T1 up to 5 cm, T2 larger. TNM 8, extremities and trunk: 5, 10, 15 cm; head and neck: 2, 4 cm.
@pytest.mark.parametrize(
    ("t", "size", "edition", "region", "in_7", "in_8"),
    [
        ("T1", 3.0, 7, "extremities", "T1", "T1"),
        ("T1", None, 7, "extremities", "T1", "T1"),
        ("T2", 7.0, 7, "extremities", "T2", "T2"),
        ("T2", 10.0, 7, "trunk", "T2", "T2"),
        ("T2", 10.1, 7, "trunk", "T2", "T3"),
        ("T2", 16.0, 7, "extremities", "T2", "T4"),
        ("T2", None, 7, "extremities", "T2", None),
        # A size of 4 cm contradicts T2 of edition 7: there is no such category to tell.
        ("T2", 4.0, 7, "extremities", "T2", None),
        ("T3", 12.0, 8, "extremities", "T2", "T3"),
        ("T2", None, 8, "extremities", "T2", "T2"),
        ("T1", 3.0, 7, "head and neck", "T1", "T2"),
        ("T1", 1.5, 7, "head and neck", "T1", "T1"),
        ("T2", 6.0, 7, "head and neck", "T2", "T3"),
        ("T1", None, 7, "head and neck", "T1", None),
        ("T2", None, 8, "head and neck", "T1", "T2"),
        ("T2", 7.0, None, "extremities", "T2", "T2"),
        ("T4", None, None, "extremities", "T4", "T4"),
        ("TX", 3.0, 7, "extremities", "TX", "TX"),
        (None, 3.0, 7, "extremities", None, None),
        ("T2", 7.0, 7, None, "T2", "T2"),
    ],
)
def test_t_in_the_words_of_either_edition(t, size, edition, region, in_7, in_8):
    types = {"t": pl.String, "size": pl.Float64, "edition": pl.Int32, "region": pl.String}
    frame = pl.DataFrame({"t": [t], "size": [size], "edition": [edition], "region": [region]}, schema=types)
    told = frame.select(
        in_7=site_codes.t_in_edition_7(*map(pl.col, types)),
        in_8=site_codes.t_in_edition_8(*map(pl.col, types)),
    )
    assert told.row(0) == (in_7, in_8)


@pytest.mark.parametrize(("switch", "said"), [("7", "T2"), ("8", "T4"), ("as reported", "T4")])
@together()
def test_the_edition_is_a_switch(records, switch, said):
    records.patient()
    records.diagnosis(TNM_Version="8", T="4")
    outcome = yield
    assert described(outcome, t_edition=switch)["t_stage"] == said


@pytest.mark.parametrize("editions", [(7, 8), (8, 7)])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_reports_of_one_day_and_category_the_last_record_counts(editions, order):
    """The edition is that of the report whose T is taken, in whatever order the rows come."""
    report = {
        "patient_id": "p", "tumour_id": "t", "t_stage": "T2", "t_prefix": "c", "report_day": 0,
        "role": "biopsy", "after_therapy": False, "of_relapse": False, "by_autopsy": False, "after": False,
    }  # fmt: skip
    rows = [report | {"tnm_edition": edition, "record_ids": [f"r{n}"]} for n, edition in enumerate(editions)]
    tumour = {
        "patient_id": "p", "tumour_id": "t", "index_tumour": True, "t_stage": None, "tnm_edition": None,
        "t_rule": None, "icdo3_morphology": "8802/3", "histology_group": "UPS",
    }  # fmt: skip
    frames = {
        "curated.diagnosis": pl.DataFrame([tumour], schema_overrides={"t_rule": pl.String}),
        "curated.diagnosis_report": pl.DataFrame([rows[n] for n in order]),
    }
    chosen = index_tumour(frames, Assumptions(t_category="clinical"))
    assert chosen.select("t_stage", "tnm_edition").rows() == [("T2", editions[1])]
