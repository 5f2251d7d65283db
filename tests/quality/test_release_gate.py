"""The release gate: every fault is named by its place, a clean release passes, the docs need no network."""

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pydantic
import pytest

from sarcoma_pipeline.quality.release_gate import Failed, gate
from sarcoma_pipeline.quality.second_opinion import second_opinion
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortDerivability, CohortEndpoint, CohortPatient
from schemas.configuration import Study
from schemas.gate import Gate
from schemas.release import RELEASED, released_columns

ENDPOINT = ("OS", "DFS", "DMFS", "LRFS")

ROOT = Path(__file__).resolve().parents[2]
N = 40


def tables() -> dict[str, pl.DataFrame]:
    """A clean release: forty patients, four endpoints each."""
    rows = [
        {
            "pseudonym": f"{i:016x}", "record_ids": [f"r{i}"], "sex": ("female", "male")[i % 2],
            "histology_group": "UPS", "age_at_diagnosis_years": 40.0 + i, "prescribed_dose_gy": 50.0,
            "t_stage": "T2", "fractions": 25 + i % 3, "diagnosis_year": 2011 + i % 9, "follow_up_days": 400,
            "follow_up_months": 400 / 30.4375, "relapse_pattern": "none", "icd10_site": "C49.2",
        }
        for i in range(N)
    ]  # fmt: skip
    endpoints = [
        {
            "pseudonym": row["pseudonym"], "endpoint": endpoint, "time_days": 400,
            "time_months": 400 / 30.4375, "event": False, "event_kind": "censored", "evidence": ["r"],
            "time_days_earliest": 400, "time_days_latest": 400,
        }
        for row in rows
        for endpoint in ENDPOINT
    ]  # fmt: skip
    made = {t: CONTRACTS[t].empty() for t in RELEASED}
    made[CohortPatient.table()] = CohortPatient.conform(pl.DataFrame(rows))
    made[CohortEndpoint.table()] = CohortEndpoint.conform(pl.DataFrame(endpoints))
    made[CohortDerivability.table()] = CohortDerivability.conform(
        pl.DataFrame({"endpoint": ENDPOINT, "derivable": [True] * len(ENDPOINT)})
    )
    return {t: f.select(released_columns(t)) for t, f in made.items()}


def first(column: str, value: object) -> pl.Expr:
    """The first row's value replaced."""
    changed = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(value)).otherwise(pl.col(column))
    return changed.alias(column)


PATIENT_FAULTS = {
    "pseudonym": (first("pseudonym", f"{1:016x}"), "is unique. Not met in 2 of 40 rows"),
    "sex": (first("sex", "Frau"), "one of female, male, diverse, no entry, unknown. Not met in 1 of 40 rows"),
    "age_at_diagnosis_years": (first("age_at_diagnosis_years", 140.0), "between 0 and 120 a"),
    "follow_up_days": (first("follow_up_days", 40000), "between 0 and 18262 d"),
    "icd10_site": (first("icd10_site", "C49 am 03.04.1950"), "no calendar date. Not met in 1 of 40"),
    "histology_group": (pl.lit("liposarcoma").alias("histology_group"), "liposarcoma moved most, by +100.0"),
    "fractions": (pl.col("fractions") + 10, "median of Fractions is within"),
    "family_name": (pl.lit("Müller").alias("family_name"), "named like an identifier"),
    "Patient_Geburtsname": (pl.lit("Müller").alias("Patient_Geburtsname"), "in a contract"),
    "follow_up_months": (pl.lit(dt.date(2020, 1, 1)).alias("follow_up_months"), "is a calendar date"),
}
ENDPOINT_FAULTS = {
    "time_days": (first("time_days", -1), "between 0 and 18262 d. Not met in 1 of"),
    "time_months": (first("time_months", None), "never missing. Not met in 1 of"),
    "event": (pl.lit(True).alias("event"), "moves by more than 15 percentage points"),
}
PLACES = [(CohortPatient.table(), c, said) for c, (_, said) in PATIENT_FAULTS.items()] + [
    (CohortEndpoint.table(), c if c != "event" else "event of OS", said)
    for c, (_, said) in ENDPOINT_FAULTS.items()
]


def faults() -> dict[str, pl.DataFrame]:
    """Every fault at once, each in a column of its own."""
    made = tables()
    made[CohortPatient.table()] = made[CohortPatient.table()].with_columns(
        change for change, _ in PATIENT_FAULTS.values()
    )
    made[CohortEndpoint.table()] = made[CohortEndpoint.table()].with_columns(
        change for change, _ in ENDPOINT_FAULTS.values()
    )
    return made


@pytest.fixture(scope="module")
def failed() -> list[Failed]:
    return gate(faults(), tables(), Gate())


@pytest.fixture(scope="module")
def faulty(failed, tmp_path_factory) -> tuple[list[Failed], Path]:
    """What fails, and the Data Docs of it, which take Great Expectations seconds."""
    docs = tmp_path_factory.mktemp("published") / "data_docs"
    assert second_opinion(faults(), tables(), Gate(), docs) == []
    return failed, docs


@pytest.fixture(scope="module")
def passed(tmp_path_factory) -> tuple[list[Failed], Path]:
    """A clean release after a clean release."""
    docs = tmp_path_factory.mktemp("published") / "data_docs"
    docs.mkdir()
    (docs / "of_yesterday.html").write_text("old")
    assert second_opinion(tables(), tables(), Gate(), docs) == []
    return gate(tables(), tables(), Gate()), docs


