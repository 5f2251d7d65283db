"""Codes of histology, site and T at baseline, and partial dates."""

import datetime as dt

import pytest

from schemas import received as r
from tests.curation.baseline_patients import (
    diagnose,
    histology,
    irradiation,
    of_index,
    operation,
    tnm,
)
from tests.one_curation import sarcoma, together


@pytest.mark.parametrize(
    ("code", "version", "site", "group"),
    [
        ("8832/3", "33", "C49.2", "others"),  # fibrosarcomatous
        ("8832/3", "32", "C49.2", None),  # dermatofibrosarcoma
        ("8832/3", "31", "C49.2", None),
        ("8832/1", "33", "C49.2", None),
        ("8833/3", "31", "C49.2", None),
        ("8859/3", "bb", "C49.2", "liposarcoma"),
        ("9364/3", "33", "C49.2", "others"),
        ("9364/3", "33", "C41.2", None),  # of bone
        ("9260/3", "31", "C49.2", "others"),
        ("9367/3", "bb", "C49.2", "others"),
        ("9180/3", "33", "C49.2", "others"),
        ("9180/3", "33", "C40.2", None),
        ("8880/3", "33", "C49.2", None),  # benign
        ("8856/3", "33", "C49.2", None),
        ("9541/3", "33", "C49.2", None),
        ("8714/3", "33", "C49.2", "others"),
        ("9137/3", "33", "C49.2", "others"),
        ("9542/3", "33", "C47.2", "others"),
        ("8850/1", "33", "C49.2", None),
        ("8140/3", "33", "C49.2", None),
    ],
)
@together()
def test_the_histology_group_by_code_version_and_site(patient, code, version, site, group):
    diagnose(
        patient,
        Primaertumor_ICD=site,
        Primaertumor_Topographie_ICD_O=site,
        Histologie=histology(code, version=version),
    )
    outcome = yield
    assert of_index(outcome, "histology_group", "morphology_version") == (group, version)


@together()
def test_8832_without_a_version_is_found(records):
    diagnose(records, Morphologie_ICD_O='["8832/3"]')
    outcome = yield
    assert outcome["diagnosis"]["histology_group"].to_list() == ["others"]
    assert "diagnosis.morphology-version-missing" in outcome.rules()


@pytest.mark.parametrize(("site", "region"), [
        ("C49.0", "head and neck"), ("C49.1", "extremities"), ("C49.6", "trunk"), ("C49.9", "unspecified"),
        ("C49.8", "unspecified"), ("C47.0", "head and neck"), ("C47.1", "extremities"),
        ("C47.2", "extremities"), ("C47.3", "trunk"), ("C47.6", "trunk"), ("C47.9", "unspecified"),
        ("C44.3", "head and neck"), ("C44.5", "trunk"), ("C44.6", "extremities"), ("C44.7", "extremities"),
        ("C76.0", "head and neck"), ("C76.1", "trunk"), ("C76.3", "trunk"), ("C76.4", "extremities"),
        ("C76.5", "extremities"), ("C48.0", "retroperitoneum"), ("C48.1", "peritoneum"),
        ("C48.2", "peritoneum"), ("C40.2", "bone"), ("C54.2", "other"),
    ])  # fmt: skip
@together()
def test_the_region_of_a_site(patient, site, region):
    diagnose(patient, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site)
    outcome = yield
    assert of_index(outcome, "region") == region


@pytest.mark.parametrize(("site", "found"), [("C44.7", True), ("C49.2", False), ("C47.2", False)])
@together()
def test_a_sarcoma_of_the_skin_is_found(records, site, found):
    diagnose(records, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
             Histologie=histology("8802/3"))  # fmt: skip
    outcome = yield
    assert ("diagnosis.sarcoma-of-skin" in outcome.rules()) is found


@together()
def test_a_carcinoma_of_the_skin_is_no_sarcoma_of_it(records):
    diagnose(records, Primaertumor_ICD="C44.7", Primaertumor_Topographie_ICD_O="C44.7",
             Histologie=histology("8090/3"))  # fmt: skip
    outcome = yield
    assert "diagnosis.sarcoma-of-skin" not in outcome.rules()


def _visceral(patient, site, target):
    diagnose(patient, Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
             Histologie=histology("8802/3"))  # fmt: skip
    if target:
        irradiation(patient, "2012-02-01", Zielgebiet=target)


