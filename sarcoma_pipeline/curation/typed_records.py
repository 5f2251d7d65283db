"""Received records to typed ones, over all sources: duplicates set aside, record rules judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import dicom, obds, registry_reply, table_rows
from schemas import typed, typed_dicom
from schemas.configuration import DicomSource, RegistrySource, Sources, TableSource
from schemas.contract import Contract
from schemas.file_faults import FILE_FAULTS
from schemas.quality import Disposition, Observation
from schemas.received import NO_NAMESPACE
from schemas.rule import Rule
from schemas.typed_record import VALUE_MISSING

TYPED: tuple[type[Contract], ...] = (
    typed.Person,
    typed.Diagnosis,
    typed.Surgery,
    typed.Radiotherapy,
    typed.SystemicTherapy,
    typed.Assessment,
    typed.Metastasis,
    typed.VitalStatus,
    typed_dicom.Plan,
    typed_dicom.StructureSet,
    typed_dicom.Dose,
    typed_dicom.Image,
    typed_dicom.Treatment,
)

RECORD_DUPLICATE = Rule(
    "record.duplicate",
    "notice",
    on="quality.accounting",
    scope="source",
    what="The same record was delivered more than once; the first one counts.",
    remedy="Nothing, or keep the export from repeating it.",
    source="oBDS: repeated Meldung; DICOM: repeated export",
)
NAMESPACE_MISSING = Rule(
    "obds.namespace-missing",
    "warning",
    on="received.obds_patient",
    scope="file",
    what="The export lacks the oBDS namespace; it was read all the same.",
    remedy="Have the exporting system write the namespace.",
    source="oBDS 3.0.4 schema",
)
SCHEMA_VERSION_UNKNOWN = Rule(
    "obds.schema-version-unknown",
    "warning",
    on="received.obds_patient",
    scope="file",
    what="The export names a Schema_Version other than 3.0.0 to 3.0.4; it was read all the same.",
    remedy="Check that the exporting system writes oBDS 3.",
    source="oBDS 3.0.4 schema",
)

KNOWN_SCHEMA_VERSIONS = ("3.0.0", "3.0.1", "3.0.2", "3.0.3", "3.0.4")


@dataclass(frozen=True)
class Result:
    """What a step of curation made and saw.

    Attributes:
        frames: table name to frame.
        observed: rules broken (``schemas.quality.Observation``).
        disposition: records set aside without a fault (``schemas.quality.Disposition``).
    """

    frames: dict[str, pl.DataFrame]
    observed: pl.DataFrame
    disposition: pl.DataFrame


def observation(
    frame: pl.DataFrame,
    rule: Rule,
    table: str,
    column: str | None = None,
    value: pl.Expr | None = None,
    note: pl.Expr | None = None,
) -> pl.DataFrame:
    """Every row of a frame with ``record_id`` as an observation of one rule."""
    nothing = pl.lit(None, dtype=pl.String)
    return frame.select(
        rule_id=pl.lit(rule.id),
        severity=pl.lit(rule.severity),
        record_id="record_id",
        table_name=pl.lit(table),
        column_name=pl.lit(column, dtype=pl.String),
        value=nothing if value is None else value.cast(pl.String),
        note=nothing if note is None else note.cast(pl.String),
    )


def type_records(received: Mapping[str, pl.DataFrame], sources: Sources, received_on: pl.DataFrame) -> Result:
    """Type every received record.

    Args:
        received: received table name to its current rows.
        sources: the mapping of ``sources.toml``.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.

    Returns:
        One frame per typed table (empty ones included), observations and dispositions.
    """
    return joined(
        type_part(table, received[table], repeated(received[table]), sources, received_on)
        for table in sorted(received)
    )


def joined(parts: Iterable[Result]) -> Result:
    """Parts as one, with every typed table."""
    parts = list(parts)
    return Result(
        {
            c.table(): pl.concat([c.empty(), *(p.frames[c.table()] for p in parts if c.table() in p.frames)])
            for c in TYPED
        },
        pl.concat([Observation.empty(), *(p.observed for p in parts)]),
        pl.concat([Disposition.empty(), *(p.disposition for p in parts)]),
    )


def repeated(places: pl.DataFrame) -> pl.Series:
    """The records of a received table that repeat another's key and content: all but the first of them.

    Args:
        places: ``record_id``, ``file_id``, ``position``, ``record_key``, ``content_hash`` of all its records.
    """
    # Not by the night of its arrival: a rebuild, for which all came at once, must choose the same.
    ordered = places.sort("file_id", "position", "record_id")
    # A row of the same file is another row, be it alike to the letter; only a repeated key is a repetition.
    first = pl.struct("record_key", "content_hash").is_first_distinct()
    return ordered.filter(~first)["record_id"]


def type_part(
    table: str, frame: pl.DataFrame, repeats: pl.Series, sources: Sources, received_on: pl.DataFrame
) -> Result:
    """Type records of one received table.

    Args:
        table: its name.
        frame: all records of some of its files.
        repeats: records that are exact duplicates, as :func:`repeated` names them in the whole table.
        sources: the mapping of ``sources.toml``.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.

    Returns:
        Frames of the typed tables that were read from it, observations and dispositions.
    """
    if frame.is_empty():
        return Result({}, Observation.empty(), Disposition.empty())
    if table == "received.unread":
        return Result({}, _unread(frame), _unread_but_harmless(frame))
    frame = frame.join(
        received_on, left_on="first_refresh", right_on="refresh_id", how="left", maintain_order="left"
    ).sort("file_id", "position", "record_id")
    again = pl.col("record_id").is_in(repeats.implode())
    duplicates, frame = frame.filter(again), frame.filter(~again)
    set_aside = [_disposed(duplicates, "duplicate", "exact duplicate of another record")]
    observed = [Observation.empty()]
    if table != "received.obds_patient":
        # Every export repeats a patient's master data: that is its form, not a fault.
        observed.append(observation(duplicates, RECORD_DUPLICATE, table))
    if table.startswith("received.obds_"):
        observed.append(_export_faults(frame, table))
    parts: dict[type[Contract], list[pl.DataFrame]] = {}
    if table in ("received.obds_tumour_board", "received.dicom_other"):
        set_aside.append(_disposed(frame, "out of scope", "documented, not used by a study"))
    else:
        for contract, made, seen in _typed_frames(table, frame, sources):
            parts.setdefault(contract, []).append(made)
            observed.append(seen)
    read_faults = pl.concat(observed)
    frames = {contract.table(): pl.concat(made) for contract, made in parts.items()}
    faults = [_rule_faults(contract, frames[contract.table()], read_faults) for contract in parts]
    return Result(frames, pl.concat([read_faults, *faults]), pl.concat(set_aside))


def _typed_frames(
    table: str, frame: pl.DataFrame, sources: Sources
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    if table in obds.READINGS:
        yield from obds.typed_frames(table, frame)
    for source in sources.source:
        if isinstance(source, RegistrySource) and table == "received.registry_reply":
            yield from registry_reply.typed_frames(frame, source)
        elif isinstance(source, DicomSource) and table.startswith("received.dicom_"):
            yield from dicom.typed_frames(table, frame, source)
        elif isinstance(source, TableSource) and table == "received.table_row":
            rows = frame.filter(pl.col("table_name") == source.name)
            if rows.height:
                yield from table_rows.typed_frames(rows, source)


def _disposed(frame: pl.DataFrame, disposition: str, reason: str) -> pl.DataFrame:
    return frame.select("record_id", disposition=pl.lit(disposition), reason=pl.lit(reason))


def _unread(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        rule_id="rule_id",
        severity=pl.col("rule_id").replace_strict({r.id: r.severity for r in FILE_FAULTS.values()}),
        record_id="record_id",
        table_name=pl.lit("received.unread"),
        column_name=pl.lit(None, dtype=pl.String),
        value=pl.lit(None, dtype=pl.String),
        note="detail",
    )


def _unread_but_harmless(frame: pl.DataFrame) -> pl.DataFrame:
    harmless = [r.id for r in FILE_FAULTS.values() if r.severity != "error"]
    return _disposed(frame.filter(pl.col("rule_id").is_in(harmless)), "out of scope", "no source reads it")


def _export_faults(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    if table != "received.obds_patient":
        return Observation.empty()
    first = frame.filter(pl.col("file_id").is_first_distinct())
    version = pl.col("Schema_Version").fill_null("")
    bare = version.str.strip_suffix(NO_NAMESPACE)
    return pl.concat(
        [
            observation(
                first.filter(version.str.ends_with(NO_NAMESPACE)),
                NAMESPACE_MISSING,
                table,
                "Schema_Version",
            ),
            observation(
                first.filter(~bare.is_in(KNOWN_SCHEMA_VERSIONS)),
                SCHEMA_VERSION_UNKNOWN,
                table,
                "Schema_Version",
                bare,
            ),
        ]
    )


def _rule_faults(contract: type[Contract], frame: pl.DataFrame, read_faults: pl.DataFrame) -> pl.DataFrame:
    failed = contract.failures(frame)
    if failed.is_empty():
        return Observation.empty()
    values = _as_text(frame, failed["column"].unique().to_list())
    table = contract.table()
    severity = {rule.id: rule.severity for rule in (VALUE_MISSING, *contract.rules())}
    shown = (
        failed.join(values, on=["row", "column"], how="left")
        .with_columns(record_id=frame["record_id"].gather(failed["row"]))
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
    # A value that is there but unreadable is not missing as well.
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
