"""Which records are one tumour, and which tumour the study is about."""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import diagnoses
from schemas import received as r
from schemas import typed
from tests.curation.baseline_patients import histology
from tests.one_curation import together

BREAST = {"Primaertumor_ICD": "C50.4", "Primaertumor_Topographie_ICD_O": "C50.4",
          "Morphologie_ICD_O": '["8500/3"]', "T": None, "N": None, "M": None}  # fmt: skip
A = {"Absender_ID": "A", "Melder_ID": "1"}
B = {"Absender_ID": "A", "Melder_ID": "2"}


def sarcoma(records, on="2012-01-01", tumour: str | None = "1", code="8802/3", site="C49.2", **values):
    return records.diagnosis(
        on, tumour=tumour, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
        Morphologie_ICD_O=json.dumps([code]), **values,
    )  # fmt: skip


def irradiated(records, on="2012-02-01", tumour: str | None = "1", **values):
    return records.meldung(
        r.ObdsRadiotherapy, tumour=tumour, Module_ID=f"S{on}", Stellung_OP="A", Intention="K", Beginn=on,
        Ende=on, Applikationsart="Perkutan", Gesamtdosis="60", Einzeldosis="2", Boost="N", **values,
    )  # fmt: skip


def operated(records, on="2012-01-20", tumour: str | None = "1", **values):
    return records.meldung(
        r.ObdsSurgery, tumour=tumour, Datum=on, Intention="K", Menge_OPS='["5-782.b0"]',
        **({"Module_ID": f"O{on}", "Lokale_Beurteilung_Residualstatus": "R0"} | values),
    )  # fmt: skip


def examined(records, on, tumour: str | None = "1", **values):
    return records.meldung(
        r.ObdsFollowUp, tumour=tumour, Module_ID=f"V{on}", Untersuchungsdatum_Verlauf=on,
        **({"Gesamtbeurteilung_Tumorstatus": "V", "Verlauf_Lokaler_Tumorstatus": "K"} | values),
    )  # fmt: skip


def rows(outcome, table, *columns):
    return outcome[table].select(columns).rows()


def rules(outcome):
    return {rule for rule in outcome.rules() if rule.startswith("diagnosis.")}


# --- one tumour under two numbers ----------------------------------------------------------------------


def _under_two_numbers(patient, first, second, days):
    patient.patient()
    later = (dt.date(2012, 1, 1) + dt.timedelta(days=days)).isoformat()
    sarcoma(patient, "2012-01-01", "1", *first)
    sarcoma(patient, later, "A7", *second)


@pytest.mark.parametrize(
    ("first", "second", "days", "one"),
    [
        (("8802/3", "C49.2"), ("8802/3", "C49.2"), 0, True),
        (("8802/3", "C49.2"), ("8802/3", "C49.2"), 7, True),
        (("8802/3", "C49.2"), ("8802/3", "C49.2"), 2000, True),  # however far apart
        (("8802/3", "C49.2"), ("8858/3", "C49.2"), 400, True),  # both sarcomas of IARC group 6
        (("8800/3", "C49.2"), ("9364/3", "C49.2"), 400, True),  # refined: group 6 to group 16
        (("8000/3", "C49.2"), ("8890/3", "C49.2"), 400, True),  # one is unspecific
        (("8890/3", "C49.9"), ("8890/3", "C49.2"), 400, True),  # same three characters, one vague
        (("8890/3", "C49.1"), ("8890/3", "C49.2"), 10, True),  # two codes of one tumour
        (("8890/3", "C49.1"), ("8890/3", "C49.2"), 400, False),  # another subsite: the cohort's switch
        (("8890/3", "C49.2"), ("9364/3", "C49.2"), 400, False),  # another histology group
        (("8890/3", "C49.2"), ("8890/3", "C54.2"), 10, False),  # another organ
        (("8890/3", "C49.2"), ("8140/3", "C49.2"), 10, False),
    ],
)
@together()
def test_two_numbers_are_one_tumour_by_site_and_histology_group(patient, first, second, days, one):
    _under_two_numbers(patient, first, second, days)
    case = yield
    assert case["diagnosis"].height == (1 if one else 2)
    assert case["diagnosis"]["diagnosis_date"].min() == dt.date(2012, 1, 1), "the earliest date counts"
    told = case.observed.filter(rule_id="diagnosis.tumour-under-two-ids")
    assert told.select("record_id", "value").rows() == ([(case.ids[-1], "A7")] if one else [])


