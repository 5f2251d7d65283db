"""The histology and the grade at baseline."""

import pytest

from tests.curation.baseline_patients import (
    FIRST_DRUGS,
    FIRST_RADIOTHERAPY,
    FIRST_SURGERY,
    diagnose,
    fnclcc,
    histology,
    of_index,
    operation,
    pathology,
    tnm,
    treat,
)
from tests.one_curation import together


def _specimens(patient, course, biopsy, specimen):
    diagnose(patient, Histologie=histology(biopsy))
    treat(patient, course, Histologie=histology(specimen))


@pytest.mark.parametrize(
    ("course", "biopsy", "specimen", "expected", "rule"),
    [
        (FIRST_SURGERY, "8800/3", "8858/3", "8858/3", "specimen"),
        (FIRST_SURGERY, "8890/3", "8858/3", "8858/3", "specimen"),
        (FIRST_SURGERY, "8858/3", "8800/3", "8858/3", "biopsy"),  # the specimen only says sarcoma
        (FIRST_SURGERY, "8858/3", "8802/3", "8802/3", "specimen"),
        (FIRST_SURGERY, "8000/3", "8800/3", "8800/3", "specimen"),
        # Tissue of a metastasis is not that of the primary; it counts where nothing else tells.
        (FIRST_SURGERY, "8802/3", "8802/6", "8802/3", "biopsy"),
        (FIRST_SURGERY, "8800/3", "8858/6", "8800/3", "biopsy"),
        (FIRST_SURGERY, "8802/6", "8800/3", "8800/3", "specimen"),
        (FIRST_RADIOTHERAPY, "8800/3", "8858/6", "8800/3", "biopsy"),
        # A specimen that proves to be benign is a better look at the primary.
        (FIRST_SURGERY, "8858/3", "8850/0", "8850/0", "specimen"),
        (FIRST_RADIOTHERAPY, "8890/3", "8858/3", "8890/3", "biopsy"),
        (FIRST_RADIOTHERAPY, "8800/3", "8858/3", "8858/3", "specimen"),
        (FIRST_RADIOTHERAPY, "8802/3", "8858/3", "8858/3", "specimen"),
        (FIRST_RADIOTHERAPY, "8802/3", "8800/3", "8802/3", "biopsy"),
    ],
)
@together()
def test_the_definitive_specimen_beats_the_biopsy_before_therapy(
    patient, course, biopsy, specimen, expected, rule
):
    _specimens(patient, course, biopsy, specimen)
    outcome = yield
    row = outcome["diagnosis"].row(0, named=True)
    assert (row["icdo3_morphology"], row["histology_rule"]) == (expected, rule)
    assert row["morphologies"] == sorted({biopsy, specimen}), "all of them are kept"
    said = outcome["diagnosis_report"].filter(icdo3_morphology=expected)["record_ids"].explode().to_list()
    assert row["histology_record_ids"] == sorted(said), "the evidence says what was chosen"


@pytest.mark.parametrize("day", [None, "2012-02-01", "2012-02-20"])
@together()
def test_a_pathology_report_of_the_resection_is_the_specimen(records, day):
    diagnose(records, Histologie=histology("8800/3"))
    treat(records, FIRST_SURGERY)
    pathology(records, Histologie=histology("8811/3", day=day))
    outcome = yield
    assert of_index(outcome, "icdo3_morphology", "histology_group", "histology_rule") == (
        "8811/3", "myxofibrosarcoma", "specimen",
    )  # fmt: skip


@together()
def test_a_pathology_report_before_the_operation_is_the_biopsys(records):
    diagnose(records, Histologie=histology("8890/3"))
    treat(records, FIRST_SURGERY)
    pathology(records, Histologie=histology("8811/3", day="2012-01-02"))
    outcome = yield
    assert of_index(outcome, "icdo3_morphology", "histology_rule") == ("8811/3", "biopsy")


@together()
def test_the_histology_of_a_diagnostic_operation_is_the_biopsys(records):
    diagnose(records)
    operation(records, "2012-01-01", intent="D", Histologie=histology("8890/3"))
    operation(records, "2012-02-01", Histologie=histology("8858/3"))
    outcome = yield
    assert of_index(outcome, "icdo3_morphology", "histology_rule") == ("8858/3", "specimen")


@together()
def test_pathology_fills_a_diagnose_without_histology_and_proves_it(records):
    diagnose(records, Diagnosesicherung="2")
    pathology(records, Histologie=histology("9040/3"))
    outcome = yield
    assert of_index(outcome, "icdo3_morphology", "histologically_confirmed") == ("9040/3", "yes")


def _subtypes(patient, codes):
    diagnose(patient, Histologie=histology(*codes))


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("8800/3", "8858/3"), "8858/3"),
        (("8858/3", "8800/3"), "8858/3"),
        (("8802/3", "8890/3"), "8890/3"),
        (("8800/3", "8802/3"), "8802/3"),
        (("8850/1", "8858/3"), "8858/3"),  # the malignant one
        (("8890/3", "8858/3"), "8890/3"),  # two subtypes: the report's order
    ],
)
@together()
def test_within_one_report_a_named_subtype_beats_the_unspecific_code(patient, codes, expected):
    _subtypes(patient, codes)
    outcome = yield
    assert outcome["diagnosis"]["icdo3_morphology"].to_list() == [expected]
    assert outcome["diagnosis"]["morphologies"].to_list() == [sorted(codes)]
    assert "diagnosis.several-morphologies" in outcome.rules()


