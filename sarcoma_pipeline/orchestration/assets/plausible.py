"""Asks of tonight's tables whether what was read and what came of it can both be right."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.orchestration.assets.received import RECEIVED
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.release import OnDemand
from sarcoma_pipeline.quality import plausibility
from sarcoma_pipeline.study.project import Project
from schemas.all_contracts import CONTRACTS
from schemas.configuration import MappedSource, RegistrySource
from schemas.meta import MetaFile
from schemas.quality import Observed


def reasons(project: Project, warehouse: Warehouse) -> list[plausibility.Reason]:
    """Return why nothing must be published tonight; empty if there is no reason.

    Args:
        project: the study.
        warehouse: of the whole study.
    """
    tables = OnDemand(CONTRACTS, warehouse.read)
    observed = plausibility.of_cells(tables[Observed.table()])
    mapped = [s.name for s in project.sources.source if isinstance(s, MappedSource | RegistrySource)]
    files = warehouse.read(MetaFile.table(), columns=("file_id", "source"))
    files = files.filter(pl.col("source").is_in(mapped)).unique("file_id")
    source_of = pl.DataFrame(schema={"record_id": pl.String, "source": pl.String})
    if observed.height and files.height:
        records = [warehouse.read(t, columns=("record_id", "file_id")) for t in _mapped()]
        source_of = pl.concat(records).join(files, on="file_id").select("record_id", "source")
    return plausibility.never_published(project.study, project.sources, tables, observed, source_of)


def _mapped() -> list[str]:
    """Return the received tables of sources that sources.toml maps."""
    return [t for t in RECEIVED if not t.startswith(("received.obds_", "received.dicom_", "received.unread"))]