@together()
def test_a_diagnose_without_a_number_may_be_the_tumour_of_a_number(records):
    records.patient()
    sarcoma(records, "2012-01-01", tumour=None)
    again = sarcoma(records, "2012-01-08", "A7")
    outcome = yield
    assert rows(outcome, "diagnosis", "diagnosis_date") == [(dt.date(2012, 1, 1),)]
    assert outcome.found("diagnosis.tumour-under-two-ids") == [again]


@together()
def test_a_pathology_without_a_number_is_no_second_number_of_the_tumour(records):
    records.patient()
    sarcoma(records)
    records.meldung(
        r.ObdsPathology, tumour=None, Primaertumor_ICD="C49.2", Morphologie_ICD_O='["8802/3"]',
        Tumor_Histologiedatum="2012-02-01",
    )  # fmt: skip
    outcome = yield
    assert outcome["diagnosis"].height == 1
    assert rules(outcome) == set()


@together()
def test_the_order_of_the_records_names_no_other_tumour(records):
    records.patient()
    sarcoma(records, "2014-01-01", "1")
    sarcoma(records, "2012-01-01", "2")
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "diagnosis_date") == [("2", dt.date(2012, 1, 1))]


@together()
def test_opposite_sides_far_apart_are_two_tumours(records):
    records.patient()
    sarcoma(records, "2012-01-01", "1", Seitenlokalisation="L")
    sarcoma(records, "2015-01-01", "2", Seitenlokalisation="R")
    outcome = yield
    assert outcome["diagnosis"].height == 2


@pytest.mark.parametrize(
    ("benign", "malignant", "dates"),
    [
        # A lipoma three years before the liposarcoma is no early report of it, nor is one three years after.
        ("2012-01-01", "2015-01-01", [("2012-01-01", "8850/0"), ("2015-01-01", "8851/3")]),
        ("2018-01-01", "2015-01-01", [("2015-01-01", "8851/3"), ("2018-01-01", "8850/0")]),
        # Within three months it is: the reference pathology changed the diagnosis.
        ("2015-01-01", "2015-03-01", [("2015-01-01", "8851/3")]),
    ],
)
@together()
def test_a_benign_tumour_is_no_early_report_of_a_sarcoma(records, benign, malignant, dates):
    records.patient()
    sarcoma(records, benign, "0", "8850/0")
    sarcoma(records, malignant, "1", "8851/3")
    outcome = yield
    found = rows(outcome, "diagnosis", "diagnosis_date", "icdo3_morphology")
    assert sorted((str(day), code) for day, code in found) == dates


@together()
def test_a_borderline_tumour_may_be_an_early_report_of_a_sarcoma(records):
    records.patient()
    sarcoma(records, "2012-01-01", "0", "8850/1")
    sarcoma(records, "2015-01-01", "1", "8858/3")
    outcome = yield
    assert rules(outcome) >= {"diagnosis.tumour-under-two-ids"}


@together()
def test_a_second_report_after_a_documented_relapse_is_that_relapse(records):
    records.patient()
    sarcoma(records, "2012-01-01", "1", T="1")
    operated(records)
    examined(records, "2014-01-10", Gesamtbeurteilung_Tumorstatus="Y", Verlauf_Lokaler_Tumorstatus="R")
    again = sarcoma(records, "2014-01-20", "2", T="2b")
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "t_stage") == [("1", "T1")], "a relapse is no baseline"
    told = outcome.observed.filter(rule_id="diagnosis.relapse-as-tumour")
    assert told.select("record_id", "value").rows() == [(again, "C49.2 8802/3")]
    role = outcome["diagnosis_report"].filter(reported_tumour="2")["role"].to_list()
    assert role == ["relapse"]