@together()
def test_one_morphology_given_twice_is_one(records):
    diagnose(records, Histologie=histology("8858/3", "8858/3"))
    outcome = yield
    assert "diagnosis.several-morphologies" not in outcome.rules()


def _different(patient, one, other):
    diagnose(patient, Histologie=histology(one))
    operation(patient, "2012-02-01", Histologie=histology(other))


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("8890/3", "8858/3", True),
        ("8850/3", "8858/3", False),
        ("8852/3", "8858/3", True),
        ("8858/3", "8852/3", True),
        ("8852/3", "8852/3", False),
        ("9041/3", "9040/3", False),
        ("8800/3", "8858/3", False),
    ],
)
@together()
def test_reports_of_different_histology_groups_are_found(patient, one, other, found):
    _different(patient, one, other)
    outcome = yield
    assert ("diagnosis.histologies-differ" in outcome.rules()) is found


# --- grade --------------------------------------------------------------------------------------------------


def _graded(patient, course, biopsy, specimen):
    diagnose(patient)
    if biopsy:
        pathology(patient, Histologie=histology("8802/3", day="2012-01-01"),
                  Menge_Weitere_Klassifikation=fnclcc(biopsy))  # fmt: skip
    treat(patient, course, Histologie=histology("8802/3"),
          **({"Menge_Weitere_Klassifikation": fnclcc(specimen)} if specimen else {}))  # fmt: skip


@pytest.mark.parametrize(
    ("course", "biopsy", "specimen", "expected", "rule"),
    [
        (FIRST_SURGERY, "3", "1", "G1", "specimen"),
        (FIRST_SURGERY, "3", None, "G3", "biopsy"),
        (FIRST_SURGERY, "3", "X", "G3", "biopsy"),
        (FIRST_RADIOTHERAPY, "3", "1", "G3", "biopsy"),
        (FIRST_RADIOTHERAPY, None, "1", None, None),
        (FIRST_DRUGS, "2", "1", "G2", "biopsy"),
    ],
)
@together()
def test_the_specimen_is_graded_only_without_therapy_before_it(
    patient, course, biopsy, specimen, expected, rule
):
    _graded(patient, course, biopsy, specimen)
    outcome = yield
    row = outcome["diagnosis"].row(0, named=True)
    assert (row["fnclcc_grade"], row["fnclcc_rule"]) == (expected, rule)
    assert ("diagnosis.graded-after-therapy" in outcome.rules()) is (expected is None)


@together()
def test_a_specimen_with_yptnm_is_not_graded_even_where_no_therapy_is_documented(records):
    diagnose(records)
    pathology(records, Histologie=histology("8802/3", day="2012-05-01"), TNM=tnm("pTNM", T="1", y_Symbol="y"),
              Menge_Weitere_Klassifikation=fnclcc("1"))  # fmt: skip
    operation(records, "2012-05-01")
    outcome = yield
    assert of_index(outcome, "fnclcc_grade") is None


def _spellings(patient, name, stage):
    diagnose(patient, Menge_Weitere_Klassifikation=fnclcc(stage, name))


@pytest.mark.parametrize(
    ("name", "stage", "expected"),
    [
        ("FNCLCC", "2", "G2"),
        ("FNCLCC", "G2", "G2"),
        ("FNCLCC", "Grad 2", "G2"),
        ("FNCLCC", "II", "G2"),
        ("FNCLCC", "Grad III", "G3"),
        ("FNCLCC", "FNCLCC 3", "G3"),
        ("FNCLCC", "2 von 3", "G2"),
        ("FNCLCC", "G X", "GX"),
        ("Grading nach FNCLCC", "G2", "G2"),
        ("fnclcc grade", "grade 1", "G1"),
        ("French Federation (Coindre)", "2", "G2"),
        ("Coindre-Grading", "3", "G3"),
        ("FNCLCC-Grading", "II", "G2"),
        ("Fédération Nationale des Centres de Lutte Contre le Cancer", "1", "G1"),
    ],
)
@together()
def test_every_usual_spelling_of_the_fnclcc_grade(patient, name, stage, expected):
    _spellings(patient, name, stage)
    outcome = yield
    assert outcome["diagnosis"]["fnclcc_grade"].to_list() == [expected]
    assert "value.code-unknown" not in outcome.rules()


@pytest.mark.parametrize(("stage", "found"), [("high grade", True), ("2/3", True), ("4", True)])
@together()
def test_a_spelling_that_is_not_sure_is_found_and_not_guessed(records, stage, found):
    diagnose(records, Menge_Weitere_Klassifikation=fnclcc(stage))
    outcome = yield
    assert outcome["diagnosis"]["fnclcc_grade"].to_list() == [None]
    assert ("value.code-unknown" in outcome.rules()) is found


@together()
def test_another_classification_is_no_grade(records):
    diagnose(records, Menge_Weitere_Klassifikation=fnclcc("2", "Enneking"))
    outcome = yield
    assert of_index(outcome, "fnclcc_grade") is None
