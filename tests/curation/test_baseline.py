"""Histology, grade and TNM at diagnosis from the right report, with the rule that chose and its evidence."""

import json
from itertools import product

import pytest

from schemas import received as r
from tests.curation.baseline_patients import (
    FIRST_DRUGS,
    FIRST_RADIOTHERAPY,
    FIRST_SURGERY,
    ONLY_DRUGS,
    ONLY_RADIOTHERAPY,
    ONLY_SURGERY,
    diagnose,
    drugs,
    fnclcc,
    histology,
    of_index,
    operation,
    pathology,
    several,
    tnm,
    treat,
)
from tests.one_curation import together


def _both_t(patient, course):
    diagnose(patient, TNM=several(tnm(T="1", N="0"), tnm("pTNM", T="2b", N="1")))
    treat(patient, course)


@pytest.mark.parametrize(
    ("course", "t", "rule"),
    [
        (FIRST_SURGERY, "T2", "pTNM"),
        (ONLY_SURGERY, "T2", "pTNM"),
        ((("operation", "2012-02-01"), ("irradiation", "2012-02-01")), "T2", "pTNM"),  # intraoperative
        (FIRST_RADIOTHERAPY, "T1", "cTNM"),
        (FIRST_DRUGS, "T1", "cTNM"),
        (ONLY_RADIOTHERAPY, "T1", "cTNM"),
        ((), "T1", "cTNM"),
    ],
)
@together()
def test_pt_counts_after_surgery_first_and_ct_otherwise(patient, course, t, rule):
    _both_t(patient, course)
    outcome = yield
    n = "N1" if rule == "pTNM" else "N0"
    told = of_index(outcome, "t_stage", "t_rule", "n_stage", "n_rule")
    assert told == (t, rule, n, rule)


@pytest.mark.parametrize(("sequences", "t"), [("N", "T1"), ("A", "T2"), ("NA", "T1"), ("AO", "T2")])
@together()
def test_an_irradiation_without_a_date_was_when_its_report_says(records, sequences, t):
    diagnose(records, TNM=several(tnm(T="1"), tnm("pTNM", T="2b")))
    operation(records, "2012-05-01")
    for sequence in sequences:
        records.meldung(
            r.ObdsRadiotherapy, Module_ID=f"S{sequence}", Intention="K", Stellung_OP=sequence,
            Applikationsart="Perkutan", Gesamtdosis="50", Einzeldosis="2", Boost="N",
        )  # fmt: skip
    outcome = yield
    assert of_index(outcome, "t_stage") == t


@together()
def test_surveillance_is_no_therapy_before_surgery(records):
    diagnose(records, TNM=several(tnm(T="1"), tnm("pTNM", T="2b")))
    drugs(records, "2012-01-10", kind="WW")
    operation(records, "2012-05-01")
    outcome = yield
    assert of_index(outcome, "t_stage") == "T2"


@together()
def test_the_specimens_ptnm_beats_the_diagnoses_and_both_agree_is_no_finding(records):
    diagnose(records, TNM=several(tnm(T="1"), tnm("pTNM", T="1")))
    specimen = operation(records, "2012-02-01", TNM=tnm("TNM", prefix="p", T="2b"))
    outcome = yield
    row = outcome["diagnosis"].row(0, named=True)
    assert (row["t_stage"], row["t_prefix"], row["t_record_ids"]) == ("T2", "p", [specimen])
    assert "diagnosis.stages-differ" in outcome.rules()


SYMBOLS = ("y_Symbol", "r_Symbol", "a_Symbol")


def _after_therapy(patient, course, symbol):
    diagnose(patient)
    treat(patient, course)
    pathology(patient, TNM=tnm("pTNM", T="0", N="1", **{symbol: symbol[0]}))


@pytest.mark.parametrize(
    ("course", "symbol"), list(product([FIRST_SURGERY, FIRST_RADIOTHERAPY, ()], SYMBOLS))
)
@together()
def test_y_r_and_a_are_never_baseline(patient, course, symbol):
    _after_therapy(patient, course, symbol)
    case = yield
    assert of_index(case, "t_stage", "n_stage", "m_stage") == (None, None, None)


def _marked_in_a_diagnose(patient, course, symbol):
    marked = tnm("pTNM", T="1", N="1", **{symbol: symbol[0]})
    diagnose(patient, TNM=several(tnm(T="2b", N="0", M="0"), marked), Histologie=histology("8802/3"),
             Menge_Weitere_Klassifikation=fnclcc("3"))  # fmt: skip
    treat(patient, course)


