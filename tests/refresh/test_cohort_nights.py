"""Nights that touch few patients of the cohort derive only these, and give the cohort derived as a whole."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.cohort import cohort_tables, derivation, eligibility
from sarcoma_pipeline.orchestration.assets import curated_of_group
from sarcoma_pipeline.orchestration.assets.cohort_by_patient import STEP, derived_anew
from sarcoma_pipeline.orchestration.assets.curated import CURATED, OF_DOSES
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas.all_contracts import CONTRACTS
from tests.refresh.nights import Nights, counting_derivations

pytestmark = pytest.mark.slow

READ = (*CURATED, *OF_DOSES)
TABLES = (
    "cohort.patients", "cohort.events", "cohort.endpoints", "cohort.not_at_risk", "cohort.derivability",
    "cohort.toxicity", "cohort.toxicity_endpoints", "cohort.dose_volume",
)  # fmt: skip
ANSWERED = "source = 'registry office' AND told_day IS NOT NULL"
OF_ONE = {
    "a change": ["UPDATE curated.vital_status SET last_alive_day = last_alive_day - 9 WHERE {x}"],
    "a later record": [
        "INSERT INTO curated.assessment SELECT * REPLACE (assessment_day + 7 AS assessment_day) "
        "FROM curated.assessment WHERE {x}"
    ],
    "a record twice": ["INSERT INTO curated.assessment FROM curated.assessment WHERE {x}"],
    "records removed": ["DELETE FROM curated.assessment WHERE {x}"],
    "another pseudonym": [
        "UPDATE cohort.eligibility SET pseudonym = 'A' || pseudonym "
        "WHERE pseudonym IN (SELECT pseudonym FROM curated.patient WHERE {x})",
        "UPDATE curated.patient SET pseudonym = 'A' || pseudonym WHERE {x}",
    ],
    "another order": [
        "CREATE TEMP TABLE turned AS FROM curated.assessment WHERE {x} ORDER BY rowid DESC",
        "DELETE FROM curated.assessment WHERE {x}",
        "INSERT INTO curated.assessment FROM turned",
        "DROP TABLE turned",
    ],
}
"""What touches one patient of the cohort, as SQL; {x} chooses the patient."""
WITHOUT_ONE = {
    "a patient removed": [f"DELETE FROM {table} WHERE {{x}}" for table in READ],
    "a patient no longer eligible": [
        "UPDATE cohort.eligibility SET met = false "
        "WHERE pseudonym IN (SELECT pseudonym FROM curated.patient WHERE {x})"
    ],
}
"""What takes one patient out of the cohort."""
OF_ALL = {
    "the last answer is earlier": [
        f"UPDATE curated.vital_statement SET told_day = told_day - 3 WHERE {ANSWERED}"
    ],
    "nobody answered": [f"UPDATE curated.vital_statement SET source = 'oBDS' WHERE {ANSWERED}"],
}
"""What moves the data cut-off."""


class Cohort:
    """The step ``cohort`` alone, on curated tables that change from night to night."""

    def __init__(self, project: Project, derived: list[int]) -> None:
        self.project, self.derived = project, derived

    def change(self, statements: list[str], patient: str = "") -> None:
        with duckdb.connect(str(self.project.warehouse)) as connection:
            for sql in statements:
                connection.execute(sql.format(x=f"patient_id = '{patient}'"))

    @contextmanager
    def _open(self) -> Iterator[Warehouse]:
        with closing(Warehouse(path=str(self.project.warehouse))) as store:
            yield store

    def members(self) -> list[str]:
        """Return the patients of the cohort."""
        with self._open() as store:
            chosen = eligibility.eligible(store.read("cohort.eligibility"))
            persons = store.read("curated.patient").filter(pl.col("pseudonym").is_in(chosen.implode()))
            return persons["patient_id"].sort().to_list()

    def night(self) -> int:
        """Run the step, compare with the cohort derived as a whole, and return how many were derived."""
        with self._open() as store:
            chosen = eligibility.eligible(store.read("cohort.eligibility"))
            del self.derived[:]
            made = derived_anew(store, self.project, chosen, READ, TABLES)
            derived = sum(self.derived)
            assert made.kept == (not derived and not self.differing(store, made.frames))
            with store.rewriting(STEP) as writing:
                writing.add(made.frames, made.of_step, anew=made.anew)
            whole = derivation.cohort({t: store.read(t) for t in READ}, self.project.study, chosen=chosen)
            expected = cohort_tables.derive(whole, "")
            assert self.differing(store, expected) == []
            return derived

    @staticmethod
    def differing(store: Warehouse, frames: Mapping[str, pl.DataFrame]) -> list[str]:
        return [t for t in TABLES if not frames[t].equals(store.read(t, noted=False))]


@pytest.fixture(params=[10_000, 30], ids=["one group", "groups of 30"])
def cohort(base: Nights, tmp_path: Path, monkeypatch, request) -> Cohort:
    """The cohort of the demo, derived in one group or in several."""
    shutil.copytree(base.root, tmp_path / "one", copy_function=shutil.copy2)
    derived = counting_derivations(monkeypatch)
    monkeypatch.setattr(curated_of_group, "PATIENTS", request.param)
    cohort = Cohort(Nights(tmp_path / "one").project, derived)
    cohort.night()
    assert cohort.night() == 0
    return cohort


@pytest.mark.parametrize("seed", range(2))
def test_only_patients_who_changed_are_derived(cohort, seed):
    chosen = random.Random(seed)
    for name in chosen.sample(sorted(OF_ONE | WITHOUT_ONE), len(OF_ONE | WITHOUT_ONE)):
        cohort.change((OF_ONE | WITHOUT_ONE)[name], chosen.choice(cohort.members()))
        assert cohort.night() <= (name in OF_ONE), name
        assert cohort.night() == 0, name
    some = chosen.sample(cohort.members(), 5)
    for patient in some:
        cohort.change(OF_ONE["a change"], patient)
    cohort.change(WITHOUT_ONE["a patient removed"], some[0])
    assert cohort.night() == 4


def test_two_patients_who_become_one(cohort):
    stays, goes = random.Random(1).sample(cohort.members(), 2)
    one_row = ("curated.patient", "curated.vital_status")
    cohort.change(["UPDATE curated.diagnosis SET index_tumour = false WHERE {x}"], goes)
    cohort.change([f"DELETE FROM {table} WHERE {{x}}" for table in one_row], goes)
    cohort.change(
        [f"UPDATE {t} SET patient_id = '{stays}' WHERE {{x}}" for t in READ if t not in one_row], goes
    )
    assert cohort.night() == 1


@pytest.mark.parametrize("name", OF_ALL)
def test_another_cut_off_touches_everybody(cohort, name):
    cohort.change(OF_ALL[name])
    assert cohort.night() == len(cohort.members())
    cohort.change(OF_ONE["a change"], cohort.members()[0])
    # Where any event of anybody may be the cut-off, nobody is kept.
    assert cohort.night() == (1 if name != "nobody answered" else len(cohort.members()))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE cohort.endpoints SET time_days = time_days + 1",
        "DELETE FROM cohort.patients WHERE pseudonym = (SELECT min(pseudonym) FROM cohort.patients)",
        "DELETE FROM meta.step_results WHERE step = 'cohort'",
        "UPDATE meta.step_patients SET inputs = inputs || ' ' WHERE step = 'cohort'",
        "UPDATE meta.step_patients SET circumstances = 'another' WHERE step = 'cohort'",
        "DELETE FROM meta.step_patients WHERE step = 'cohort'",
    ],
)
def test_what_is_damaged_is_derived_again(cohort, sql):
    cohort.change([sql])
    assert cohort.night() == len(cohort.members())
    assert cohort.night() == 0


def test_another_program_touches_everybody(cohort, monkeypatch):
    monkeypatch.setattr(step_cache.provenance, "code_hash", lambda: "another")
    assert cohort.night() == len(cohort.members())


def test_these_are_all_tables_of_the_step():
    assert set(TABLES) == {t for t in CONTRACTS if t.startswith("cohort.")} - {
        "cohort.eligibility", "cohort.flow",
    }  # fmt: skip
