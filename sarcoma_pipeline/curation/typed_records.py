"""Convert received records of all sources to typed ones, set duplicates aside and check the record rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from sarcoma_pipeline.curation import (
    dicom,
    export_faults,
    lymph_nodes,
    obds,
    registry_reply,
    report_choice,
    report_contradictions,
    reporting_day,
    reports,
    required_elements,
    table_rows,
    unknown_codes,
)
from sarcoma_pipeline.curation.tumour_numbers import RECORDS
from sarcoma_pipeline.curation.vital_statements import undated_deaths
from schemas import typed, typed_dicom
from schemas.configuration import DicomSource, MappedSource, ObdsSource, RegistrySource, SourceFiles, Sources
from schemas.contract import Contract
from schemas.observations import observation
from schemas.quality import Disposition, Observation
from schemas.typed_record import VALUE_MISSING

TYPED: tuple[type[Contract], ...] = (
    typed.Person,
    *RECORDS,
    typed.TumourAssignment,
    typed.VitalStatus,
    typed_dicom.Plan,
    typed_dicom.StructureSet,
    typed_dicom.Dose,
    typed_dicom.Image,
    typed_dicom.Treatment,
)

STEPS = ("reports", "typed")
"""Names under which the observations and dispositions of typing are kept: of reports, and of files."""

TypedFrames = tuple[type[Contract], pl.DataFrame, pl.DataFrame]
"""A typed table, the records read into it, and the observations made while reading."""


@dataclass(frozen=True)
class Typing:
    """The function that types the records of a received table, and its configuration.

    Attributes:
        model: the configuration of the sources that fill it.
        frames: function of the table name, its records and their source.
    """

    model: type[SourceFiles]
    frames: Callable[[str, pl.DataFrame, Any], Iterator[TypedFrames]]


_AS_MAPPED = Typing(MappedSource, lambda _, rows, source: table_rows.typed_frames(rows, source))

TYPINGS: dict[str, Typing] = {
    "received.registry_reply": Typing(
        RegistrySource, lambda _, rows, source: registry_reply.typed_frames(rows, source)
    ),
    **dict.fromkeys(obds.TABLES, Typing(ObdsSource, lambda table, rows, _: obds.typed_frames(table, rows))),
    **dict.fromkeys(
        (
            "received.dicom_plan", "received.dicom_structure_set", "received.dicom_dose",
            "received.dicom_image", "received.dicom_treatment",
        ),
        Typing(DicomSource, dicom.typed_frames),
    ),
}  # fmt: skip
"""Received table to its typing. All other tables are typed by the mapping of their sources."""

OUT_OF_SCOPE = frozenset({"received.dicom_other"})
"""Received tables that no study uses."""


def typing_of(table: str) -> Typing:
    """Return the typing of a received table."""
    return TYPINGS.get(table, _AS_MAPPED)


@dataclass(frozen=True)
class Result:
    """The result of a step of curation.

    Attributes:
        frames: table name to frame.
        observed: rules broken (``schemas.quality.Observation``).
        disposition: records set aside without a fault (``schemas.quality.Disposition``).
    """

    frames: dict[str, pl.DataFrame]
    observed: pl.DataFrame
    disposition: pl.DataFrame


def type_records(
    received: Mapping[str, pl.DataFrame],
    sources: Sources,
    received_on: pl.DataFrame,
    files: pl.DataFrame | None = None,
) -> Result:
    """Type every received record.

    Args:
        received: received table name to its current rows.
        sources: the mapping of ``sources.toml``.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.
        files: ``file_id``, ``source``, ``path``; needed where two sources fill the same received table, and
            to sort versions of a report by file name.

    Returns:
        One frame per typed table (empty ones included), observations and dispositions.
    """
    told = report_choice.choose(report_choice.reader(received), files, received_on)
    counting = {
        table: frame.join(told.disposition, on="record_id", how="anti")
        for table, frame in received.items()
        if frame.height
    }
    parts = (
        type_part(table, counting[table], repeated(counting[table], files), sources, received_on, files)
        for table in sorted(counting)
    )
    return joined([Result({}, told.observed, told.disposition), *parts])


MASTERS = ("received.obds_patient", "received.table_row")
"""Received tables that give a patient's master data."""


