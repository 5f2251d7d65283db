"""Exclusion and censoring that rest on what is missing or contradictory are findings."""

from __future__ import annotations

import sys

import polars as pl
import pytest

from sarcoma_pipeline.cohort import eligibility, not_known
from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.quality.findings import places
from sarcoma_pipeline.quality.rule_catalogue import rules
from schemas import received as r
from schemas.assumptions import Assumptions
from schemas.configuration import Sources
from tests.cohort.test_eligibility import CRITERIA, course, study, whole
from tests.conftest import FILES, SOURCES, Records
from tests.one_curation import OfPatient

RADIOTHERAPY = {**CRITERIA[4], "techniques": ["VMAT"]}
KNOWN = {"name": "size", "rule": "known", "label": "Size", "column": "tumour_size_cm"}
OBSERVED = {"name": "observed", "rule": "observed", "label": "Observed"}

NOT_KNOWN = {
    "no morphology": (CRITERIA[0], {"Morphologie_ICD_O": None}, {}, "no morphology documented"),
    "certainty against the morphology": (
        CRITERIA[0], {"Diagnosesicherung": "2"}, {}, "not histologically proven",
    ),
    "no certainty": (CRITERIA[0], {"Diagnosesicherung": None}, {}, "not histologically proven"),
    "no site": (
        CRITERIA[1], {"Primaertumor_ICD": None, "Primaertumor_Topographie_ICD_O": None}, {},
        "no site documented",
    ),
    "a site that says nothing": (
        CRITERIA[1], {"Primaertumor_ICD": "C80.9", "Primaertumor_Topographie_ICD_O": "C80.9"}, {},
        "site not specified",
    ),
    "no intent": (CRITERIA[3], {}, {"Intention": None}, "not documented"),
    "no plan": (RADIOTHERAPY, {}, {}, "no plan shows the technique"),
    "no value": (KNOWN, {}, {}, "missing"),
}  # fmt: skip
"""What is missing or contradictory: criterion, diagnosis, radiotherapy, and the reason that is given."""

NOT_FULFILLED = {
    "histology": (CRITERIA[0], {"Morphologie_ICD_O": '["8140/3"]'}, {}),
    "site": (CRITERIA[1], {"Primaertumor_ICD": "C48.0", "Primaertumor_Topographie_ICD_O": "C48.0"}, {}),
    "no_metastasis": (CRITERIA[2], {"M": "1"}, {}),
    "curative": (CRITERIA[3], {}, {"Intention": "P"}),
    "radiotherapy": (CRITERIA[4], {}, {"Stellung_OP": "O"}),
    "window": (CRITERIA[5], {}, {"start": "2021-02-01"}),
}  # fmt: skip


def judged(
    records: Records, *criteria: dict, sources: Sources = SOURCES
) -> tuple[eligibility.Eligibility, pl.DataFrame]:
    frames = records.run().frames
    planned = pl.when(pl.col("patient_id") == "number:9").then(pl.lit("VMAT")).otherwise("technique")
    course_table = frames["curated.radiotherapy_course"]
    frames["curated.radiotherapy_course"] = course_table.with_columns(technique=planned)
    made = eligibility.assess(frames, timeline(frames, Assumptions()), study(*criteria))
    found = not_known.unknown(made)
    of = not_known.candidates(frames, found)
    return made, not_known.observe(made, found, of, places(records.frames, FILES), sources)


def beside_a_known_one(records: Records) -> None:
    """Add a patient of whom everything is known: what another lacks is no fact that nobody has."""
    whole(OfPatient(records, "9"))
    records.add(r.TableRow, table_name="sheet", **{"values": '{"Nr": "9", "cm": "5,5"}'})
    records.meldung(
        r.ObdsFollowUp, "9", Untersuchungsdatum_Verlauf="2013-01-01", Gesamtbeurteilung_Tumorstatus="V"
    )


@pytest.mark.parametrize(
    ("criterion", "diagnosis", "radiotherapy", "reason"), NOT_KNOWN.values(), ids=NOT_KNOWN
)
def test_who_is_excluded_by_what_is_not_known_has_a_finding(
    records, criterion, diagnosis, radiotherapy, reason
):
    whole(OfPatient(records, "1"), diagnosis=diagnosis, radiotherapy=radiotherapy)
    beside_a_known_one(records)
    made, seen = judged(records, criterion)
    assert made.flow.select("excluded", "not_known", "remaining").row(0) == (1, 1, 1)
    (found,) = seen.rows(named=True)
    assert (found["rule_id"], found["severity"]) == ("eligibility.not-known", "warning")
    assert found["note"] == f"criterion {criterion['name']}: {reason}"
    of_course = criterion["name"] in ("curative", "radiotherapy")
    assert found["record_id"] == ("obds_radiotherapy-3" if of_course else "obds_diagnosis-2")


