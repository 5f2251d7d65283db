"""Read from the warehouse what findings are made of; what is asked for twice is read once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from sarcoma_pipeline.orchestration.assets.curated import TYPED
from sarcoma_pipeline.orchestration.assets.record_locations import locations
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality.finding_records import RESTING
from schemas.quality import Disposition, Quarantine

_SMALL = 2_000
"""Maximum number of rows of a table that is read whole: a statement for each question would take longer."""


class FindingSources:
    """The records of findings in a warehouse (:class:`sarcoma_pipeline.quality.finding_records.Sources`)."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._small: dict[str, pl.DataFrame | None] = {}
        self._places = _Asked(lambda ids: locations(warehouse, ids))
        self._persons = _Asked(lambda ids: pl.concat(_persons(warehouse, ids).values()).unique())

    def rows(self, table: str, among: pl.Series) -> pl.DataFrame:
        """Return the rows whose value, in the column that the series is named after, is in the series."""
        if table not in self._small:
            small = self._warehouse.height(table) <= _SMALL
            self._small[table] = self._warehouse.read(table) if small else None
        whole = self._small[table]
        if whole is None:
            return self._warehouse.read(table, among=among)
        return whole.filter(pl.col(among.name).is_in(among.implode()))

    def persons(self, records: pl.Series) -> pl.DataFrame:
        """Return ``record_id`` and ``person_ref`` of typed records."""
        return self._persons.of(records)

    def resting(self, records: pl.Series) -> Mapping[str, pl.DataFrame]:
        """Return the curated rows that rest on one of the records, by table."""
        return self._warehouse.read_resting(RESTING, records.alias("record_id"))

    def places(self, records: pl.Series) -> pl.DataFrame:
        """Return the places of records, as :func:`sarcoma_pipeline.quality.findings.places`."""
        return self._places.of(records)

    def reasons(self) -> pl.DataFrame:
        """Return ``record_id`` and ``reason``: why records are in quarantine or set aside."""
        held = self._warehouse.read(Quarantine.table()).select(
            "record_id", reason=pl.format("in quarantine: {}", pl.col("rule_ids").list.join(", "))
        )
        aside = self._warehouse.read(Disposition.table()).select("record_id", "reason")
        return pl.concat([held, aside.join(held, on="record_id", how="anti")])


class _Asked:
    """Answers to a question about records, asked once for each record."""

    def __init__(self, ask: Callable[[pl.Series], pl.DataFrame]) -> None:
        self._ask = ask
        self._asked = pl.Series("record_id", [], dtype=pl.String)
        self._answers: list[pl.DataFrame] = []

    def of(self, records: pl.Series) -> pl.DataFrame:
        wanted = records.drop_nulls().unique().alias("record_id")
        new = wanted.filter(~wanted.is_in(self._asked.implode()))
        if new.len() or not self._answers:
            self._answers.append(self._ask(new))
            self._asked = pl.concat([self._asked, new])
        return pl.concat(self._answers).filter(pl.col("record_id").is_in(wanted.implode()))


def _persons(warehouse: Warehouse, records: pl.Series) -> dict[str, pl.DataFrame]:
    return warehouse.read_several(TYPED, columns=("record_id", "person_ref"), among=records)
