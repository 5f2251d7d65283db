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


def test_the_lineage_of_columns_is_told_when_a_table_is_computed(tmp_path):
    project = load("sts_imrt", lay(tmp_path / "root").root)
    with_empty_tables(project.warehouse)
    table = TableOne.table()
    made = step(
        project, "table_one", {table: []}, lambda _: StepOutput({table: TableOne.empty()}), kinds=set()
    )
    told = []
    for _ in range(2):
        done = dg.materialize([made], resources={"warehouse": of_study(project)})
        (event,) = done.asset_materializations_for_node("table_one")
        told.append(event.metadata)
    assert [metadata[UNCHANGED].value for metadata in told] == [False, True]
    assert [LINEAGE in metadata for metadata in told] == [True, False]
    # Dagster serialises an event several times: what is told again every night must be short.
    assert {*told[1]} == {"dagster/row_count", UNCHANGED}
