"""Contract of the volumes: counts after each refresh, for comparison with the next one."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

DATASET = "dataset:"
"""Prefix before a source's name in the ``record_id`` of a finding about a source instead of a record."""

ALL = "all"
"""Replaces a source's name for the study as a whole."""


class Volume(Contract, table="quality.volumes"):
    """One count of one source after one refresh."""

    refresh_id: pl.String = column("Refresh", "Key of meta.refreshes.", nullable=False)
    source: pl.String = column("Source", "Its name in sources.toml; `all` for the warehouse.", nullable=False)
    measure: pl.String = column(
        "Measure", "files, files unread, records, quarantined, patients.", nullable=False
    )
    count: pl.Int64 = column("Count", "How many.", nullable=False)