@pytest.mark.parametrize(
    ("site", "target", "found"),
    [("C49.4", None, True), ("C49.4", "7.5", False), ("C49.6", None, False), ("C49.3", None, True)],
)
@together()
def test_a_site_that_may_be_visceral_is_found_unless_the_target_region_tells(patient, site, target, found):
    _visceral(patient, site, target)
    outcome = yield
    assert ("diagnosis.site-may-be-visceral" in outcome.rules()) is found


@pytest.mark.parametrize(
    ("code", "version", "found"), [("9120/3", "8", True), ("9120/3", "7", False), ("8802/3", "8", False)]
)
@together()
def test_a_t_of_a_sarcoma_that_edition_8_does_not_stage_is_a_notice(records, code, version, found):
    diagnose(records, "2018-01-01", Histologie=histology(code), TNM=tnm(version=version, T="2"))
    outcome = yield
    assert ("diagnosis.t-not-applicable" in outcome.rules()) is found


# --- partial dates ------------------------------------------------------------


def _cut(patient, on, exactness, operated):
    patient.patient()
    patient.diagnosis(on, exactness)
    if operated:
        operation(patient, operated)


@pytest.mark.parametrize(
    ("on", "exactness", "operated", "expected", "ends"),
    [
        ("2012-03-15", "T", None, "2012-03-15", ("2012-03-01", "2012-03-31")),
        ("2012-01-01", "M", None, "2012-07-01", ("2012-01-01", "2012-12-31")),
        ("2012-03-15", "T", "2012-03-06", "2012-03-03", ("2012-03-01", "2012-03-06")),
        ("2012-03-15", "T", "2012-04-06", "2012-03-15", ("2012-03-01", "2012-03-31")),
        ("2012-03-15", "T", "2012-02-06", "2012-03-15", ("2012-03-01", "2012-03-31")),  # contradicts
        ("2012-01-01", "M", "2012-01-31", "2012-01-16", ("2012-01-01", "2012-01-31")),
        ("2012-03-15", "E", "2012-03-06", "2012-03-15", ("2012-03-15", "2012-03-15")),
    ],
)
@together()
def test_a_partial_date_of_diagnosis_is_cut_by_the_first_therapy(
    patient, on, exactness, operated, expected, ends
):
    _cut(patient, on, exactness, operated)
    outcome = yield
    row = outcome["diagnosis"].row(0, named=True)
    day = dt.date.fromisoformat
    assert row["diagnosis_date"] == day(expected)
    assert (row["diagnosis_date_earliest"], row["diagnosis_date_latest"]) == tuple(map(day, ends))


@pytest.mark.parametrize(
    ("operated", "died", "expected", "latest"),
    [
        (None, "04.10.2012", "2012-05-18", "2012-10-04"),
        ("2012-05-02", "04.10.2012", "2012-03-02", "2012-05-02"),
        ("2012-05-02", None, "2012-03-02", "2012-05-02"),
        (None, "04.10.2014", "2012-07-01", "2012-12-31"),
        (None, "00.10.2012", "2012-06-01", "2012-10-31"),
    ],
)
@together()
def test_a_partial_date_of_diagnosis_ends_with_the_first_therapy_or_with_death(
    records, operated, died, expected, latest
):
    """Pencil: the middle of 1 January and the last possible day, rounded down."""
    records.patient()
    records.diagnosis("2012-01-01", "M")
    if operated:
        operation(records, operated)
    if died:
        records.reply(answer="verstorben", event_date=died)
    outcome = yield
    row = outcome["diagnosis"].row(0, named=True)
    assert row["diagnosis_date"] == dt.date.fromisoformat(expected)
    assert row["diagnosis_date_latest"] == dt.date.fromisoformat(latest)


@pytest.mark.parametrize(
    ("examined", "expected"),
    [("2017-06-25", "2017-06-27"), ("2017-06-20", "2017-06-25"), ("2017-05-20", "2017-06-15")],
)
@together(sarcoma)
def test_nobodys_death_moves_before_a_day_on_which_they_were_examined(records, examined, expected):
    records.reply(answer="verstorben", event_date="00.06.2017")
    records.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=examined, Gesamtbeurteilung_Tumorstatus="V")
    outcome = yield
    status = outcome["vital_status"].row(0, named=True)
    assert status["death_date"] == dt.date.fromisoformat(expected)
    assert status["death_day"] == (dt.date.fromisoformat(expected) - dt.date(2012, 1, 1)).days
    assert status["last_alive_date"] == dt.date.fromisoformat(examined)
