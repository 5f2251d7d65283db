"""Verdicts that rest on unknown facts, and the records that could say them, told as tables."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort import eligibility as e
from sarcoma_pipeline.cohort import not_known
from sarcoma_pipeline.cohort.eligibility import Eligibility
from schemas.contract import Contract
from schemas.curated import Diagnosis, Patient, Surgery
from schemas.curated_radiotherapy import RadiotherapyCourse
from tests.conftest import SOURCES

VERDICTS = [
    # patient, criterion, met, known, excluded here
    ("met by assumption", "a", True, False, False), ("met by assumption", "b", True, True, False),
    ("excluded later", "a", True, False, False), ("excluded later", "b", False, True, True),
    ("excluded twice", "a", False, False, True), ("excluded twice", "b", False, False, False),
    ("excluded by a fact", "a", False, True, True), ("excluded by a fact", "b", True, False, False),
    ("contradictory", "a", True, True, False), ("contradictory", "b", False, False, True),
    ("known", "a", True, True, False), ("known", "b", True, True, False),
]  # fmt: skip
MISSING = [("met by assumption", "a", "metastasis"), ("excluded twice", "a", "intent"),
           ("excluded twice", "b", "size"), ("excluded later", "a", "metastasis")]  # fmt: skip


def test_who_is_excluded_or_included_by_what_is_not_known():
    judged = pl.DataFrame(VERDICTS, ["pseudonym", "criterion", "met", "known", "excluded_here"], orient="row")
    missing = pl.DataFrame(MISSING, ["pseudonym", "criterion", "fact"], orient="row")
    made = Eligibility(judged, pl.DataFrame(), missing, frozenset())
    found = not_known.unknown(made).select("rule_id", "pseudonym", "criterion", "fact").rows()
    assert sorted(found) == [
        ("eligibility.assumed", "met by assumption", "a", "metastasis"),
        ("eligibility.not-known", "contradictory", "b", None),
        ("eligibility.not-known", "excluded twice", "a", "intent"),
    ]


def table(contract: type[Contract], *rows: dict) -> pl.DataFrame:
    schema = contract.polars_schema()
    usual = {"patient_id": "i", "pseudonym": "p", "tumour_id": "t"}
    return pl.DataFrame({name: [(usual | one).get(name) for one in rows] for name in schema}, schema=schema)


PERSON, TUMOUR = {"record_ids": ["person"]}, {"record_ids": ["b", "a"], "index_tumour": True}
COURSE = {"course_id": "c", "kind": "external beam", "record_ids": ["course"]}
OPERATED = [{"record_ids": ["second"], "surgery_day": 9}, {"record_ids": ["first"], "surgery_day": 5}]


@pytest.mark.parametrize(
    ("fact", "tumours", "courses", "surgeries", "records"),
    [
        (e.INTENT, [TUMOUR], [COURSE], OPERATED, ["course"]),
        (e.SEQUENCE, [TUMOUR], [COURSE], OPERATED, ["course"]),
        (e.TECHNIQUE, [TUMOUR], [COURSE], [], ["course"]),
        (e.INTENT, [TUMOUR], [], OPERATED, ["first", "second"]),
        (e.INTENT, [TUMOUR], [COURSE | {"record_ids": []}], OPERATED, ["first", "second"]),
        (e.INTENT, [TUMOUR], [], [], ["a", "b"]),
        (e.MORPHOLOGY, [TUMOUR], [COURSE], OPERATED, ["a", "b"]),
        (None, [TUMOUR], [COURSE], OPERATED, ["a", "b"]),
        (e.TUMOUR, [], [], [], ["person"]),
        (e.TUMOUR, [TUMOUR | {"record_ids": []}], [], [], ["person"]),
    ],
)
def test_the_records_that_could_say_a_fact(fact, tumours, courses, surgeries, records):
    curated = {
        "curated.patient": table(Patient, PERSON),
        "curated.diagnosis": table(Diagnosis, *tumours),
        "curated.surgery": table(Surgery, *surgeries),
        "curated.radiotherapy_course": table(RadiotherapyCourse, *courses),
    }
    found = pl.DataFrame(
        {"pseudonym": ["p", "p"], "fact": [fact, fact]}, schema_overrides={"fact": pl.String}
    )
    made = not_known.candidates(curated, found)
    assert sorted(made.rows(), key=str) == [("p", fact, record) for record in records]


@pytest.mark.parametrize(
    ("fact", "columns"),
    [
        (e.MORPHOLOGY, {"diagnosis.icdo3_morphology"}),
        ("date of diagnosis",
         {"diagnosis.diagnosis_date", "radiotherapy.start_date", "radiotherapy.end_date"}),
        ("tumour_size_cm", {"diagnosis.tumour_size_cm"}),
        (e.TECHNIQUE, set()),
    ],
)  # fmt: skip
def test_the_columns_that_give_a_fact(fact, columns):
    assert set(not_known._columns(fact)) == columns


def test_a_table_without_a_column_for_a_fact_is_mute():
    """The sheet has the size only; of a technique no table has a column."""
    assert "sheet" in not_known._mute(SOURCES, e.MORPHOLOGY)
    assert "sheet" not in not_known._mute(SOURCES, "tumour_size_cm")
    assert not_known._mute(SOURCES, e.TECHNIQUE) == []
