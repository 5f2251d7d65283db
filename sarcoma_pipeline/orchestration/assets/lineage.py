"""Lineage: which record of which file every value of the cohort rests on."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration.assets.received import RECEIVED
from sarcoma_pipeline.orchestration.assets.record_locations import placed
from sarcoma_pipeline.orchestration.assets.step import Made, step
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import findings, lineage
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.curated import Patient
from schemas.lineage import Lineage
from schemas.meta import MetaFile
from schemas.quality import Finding, Observed

_PATIENTS = 10_000
"""Whose lineage is in memory at a time."""


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """``meta.lineage``."""

    def trace(warehouse: Warehouse) -> Iterator[Made]:
        """Name the records that decided every endpoint, and those that a patient's row rests on."""
        masked = findings.masked_path(
            pl.col("path"), warehouse.read(Patient.table(), columns=findings.IDENTIFYING)
        )
        patients = warehouse.read(CohortPatient.table(), columns=("pseudonym", "record_ids"))
        endpoints = warehouse.read(CohortEndpoint.table(), columns=("pseudonym", "endpoint", "evidence"))
        observed = warehouse.read(Observed.table())
        everyone = pl.concat([patients["pseudonym"], endpoints["pseudonym"]]).unique().sort()
        yield Made({Lineage.table(): Lineage.empty()})
        # Sorted by pseudonym as a whole, and so part by part.
        for some in everyone.to_frame().iter_slices(_PATIENTS):
            of_some = patients.join(some, on="pseudonym", how="semi")
            ends = endpoints.join(some, on="pseudonym", how="semi")
            used = pl.concat(
                [of_some["record_ids"].explode(), ends["evidence"].explode().alias("record_ids")]
            )
            places = placed(warehouse, used).with_columns(path=masked)
            yield Made({Lineage.table(): lineage.lineage(of_some, ends, places, observed)})

    rests_on = [CohortPatient.table(), CohortEndpoint.table(), Finding.table(), MetaFile.table(), *RECEIVED]
    return [step(project, "lineage", {Lineage.table(): rests_on}, trace, kinds={"polars"})]
