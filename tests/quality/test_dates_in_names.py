"""A date in the name of a file, a folder, a sheet or a source is hidden and stops no release."""

from __future__ import annotations

import polars as pl
import pytest

from sarcoma_pipeline.quality.identity_gate import IdentityGate
from sarcoma_pipeline.quality.lineage import rows, traced
from schemas.lineage import Lineage
from schemas.release import released_columns
from tests.quality.test_blast_radius import unmet
from tests.quality.test_gate_of_few_patients import cohort_of


@pytest.mark.parametrize("path", ["tudok-20211230.xml", "2021-12-30/a.xml", "30.12.2021/x 30.12.21.csv"])
@pytest.mark.parametrize(
    "position", ["line 4", "sheet 2021-12-30, row 4", "sheet 30.12.2021 row 4", "sheet 30_12_2021, row 4"]
)
def test_a_date_in_a_name_stops_no_release(path, position):
    files = pl.DataFrame(
        {"record_id": ["r"], "received_as": ["received.table_row"], "file_id": ["f" * 32], "path": [path],
         "position": [position]}
    )  # fmt: skip
    shown = IdentityGate(frozenset(), ["t"]).places(files)
    tables = cohort_of([25])
    made = rows(traced(
        tables["cohort.patients"], tables["cohort.endpoints"], shown,
        pl.DataFrame(schema={"record_id": pl.String, "rule_id": pl.String}),
    ))  # fmt: skip
    assert made.height == 3, "one patient, and the record of two endpoints"
    tables[Lineage.table()] = made.select(released_columns(Lineage.table()))
    assert unmet(tables) == []
    assert "row 4" in made["position"][0] or position == "line 4"