@pytest.mark.parametrize(("course", "symbol"), list(product([FIRST_RADIOTHERAPY, FIRST_DRUGS, ()], SYMBOLS)))
@together()
def test_a_tnm_with_y_r_or_a_leaves_the_ctnm_of_the_same_diagnose_alone(patient, course, symbol):
    _marked_in_a_diagnose(patient, course, symbol)
    case = yield
    assert of_index(case, "t_stage", "n_stage", "m_stage") == ("T2", "N0", "M0")
    assert of_index(case, "icdo3_morphology", "fnclcc_grade") == ("8802/3", "G3"), "those of the diagnosis"


@together()
def test_a_diagnose_whose_only_tnm_is_after_therapy_was_graded_after_therapy(records):
    diagnose(records, TNM=tnm("pTNM", T="1", y_Symbol="y"), Histologie=histology("8802/3"),
             Menge_Weitere_Klassifikation=fnclcc("1"))  # fmt: skip
    treat(records, FIRST_RADIOTHERAPY)
    outcome = yield
    assert of_index(outcome, "t_stage", "fnclcc_grade") == (None, None)


@together()
def test_yp_in_the_text_of_an_older_export_is_never_baseline(records):
    diagnose(records)
    pathology(records, TNM=tnm("pTNM", T="ypT1", N="ypN1"))
    outcome = yield
    assert of_index(outcome, "t_stage", "n_stage") == (None, None)


@together()
def test_a_ptnm_of_a_specimen_after_radiotherapy_that_lacks_its_y_is_no_baseline(records):
    diagnose(records, TNM=tnm(T="2b"))
    treat(records, FIRST_RADIOTHERAPY, TNM=tnm("TNM", prefix="p", T="1"))
    outcome = yield
    assert of_index(outcome, "t_stage", "t_rule") == ("T2", "cTNM")


@together()
def test_only_ypt_leaves_t_unknown(records):
    diagnose(records)
    treat(records, FIRST_RADIOTHERAPY)
    pathology(records, TNM=tnm("pTNM", T="0", y_Symbol="y"))
    outcome = yield
    assert of_index(outcome, "t_stage", "t_rule", "t_record_ids") == (None, None, None)


@pytest.mark.parametrize("course", [ONLY_RADIOTHERAPY, ONLY_DRUGS])
@together()
def test_tissue_after_therapy_without_a_resection_is_no_baseline(records, course):
    diagnose(records)
    treat(records, course)
    pathology(records, TNM=tnm("pTNM", T="1", N="1"), Histologie=histology("8802/3", day="2012-03-10"))
    outcome = yield
    assert of_index(outcome, "t_stage", "n_stage") == (None, None)


@together()
def test_tissue_before_therapy_without_a_resection_is_baseline(records):
    diagnose(records)
    treat(records, ONLY_RADIOTHERAPY)
    pathology(records, TNM=tnm("pTNM", T="1", N="1"), Histologie=histology("8802/3", day="2012-01-05"))
    outcome = yield
    assert of_index(outcome, "t_stage", "n_stage") == ("T1", "N1")


@together()
def test_only_ct_counts_after_surgery_first_as_well(records):
    diagnose(records, TNM=tnm(T="2b"))
    treat(records, FIRST_SURGERY)
    outcome = yield
    assert of_index(outcome, "t_stage", "t_rule") == ("T2", "cTNM")


@together()
def test_the_ct_of_a_diagnose_counts_although_its_day_is_that_of_an_unplanned_operation(records):
    diagnose(records, "2012-02-10", TNM=tnm(T="2b", N="0"))
    treat(records, FIRST_SURGERY)
    outcome = yield
    assert of_index(outcome, "t_stage", "t_rule", "n_stage", "n_rule") == ("T2", "cTNM", "N0", "cTNM")


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2012-01-15", ("T2", "cTNM")), ("2012-02-01", ("T2", "cTNM")), ("2012-02-02", (None, None))],
)
@together()
def test_the_ct_of_another_report_counts_until_the_first_day_of_therapy(records, day, expected):
    diagnose(records)
    pathology(records, TNM=tnm("TNM", prefix="c", T="2b"), Histologie=histology("8802/3", day=day))
    treat(records, FIRST_RADIOTHERAPY)
    outcome = yield
    assert of_index(outcome, "t_stage", "t_rule") == expected


@together()
def test_only_pt_in_the_diagnose_counts(records):
    diagnose(records, TNM=tnm("pTNM", T="1b"))
    treat(records, FIRST_SURGERY)
    outcome = yield
    assert of_index(outcome, "t_stage", "t_prefix") == ("T1", "p")


@together()
def test_an_x_gives_way_to_what_is_known(records):
    diagnose(records, TNM=several(tnm(T="2b", N="0"), tnm("pTNM", T="2", N="X")))
    treat(records, FIRST_SURGERY)
    outcome = yield
    assert of_index(outcome, "n_stage", "n_rule") == ("N0", "cTNM")


