"""Which records are one tumour, which tumour the study is about, and what happens without a Diagnose."""

import datetime as dt
import json

import pytest

from schemas import received as r
from tests.curation.baseline_patients import histology
from tests.one_curation import OneCuration, together

BREAST = {"Primaertumor_ICD": "C50.4", "Primaertumor_Topographie_ICD_O": "C50.4",
          "Morphologie_ICD_O": '["8500/3"]', "T": None, "N": None, "M": None}  # fmt: skip
A = {"Absender_ID": "A", "Melder_ID": "1"}
B = {"Absender_ID": "A", "Melder_ID": "2"}


def sarcoma(records, on="2012-01-01", tumour="1", code="8802/3", site="C49.2", **values):
    return records.diagnosis(
        on, tumour=tumour, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
        Morphologie_ICD_O=json.dumps([code]), **values,
    )  # fmt: skip


def irradiated(records, on="2012-02-01", tumour="1", **values):
    return records.meldung(
        r.ObdsRadiotherapy, tumour=tumour, Module_ID=f"S{on}", Stellung_OP="A", Intention="K", Beginn=on,
        Ende=on, Applikationsart="Perkutan", Gesamtdosis="60", Einzeldosis="2", Boost="N", **values,
    )  # fmt: skip


def operated(records, on="2012-01-20", tumour="1", **values):
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


def _under_two_numbers(patient, first, second, days, _one):
    patient.patient()
    later = (dt.date(2012, 1, 1) + dt.timedelta(days=days)).isoformat()
    sarcoma(patient, "2012-01-01", "1", *first)
    sarcoma(patient, later, "A7", *second)


TWO_NUMBERS = OneCuration(
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
    _under_two_numbers,
)


@pytest.mark.parametrize(("first", "second", "days", "one"), TWO_NUMBERS.cases)
def test_two_numbers_are_one_tumour_by_site_and_histology_group(first, second, days, one):
    case = TWO_NUMBERS.of(first, second, days, one)
    assert case["diagnosis"].height == (1 if one else 2)
    assert case["diagnosis"]["diagnosis_date"].min() == dt.date(2012, 1, 1), "the earliest date counts"
    assert case.found("diagnosis.tumour-under-two-ids") == (case.ids[-1:] if one else [])


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
    told = outcome.observed.filter(rule_id="diagnosis.relapse-as-tumour")["record_id"].to_list()
    assert told == [again]
    role = outcome["diagnosis_report"].filter(reported_tumour="2")["role"].to_list()
    assert role == ["relapse"]


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


# --- without a Diagnose ------------------------------------------------------------------------------------

ABOUT = {"Primaertumor_ICD": "C49.2", "Diagnosedatum": "2012-01-01",
         "Diagnosedatum_Datumsgenauigkeit": "E", "Seitenlokalisation": "L"}  # fmt: skip


@together()
def test_without_a_diagnose_the_tumorzuordnung_stands_for_it_with_a_finding(records):
    records.patient()
    operation = operated(records, Morphologie_ICD_O='["8802/3"]', **ABOUT)
    irradiated(records, **ABOUT)
    examined(records, "2013-01-01", **ABOUT)
    outcome = yield
    assert rows(
        outcome, "diagnosis", "diagnosis_date", "icd10_code", "icdo3_morphology", "laterality", "documented",
        "index_tumour", "histologically_confirmed",
    ) == [(dt.date(2012, 1, 1), "C49.2", "8802/3", "left", False, True, "yes")]  # fmt: skip
    told = outcome.observed.filter(rule_id="diagnosis.missing")["record_id"].to_list()
    assert len(told) == 1, "once a tumour, not once a record"
    assert operation in outcome["diagnosis"]["record_ids"].to_list()[0]
    assert outcome["surgery"]["surgery_day"].to_list() == [19]
    assert outcome["radiotherapy_course"]["start_day"].to_list() == [31]
    assert outcome["assessment"]["assessment_day"].to_list() == [366]


@pytest.mark.parametrize("undated_first", [True, False])
@together()
def test_without_a_diagnose_the_newest_dated_tumorzuordnung_counts(records, undated_first):
    """A report without a Meldedatum is older than any that has one (definitions, 1)."""
    records.patient()
    undated = {**ABOUT, "Seitenlokalisation": "R", "reported": None}
    if undated_first:
        irradiated(records, **undated)
    operated(records, "2012-01-20", **ABOUT, reported="2013-01-01")
    if not undated_first:
        irradiated(records, **undated)
    outcome = yield
    assert rows(outcome, "diagnosis", "laterality", "documented") == [("left", False)]


@together()
def test_the_morphology_of_the_tumorzuordnung_counts_where_nothing_else_is_said(records):
    records.patient()
    operated(records, Tumorzuordnung_Morphologie="8890/3", **ABOUT)
    outcome = yield
    assert rows(outcome, "diagnosis", "icdo3_morphology", "histology_group") == [("8890/3", "others")]


@together()
def test_a_diagnose_that_is_there_is_not_missing(records):
    records.patient()
    sarcoma(records)
    operated(records, **ABOUT)
    outcome = yield
    assert rules(outcome) == set()