@pytest.mark.parametrize(
    ("criterion", "diagnosis", "radiotherapy"), NOT_FULFILLED.values(), ids=NOT_FULFILLED
)
def test_who_does_not_fulfil_a_criterion_has_none(records, criterion, diagnosis, radiotherapy):
    whole(OfPatient(records, "1"), diagnosis=diagnosis, radiotherapy=radiotherapy)
    made, seen = judged(records, criterion)
    assert made.flow.select("excluded", "not_known").row(0) == (1, 0)
    assert seen.is_empty()


@pytest.mark.parametrize("criterion", [*CRITERIA, OBSERVED], ids=lambda c: c["name"])
def test_who_fulfils_a_criterion_by_what_is_known_has_none(records, criterion):
    whole(OfPatient(records, "1"))
    records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2013-01-01", Gesamtbeurteilung_Tumorstatus="V"
    )
    made, seen = judged(records, criterion)
    assert made.flow["remaining"].to_list() == [1]
    assert seen.is_empty()


def test_two_intents_contradict_each_other(records):
    whole(OfPatient(records, "1"))
    records.meldung(r.ObdsSurgery, Module_ID="O1", Datum="2012-03-01", Intention="P", Menge_OPS='["5-782.b"]')
    made, seen = judged(records, CRITERIA[3])
    assert made.flow.select("excluded", "not_known").row(0) == (1, 1)
    (found,) = seen.rows(named=True)
    assert found["value"] == "curative, palliative"


def test_an_unknown_m_that_counts_as_none_is_a_notice_and_only_of_who_is_included(records):
    whole(OfPatient(records, "1"), {"M": None})
    whole(OfPatient(records, "2"), {"M": "X"})
    whole(
        OfPatient(records, "3"),
        {"M": None, "Primaertumor_ICD": "C48.0", "Primaertumor_Topographie_ICD_O": "C48.0"},
    )
    beside_a_known_one(records)
    _, seen = judged(records, *CRITERIA[:3])
    assert seen["rule_id"].to_list() == ["eligibility.assumed"] * 2
    assert seen["note"].to_list() == ["criterion no_metastasis"] * 2


def test_a_patient_is_excluded_once_by_the_first_criterion(records):
    whole(OfPatient(records, "1"), diagnosis={"Morphologie_ICD_O": None, "Primaertumor_ICD": None,
                              "Primaertumor_Topographie_ICD_O": None})  # fmt: skip
    beside_a_known_one(records)
    made, seen = judged(records, *CRITERIA[:2])
    assert seen["column_name"].to_list() == ["histology"]
    assert made.flow["not_known"].to_list() == [1, 0]


def test_without_any_radiotherapy_the_answer_is_known_and_without_its_relation_to_surgery_it_is_not(records):
    records.patient()
    records.diagnosis()
    records.meldung(r.ObdsSurgery, Module_ID="O1", Datum="2012-05-01", Intention="K", Menge_OPS='["5-782.b"]')
    made, seen = judged(records, CRITERIA[4])
    assert seen.is_empty() and made.flow["excluded"].to_list() == [1]
    # The dates tell the relation where the documentation does not; here there is no date either.
    course(OfPatient(records, "1"), start="", Stellung_OP=None)
    beside_a_known_one(records)
    (found,) = judged(records, CRITERIA[4])[1].rows(named=True)
    assert found["note"] == "criterion radiotherapy: radiotherapy without its relation to surgery"


def seen_as(seen: pl.DataFrame) -> list[tuple]:
    return seen.select("rule_id", "record_id", "column_name", "value", "note").rows()


def test_what_nobody_has_is_one_finding_of_the_study(records):
    for number in "123":
        whole(OfPatient(records, number), radiotherapy={"Intention": None})
    made, seen = judged(records, CRITERIA[3])
    assert made.flow.select("excluded", "not_known").row(0) == (3, 3)
    assert seen_as(seen) == [
        ("eligibility.not-known", "dataset:all", "curative", "intent: 3 patients",
         "criterion curative: nobody has it in any source"),
    ]  # fmt: skip


def test_what_nobody_has_and_counts_as_none_is_one_notice(records):
    for number in "12":
        whole(OfPatient(records, number), {"M": None})
    _, seen = judged(records, CRITERIA[2])
    assert seen_as(seen) == [
        ("eligibility.assumed", "dataset:all", "no_metastasis", "metastasis at diagnosis: 2 patients",
         "criterion no_metastasis: nobody has it in any source"),
    ]  # fmt: skip


