"""Check the tables of this refresh for reasons against publishing."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.release import OnDemand
from sarcoma_pipeline.quality import implausible_results, plausibility, unreadable_cells
from sarcoma_pipeline.study.project import Project
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaFile
from schemas.quality import Observed


def reasons(project: Project, warehouse: Warehouse) -> list[implausible_results.Reason]:
    """Return the reasons against publishing this refresh; empty if there is none.

    Args:
        project: the study.
        warehouse: the warehouse of the whole study.
    """
    tables = OnDemand(CONTRACTS, warehouse.read)
    observed = unreadable_cells.of_cells(tables[Observed.table()])
    records: list[pl.DataFrame] = []
    if observed.height:
        records = [warehouse.read(t, columns=("record_id", "file_id")) for t in unreadable_cells.MAPPED]
    files = warehouse.read(MetaFile.table(), columns=("file_id", "source"))
    source_of = unreadable_cells.sources_of(records, files)
    return plausibility.never_published(project.study, project.sources, tables, observed, source_of)
