"""A value that is left out because another is missing, or taken although it came late, is a finding."""

import pytest

from schemas import received as r
from tests.curation.baseline_patients import diagnose, irradiation, of_index, operation, tnm
from tests.one_curation import sarcoma, together


def told(outcome, rule):
    return sorted(outcome.observed.filter(rule_id=rule)["record_id"].unique())


@pytest.mark.parametrize("date", [None, "2014-06-01"])
@together(sarcoma)
def test_an_examination_without_a_date_is_told(records, date):
    seen = records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=date, Verlauf_Lokaler_Tumorstatus="R")
    outcome = yield
    assert told(outcome, "assessment.date-missing") == ([] if date else [seen])


@pytest.mark.parametrize(
    ("first", "dated", "y", "at_fault"),
    [
        # Irradiated in February, operated on in May: the specimen was treated before.
        ("radiotherapy", "2012-05-01", None, True),
        ("radiotherapy", None, None, True),
        ("radiotherapy", "2012-05-01", "y", False),
        ("radiotherapy", "2012-01-20", None, False),
        # On the day on which the irradiation began, the tissue may have been treated.
        ("radiotherapy", "2012-02-01", None, True),
        ("surgery", "2012-05-01", None, False),
    ],
)
@together()
def test_a_ptnm_after_therapy_is_no_baseline_and_told(records, first, dated, y, at_fault):
    diagnose(records, TNM=tnm(T="1"))
    irradiation(records, "2012-02-01" if first == "radiotherapy" else "2012-06-01")
    operation(records, "2012-05-01")
    path = records.meldung(
        r.ObdsPathology, Primaertumor_ICD="C49.2", TNM=tnm("pTNM", T="2b", N=None, Datum=dated, y_Symbol=y),
    )  # fmt: skip
    outcome = yield
    assert told(outcome, "diagnosis.staged-after-therapy") == ([path] if at_fault else [])


@pytest.mark.parametrize(("day", "late"), [("2013-05-01", True), ("2012-05-20", False)])
@together()
def test_a_histology_that_only_a_later_specimen_tells_is_told(records, day, late):
    diagnose(records, Morphologie_ICD_O=None)
    operation(records, "2012-05-01")
    path = records.meldung(
        r.ObdsPathology, Primaertumor_ICD="C49.2", Tumor_Histologiedatum=day, Morphologie_ICD_O='["8811/3"]'
    )
    outcome = yield
    assert outcome["diagnosis"]["icdo3_morphology"].to_list() == ["8811/3"]
    assert told(outcome, "diagnosis.histology-of-later-specimen") == ([path] if late else [])


@together()
def test_so_is_one_of_a_specimen_whose_operation_has_no_readable_date(records):
    diagnose(records, Morphologie_ICD_O=None)
    operation(records, "1.5.12?")
    path = records.meldung(
        r.ObdsPathology, Primaertumor_ICD="C49.2", Tumor_Histologiedatum="2013-05-01",
        Morphologie_ICD_O='["8811/3"]',
    )  # fmt: skip
    outcome = yield
    assert told(outcome, "diagnosis.histology-of-later-specimen") == [path]


@pytest.mark.parametrize(
    ("day", "operations", "unused"),
    [
        ("2012-05-03", ["2012-05-01", "2012-07-20"], False),
        (None, ["2012-05-01", "2012-07-20"], True),
        (None, ["2012-05-01"], False),
        ("2013-05-03", ["2012-05-01"], True),
    ],
)
@together()
def test_a_residual_status_that_fits_no_operation_is_told(records, day, operations, unused):
    diagnose(records)
    for on in operations:
        operation(records, on)
    path = records.meldung(
        r.ObdsPathology, Primaertumor_ICD="C49.2", Tumor_Histologiedatum=day,
        Lokale_Beurteilung_Residualstatus="R1", Morphologie_ICD_O='["8802/3"]',
    )  # fmt: skip
    outcome = yield
    assert told(outcome, "surgery.residual-of-no-operation") == ([path] if unused else [])


@pytest.mark.parametrize(
    ("name", "stage", "site", "unread"),
    [
        ("Grading nach Leitlinie", "2", "C49.2", True),
        ("Sarkomgrad", "G3", "C49.2", True),
        ("FNCLCC", "2", "C49.2", False),
        ("Enneking", "IIB", "C49.2", False),
        ("Ann Arbor", "II", "C83.3", False),
    ],
)
@together()
def test_a_grade_of_an_unknown_name_is_told(records, name, stage, site, unread):
    records.patient()
    of = f'[{{"Name": "{name}", "Stadium": "{stage}", "Datum": "2012-01-01"}}]'
    seen = records.diagnosis(Primaertumor_ICD=site, Menge_Weitere_Klassifikation=of)
    outcome = yield
    assert told(outcome, "diagnosis.grade-of-unknown-name") == ([seen] if unread else [])


@together()
def test_the_baseline_stays(records):
    diagnose(records, TNM=tnm(T="1"))
    irradiation(records, "2012-02-01")
    operation(records, "2012-05-01", TNM=tnm("pTNM", T="2b"))
    outcome = yield
    assert of_index(outcome, "t_stage", "t_rule") == ("T1", "cTNM")
