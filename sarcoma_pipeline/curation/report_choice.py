"""Choose the oBDS reports that count, and read only the records between which there is a choice.

Nearly every report is delivered once, and nearly nobody objects: which records matter is found from a few
columns. They are judged in groups, because what is said of a report depends on no report of another key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import objections, reporting_day, reports
from schemas.all_contracts import CONTRACTS
from schemas.observations import observation
from schemas.quality import Disposition, Observation
from schemas.vocabularies import DUPLICATE

Read = Callable[[str, Sequence[str], pl.Series | None], pl.DataFrame]
"""Function that reads columns of a received table, all of them if none is named. Given a series, it returns
only the rows with one of its values in the column of its name."""

_AT_ONCE = 100_000
"""Maximum number of records judged at a time, to limit memory; those of one report are never separated."""

_MASTERS = "received.obds_patient"
"""The received table with the master data of an oBDS export."""

_PLACE = {"table": pl.String, "record_id": pl.String, "key": pl.UInt64}
_PATIENT = pl.col("Patient_ID").str.strip_chars().fill_null("")


@dataclass(frozen=True)
class Chosen:
    """The result of the choice.

    Attributes:
        observed: observations on versions, on withdrawn values, on objections and on the days of exports.
        disposition: replaced and repeated records.
    """

    observed: pl.DataFrame
    disposition: pl.DataFrame


@dataclass(frozen=True)
class _Seen:
    """What a few columns of all records tell.

    Attributes:
        repeated: hashes of the keys that several records have.
        patients: number of each patient who may object, or with a Meldebegruendung that is no code.
        files: ``file_id`` of every export with a report.
    """

    repeated: pl.Series
    patients: pl.Series
    files: pl.Series


def reader(received: Mapping[str, pl.DataFrame]) -> Read:
    """Return a function that reads received tables in memory; a table that is not there is empty."""

    def read(table: str, columns: Sequence[str], among: pl.Series | None) -> pl.DataFrame:
        frame = received[table] if table in received else CONTRACTS[table].empty()
        if among is not None:
            frame = frame.filter(pl.col(among.name).is_in(among.implode()))
        return frame.select(columns) if columns else frame

    return read


def choose(
    read: Read, files: pl.DataFrame | None, received_on: pl.DataFrame, *, at_once: int = _AT_ONCE
) -> Chosen:
    """Choose the oBDS reports that count.

    Args:
        read: reads the received tables.
        files: ``file_id``, ``path``; without it the file id is used as path.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.
        at_once: maximum number of records judged at a time.
    """
    seen = _seen(read)
    if files is None:
        files = seen.files.to_frame().with_columns(path="file_id")
    paths = files.select("file_id", "path").unique("file_id", keep="first", maintain_order=True)
    versions, speaking = _to_judge(read, seen)
    observed, aside = [Observation.empty()], [Disposition.empty()]
    for group in _groups(versions, at_once):
        made = _of_versions(read, group, paths, received_on)
        observed.append(made.observed)
        aside.append(made.disposition)
    observed.append(_of_exports_without_masters(read, seen.files, received_on))
    spoken = _read_each(read, speaking, reports.PLACES)
    observed.append(objections.objections(reporting_day.sortable(spoken, received_on), paths))
    return Chosen(pl.concat(observed), pl.concat(aside).sort("record_id"))


def _seen(read: Read) -> _Seen:
    keys = [pl.Series("key", [], dtype=pl.UInt64)]
    patients, files = [pl.Series("Patient_ID", [], dtype=pl.String)], [_no("file_id")]
    for table in reports.reported_tables():
        rows = read(table, ("file_id", "Meldebegruendung", *reports.KEY_COLUMNS), None)
        keys.append(_of_a_report(rows)["key"])
        patients.append(rows.filter(~objections.IS_ORDINARY).select(_PATIENT)["Patient_ID"].unique())
        files.append(rows["file_id"].unique())
    of_all = pl.concat(keys)
    return _Seen(
        of_all.filter(of_all.is_duplicated()).unique(),
        pl.concat(patients).unique(),
        pl.concat(files).unique(),
    )


def _of_a_report(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the records that are part of a report, with the hash of its key."""
    # Equal keys have equal hashes; different keys with one hash are only read together.
    return rows.filter(pl.col("Meldung_ID").is_not_null()).with_columns(key=reports.KEY.hash())


def _to_judge(read: Read, seen: _Seen) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the records of reports delivered several times, and those of patients who may object."""
    versions, speaking = [pl.DataFrame(schema=_PLACE)], [pl.DataFrame(schema=_PLACE)]
    if seen.repeated.is_empty() and seen.patients.is_empty():
        return versions[0], speaking[0]
    for table in reports.reported_tables():
        rows = read(table, ("record_id", "Meldebegruendung", *reports.KEY_COLUMNS), None)
        rows = rows.with_columns(table=pl.lit(table))
        told = _of_a_report(rows).filter(pl.col("key").is_in(seen.repeated.implode()))
        versions.append(told.select(list(_PLACE)))
        about = rows.filter(pl.col("Meldebegruendung").is_not_null(), _PATIENT.is_in(seen.patients.implode()))
        speaking.append(about.select("table", "record_id", key=pl.lit(0, pl.UInt64)))
    return pl.concat(versions), pl.concat(speaking)


def _groups(records: pl.DataFrame, at_once: int) -> Iterator[pl.DataFrame]:
    """Yield records in groups of whole reports."""
    sizes = records.group_by("key").len().sort("key")
    part = (pl.col("len").cum_sum() - pl.col("len")) // at_once
    numbered = records.join(sizes.select("key", part=part), on="key", maintain_order="left")
    yield from numbered.partition_by("part", maintain_order=True, include_key=False) if records.height else ()


def _of_versions(read: Read, records: pl.DataFrame, paths: pl.DataFrame, received_on: pl.DataFrame) -> Chosen:
    """Choose between the versions of some reports."""
    told = reporting_day.sortable(_read_each(read, records, reports.PLACES), received_on)
    found = reports.sort_out(told, paths)
    copies = found.disposition.filter(pl.col("disposition") == DUPLICATE)
    repeated = [
        observation(
            frame.join(copies, on="record_id", how="semi", maintain_order="left"),
            reports.RECORD_DUPLICATE,
            table,
        )
        for table, frame in sorted(told.items())
    ]
    withdrawn = reports.withdrawals(found, lambda table, some: read(table, (), some.alias("record_id")))
    return Chosen(pl.concat([found.observed, withdrawn, *repeated]), found.disposition)


def _of_exports_without_masters(read: Read, exports: pl.Series, received_on: pl.DataFrame) -> pl.DataFrame:
    with_masters = read(_MASTERS, ("file_id",), None)["file_id"].unique()
    others = exports.filter(~exports.is_in(with_masters.implode()))
    if others.is_empty():
        return Observation.empty()
    told = {t: read(t, reporting_day.COLUMNS, others) for t in reports.reported_tables()}
    return reporting_day.observe_exports_without_masters(told, with_masters, received_on)


def _read_each(read: Read, records: pl.DataFrame, columns: Sequence[str]) -> dict[str, pl.DataFrame]:
    """Return received table to these of its records; tables with none are left out."""
    return {
        str(table): read(str(table), columns, some["record_id"])
        for (table,), some in records.sort("table").group_by("table", maintain_order=True)
    }


def _no(column: str) -> pl.Series:
    return pl.Series(column, [], dtype=pl.String)
