"""A result is kept while the rows that it rests on are the same, and never believed if it is damaged."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets.kept_result import unless_same
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, forget_steps
from sarcoma_pipeline.study.project import Project, load
from sarcoma_pipeline.warehouse import step_cache
from schemas.all_contracts import CONTRACTS
from tests.refreshed import lay, with_empty_tables

STEP, TABLE = "eligibility", "cohort.flow"
ROWS = pl.DataFrame({"patient_id": ["1", "2"], "day": [3, 4]})


class Night:
    """A step that counts how often it computes; each night opens the warehouse anew."""

    def __init__(self, project: Project) -> None:
        self.project, self.computed = project, 0

    def compute(self) -> dict[str, pl.DataFrame]:
        self.computed += 1
        row = {"position": 1, "criterion": "c", "label": "l", "entered": 3, "excluded": 1, "not_known": 0}
        return {TABLE: CONTRACTS[TABLE].conform(pl.DataFrame([{**row, "remaining": 2}]))}

    def run(self, rows: pl.DataFrame = ROWS) -> pl.DataFrame:
        store = Warehouse(path=str(self.project.warehouse))
        made = unless_same(store, self.project, STEP, (TABLE,), {"curated.patient": rows}, self.compute)
        with store.rewriting(STEP) as writing:
            writing.add(made.frames, made.of_step, anew=made.anew)
        kept = store.read(TABLE)
        store.close()
        return kept

    def damage(self, sql: str) -> None:
        store = Warehouse(path=str(self.project.warehouse))
        with store.transaction() as tables:
            tables.execute(sql)
        store.close()


@pytest.fixture
def night(tmp_path: Path) -> Night:
    project = load("sts_imrt", lay(tmp_path / "root").root)
    with_empty_tables(project.warehouse)
    night = Night(project)
    assert night.run()["remaining"].to_list() == [2]
    assert night.computed == 1
    return night


def test_a_result_of_the_same_rows_is_kept(night):
    assert night.run().equals(night.run())
    assert night.computed == 1


@pytest.mark.parametrize(
    "rows",
    [ROWS.with_columns(day=pl.Series([3, 5])), ROWS.reverse(), ROWS.head(1), ROWS.rename({"day": "month"})],
    ids=["a value", "the order", "a row less", "a column"],
)
def test_other_rows_are_computed_from(night, rows):
    night.run(rows)
    assert night.computed == 2


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET remaining = 3",
        f"DELETE FROM {TABLE}",
        f"INSERT INTO {TABLE} FROM {TABLE}",
        "UPDATE meta.step_results SET content = 'another'",
        "UPDATE meta.step_results SET inputs = 'another'",
        "DELETE FROM meta.step_results",
        "UPDATE meta.step_results SET step = 'another'",
    ],
)
def test_a_damaged_result_is_computed_again_and_replaced(night, sql):
    before = night.run()
    night.damage(sql)
    assert night.run().equals(before)
    assert night.computed == 2
    night.run()
    assert night.computed == 2


def test_a_result_of_another_program_configuration_or_key_is_computed_again(night, monkeypatch):
    study = night.project.folder / "study.toml"
    study.write_text(study.read_text("utf-8") + "\n# another\n", "utf-8")
    night.project = load("sts_imrt", night.project.root)
    night.run()
    assert night.computed == 2
    night.project.key.parent.mkdir(parents=True, exist_ok=True)
    night.project.key.write_bytes(b"another")
    night.run()
    assert night.computed == 3
    monkeypatch.setattr(step_cache.provenance, "code_hash", lambda: "another")
    night.run()
    assert night.computed == 4


def test_a_rebuild_of_all_steps_believes_no_result(night):
    forget_steps(night.project)
    night.run()
    assert night.computed == 2
