"""Lineage: which record of which file every value of the cohort rests on."""

from __future__ import annotations

import dagster as dg
import polars as pl

from sarcoma_pipeline import lineage
from sarcoma_pipeline.assets.received import RECEIVED
from sarcoma_pipeline.assets.step import Made, step
from sarcoma_pipeline.project import Project
from sarcoma_pipeline.quality import findings
from sarcoma_pipeline.warehouse import Warehouse
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.curated import Patient
from schemas.lineage import Lineage
from schemas.meta import MetaFile
from schemas.quality import Finding, Observed


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """``meta.lineage``."""

    def trace(warehouse: Warehouse) -> Made:
        """Name the records that decided every endpoint, and those that a patient's row rests on."""
        received = {table: warehouse.read(table) for table in RECEIVED}
        places = findings.places(received, warehouse.read(MetaFile.table()))
        masked = findings.masked_path(pl.col("path"), warehouse.read(Patient.table()))
        frame = lineage.lineage(
            warehouse.read(CohortPatient.table()),
            warehouse.read(CohortEndpoint.table()),
            received,
            places.with_columns(path=masked),
            warehouse.read(Observed.table()),
        )
        return Made({Lineage.table(): frame})

    rests_on = [CohortPatient.table(), CohortEndpoint.table(), Finding.table(), MetaFile.table(), *RECEIVED]
    return [step(project, "lineage", {Lineage.table(): rests_on}, trace, kinds={"polars"})]
