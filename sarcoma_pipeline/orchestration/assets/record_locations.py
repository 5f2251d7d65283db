"""Find file and position of received records, and build the identity gate that displays them."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sarcoma_pipeline.orchestration.assets.received import RECEIVED
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import findings
from sarcoma_pipeline.quality.identity_gate import IDENTIFYING, IdentityGate
from sarcoma_pipeline.study.project import Project
from schemas.meta import MetaFile
from schemas.typed import Person
from schemas.volumes import DATASET


def locations(warehouse: Warehouse, record_ids: pl.Series) -> pl.DataFrame:
    """Return the result of :func:`sarcoma_pipeline.quality.findings.places` for these records only.

    A record that is no longer delivered has its last location.

    Args:
        warehouse: the warehouse of the study or of one centre.
        record_ids: ids in any order.
    """
    wanted = record_ids.drop_nulls().unique().alias("record_id")
    # A finding on a whole source names no record.
    wanted = wanted.filter(~wanted.str.starts_with(DATASET))
    received = warehouse.read_several(RECEIVED, columns=findings.PLACE, among=wanted)
    gone = wanted.filter(~wanted.is_in(pl.concat([f["record_id"] for f in received.values()]).implode()))
    if gone.len():
        return _places_of_gone(warehouse, received, gone)
    file_ids = pl.concat([f["file_id"] for f in received.values()]).unique()
    return findings.places(
        received, warehouse.read(MetaFile.table(), columns=("file_id", "path", "source"), among=file_ids)
    )


def _places_of_gone(
    warehouse: Warehouse, received: Mapping[str, pl.DataFrame], gone: pl.Series
) -> pl.DataFrame:
    """Return the locations of current records, and the last ones of those no longer delivered."""
    both = dict(received)
    found = warehouse.read_several(
        RECEIVED, columns=(*findings.PLACE, "last_refresh"), among=gone, current=False
    )
    for table, past in found.items():
        if past.height:
            past = past.sort("record_id", "last_refresh", "file_id", "position")
            past = past.unique("record_id", keep="last", maintain_order=True).drop("last_refresh")
            both[table] = pl.concat([received[table], past])
    file_ids = pl.concat([f["file_id"] for f in both.values()]).unique()
    return findings.places(
        both, warehouse.read_versions(MetaFile.table(), columns=("file_id", "path", "source"), among=file_ids)
    )


def identity_gate(project: Project, warehouse: Warehouse) -> IdentityGate:
    """Build the identity gate of a study from every delivered person, linked or not, and ``sources.toml``."""
    return IdentityGate.of(warehouse.read(Person.table(), columns=IDENTIFYING), project.sources)
