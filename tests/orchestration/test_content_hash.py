"""The content hash of a release is computed again as soon as a released table has another version."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets import publication
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, forget_steps
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.tables_on_demand import OnDemand
from sarcoma_pipeline.study.project import Project, load
from sarcoma_pipeline.warehouse import step_cache
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortFlow
from schemas.release import RELEASED
from tests.refreshed import lay, with_empty_tables


class Night:
    """A warehouse with released tables; each night opens it anew."""

    def __init__(self, project: Project) -> None:
        self.project, self.hashed = project, 0

    def write(self, remaining: int) -> None:
        row = {"position": 1, "criterion": "c", "label": "l", "entered": 3, "excluded": 1, "not_known": 0}
        flow = CohortFlow.conform(pl.DataFrame([{**row, "remaining": remaining}]))
        store = Warehouse(path=str(self.project.warehouse))
        store.replace({**{t: CONTRACTS[t].empty() for t in RELEASED}, CohortFlow.table(): flow})
        store.close()

    def content(self) -> str:
        store = Warehouse(path=str(self.project.warehouse))
        tables = release.released(OnDemand(RELEASED, store.read))
        found = publication.content_hash(self.project, store, tables)
        hashed = self.hashed
        assert found == release.content_hash(tables)
        self.hashed = hashed
        store.close()
        return found


@pytest.fixture
def night(tmp_path: Path, monkeypatch) -> Night:
    project = load("sts_imrt", lay(tmp_path / "root").root)
    with_empty_tables(project.warehouse)
    night, content_hash = Night(project), release.content_hash

    def counted(tables):
        night.hashed += 1
        return content_hash(tables)

    monkeypatch.setattr(release, "content_hash", counted)
    night.write(2)
    return night


def test_it_is_kept_while_no_released_table_changes(night):
    first = night.content()
    night.write(2)
    assert night.content() == first
    assert night.hashed == 1


def test_it_is_computed_after_a_change_and_only_the_last_is_kept(night):
    first = night.content()
    night.write(3)
    assert night.content() != first
    night.write(2)
    assert night.content() == first
    assert night.hashed == 3


def test_it_is_computed_if_a_version_is_unknown(night):
    night.content()
    store = Warehouse(path=str(night.project.warehouse))
    with store.transaction() as tables:
        tables.execute(f"DELETE FROM meta.versions WHERE table_name = '{CohortFlow.table()}'")
    store.close()
    night.content()
    assert night.hashed == 2


@pytest.mark.parametrize("what", ["program", "all steps"])
def test_it_is_computed_by_another_program_and_when_all_steps_are(night, monkeypatch, what):
    night.content()
    if what == "program":
        monkeypatch.setattr(step_cache.provenance, "code_hash", lambda: "another")
    else:
        forget_steps(night.project)
    night.content()
    assert night.hashed == 2
