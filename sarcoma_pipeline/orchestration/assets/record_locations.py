"""Where received records stand, read for those that are asked about and no others."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.orchestration.assets.received import RECEIVED
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import findings
from schemas.meta import MetaFile


def placed(warehouse: Warehouse, record_ids: pl.Series) -> pl.DataFrame:
    """Places of records, as :func:`sarcoma_pipeline.quality.findings.places` makes them.

    Args:
        warehouse: of the study, or of one of its centres.
        record_ids: of the records, in any order.
    """
    wanted = record_ids.drop_nulls().unique().alias("record_id")
    received = {t: warehouse.read(t, columns=findings.PLACE, among=wanted) for t in RECEIVED}
    file_ids = pl.concat([f["file_id"] for f in received.values()]).unique()
    return findings.places(
        received, warehouse.read(MetaFile.table(), columns=("file_id", "path"), among=file_ids)
    )
