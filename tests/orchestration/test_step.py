"""What a step tells Dagster, once computed and once skipped."""

from __future__ import annotations

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration.assets.step import UNCHANGED, StepOutput, step
from sarcoma_pipeline.orchestration.warehouse_resource import of_study
from sarcoma_pipeline.study.project import load
from schemas.analysis import TableOne
from tests.refreshed import lay, with_empty_tables

pytestmark = pytest.mark.slow
LINEAGE = "dagster/column_lineage"


def test_what_never_changes_is_told_by_the_definition_and_not_by_every_event(tmp_path):
    project = load("sts_imrt", lay(tmp_path / "root").root)
    with_empty_tables(project.warehouse)
    table = TableOne.table()
    made = step(
        project, "table_one", {table: []}, lambda _: StepOutput({table: TableOne.empty()}), kinds=set()
    )
    (spec,) = made.specs
    lineage = spec.metadata[LINEAGE]
    assert isinstance(lineage, dg.TableColumnLineage)
    sources = {dep.asset_key.path[-1] for deps in lineage.deps_by_column.values() for dep in deps}
    assert sources == {"patients"}
    told = []
    for _ in range(2):
        done = dg.materialize([made], resources={"warehouse": of_study(project)})
        (event,) = done.asset_materializations_for_node("table_one")
        told.append(event.metadata)
    assert [metadata[UNCHANGED].value for metadata in told] == [False, True]
    # Dagster serialises an event several times, and reads it again for every step below: it must be short.
    assert {*told[0]} == {"dagster/row_count", UNCHANGED, "seconds", "bytes in memory"}
    assert {*told[1]} == {"dagster/row_count", UNCHANGED}
