"""Compare the present delivery with that of the refresh before."""

from __future__ import annotations

import json

import polars as pl

from sarcoma_pipeline.orchestration.assets.received import RECEIVED, tonight
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import lost_records
from schemas.curated import Link, Patient
from schemas.meta import MetaFile, MetaRefresh
from schemas.quality import Observation, Observed
from schemas.received import TableRow, Unread
from schemas.sources_toml import Sources
from schemas.volumes import Volume

_COMPARED = tuple(t for t in RECEIVED if t != Unread.table())
_PERSON = ("Patient_ID", "PatientID", "hospital_number")
"""Columns of received tables with the patient's number; in rows of tables the mapping names the header."""
_FILE = ("file_id", "path", "source", "content_hash", "records", "first_refresh", "last_refresh")


def observe(warehouse: Warehouse, study_sources: Sources) -> pl.DataFrame:
    """Return the records lost since the refresh before, and earlier losses that still exist.

    A loss exists until its record is delivered again.

    Args:
        warehouse: the study's warehouse.
        study_sources: who reads which files, for the header of the patient's number in tables.
    """
    refresh, _ = tonight(warehouse)
    nights = warehouse.read(Volume.table(), columns=("refresh_id",), noted=False)["refresh_id"]
    base = nights.filter(nights < refresh).max()
    earlier = warehouse.read(Observed.table(), noted=False)
    earlier = earlier.filter(pl.col("rule_id") == lost_records.RECORDS_LOST.id)
    standing = Observation.conform(_still_lost(warehouse, earlier.drop("step")))
    if base is None:
        return standing
    versions = _versions(warehouse, str(base), refresh)
    if versions.is_empty():
        return standing
    files = warehouse.read_versions(MetaFile.table(), columns=_FILE)
    gone = lost_records.lost(versions, files, str(base))
    gone = gone.join(earlier.select("record_id"), on="record_id", how="anti")
    if gone.is_empty():
        return standing
    sources = files.select("file_id", "source").unique("file_id", keep="first", maintain_order=True)
    placed = gone.join(sources, on="file_id", how="left").join(
        _patients(warehouse, gone, study_sources), on=["table_name", "record_id"], how="left"
    )
    return pl.concat([lost_records.observe(placed, files, _counts(files, str(base))), standing])


def _still_lost(warehouse: Warehouse, earlier: pl.DataFrame) -> pl.DataFrame:
    """Remove the losses whose record, or another one with its key or content, is delivered again."""
    parts = [earlier.clear()]
    for (table,), some in earlier.group_by(["table_name"], maintain_order=True):
        ids = some["record_id"].unique()
        lost = warehouse.read_versions(
            str(table), columns=("record_id", "record_key", "content_hash"), among=ids
        )
        back = [
            warehouse.read(str(table), columns=(c,), among=lost[c].unique(), noted=False)[c]
            for c in ("record_key", "content_hash")
        ]
        again = pl.col("record_key").is_in(back[0].implode()) | pl.col("content_hash").is_in(
            back[1].implode()
        )
        parts.append(some.join(lost.filter(again), on="record_id", how="anti"))
    return pl.concat(parts).sort("record_id")


def _versions(warehouse: Warehouse, base: str, refresh: str) -> pl.DataFrame:
    """Read the records closed or opened since a refresh, and all with the same keys and contents."""
    refreshes = warehouse.read(MetaRefresh.table(), columns=("refresh_id",), noted=False)["refresh_id"]
    since = refreshes.filter(refreshes.is_between(pl.lit(base), pl.lit(refresh)))
    parts = []
    for table in _COMPARED:
        closed = warehouse.read_versions(
            table, columns=lost_records.VERSION, among=since.alias("last_refresh")
        )
        if closed.is_empty():
            continue
        came = since.filter(since > base).alias("first_refresh")
        opened = warehouse.read_versions(table, columns=lost_records.VERSION, among=came)
        both = pl.concat([closed, opened])
        alike = [
            warehouse.read_versions(table, columns=lost_records.VERSION, among=both[c].unique())
            for c in ("record_key", "content_hash")
        ]
        parts.append(pl.concat([both, *alike]).unique().with_columns(table_name=pl.lit(table)))
    if not parts:
        schema = dict.fromkeys((*lost_records.VERSION, "table_name"), pl.String) | {"ordinal": pl.Int64}
        return pl.DataFrame(schema=schema)
    return pl.concat(parts).sort(pl.all())


def _patients(warehouse: Warehouse, gone: pl.DataFrame, study_sources: Sources) -> pl.DataFrame:
    """Return the patient of each record: the pseudonym, or the number of a patient who is also lost."""
    known = (
        warehouse.read(Link.table(), columns=("person_ref", "patient_id"))
        .join(warehouse.read(Patient.table(), columns=("patient_id", "pseudonym")), on="patient_id")
        .select("person_ref", "pseudonym")
    )
    parts = [pl.DataFrame(schema=dict.fromkeys(("table_name", "record_id", "number"), pl.String))]
    for (table,), some in gone.group_by(["table_name"], maintain_order=True):
        rows = warehouse.read_versions(str(table), among=some["record_id"].unique())
        if table == TableRow.table():
            rows = rows.with_columns(numbers_in_rows(rows, study_sources))
        number = next((c for c in _PERSON if c in rows.columns), None)
        if number is not None:
            named = rows.select(table_name=pl.lit(str(table)), record_id="record_id", number=number)
            parts.append(named.unique("record_id", keep="first", maintain_order=True))
    numbers = pl.concat(parts).with_columns(person_ref=pl.lit("number:") + pl.col("number").str.strip_chars())
    return numbers.join(known, on="person_ref", how="left").select(
        "table_name", "record_id", "pseudonym", patient=pl.coalesce("pseudonym", "person_ref")
    )


def numbers_in_rows(rows: pl.DataFrame, study_sources: Sources) -> pl.Series:
    """Return the patient's number in each row of a table, null if its source maps none."""
    headers: dict[str, str] = {}
    for source in study_sources.source:
        for entity in getattr(source, "entities", ()):
            mapping = entity.columns.get("hospital_number")
            if mapping and mapping.column:
                headers.setdefault(source.name, mapping.column)
    found = [
        (json.loads(values).get(headers.get(name, "")) or "").strip() or None
        for name, values in rows.select("table_name", "values").iter_rows()
    ]
    return pl.Series("hospital_number", found, dtype=pl.String)


def _counts(files: pl.DataFrame, base: str) -> pl.DataFrame:
    """Return ``path``, ``before`` and ``now``: number of records of each file at a refresh and now."""
    first, last = pl.col("first_refresh"), pl.col("last_refresh")
    then = files.filter(first <= base, last.is_null() | (last >= base))
    now = files.filter(last.is_null())
    return (
        then.group_by("path")
        .agg(before=pl.col("records").sum())
        .join(now.group_by("path").agg(now=pl.col("records").sum()), on="path", how="left")
        .with_columns(pl.col("now").fill_null(0))
    )
