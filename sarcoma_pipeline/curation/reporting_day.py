"""Use the day on which a report was written only if it is not after the day on which it was received.

An oBDS export without a readable day is a finding: its reports lose against all dated ones.

The day of a report decides which of two reports counts, and the newest answer of a registry office is the
data cut-off of the whole study. One mistyped year would win over every later correction, and move everybody.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule

DATED_IN_FUTURE = Rule(
    "report.dated-in-future",
    "warning",
    on="received.obds_patient",
    scope="record",
    what="The day of the report (oBDS Meldedatum, day of the registry office's answer, day of the table's "
    "export, or InstanceCreationDate) lies after the day on which it was received. The day is not used: the "
    "report counts as older than every dated one, and does not move the data cut-off.",
    remedy="Correct the day of the report in the file, or ask its sender to. Look for a wrong year, and for "
    "the clock of the exporting system.",
)

UNDATED = Rule(
    "report.undated",
    "warning",
    on="received.obds_patient",
    scope="record",
    what="The export has no Meldedatum, or one that is no date: nothing tells when its reports were written. "
    "They count as older than every dated report, whose values are used instead. Of several undated versions "
    "of a report, the one whose file name sorts later counts.",
    remedy="Export again with Meldedatum as a date (YYYY-MM-DD), in front of the patients. If it is missing "
    "in every export, ask the vendor of the tumour documentation to write it.",
    source="oBDS 3.0.4 schema: Meldedatum is required",
)

_MELDEDATUM = pl.col("Meldedatum").str.strip_chars()
MELDEDATUM = pl.coalesce(
    _MELDEDATUM.str.extract(r"^(\d{4}-\d\d-\d\d)").str.to_date("%Y-%m-%d", strict=False),
    _MELDEDATUM.str.to_date("%d.%m.%Y", strict=False),
)
"""The day of an oBDS report; it may have a time zone, or the format of older exports.

It only sorts reports: an unreadable one is a fault of the export, and none of the patient's record.
"""
_REPORTED = pl.col("reported_on")
_COLUMN = {"registry": "answered_on", "dicom": "InstanceCreationDate"}
"""The delivered column, by the beginning of the table's name; a table names its own column."""
_FIRST = "received.obds_patient"
"""The received table on whose first record of a file its Meldedatum is reported."""


COLUMNS = ("record_id", "file_id", "position", "Meldedatum", "first_refresh")
"""Columns of a received oBDS table that tell when an export was written."""


def sortable(reports: Mapping[str, pl.DataFrame], received_on: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return oBDS records without each Meldedatum that lies after the day on which it was received.

    Args:
        reports: received table to rows with ``Meldedatum`` and ``first_refresh``.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.
    """
    return {
        table: frame.join(
            received_on, left_on="first_refresh", right_on="refresh_id", how="left", maintain_order="left"
        )
        .with_columns(Meldedatum=pl.when(~_ahead(MELDEDATUM)).then("Meldedatum"))
        .drop("received_on")
        for table, frame in reports.items()
    }


def believed(typed: pl.DataFrame) -> pl.DataFrame:
    """Return typed records without each ``reported_on`` that lies after ``received_on``."""
    return typed.with_columns(reported_on=pl.when(~_ahead(_REPORTED)).then("reported_on"))


def observe(typed: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return one observation per record of another format than oBDS whose day lies after its receipt.

    Args:
        typed: ``record_id``, ``reported_on``, ``received_on``, ``place``.
        table: the received table that it was read from.
    """
    kind = table.removeprefix("received.").partition("_")[0]
    if kind == "obds":
        return Observation.empty()
    ahead = typed.filter(_ahead(_REPORTED)).sort("place", "record_id")
    return observation(ahead, DATED_IN_FUTURE, table, _COLUMN.get(kind), _REPORTED)


def observe_exports(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return one observation per oBDS export whose Meldedatum is no day, or lies after its receipt.

    Args:
        frame: ``record_id``, ``file_id``, ``Meldedatum``, ``received_on``, ``place``; with the records that
            repeat those of another export, so that an export of which nothing is new is judged too.
        table: the received table that it is.
    """
    if table != _FIRST:
        return Observation.empty()
    # Every record of an export has the same Meldedatum.
    first = frame.sort("place", "record_id").filter(pl.col("file_id").is_first_distinct())
    return _of_exports(first, table)


def observe_exports_without_masters(
    reports: Mapping[str, pl.DataFrame], with_masters: pl.Series, received_on: pl.DataFrame
) -> pl.DataFrame:
    """Return what :func:`observe_exports` returns, of oBDS exports without any master data of a patient.

    The observation is on the first record of the export.

    Args:
        reports: received table to rows with :data:`COLUMNS`.
        with_masters: ``file_id`` of the exports with master data.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.
    """
    others = [
        frame.filter(~pl.col("file_id").is_in(with_masters.implode())).select(*COLUMNS, _table=pl.lit(table))
        for table, frame in sorted(reports.items())
    ]
    if not others:
        return Observation.empty()
    # A position begins with its line: the shorter number is the smaller one.
    line = pl.col("position").str.extract(r"(\d+)").cast(pl.Int64, strict=False)
    first = (
        pl.concat(others)
        .sort(line, "position", "record_id", nulls_last=True)
        .filter(pl.col("file_id").is_first_distinct())
        .join(received_on, left_on="first_refresh", right_on="refresh_id", how="left", maintain_order="left")
    )
    return _of_exports(first, pl.col("_table"))


def _of_exports(first: pl.DataFrame, table: str | pl.Expr) -> pl.DataFrame:
    """Judge the Meldedatum of exports, one record of each."""
    undated, ahead = first.filter(MELDEDATUM.is_null()), first.filter(_ahead(MELDEDATUM))
    return pl.concat(
        [
            observation(ahead, DATED_IN_FUTURE, table, "Meldedatum", MELDEDATUM),
            observation(undated, UNDATED, table, "Meldedatum", pl.col("Meldedatum")),
        ]
    )


def _ahead(day: pl.Expr) -> pl.Expr:
    return (day > pl.col("received_on")).fill_null(False)