def former_masters(
    past: Mapping[str, pl.DataFrame], sources: Sources, received_on: pl.DataFrame, files: pl.DataFrame
) -> pl.DataFrame:
    """Type the master data that were delivered once and are no longer.

    Args:
        past: received table to the versions of its records that ended (``last_refresh`` is not null).
        sources: the mapping of ``sources.toml``, as it is today.
        received_on: ``refresh_id``, ``received_on`` (Date).
        files: ``file_id``, ``source``, ``path`` of ``meta.files``, with earlier versions.

    Returns:
        Rows of ``typed.person``: of each record the last version.
    """
    files = files.sort("file_id", "path").unique("file_id", keep="first", maintain_order=True)
    found = [typed.Person.empty()]
    for table, versions in sorted(past.items()):
        if versions.is_empty():
            continue
        last = versions.sort("record_id", "last_refresh")
        last = last.unique("record_id", keep="last", maintain_order=True)
        none = pl.Series("record_id", [], dtype=pl.String)
        made = type_part(table, last, none, sources, received_on, files).frames
        found.append(made.get(typed.Person.table(), typed.Person.empty()).select(found[0].columns))
    return pl.concat(found).filter(pl.col("master"), pl.col("person_ref").str.starts_with("number:"))


def joined(parts: Iterable[Result]) -> Result:
    """Concatenate partial results; every typed table is present."""
    parts = list(parts)
    made = {c: [p.frames[c.table()] for p in parts if c.table() in p.frames] for c in TYPED}
    return Result(
        {c.table(): pl.concat([c.empty(), *some]) if some else c.empty() for c, some in made.items()},
        pl.concat([Observation.empty(), *(p.observed for p in parts)]),
        pl.concat([Disposition.empty(), *(p.disposition for p in parts)]),
    )


def repeated(places: pl.DataFrame, files: pl.DataFrame | None = None) -> pl.Series:
    """Return the records of a received table that repeat the key and content of an earlier one.

    Args:
        places: ``record_id``, ``file_id``, ``ordinal``, ``record_key``, ``content_hash`` of all its records.
        files: ``file_id``, ``path``; without it the file id is used as path.
    """
    # Few records have the content of another one: only these are sorted. Numbers are compared faster.
    alike = places.filter(pl.col("content_hash").hash().is_duplicated())
    if alike.is_empty():
        return places["record_id"].clear()
    # Sorts by file and position, not by refresh, so that a rebuild makes the same choice.
    ordered = _placed(alike, files)
    # Identical rows of a table have different keys (their position); only a repeated key is a duplicate.
    first = pl.struct("record_key", "content_hash").is_first_distinct()
    return ordered.filter(~first)["record_id"]


def _placed(records: pl.DataFrame, files: pl.DataFrame | None) -> pl.DataFrame:
    """Return records sorted by file and position, with the column ``place``."""
    path = pl.col("file_id")
    if files is not None:
        paths = files.select("file_id", path_of_file="path").unique(
            "file_id", keep="first", maintain_order=True
        )
        records = records.join(paths, on="file_id", how="left")
        path = pl.coalesce("path_of_file", "file_id")
    place = pl.format("{} {}", path, pl.col("ordinal").fill_null(0).cast(pl.String).str.zfill(9))
    placed = records.with_columns(place=place).sort("place", "file_id", "record_id")
    return placed.drop("path_of_file", strict=False)


_OF_REPORTS = (
    export_faults.export_faults,
    export_faults.repeated_elements,
    export_faults.unknown_grades,
    required_elements.missing_elements,
    unknown_codes.unknown_codes,
    lymph_nodes.contradictions,
    report_contradictions.contradictions,
)
"""What is observed of the delivered records of an oBDS table."""


