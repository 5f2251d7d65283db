"""Contracts of the meta layer: files, refreshes, the data dictionary and the code lists."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.contract import CONTRACTS, Contract, column
from schemas.vocabularies import VOCABULARIES


class MetaFile(Contract, table="meta.files"):
    """One version of one file of the drop folder."""

    file_id: pl.String = column(
        "File", "Hash of path, content and reader: names the version.", nullable=False
    )
    path: pl.String = column(
        "Path", "Below the drop folder; folders may be named after people.", nullable=False,
        identifying="identifier",
    )  # fmt: skip
    source: pl.String = column("Source", "Its name in sources.toml; null if none reads it.")
    kind: pl.String = column("Kind", "registry, obds, dicom, table, or unexpected.", nullable=False)
    size_bytes: pl.Int64 = column("Size", "Of the file.", nullable=False, unit="B")
    mtime_ns: pl.Int64 = column(
        "Modified", "Time of the last modification since 1970.", nullable=False, unit="ns"
    )
    content_hash: pl.String = column("Content hash", "BLAKE2b of the bytes.", nullable=False)
    reader_version: pl.String = column(
        "Reader", "Version of the reader with its configuration.", nullable=False
    )
    records: pl.Int64 = column("Records", "Records read, the unreadable included.", nullable=False)
    delivered_values: pl.Int64 = column(
        "Values", "Values delivered, as meta.value_account accounts for them; null before they were counted."
    )
    objects_by_library: pl.Int64 = column(
        "By library",
        "Objects that are no ordinary DICOM and were read by pydicom, which takes ten times as long; null "
        "before they were counted.",
    )
    first_refresh: pl.String = column("First refresh", "Refresh that first read it.", nullable=False)
    last_refresh: pl.String = column(
        "Last refresh", "Last refresh that still found it; null while it is there."
    )


class MetaValueAccount(Contract, table="meta.value_account"):
    """Number of values of one path in one file, by outcome: read + ignored + unknown = delivered."""

    file_id: pl.String = column("File", "Key of meta.files.", nullable=False)
    path: pl.String = column(
        "Path", "Element, attribute or column header, without its place in the file.", nullable=False
    )
    outcome: pl.String = column(
        "Outcome", "Read, ignored by name or unknown.", nullable=False, vocabulary="value_outcome"
    )
    detail: pl.String = column(
        "Where, or why", "The received column that holds it, or the reason why it is ignored."
    )
    values: pl.Int64 = column("Values", "How many were delivered.", nullable=False)
    first_refresh: pl.String = column("First refresh", "Refresh that first read the file.", nullable=False)
    last_refresh: pl.String = column(
        "Last refresh", "Last refresh that still found the file; null while it is there."
    )


class MetaExportPatient(Contract, table="meta.export_patients"):
    """One patient of a large export that is read patient by patient: found again, it is not read again."""

    file_id: pl.String = column("File", "Key of meta.files.", nullable=False)
    first_refresh: pl.String = column("First refresh", "Refresh that first read the file.", nullable=False)
    part: pl.Int64 = column("Patient", "Place among the patients of the file, from 1.", nullable=False)
    part_hash: pl.String = column(
        "Hash", "BLAKE2b of the patient's bytes and of what their meaning depends on.", nullable=False
    )
    line: pl.Int64 = column("Line", "On which the patient begins, from 1.", nullable=False)
    before: pl.Int64 = column("Before", "Records of the file before the patient's.", nullable=False)
    records: pl.Int64 = column("Records", "Of the patient, the unreadable included.", nullable=False)
    delivered: pl.Int64 = column("Values", "Values delivered for the patient.", nullable=False)
    account: pl.String = column(
        "Account", "Number of a path, a colon, number of its values that are read or ignored; with commas.",
        nullable=False,
    )  # fmt: skip
    unknown: pl.String = column(
        "Unknown", "JSON: path to number of values that are not read; null if there is none."
    )


class MetaRefresh(Contract, table="meta.refreshes"):
    """One refresh."""

    refresh_id: pl.String = column("Refresh", "Start in UTC and run; sorts by time.", nullable=False)
    run_id: pl.String = column("Run", "Dagster's run.", nullable=False)
    started_at: pl.String = column("Started", "UTC, ISO 8601.", nullable=False)
    received_on: pl.Date = column("Received on", "Day on which its files were read.", nullable=False)
    code_version: pl.String = column("Code", "Version of the program.", nullable=False)
    code_hash: pl.String = column("Code hash", "Hash of its source; null before it was kept.")
    configuration_hash: pl.String = column("Configuration", "Hash of the study's files.", nullable=False)
    manifest_hash: pl.String = column("Manifest", "Hash of the file versions found.", nullable=False)
    new_files: pl.Int64 = column("New files", "Read for the first time.", nullable=False)
    changed_files: pl.Int64 = column("Changed files", "Read again.", nullable=False)
    gone_files: pl.Int64 = column("Gone files", "No longer there.", nullable=False)
    unchanged_files: pl.Int64 = column("Unchanged files", "Not read again.", nullable=False)
    verified: pl.Boolean = column(
        "Verified", "Whether the content of every file was compared; null before this was done."
    )


class MetaConfiguration(Contract, table="meta.configurations"):
    """One file of the study's configuration as a refresh found it; changed files are added, none removed."""

    configuration_hash: pl.String = column(
        "Configuration", "Hash of all files, as in meta.refreshes.", nullable=False
    )
    path: pl.String = column("Path", "Below the study's folder.", nullable=False)
    content: pl.String = column("Content", "Its text.", nullable=False)