@pytest.mark.parametrize(
    ("between", "rule"),
    [
        ({}, "diagnosis.tumour-under-two-ids"),
        ({"Gesamtbeurteilung_Tumorstatus": "Y"}, "diagnosis.relapse-as-tumour"),
        ({"Verlauf_Lokaler_Tumorstatus": "R"}, "diagnosis.relapse-as-tumour"),
        ({"Verlauf_Tumorstatus_Lymphknoten": "R"}, "diagnosis.relapse-as-tumour"),
    ],
)
@together()
def test_only_an_examination_that_finds_a_relapse_makes_the_second_report_one(records, between, rule):
    records.patient()
    sarcoma(records, "2012-01-01", "1")
    examined(records, "2013-01-10", **between)
    sarcoma(records, "2014-01-20", "2")
    outcome = yield
    assert rules(outcome) == {rule}


@together()
def test_a_relapse_after_the_second_report_is_none_between(records):
    records.patient()
    sarcoma(records, "2012-01-01", "1")
    sarcoma(records, "2012-01-08", "2")
    examined(records, "2014-01-10", Gesamtbeurteilung_Tumorstatus="Y", Verlauf_Lokaler_Tumorstatus="R")
    outcome = yield
    assert rules(outcome) == {"diagnosis.tumour-under-two-ids"}


@together()
def test_a_late_histology_of_the_first_diagnosis_is_no_relapse(records):
    records.patient()
    sarcoma(records, "2012-01-01", "1", Histologie=histology("8802/3", day="2012-06-01"))
    sarcoma(records, "2013-01-01", "2")
    outcome = yield
    assert rules(outcome) == {"diagnosis.tumour-under-two-ids"}


@together()
def test_the_most_specific_morphology_of_a_number_tells_tumours_apart(records):
    """8000/3 is compatible with every group; the sarcoma under the same number is not with a carcinoma."""
    records.patient()
    sarcoma(records, "2012-01-01", "1", code="8000/3", reported="2012-02-01")
    sarcoma(records, "2012-01-01", "1", code="8802/3", reported="2012-01-10")
    sarcoma(records, "2012-01-20", "2", code="8140/3")
    outcome = yield
    assert sorted(outcome["diagnosis"]["tumour_id"]) == ["1", "2"]


@together()
def test_everything_of_the_second_number_belongs_to_the_one_tumour(records):
    records.patient()
    sarcoma(records, tumour="1", **A)
    sarcoma(records, "2012-01-08", "A7", **B)
    operated(records, tumour="A7", **B)
    irradiated(records, tumour="A7", **B)
    examined(records, "2013-01-01", tumour="A7", **B)
    records.meldung(r.ObdsSystemicTherapy, tumour="A7", Therapieart="CH", Beginn="2012-03-01", **B)
    outcome = yield
    for table in ("surgery", "radiotherapy_course", "assessment", "systemic_therapy", "diagnosis"):
        assert outcome[table]["tumour_id"].to_list() == ["1"], table


@together()
def test_one_number_of_two_reporters_is_one_tumour_where_the_site_agrees(records):
    records.patient()
    sarcoma(records, **A)
    operated(records, Primaertumor_ICD="C49.1", Diagnosedatum="2012-01-01",
             Diagnosedatum_Datumsgenauigkeit="E", **B)  # fmt: skip
    outcome = yield
    assert outcome["diagnosis"].height == 1
    assert outcome["surgery"]["tumour_id"].to_list() == ["1"]
    assert rules(outcome) == set()


@together()
def test_one_number_of_two_reporters_for_two_tumours_is_kept_apart_with_a_finding(records):
    records.patient()
    sarcoma(records, **A)
    records.diagnosis("2009-01-01", tumour="1", **BREAST, **B)
    examined(records, "2013-01-01", Primaertumor_ICD="C50.4", Diagnosedatum="2009-01-01",
             Gesamtbeurteilung_Tumorstatus="Y", **B)  # fmt: skip
    outcome = yield
    assert sorted(rows(outcome, "diagnosis", "index_tumour", "icd10_code")) == [
        (False, "C50.4"), (True, "C49.2"),
    ]  # fmt: skip
    breast = outcome["diagnosis"].filter(icd10_code="C50.4")["tumour_id"].to_list()
    assert outcome["assessment"]["tumour_id"].to_list() == breast
    assert "diagnosis.number-of-two-tumours" in outcome.rules()