def type_part(
    table: str,
    frame: pl.DataFrame,
    repeats: pl.Series,
    sources: Sources,
    received_on: pl.DataFrame,
    files: pl.DataFrame | None = None,
) -> Result:
    """Type records of one received table.

    Args:
        table: its name.
        frame: all records of some of its files.
        repeats: records that are exact duplicates, from :func:`repeated` for the whole table.
        sources: the mapping of ``sources.toml``.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.
        files: ``file_id``, ``source``, ``path``; needed where two sources fill the same received table, and
            to sort the records of one day.

    Returns:
        Frames of the typed tables that were read from it, observations and dispositions.
    """
    if frame.is_empty():
        return Result({}, Observation.empty(), Disposition.empty())
    if table == "received.unread":
        return Result({}, export_faults.unread(frame), export_faults.unread_but_harmless(frame))
    frame = _placed(frame, files).join(
        received_on, left_on="first_refresh", right_on="refresh_id", how="left", maintain_order="left"
    )
    exports = reporting_day.observe_exports(frame, table)
    duplicates = frame.clear()
    if not repeats.is_empty():
        again = pl.col("record_id").is_in(repeats.implode())
        duplicates, frame = frame.filter(again), frame.filter(~again)
    set_aside = [_disposed(duplicates, "duplicate", "exact duplicate of another record")]
    observed = [exports]
    if table != "received.obds_patient":
        # Every export repeats a patient's master data by design.
        observed.append(observation(duplicates, reports.RECORD_DUPLICATE, table))
    if table.startswith("received.obds_"):
        observed += [check(frame, table) for check in _OF_REPORTS]
    parts: dict[type[Contract], list[pl.DataFrame]] = {}
    ahead = [Observation.empty()]
    if table in OUT_OF_SCOPE:
        set_aside.append(_disposed(frame, "out of scope", "documented, not used by a study"))
    else:
        for contract, typed_frame, seen in _typed_frames(table, frame, sources, files):
            made = undated_deaths(typed_frame) if contract is typed.VitalStatus else typed_frame
            ahead.append(reporting_day.observe(made, table))
            made = reporting_day.believed(made)
            parts.setdefault(contract, []).append(made)
            observed.append(seen)
    # A reply makes a person and a statement: its day is one fault.
    read_faults = pl.concat([*observed, pl.concat(ahead).unique(maintain_order=True)])
    frames = {contract.table(): pl.concat(made) for contract, made in parts.items()}
    faults = [_rule_faults(contract, frames[contract.table()], read_faults) for contract in parts]
    return Result(frames, pl.concat([read_faults, *faults]), pl.concat(set_aside))


def _typed_frames(
    table: str, frame: pl.DataFrame, sources: Sources, files: pl.DataFrame | None
) -> Iterator[TypedFrames]:
    typing = typing_of(table)
    filling = [source for source in sources.source if isinstance(source, typing.model)]
    for source in filling:
        rows = frame
        if "table_name" in frame.columns:
            rows = frame.filter(pl.col("table_name") == source.name)
        elif len(filling) > 1:
            if files is None:
                raise ValueError(f"{table} is filled by several sources: which file is whose must be given")
            # A record is typed with the configuration of its own source, as date formats differ between
            # offices.
            rows = frame.join(files.filter(pl.col("source") == source.name), on="file_id", how="semi")
        if rows.height:
            yield from typing.frames(table, rows, source)


def _disposed(frame: pl.DataFrame, disposition: str, reason: str) -> pl.DataFrame:
    if frame.is_empty():
        return Disposition.empty()
    return frame.select("record_id", disposition=pl.lit(disposition), reason=pl.lit(reason))


def _rule_faults(contract: type[Contract], frame: pl.DataFrame, read_faults: pl.DataFrame) -> pl.DataFrame:
    failed = contract.failures(frame)
    if failed.is_empty():
        return Observation.empty()
    values = _as_text(frame, failed["column"].unique().to_list())
    table = contract.table()
    severity = {rule.id: rule.severity for rule in (VALUE_MISSING, *contract.rules())}
    shown = (
        failed.with_columns(record_id=frame["record_id"].gather(failed["row"]))
        .join(values, on=["row", "column"], how="left", maintain_order="left")
        .select(
            "rule_id",
            severity=pl.col("rule_id").replace_strict(severity, return_dtype=pl.String),
            record_id="record_id",
            table_name=pl.lit(table),
            column_name="column",
            value="value",
            note=pl.lit(None, dtype=pl.String),
        )
    )
    # An unreadable value is not reported as missing as well.
    unreadable = read_faults.filter(pl.col("table_name") == table).select("record_id", "column_name")
    missing = pl.col("rule_id") == VALUE_MISSING.id
    return pl.concat(
        [
            shown.filter(~missing),
            shown.filter(missing).join(unreadable, on=["record_id", "column_name"], how="anti"),
        ]
    )


def _as_text(frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    parts = []
    for c in columns:
        several = isinstance(frame.schema[c], pl.List)
        value = pl.col(c).list.join("; ") if several else pl.col(c).cast(pl.String)
        parts.append(frame.select(row=pl.int_range(pl.len(), dtype=pl.Int32), column=pl.lit(c), value=value))
    return pl.concat(parts)
