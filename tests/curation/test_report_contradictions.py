"""Reports whose elements contradict each other, and reports without a number: which tumour, which value."""

import pytest

from schemas import received as r
from tests.curation.baseline_patients import BARE, fnclcc, histology
from tests.one_curation import sarcoma, together

RESIDUAL = [
    # local, overall, status that counts, whether it is a finding
    ("R1", "R0", "R1", True),
    ("R2", "R1", "R2", True),
    ("R2", "R1(cy+)", "R2", True),
    ("R1(is)", "R1", "R1", False),
    ("R0", "R2", "R0", False),
    ("RX", "R0", "RX", False),
    ("U", "R0", "R0", False),
    ("U", "R1", None, False),
    ("R1", None, "R1", False),
]


@pytest.mark.parametrize(("local", "overall", "counts", "found"), RESIDUAL)
@together(sarcoma)
def test_all_tumour_is_not_removed_better_than_a_part_of_it(patient, local, overall, counts, found):
    patient.meldung(
        r.ObdsSurgery, Datum="2012-03-01", Intention="K", Lokale_Beurteilung_Residualstatus=local,
        Gesamtbeurteilung_Residualstatus=overall,
    )  # fmt: skip
    made = yield
    assert made["surgery"]["residual_status"].to_list() == [counts]
    assert bool(made.found("surgery.overall-residual-better")) is found


@pytest.mark.parametrize(
    ("intent", "ops", "status", "found"),
    [
        ("D", '["5-782.b0"]', "R0", True),
        ("K", '["1-503.8"]', "R1", True),
        ("K", '["1-503.8", "5-782.b0"]', "R0", False),
        ("D", '["1-503.8"]', None, False),
        ("K", None, "R0", False),
    ],
)
@together(sarcoma)
def test_a_residual_status_of_a_biopsy_is_a_finding(patient, intent, ops, status, found):
    patient.meldung(
        r.ObdsSurgery, Datum="2012-03-01", Intention=intent, Menge_OPS=ops,
        Lokale_Beurteilung_Residualstatus=status,
    )  # fmt: skip
    made = yield
    assert bool(made.found("surgery.residual-of-biopsy")) is found


DOXORUBICIN = '[{"Bezeichnung": "Doxorubicin", "ATC": "L01DB01"}]'


@pytest.mark.parametrize(
    ("kind", "substances", "found"),
    [
        ("WW", DOXORUBICIN, True),
        ("AS", '[{"Bezeichnung": "Denosumab"}]', True),
        ("HO", DOXORUBICIN, True),
        ("CIZ", DOXORUBICIN, False),
        ("ZS", '[{"Bezeichnung": "Pazopanib", "ATC": "L01EX03"}]', False),
        ("HO", '[{"Bezeichnung": "Tamoxifen", "ATC": "L02BA01"}]', False),
        ("SO", '[{"Bezeichnung": "Doxorubicin"}]', False),
        ("WW", None, False),
        ("WW", "[]", False),
        (None, DOXORUBICIN, False),
    ],
)
@together(sarcoma)
def test_substances_that_their_kind_of_therapy_excludes_are_a_finding(patient, kind, substances, found):
    patient.meldung(r.ObdsSystemicTherapy, Therapieart=kind, Beginn="2012-02-01", Menge_Substanz=substances)
    made = yield
    assert bool(made.found("systemic-therapy.substances-against-kind")) is found


@pytest.mark.parametrize(
    ("flag", "causes", "found"),
    [
        ("N", '[{"Code": "I21.9"}, {"Code": "C49.9"}]', True),
        ("J", '[{"Code": "C49.9"}]', False),
        ("N", '[{"Code": "I21.9"}]', False),
        ("U", '[{"Code": "C49.9"}]', False),
        ("N", None, False),
    ],
)
@together(sarcoma)
def test_a_cause_of_death_that_the_flag_denies_is_a_finding(patient, flag, causes, found):
    patient.meldung(
        r.ObdsDeath, Sterbedatum="2014-01-01", Tod_tumorbedingt=flag, Menge_Todesursachen=causes,
        Primaertumor_ICD="C49.2",
    )  # fmt: skip
    made = yield
    assert bool(made.found("vital-status.cause-against-flag")) is found


@pytest.mark.parametrize(
    ("grading", "stage", "found"),
    [
        ("L", "3", True), ("L", "2", False), ("M", "1", True), ("H", "1", True), ("H", "2", False),
        ("4", "2", True), ("2", "3", True), ("X", "3", False), ("L", None, False),
    ],
)  # fmt: skip
@together()
def test_a_grading_in_words_agrees_with_the_fnclcc_grade_or_is_a_finding(patient, grading, stage, found):
    patient.patient()
    told = histology("8802/3", day="2012-01-01", grading=grading)
    further = fnclcc(stage) if stage else None
    patient.diagnosis(**(BARE | {"Histologie": told, "Menge_Weitere_Klassifikation": further}))
    made = yield
    assert bool(made.found("diagnosis.grades-differ")) is found