@pytest.mark.parametrize(("table", "column", "said"), PLACES, ids=[f"{t}.{c}" for t, c, _ in PLACES])
def test_a_fault_is_named_by_table_and_column(failed, table, column, said):
    here = [f for f in failed if (f.table, f.column) == (table, column)]
    assert any(said in f.what and f.severity == "error" for f in here), here
    assert all(str(f).startswith(f"{table}.{column}: ") for f in here)


def test_no_fault_is_seen_where_there_is_none(failed):
    known = (
        {(t, c) for t, c, _ in PLACES}
        | {(CohortEndpoint.table(), f"event of {e}") for e in ENDPOINT}
        | {(CohortEndpoint.table(), "pseudonym")}
    )
    assert {(f.table, f.column) for f in failed} <= known


@pytest.mark.slow
def test_no_value_of_a_patient_is_told(faulty):
    failed, docs = faulty
    told = "\n".join([*map(str, failed), *(p.read_text() for p in docs.iterdir())])
    for value in ("Frau", "Müller", "1950", f"{1:016x}"):
        assert value not in told


def test_a_clean_release_has_no_fault():
    assert gate(tables(), tables(), Gate()) == []


@pytest.mark.slow
def test_a_clean_release_passes(passed):
    failed, docs = passed
    assert failed == []
    assert "Passed" in (docs / "index.html").read_text()


@pytest.mark.slow
def test_the_docs_are_replaced_as_a_whole(passed):
    _, docs = passed
    assert not (docs / "of_yesterday.html").exists()
    assert [p.name for p in docs.parent.iterdir()] == ["data_docs"]


@pytest.mark.slow
def test_the_docs_have_a_page_per_table_and_no_external_resource(faulty, passed):
    for _, docs in (faulty, passed):
        assert {f"{t}.html" for t in RELEASED} <= {p.name for p in docs.iterdir()}
        for page in docs.iterdir():
            text = page.read_text()
            assert not re.search(r"(?:https?:)?//[a-z]", text, re.I), page.name
            assert not re.search(r"<(?:script|link|img|iframe)|@import|url\(", text, re.I), page.name
            for target in re.findall(r'href="([^"]*)"', text):
                assert (docs / target).is_file(), (page.name, target)


@pytest.mark.slow
def test_the_docs_say_what_failed_and_that_the_last_release_stands(faulty):
    failed, docs = faulty
    index = (docs / "index.html").read_text()
    assert "Held back" in index
    assert "The last release is unchanged" in index
    assert index.count("<li>") == len(failed)
    assert "Not so" not in (docs / "cohort.patients.html").read_text()
    assert "no calendar date" in (docs / "cohort.patients.html").read_text()


def test_lost_patients_lost_endpoints_and_strangers_fail():
    made = tables()
    made[CohortPatient.table()] = made[CohortPatient.table()].head(30)
    made[CohortEndpoint.table()] = made[CohortEndpoint.table()].head(N * 4 - 1)
    said = [str(f) for f in gate(made, tables(), Gate())]
    assert any(re.match(r"cohort\.patients: At least 36 rows.* It is 30\.", s) for s in said)
    assert any("cohort.endpoints: One row for each of 30 patients and 4 derivable" in s for s in said)
    assert any("cohort.endpoints.pseudonym: Every pseudonym is one of cohort.patients" in s for s in said)


def first_release() -> dict[str, pl.DataFrame]:
    """Return a release without a table, and with an endpoint twice and another missing."""
    made = tables()
    made[CohortPatient.table()] = made[CohortPatient.table()].with_columns(first("sex", None))
    made[CohortEndpoint.table()] = pl.concat(
        [made[CohortEndpoint.table()].tail(-1), made["cohort.endpoints"].tail(1)]
    )
    del made["analysis.hazard_ratio"]
    return made


def test_the_first_release_is_compared_with_nothing():
    failed = gate(first_release(), None, Gate())
    places = {(f.table, f.column) for f in failed}
    assert ("cohort.endpoints", None) in places, "an endpoint twice, another missing"
    assert ("analysis.hazard_ratio", "p_value") in places, "a table is missing"
    assert {t for t, _ in places} == {"cohort.endpoints", "analysis.hazard_ratio"}


@pytest.mark.slow
def test_the_docs_of_the_first_release_compare_it_with_nothing(tmp_path):
    assert second_opinion(first_release(), None, Gate(), tmp_path / "docs") == []
    assert "no earlier release" in (tmp_path / "docs/index.html").read_text()
    assert not (tmp_path / "docs/release.drift.html").exists()


def test_thresholds_come_from_the_study(tmp_path):
    made = tables()
    made[CohortPatient.table()] = made[CohortPatient.table()].with_columns(
        first("age_at_diagnosis_years", 140.0), pl.lit("female").alias("sex")
    )
    lenient = Gate(max_share_points=60, bounds={"a": (0, 150)})
    assert gate(made, tables(), lenient) == []


def test_a_gate_that_cannot_be_is_refused():
    with pytest.raises(pydantic.ValidationError, match="unknown unit"):
        Gate(bounds={"parsec": (0, 1)})
    with pytest.raises(pydantic.ValidationError, match="above"):
        Gate(bounds={"a": (9, 1)})
    with pytest.raises(pydantic.ValidationError, match="gate"):
        Study.model_validate({"gate": {"max_drop": 3}})


@pytest.mark.slow
def test_loading_the_definitions_does_not_import_great_expectations():
    code = (
        "import sys; from sarcoma_pipeline import definitions; definitions.sts_imrt(); "
        "print('great_expectations' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "False"