@together()
def test_another_tumours_diagnose_does_not_take_the_sarcomas_records(records):
    records.patient()
    records.diagnosis("2005-01-01", tumour="2", **BREAST)
    operated(records, Morphologie_ICD_O='["8802/3"]', **ABOUT)
    outcome = yield
    assert rows(outcome, "diagnosis", "tumour_id", "documented", "index_tumour") == [
        ("2", True, False), ("1", False, True),
    ]  # fmt: skip
    assert outcome["surgery"]["tumour_id"].to_list() == ["1"]


@together()
def test_a_diagnose_in_quarantine_is_not_missing_and_not_replaced(records):
    records.patient()
    held = records.diagnosis(exactness="V", tumour="1")
    operated(records, **{**ABOUT, "Diagnosedatum_Datumsgenauigkeit": "V"})
    outcome = yield
    assert outcome.quarantined == {held}
    assert outcome["diagnosis"].is_empty()
    assert rules(outcome) == {"diagnosis.date-unusable"}


@together()
def test_an_undated_tumorzuordnung_makes_no_diagnosis_and_is_found(records):
    records.patient()
    operated(records, **{**ABOUT, "Diagnosedatum": None})
    outcome = yield
    assert outcome["diagnosis"].is_empty()
    assert rules(outcome) == {"diagnosis.missing"}
    assert outcome["surgery"].height == 1, "it does not vanish"


@together()
def test_a_death_alone_makes_no_tumour(records):
    records.patient()
    sarcoma(records)
    records.meldung(r.ObdsDeath, tumour="7", Sterbedatum="2014-01-05", **{**ABOUT, "Primaertumor_ICD": "C61"})
    outcome = yield
    assert outcome["diagnosis"].height == 1


@together()
def test_a_table_that_names_an_unknown_tumour_is_found(records):
    records.patient()
    sarcoma(records)
    unknown, _ = (
        records.add(
            r.TableRow, table_name="numbered",
            values=json.dumps({"Nr": records.number, "Tumor": tumour, "Tag": on}),
        )
        for tumour, on in (("77", "01.02.2013"), ("1", "02.02.2013"))
    )  # fmt: skip
    outcome = yield
    assert outcome["assessment"]["tumour_id"].to_list() == ["1", "1"]
    assert outcome.found("diagnosis.number-unknown") == [unknown]


@together()
def test_a_record_that_names_no_tumour_lacks_no_diagnose_where_the_patient_has_one(records):
    records.patient()
    sarcoma(records)
    records.diagnosis("2014-01-01", tumour="2", **BREAST)
    examined(records, "2015-01-01", tumour=None)
    outcome = yield
    assert rows(outcome, "assessment", "tumour_id") == [("1",)], "it belongs to the index tumour"
    assert "diagnosis.missing" not in rules(outcome)


@together()
def test_a_record_that_names_no_tumour_lacks_its_diagnose_where_the_patient_has_none(records):
    records.patient()
    examined(records, "2015-01-01", tumour=None, Primaertumor_ICD="C49.2", Diagnosedatum="2014-01-01",
             Diagnosedatum_Datumsgenauigkeit="E")  # fmt: skip
    outcome = yield
    assert "diagnosis.missing" in rules(outcome)


# --- a tumour that is only named -----------------------------------------------------------------------


def _named(patient, module, tumour, site, on, _told):
    """A sarcoma, and a further report that says nothing but which tumour it is about."""
    patient.patient()
    sarcoma(patient)
    own = {"Sterbedatum": "2014-03-01", "Tod_tumorbedingt": "U"} if module is r.ObdsDeath else {}
    patient.meldung(module, tumour=tumour, Module_ID="K1", Primaertumor_ICD=site, Diagnosedatum=on, **own)


ONLY_NAMED = OneCuration(
    [
        (r.ObdsTumourBoard, "2", "C34.1", "2013-01-15", True),
        (r.ObdsDeath, "2", "C34.1", "2013-01-15", True),
        (r.ObdsTumourBoard, None, "C34.1", "2013-01-15", True),
        (r.ObdsTumourBoard, "2", None, "2013-01-15", True),
        (r.ObdsTumourBoard, "2", None, None, True),
        (r.ObdsTumourBoard, None, None, None, False),  # says nothing of any tumour
        (r.ObdsTumourBoard, "1", "C49.2", "2012-01-01", False),  # the known one
        (r.ObdsTumourBoard, "7", "C49.1", "2012-01-01", False),  # of its organ
        (r.ObdsTumourBoard, "2", "C78.0", "2013-01-15", False),  # a metastasis
    ],
    _named,
)


@pytest.mark.parametrize(("module", "tumour", "site", "on", "told"), ONLY_NAMED.cases)
def test_a_tumour_that_only_a_board_or_a_death_names_is_a_finding(module, tumour, site, on, told):
    case = ONLY_NAMED.of(module, tumour, site, on, told)
    assert case.found("diagnosis.only-named") == (case.ids[-1:] if told else [])
    assert case["diagnosis"]["icd10_code"].to_list() == ["C49.2"]


@together()
def test_a_board_about_a_tumour_that_is_treated_adds_no_finding(records):
    records.patient()
    sarcoma(records)
    operated(records, "2013-02-10", "2", Primaertumor_ICD="C34.1", Diagnosedatum="2013-01-15")
    records.meldung(
        r.ObdsTumourBoard, tumour="2", Module_ID="K1", Primaertumor_ICD="C34.1", Diagnosedatum="2013-01-15"
    )
    outcome = yield
    assert rules(outcome) == {"diagnosis.missing"}