@pytest.mark.parametrize(
    ("side", "region", "intent", "found"),
    [
        ("R", "7.3", "K", True),
        ("R", None, "K", True),
        ("R", "6.8.", "K", True),
        ("L", "7.3", "K", False),
        ("B", "7.3", "K", False),
        ("U", "7.3", "K", False),
        (None, "7.3", "K", False),
        # A metastasis elsewhere may be on the other side.
        ("R", "3.1", "K", False),
        ("R", "7.3", "P", False),
    ],
)
@together(sarcoma)
def test_an_irradiation_of_the_other_side_is_a_finding(patient, side, region, intent, found):
    patient.meldung(
        r.ObdsRadiotherapy, Beginn="2012-02-01", Ende="2012-03-15", Applikationsart="Perkutan", Boost="N",
        Gesamtdosis="50", Einzeldosis="2", Stellung_OP="O", Intention=intent, Seite_Zielgebiet=side,
        Zielgebiet=region, Seitenlokalisation="L", Primaertumor_ICD="C49.2",
    )  # fmt: skip
    made = yield
    assert bool(made.found("radiotherapy.side-against-tumour")) is found


@pytest.mark.parametrize("statement", ["K", None])
@together(sarcoma)
def test_no_side_effect_beside_one_is_a_finding_of_one_report(patient, statement):
    effect = '[{"Bezeichnung": "Dermatitis", "Grad": "3", "Version": "5.0"}]'
    patient.meldung(
        r.ObdsRadiotherapy, Beginn="2012-02-01", Ende="2012-03-15", Applikationsart="Perkutan", Boost="N",
        Gesamtdosis="50", Einzeldosis="2", Stellung_OP="O", Intention="K", Menge_Nebenwirkung=effect,
        Grad_maximal2_oder_unbekannt=statement,
    )  # fmt: skip
    made = yield
    assert bool(made.found("toxicity.reports-differ")) is (statement == "K")
    assert "present" in made["toxicity"]["statement"].to_list()


@pytest.mark.parametrize(
    ("radiochemo", "kind", "found"),
    [
        ("RCJ", None, True),
        ("RCJ", "HO", True),
        ("RCJ", "CH", False),
        ("RCN", None, False),
        (None, None, False),
    ],
)
@together(sarcoma)
def test_a_radiochemotherapy_without_its_chemotherapy_is_a_finding(patient, radiochemo, kind, found):
    patient.meldung(
        r.ObdsRadiotherapy, Beginn="2012-02-01", Ende="2012-03-15", Applikationsart="Perkutan", Boost="N",
        Gesamtdosis="50", Einzeldosis="2", Stellung_OP="O", Intention="K", Radiochemo=radiochemo,
    )  # fmt: skip
    if kind:
        patient.meldung(r.ObdsSystemicTherapy, Therapieart=kind, Beginn="2012-02-01")
    made = yield
    assert bool(made.found("radiotherapy.chemotherapy-missing")) is found


CARCINOMA = {"Primaertumor_Topographie_ICD_O": "C18.7", "Morphologie_ICD_O": '["8140/3"]'}


@pytest.mark.parametrize(
    ("site", "on", "tumour"),
    [
        # A carcinoma of 2013 beside the sarcoma of 2012.
        ("C18.7", "2013-01-01", "T2"),
        ("C18.9", "2012-01-01", "T2"),
        ("C49.2", "2012-01-01", "T1"),
        ("C49.9", None, "T1"),
        # Of no tumour that is known, and without a site: of the index tumour.
        ("C61", "2014-01-01", "T1"),
        ("C78.0", "2013-01-01", "T1"),
        (None, None, "T1"),
    ],
)
@together(sarcoma)
def test_a_report_without_a_number_belongs_to_the_tumour_of_its_site(patient, site, on, tumour):
    patient.diagnosis("2013-01-01", tumour="T2", Primaertumor_ICD="C18.7", **(BARE | CARCINOMA))
    patient.meldung(
        r.ObdsFollowUp, tumour=None, Primaertumor_ICD=site, Diagnosedatum=on,
        Untersuchungsdatum_Verlauf="2014-02-01", Gesamtbeurteilung_Tumorstatus="P",
    )  # fmt: skip
    made = yield
    assert made["assessment"]["tumour_id"].to_list() == [tumour]


@pytest.mark.parametrize(("on", "tumour"), [("2014-06-01", "T2"), ("2012-01-01", "T1"), ("2013-01-01", "T1")])
@together(sarcoma)
def test_of_two_tumours_of_one_organ_the_date_of_diagnosis_tells(patient, on, tumour):
    # Another subsite of the soft tissues more than three months later is a tumour of its own.
    site = {"Primaertumor_ICD": "C49.1", "Primaertumor_Topographie_ICD_O": "C49.1"}
    patient.diagnosis("2014-06-01", tumour="T2", **site)
    patient.meldung(
        r.ObdsFollowUp, tumour=None, Primaertumor_ICD="C49.9", Diagnosedatum=on,
        Untersuchungsdatum_Verlauf="2015-02-01", Gesamtbeurteilung_Tumorstatus="P",
    )  # fmt: skip
    made = yield
    assert made["assessment"]["tumour_id"].to_list() == [tumour]