class MetaVersion(Contract, table="meta.versions"):
    """The version of one table, or of one step's part of it."""

    table_name: pl.String = column("Table", "Schema and table.", nullable=False)
    step: pl.String = column("Step", "Of a table that several steps share; else empty.", nullable=False)
    version: pl.String = column("Version", "Names the content.", nullable=False)
    rows: pl.Int64 = column("Rows", "How many were written; null for a table that is only added to.")


class MetaStep(Contract, table="meta.steps"):
    """State in which one step was last computed; it is computed again only if this state has changed."""

    step: pl.String = column("Step", "Its name.", nullable=False, unique=True)
    circumstances: pl.String = column(
        "Circumstances", "Hash of program, configuration, key and what else it depends on.", nullable=False
    )
    reads: pl.String = column("Reads", "JSON: tables that it read, with their versions.", nullable=False)


class MetaStepPatient(Contract, table="meta.step_patients"):
    """What a patient's rows were last computed from, by a step that computes only the patients touched."""

    patient_id: pl.String = column(
        "Patient", "The patient; of the step lineage the pseudonym.", nullable=False, identifying="identifier"
    )
    circumstances: pl.String = column(
        "Circumstances", "Hash of all on which the rows of every patient depend.", nullable=False
    )
    inputs: pl.String = column("Inputs", "Hash of the records and facts of this patient.", nullable=False)
    step: pl.String = column("Step", "Its name.", nullable=False)


class MetaStepFile(Contract, table="meta.step_files"):
    """What a file's typed rows were last computed from."""

    file_id: pl.String = column("File", "Key of meta.files.", nullable=False)
    first_refresh: pl.String = column("First refresh", "Refresh that first read the file.", nullable=False)
    records: pl.Int64 = column("Records", "Records of the file.", nullable=False)
    named: pl.String = column("Names", "Hash of the ids and keys of its records.", nullable=False)
    inputs: pl.String = column("Inputs", "Hash of the records and facts of this file.", nullable=False)
    circumstances: pl.String = column(
        "Circumstances", "Hash of all on which the rows of every file depend.", nullable=False
    )
    step: pl.String = column("Step", "Its name.", nullable=False)


class MetaStepResult(Contract, table="meta.step_results"):
    """What a table was last computed from, by a step whose result depends on a part of what it reads."""

    result_table: pl.String = column("Table", "Schema and table of the result.", nullable=False)
    inputs: pl.String = column(
        "Inputs", "Hash of program, configuration, key, and of the rows it was computed from.", nullable=False
    )
    content: pl.String = column(
        "Content",
        "Hash of its rows, to notice a damaged table; of a release its content hash.",
        nullable=False,
    )
    step: pl.String = column("Step", "Its name.", nullable=False)


class MetaMigration(Contract, table="meta.migrations"):
    """One version that the warehouse has had; the highest is the current one."""

    version: pl.Int32 = column("Version", "Of the warehouse's tables.", nullable=False, unique=True)
    what: pl.String = column("What", "What the step to it changed.", nullable=False)
    applied_at: pl.String = column("Applied", "UTC, ISO 8601.", nullable=False)
    code_version: pl.String = column("Code", "Version of the program that did it.", nullable=False)


class MetaDictionary(Contract, table="meta.dictionary"):
    """One column of one table, as its contract declares it."""

    table_name: pl.String = column("Table", "Schema and table.", nullable=False)
    position: pl.Int32 = column("Position", "Order within the table, from 1.", nullable=False)
    column_name: pl.String = column("Column", "Its name.", nullable=False)
    type: pl.String = column("Type", "SQL type.", nullable=False)
    nullable: pl.Boolean = column("May be missing", "Whether null is allowed.", nullable=False)
    title: pl.String = column("Title", "Short name for people.", nullable=False)
    description: pl.String = column("Description", "What the value means.", nullable=False)
    unit: pl.String = column("Unit", "Of a number.")
    vocabulary: pl.String = column("Code list", "Name in meta.vocabularies.")
    identifying: pl.String = column(
        "Identifying", "identifier, quasi-identifier or clinical.", nullable=False
    )


class MetaVocabulary(Contract, table="meta.vocabularies"):
    """One value of one code list."""

    vocabulary: pl.String = column("Code list", "Its name.", nullable=False)
    position: pl.Int32 = column("Position", "Order within the list, from 1.", nullable=False)
    value: pl.String = column("Value", "What a column may hold.", nullable=False)


def dictionary(tables: Mapping[str, type[Contract]] | None = None) -> pl.DataFrame:
    """Return the data dictionary of the tables (all contracts by default), as ``meta.dictionary``.

    Args:
        tables: name, as the dictionary has it, to contract.
    """
    contracts = dict(sorted(CONTRACTS.items())) if tables is None else tables
    rows = [
        {
            "table_name": name,
            "position": position,
            "column_name": c.name,
            "type": c.sql_type,
            "nullable": c.nullable,
            "title": c.title,
            "description": c.description,
            "unit": c.unit,
            "vocabulary": c.vocabulary,
            "identifying": c.identifying,
        }
        for name, contract in contracts.items()
        for position, c in enumerate(contract.columns(), start=1)
    ]
    return pl.DataFrame(rows, schema=MetaDictionary.polars_schema())


def vocabularies() -> pl.DataFrame:
    """Return every code list, as ``meta.vocabularies``."""
    rows = [
        {"vocabulary": name, "position": position, "value": value}
        for name, values in sorted(VOCABULARIES.items())
        for position, value in enumerate(values, start=1)
    ]
    return pl.DataFrame(rows, schema=MetaVocabulary.polars_schema())