def test_a_contradiction_is_the_patients_own_even_if_everybody_has_it(records):
    for number in "12":
        whole(OfPatient(records, number), {"Diagnosesicherung": "2"})
    _, seen = judged(records, CRITERIA[0])
    assert sorted(seen["record_id"]) == ["obds_diagnosis-2", "obds_diagnosis-5"]


@pytest.fixture
def dated_sheet(records, monkeypatch) -> Sources:
    """Map a date of the diagnosis, so that a row of the table is a diagnosis by itself."""
    plain = SOURCES.model_dump()
    for source in plain["source"]:
        if source["name"] == "sheet":
            source["entities"][0]["columns"]["diagnosis_date"] = "day"
    made = Sources.model_validate(plain)
    monkeypatch.setattr(sys.modules[type(records).__module__], "SOURCES", made)
    return made


def sheet_row(records: Records, number: str, size: str) -> str:
    records.patient(number=number, family=f"Name{number}")
    cells = f'{{"Nr": "{number}", "cm": "{size}", "day": "01.02.2012"}}'
    return records.add(r.TableRow, table_name="sheet", **{"values": cells})


def test_what_a_table_has_no_column_for_is_one_finding_of_the_table(records, dated_sheet):
    for number in "78":
        sheet_row(records, number, "5,5")
    beside_a_known_one(records)
    made, seen = judged(records, CRITERIA[0], sources=dated_sheet)
    assert made.flow.select("excluded", "not_known").row(0) == (2, 2)
    assert seen_as(seen) == [
        ("eligibility.not-known", "dataset:sheet", "histology", "morphology: 2 patients",
         "criterion histology: the source has no column for it"),
    ]  # fmt: skip


def test_what_a_table_has_a_column_for_and_one_row_lacks_is_the_rows(records, dated_sheet):
    row = sheet_row(records, "1", "")
    beside_a_known_one(records)
    _, seen = judged(records, KNOWN, sources=dated_sheet)
    assert seen_as(seen) == [
        ("eligibility.not-known", row, "size", None, "criterion size: missing"),
    ]  # fmt: skip


def test_the_place_is_the_first_record_that_could_say_it_whatever_its_id(records):
    """The sheet has no column for the certainty, oBDS has; of two oBDS records the first line counts."""
    for number, ids in (("1", "abc"), ("2", "cba")):
        records.patient(number=number, family=f"Name{number}")
        records.add(
            r.TableRow, record_id=f"{ids[0]}{number}", table_name="sheet",
            **{"values": f'{{"Nr": "{number}", "cm": "5,5"}}'},
        )  # fmt: skip
        for id_ in ids[1:]:
            records.diagnosis(number=number, record_id=f"{id_}{number}", Diagnosesicherung=None)
        course(OfPatient(records, number))
    beside_a_known_one(records)
    _, seen = judged(records, CRITERIA[0])
    assert sorted(seen["record_id"]) == ["b1", "b2"]


def test_every_kind_of_criterion_is_swept():
    swept = {c["rule"] for c, *_ in (*NOT_KNOWN.values(), *NOT_FULFILLED.values())} | {"observed"}
    assert swept == set(eligibility.RULES)


CENSORED_BY = {
    "a death without a date": "vital-status.death-date-unknown",
    "life or death in an unknown order": "vital-status.death-order-unknown",
    "a statement of life without a date": "vital-status.date-missing",
    "an office that gives no information": "vital-status.no-information",
    "life after death": "vital-status.alive-after-death",
    "no examination at all": "follow-up.none",
    "a death long after the last examination": "follow-up.late-death",
    "an examination without a date": "assessment.date-missing",
    "an examination that says nothing": "assessment.says-nothing",
    "a relapse without a site": "assessment.relapse-without-site",
    "a relapse on the day of the diagnosis": "assessment.relapse-at-diagnosis",
    "a relapse after the death": "assessment.after-death",
    "residual tumour after remission": "assessment.residual-after-remission",
    "a metastasis without a date": "metastasis.date-missing",
    "a metastasis before the diagnosis": "metastasis.before-diagnosis",
    "a radiotherapy without its first day, as origin or entry": "radiotherapy.start-missing",
    "something dated impossibly late": "patient.time-implausible",
}
"""What ends or shortens a time without an event to the finding that speaks; each has tests of its own."""


def test_every_censoring_by_what_is_missing_names_a_rule():
    assert set(CENSORED_BY.values()) <= set(rules())