# --- the index tumour -------------------------------------------------------------------------------------


@together()
def test_the_index_tumour_is_the_irradiated_sarcoma_and_not_the_first_one(records):
    records.patient()
    sarcoma(records, "2005-01-01", "9", "8890/3", "C54.2")
    sarcoma(records, "2012-01-01", "1", "8802/3", "C49.2")
    irradiated(records, tumour="1")
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "index_tumour", "day") == [
        ("9", False, -2556), ("1", True, 0),
    ]  # fmt: skip


@together()
def test_of_two_irradiated_tumours_the_sarcoma_is_the_index_tumour(records):
    records.patient()
    records.diagnosis("2005-01-01", tumour="9", **BREAST)
    irradiated(records, "2005-03-01", tumour="9")
    sarcoma(records, "2012-01-01", "1")
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "index_tumour") == [("9", False), ("1", True)]


def test_of_two_sarcomas_without_radiotherapy_the_operated_one_then_the_earliest(records):
    records.patient()
    sarcoma(records, "2005-01-01", "9", "8890/3", "C54.2")
    sarcoma(records, "2012-01-01", "1")
    assert rows(records.run(), "diagnosis", "tumour_id", "index_tumour") == [("9", True), ("1", False)]
    operated(records, tumour="1")
    assert rows(records.run(), "diagnosis", "tumour_id", "index_tumour") == [("9", False), ("1", True)]


@together()
def test_a_sarcoma_of_bone_is_no_index_tumour_beside_one_of_soft_tissue(records):
    records.patient()
    sarcoma(records, "2005-01-01", "9", "9180/3", "C40.2")
    irradiated(records, "2005-03-01", tumour="9")
    sarcoma(records, "2012-01-01", "1", "9180/3", "C49.2")
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "index_tumour") == [("9", False), ("1", True)]


@together()
def test_a_record_without_a_tumour_belongs_to_the_index_tumour(records):
    records.patient()
    records.diagnosis("2005-01-01", tumour="9", **BREAST)
    sarcoma(records)
    records.add(r.TableRow, table_name="sheet", values=json.dumps({"Nr": records.number, "cm": "12,4"}))
    outcome = yield
    sizes = rows(outcome, "diagnosis", "tumour_id", "tumour_size_cm")
    assert sizes == [("9", None), ("1", 12.4)]


def test_a_tumour_without_a_number_keeps_its_morphology_when_the_index_tumour_is_chosen():
    """A table of one tumour per patient gives no number."""
    rows = [
        {"patient_id": "p", "record_id": f"r{n}", "source": "table", "origin": "table", "complete": True,
         "of_relapse_report": False, "icdo3_morphology": code, "icdo3_topography": "C49.2"}
        for n, code in enumerate(("8800/3", "8858/3", None))
    ]  # fmt: skip
    schema = typed.Diagnosis.polars_schema() | {"patient_id": pl.String, "of_relapse_report": pl.Boolean}
    made = diagnoses.sketch(pl.DataFrame(rows, schema=schema), ["table"])
    assert made.select("tumour_id", "icdo3_morphology", "histology_group").rows() == [
        (None, "8858/3", "liposarcoma")
    ]


@pytest.mark.parametrize(("second", "tumours"), [("C91.01", 1), ("C91.10", 2)])
@together()
def test_the_fifth_digit_of_a_leukaemia_is_its_remission_and_no_site(records, second, tumours):
    records.patient()
    sarcoma(records)
    for number, on, code in (("2", "2014-01-01", "C91.00"), ("3", "2016-01-01", second)):
        records.diagnosis(
            on, tumour=number, Primaertumor_ICD=code, Primaertumor_Topographie_ICD_O=None,
            Morphologie_ICD_O='["9811/3"]', T=None, N=None, M=None,
        )  # fmt: skip
    outcome = yield
    assert outcome["diagnosis"].height == 1 + tumours
