"""Every rule has four cases: it fires, it does not fire, a value is missing, and a sibling of its fault."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.quality import accounting, cross_record
from sarcoma_pipeline.quality.rule_catalogue import rules
from sarcoma_pipeline.sources import manifest, sandboxed_reader, value_account
from schemas import typed
from schemas.configuration import DEFAULT_LIMITS
from schemas.contract import Contract
from schemas.meta import MetaFile
from tests.quality.clean import CLEAN, row
from tests.quality.rule_cases import (
    combined,
    computed,
    curated_counts,
    curated_reports,
    curated_tables,
    curated_tumours,
    decided,
    of_cohort,
    one_patient,
    one_patient_diagnosis,
    one_record,
    one_record_diagnosis,
    planned,
    summed,
)
from tests.quality.rule_cases.combined import CHOSEN, COMBINED
from tests.quality.rule_cases.curated_tables import TABLED
from tests.quality.rule_cases.decided import DECISIONS
from tests.quality.rule_cases.four import NO_VALUE, THE_FAULT, Four
from tests.quality.rule_cases.of_cohort import COHORT
from tests.quality.rule_cases.of_nights import OF_NIGHTS
from tests.quality.rule_cases.one_file import FILES, SMALL
from tests.quality.rule_cases.one_file import SOURCES as FILE_SOURCES
from tests.quality.rule_cases.one_table import TABLES
from tests.quality.rule_cases.owed import OWED
from tests.quality.rule_cases.phantom_doses import DOSES, RIGHT
from tests.quality.rule_cases.phantoms import PHANTOMS
from tests.quality.rule_cases.together import broken_by
from tests.sources.sent_tables import Read, source_of

RECORDS = one_record.RECORDS | one_record_diagnosis.RECORDS
CURATED = curated_reports.CURATED | curated_tumours.CURATED | curated_counts.COUNTS
PATIENTS = one_patient.PATIENTS | one_patient_diagnosis.PATIENTS
PLANNED = planned.PLANNED | COMBINED
COMPUTED = computed.COMPUTED | OF_NIGHTS

TOLD: list[Mapping[str, Four[Any]]] = [
    RECORDS,
    PATIENTS,
    FILES,
    CURATED,
    TABLES,
    DECISIONS,
    COMPUTED,
    PLANNED,
    CHOSEN,
    TABLED,
    PHANTOMS,
    DOSES,
    COHORT,
    summed.SUMMED,
]

OWN = ("record_id", "person_ref", "sop_instance_uid", "refers_to", "series_uid", "series_uids",
       "frame_of_reference_uid")  # fmt: skip
"""Columns that tell one case from another: no two cases share a record, a person or a DICOM object."""


@cache
def _broken_by_records() -> set[tuple[str, str]]:
    """Return each record (rule and case) with the rules that it breaks; a table is judged once."""
    rows: dict[type[Contract], list[dict]] = defaultdict(list)
    for rule, four in RECORDS.items():
        for case, (contract, changes), _ in four.cases():
            rows[contract].append(row(contract, f"{rule} {case}", **changes))
    broken: set[tuple[str, str]] = set()
    for contract, told in rows.items():
        frame = contract.conform(pl.DataFrame(told, infer_schema_length=None))
        failures = contract.failures(frame)
        ids = frame["record_id"].gather(failures["row"])
        broken |= set(zip(ids, failures["rule_id"], strict=True))
    return broken


@pytest.mark.parametrize("rule", RECORDS)
def test_a_rule_on_one_record(rule):
    expected = {case: fires for case, _, fires in RECORDS[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in _broken_by_records() for case in expected} == expected


@pytest.mark.parametrize("contract", CLEAN, ids=lambda c: c.table())
def test_a_clean_record_breaks_no_rule(contract):
    frame = contract.conform(pl.DataFrame([row(contract)], infer_schema_length=None))
    assert contract.failures(frame).is_empty()


def _own(value, case: str):
    if isinstance(value, list):
        return [_own(one, case) for one in value]
    return None if value is None else f"{case} {value}"


@cache
def _broken_by_patients() -> set[tuple[str, str]]:
    """Return each case with the rules that its records break; all patients are judged at once."""
    rows: dict[type[Contract], list[dict]] = {c: [] for c in (*CLEAN, typed.TumourAssignment)}
    for rule, four in PATIENTS.items():
        for name, patient, _ in four.cases():
            case = f"{rule} {name}"
            told = [] if patient.alone else [(contract, {}) for contract in CLEAN]
            for number, (contract, changes) in enumerate([*told, *patient.records]):
                record = {"record_id": f"{number}", "source": "oBDS", "person_ref": "own", **changes}
                if contract in CLEAN:
                    record = row(contract, **record)
                rows[contract].append(record | {c: _own(record[c], case) for c in OWN if c in record})
    frames = {
        c.table(): c.conform(pl.DataFrame(r, infer_schema_length=None, strict=False)) for c, r in rows.items()
    }
    persons = pl.concat([f["person_ref"] for f in frames.values()]).unique().sort()
    link = pl.DataFrame({"person_ref": persons, "patient_id": persons}).with_columns(method=pl.lit("number"))
    broken = cross_record.observe(frames, link)
    case = pl.col("record_id").str.replace(r" [^ ]+$", "")
    return set(broken.select(case, "rule_id").iter_rows())


@pytest.mark.parametrize("rule", PATIENTS)
def test_a_rule_on_one_patient(rule):
    expected = {case: fires for case, _, fires in PATIENTS[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in _broken_by_patients() for case in expected} == expected


def _broken_by_file(found: manifest.Found) -> set[str]:
    batch = manifest.read(found, "R1", SMALL)
    unread = batch.frames().get("received.unread")
    broken = set() if unread is None else set(unread["rule_id"])
    account = value_account.frame([("f", batch.account)], "R1")
    return broken | set(accounting.unknown(ONE_FILE, account)["rule_id"])


ONE_FILE = pl.DataFrame({"file_id": ["f"], "source": ["s"]})


@pytest.fixture(scope="module")
def broken_by_files(tmp_path_factory) -> set[tuple[str, str]]:
    """Each case with the rules that its file breaks; one process reads all spreadsheets."""
    drop = tmp_path_factory.mktemp("files")
    broken: set[tuple[str, str]] = set()
    with sandboxed_reader.kept_open((SMALL.held_bytes, SMALL.columns, SMALL.records)):
        for rule, four in FILES.items():
            for name, file, _ in four.cases():
                case = f"{rule} {name}"
                folder = drop / case
                path = file.write(folder)
                listed = manifest.scan(folder, FILE_SOURCES, MetaFile.empty(), "R1").to_read
                if file.listed:
                    file.listed(path)
                broken |= {(case, one) for found in listed for one in _broken_by_file(found)}
                if file.later:
                    read = manifest.files_frame([{**found.row, "records": 1} for found in listed])
                    file.later(path)
                    again = manifest.scan(folder, FILE_SOURCES, read, "R2", verify=True).to_read
                    broken |= {(case, one) for found in again for one in _broken_by_file(found)}
    return broken


@pytest.mark.parametrize("rule", FILES)
def test_a_rule_on_files(rule, broken_by_files):
    expected = {case: fires for case, _, fires in FILES[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_files for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_curation() -> set[tuple[str, str]]:
    return broken_by(CURATED)


@pytest.mark.parametrize("rule", CURATED)
def test_a_rule_on_what_is_curated(rule, broken_by_curation):
    expected = {case: fires for case, _, fires in CURATED[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_curation for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_rows() -> set[tuple[str, str]]:
    return curated_tables.broken_by(TABLED)


@pytest.mark.parametrize("rule", TABLED)
def test_a_rule_on_rows_of_curated_tables(rule, broken_by_rows):
    expected = {case: fires for case, _, fires in TABLED[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_rows for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_tables(tmp_path_factory) -> set[tuple[str, str]]:
    """Each case with the rules that the cells of its table break; one process reads all spreadsheets."""
    folder = tmp_path_factory.mktemp("tables")
    broken: set[tuple[str, str]] = set()
    with sandboxed_reader.kept_open(
        (DEFAULT_LIMITS.held_bytes, DEFAULT_LIMITS.columns, DEFAULT_LIMITS.records)
    ):
        for rule, four in TABLES.items():
            for name, table, _ in four.cases():
                found = Read(folder, table.content, source_of(**table.source))
                broken |= {(f"{rule} {name}", one) for one, _, _ in found.observed}
    return broken


@pytest.mark.parametrize("rule", TABLES)
def test_a_rule_on_a_table(rule, broken_by_tables):
    expected = {case: fires for case, _, fires in TABLES[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_tables for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_decisions() -> set[tuple[str, str]]:
    return decided.broken_by(DECISIONS)


@pytest.mark.parametrize("rule", DECISIONS)
def test_a_rule_on_what_is_decided(rule, broken_by_decisions):
    expected = {case: fires for case, _, fires in DECISIONS[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_decisions for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_plans(tmp_path_factory) -> set[tuple[str, str]]:
    return planned.broken_by(PLANNED, tmp_path_factory.mktemp("plans"))


@pytest.mark.parametrize("rule", PLANNED)
def test_a_rule_on_plans(rule, broken_by_plans):
    expected = {case: fires for case, _, fires in PLANNED[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_plans for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_choices(tmp_path_factory) -> set[tuple[str, str]]:
    return combined.broken_by(CHOSEN, tmp_path_factory.mktemp("choices"))


@pytest.mark.parametrize("rule", CHOSEN)
def test_a_rule_on_a_chosen_reading_of_a_course(rule, broken_by_choices):
    expected = {case: fires for case, _, fires in CHOSEN[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_choices for case in expected} == expected


@pytest.fixture(scope="module")
def broken_by_cohort() -> set[tuple[str, str]]:
    return of_cohort.broken_by(COHORT)


@pytest.mark.parametrize("rule", COHORT)
def test_a_rule_on_the_cohort(rule, broken_by_cohort):
    expected = {case: fires for case, _, fires in COHORT[rule].cases()}
    assert {case: (f"{rule} {case}", rule) in broken_by_cohort for case in expected} == expected


@pytest.mark.parametrize("rule", COMPUTED)
def test_a_rule_that_one_function_judges(rule):
    expected = {case: fires for case, _, fires in COMPUTED[rule].cases()}
    assert {case: rule in broken() for case, broken, _ in COMPUTED[rule].cases()} == expected


@pytest.mark.parametrize("rule", PHANTOMS | DOSES)
def test_a_rule_on_phantoms(rule):
    expected = {case: fires for case, _, fires in (PHANTOMS | DOSES)[rule].cases()}
    assert {case: rule in broken() for case, broken, _ in (PHANTOMS | DOSES)[rule].cases()} == expected


def test_a_rule_on_sums_of_doses(tmp_path):
    broken = summed.broken_by(summed.SUMMED, tmp_path)
    for rule, four in summed.SUMMED.items():
        expected = {case: fires for case, _, fires in four.cases()}
        assert {case: (f"{rule} {case}", rule) in broken for case in expected} == expected


def test_the_phantom_from_which_the_cases_differ_breaks_no_rule():
    assert RIGHT() == set()


def test_every_rule_has_its_four_cases():
    """A new rule needs its four cases in tests/quality/rule_cases; the list of those without only shrinks."""
    assert sum(map(len, TOLD)) == len(covered := set().union(*TOLD)), "a rule has its cases in one place"
    assert sorted(set(rules()) - covered) == sorted(OWED)
    assert covered <= set(rules())


def test_a_rule_without_a_null_case_says_why():
    reasons = {four.null for told in TOLD for four in told.values() if isinstance(four.null, str)}
    assert reasons <= {THE_FAULT, NO_VALUE}