@together()
def test_a_category_of_c_within_a_ptnm_stays_clinical(records):
    diagnose(records, TNM=json.dumps([{"kind": "pTNM", "Version": "7", "c_p_u_Praefix_T": "p", "T": "2b",
                                       "c_p_u_Praefix_N": "c", "N": "0"}]))  # fmt: skip
    treat(records, FIRST_SURGERY)
    outcome = yield
    assert of_index(outcome, "t_rule", "n_rule") == ("pTNM", "cTNM")


@together()
def test_the_edition_is_that_of_the_chosen_t(records):
    diagnose(records, TNM=several(tnm(T="2b", version="7"), tnm("pTNM", version="8", T="3")))
    treat(records, FIRST_SURGERY)
    outcome = yield
    assert of_index(outcome, "t_stage", "tnm_edition") == ("T3", 8)


@together()
def test_a_ptnm_of_a_later_operation_on_a_relapse_is_no_baseline(records):
    diagnose(records, TNM=tnm(T="1"))
    operation(records, "2012-02-01")
    operation(records, "2015-02-01", TNM=tnm("TNM", prefix="p", T="2b"), Histologie=histology("8890/3"))
    outcome = yield
    assert outcome["diagnosis"]["t_stage"].to_list() == ["T1"]
    assert "later specimen" in outcome["diagnosis_report"]["role"].to_list()


@together()
def test_a_re_resection_still_belongs_to_the_specimen(records):
    diagnose(records)
    operation(records, "2012-02-01")
    operation(records, "2012-03-15", TNM=tnm("TNM", prefix="p", T="2b"))
    outcome = yield
    assert of_index(outcome, "t_stage") == "T2"


@together()
def test_a_follow_ups_tnm_and_histology_are_kept_and_never_baseline(records):
    diagnose(records)
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-01-01", Module_ID="V",
                    Gesamtbeurteilung_Tumorstatus="V", TNM=tnm("TNM", T="1"),
                    Histologie=histology("8890/3"))  # fmt: skip
    outcome = yield
    assert outcome["diagnosis"].select("t_stage", "icdo3_morphology").rows() == [(None, None)]
    kept = outcome["diagnosis_report"].filter(origin="follow-up").row(0, named=True)
    assert (kept["t_stage"], kept["icdo3_morphology"], kept["chosen_for"]) == ("T1", "8890/3", [])


@pytest.mark.parametrize(
    ("t", "n", "m", "expected"),
    [
        ("2(m)", "0", "0", ("T2", "N0", "M0", "(m)", None, None)),
        ("2b", "0(sn)", "0", ("T2", "N0", "M0", None, "(sn)", None)),
        ("2", "0(i-)", "0(i+)", ("T2", "N0", "M0", None, "(i-)", "(i+)")),
        ("1mi", "1mi(sn)", "X", ("T1", "N1", "MX", "mi", "mi(sn)", None)),
        ("X", "X", "X", ("TX", "NX", "MX", None, None, None)),
        ("1b (2)", "0(mol-)", "1b", ("T1", "N0", "M1", "(2)", "(mol-)", None)),
        ("3", "2a", "1a(1)", ("T3", "N1", "M1", None, None, "(1)")),
    ],
)
@together()
def test_suffixes_qualify_a_category_and_do_not_change_it(records, t, n, m, expected):
    diagnose(records, TNM=tnm(version="8", T=t, N=n, M=m))
    outcome = yield
    row = outcome["diagnosis"].row(0, named=True)
    columns = ("t_stage", "n_stage", "m_stage", "t_suffix", "n_suffix", "m_suffix")
    assert tuple(row[c] for c in columns) == expected
    assert "value.code-unknown" not in outcome.rules()


@pytest.mark.parametrize("text", ["is", "a", "is(Paget)", "5", "2bb", "zwei"])
@together()
def test_categories_that_sarcomas_do_not_have_are_unknown_and_show_their_text(records, text):
    diagnose(records, TNM=tnm(T=text, N="0", M="0"))
    outcome = yield
    assert outcome["diagnosis"].select("t_stage", "n_stage").rows() == [(None, "N0")]
    seen = outcome.observed.filter(rule_id="value.code-unknown")
    assert seen.select("column_name", "value", "severity").rows() == [("t_stage", text, "warning")]
    assert outcome.quarantined == set()


@together()
def test_the_reports_of_a_tumour_are_in_the_order_of_their_days_undated_ones_last(records):
    undated = records.meldung(r.ObdsPathology, Module_ID="P0", Histologie=histology("8858/3"))
    days = ("2012-03-01", "2012-02-01")
    dated = [
        records.meldung(r.ObdsPathology, Module_ID=f"P{day}", Histologie=histology("8858/3", day=day))
        for day in days
    ]
    diagnose(records, "2012-01-01")
    outcome = yield
    rows = outcome["diagnosis_report"].filter(origin="pathology").select("record_ids", "chosen_for").rows()
    assert rows == [([one], ["histology", "grade"]) for one in (dated[1], dated[0], undated)]
