"""Find columns of which too many cells yield no value: a wrong mapping, or damaged cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from sarcoma_pipeline.curation.table_rows import CONDITION_UNMATCHED, SEVERAL_VALUES
from sarcoma_pipeline.curation.value_rules import (
    CODE_UNKNOWN,
    DATE_CENTURY,
    DATE_UNREADABLE,
    NUMBER_DAMAGED,
    NUMBER_UNREADABLE,
)
from sarcoma_pipeline.quality.implausible_results import (
    Frames,
    Reason,
)
from schemas.configuration import EntityMapping, MappedSource, RegistrySource, Sources
from schemas.gate import Gate
from schemas.received import RegistryReply, TableRow

_UNREADABLE = (
    DATE_UNREADABLE.id, NUMBER_UNREADABLE.id, CODE_UNKNOWN.id, DATE_CENTURY.id, SEVERAL_VALUES.id,
)  # fmt: skip
"""Rules on filled cells that yield no value."""
_WAY_OUT = "raise max_unreadable_percent under [gate] in study.toml."
_OF_ROWS = {
    CONDITION_UNMATCHED.id: (
        "meet no condition (when), and nothing is read from their rows",
        "Name the words in the conditions in sources.toml. If these rows are to yield nothing, " + _WAY_OUT,
    ),
    NUMBER_DAMAGED.id: (
        "are patient numbers that a spreadsheet damaged",
        "Restore the numbers in the table. If the other rows suffice, " + _WAY_OUT,
    ),
}
"""Rules on filled cells for which a row yields no record, with what is wrong and its remedy; the note of the
observation names the column."""


MAPPED = (TableRow.table(), RegistryReply.table())
"""Received tables of sources whose columns ``sources.toml`` maps."""


def sources_of(records: Iterable[pl.DataFrame], files: pl.DataFrame) -> pl.DataFrame:
    """Return ``record_id`` and the name of the ``source`` of records of mapped sources.

    Args:
        records: ``record_id`` and ``file_id`` of the tables :data:`MAPPED`; may be none.
        files: ``file_id`` and ``source`` of their files.
    """
    none = pl.DataFrame(schema={"record_id": pl.String, "file_id": pl.String})
    everything = pl.concat([none, *(frame.select(none.columns) for frame in records)])
    return everything.join(files.select("file_id", "source").unique(), on="file_id").drop("file_id")


def of_cells(observed: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on filled cells that yield no value."""
    rules = (*_UNREADABLE, *_OF_ROWS)
    return observed.filter(pl.col("rule_id").is_in(rules) & pl.col("column_name").is_not_null())


def unreadable(typed: Frames, observed: pl.DataFrame, source_of: pl.DataFrame) -> pl.DataFrame:
    """Count the unreadable cells of every mapped column.

    Args:
        typed: the typed tables.
        observed: observations.
        source_of: :func:`sources_of`.

    Returns:
        ``source``, ``table_name``, ``column_name``, ``unreadable``, ``filled`` (read or not), ``persons``
        (with an unreadable cell) and the ``record_id`` of an example, sorted; only columns with such a cell.
    """
    failed = (
        observed.filter(pl.col("rule_id").is_in(_UNREADABLE), pl.col("column_name").is_not_null())
        .select("record_id", "table_name", "column_name")
        .unique()
        .join(source_of, on="record_id")
    )
    rows = []
    for (table, column), cells in failed.group_by("table_name", "column_name"):
        frame = typed.get(str(table))
        if frame is None or column not in frame.columns:
            continue
        read = frame.filter(pl.col(str(column)).is_not_null()).select("record_id").unique()
        owners = frame.select("record_id", "person_ref").unique("record_id", keep="any")
        lost = cells.join(read, on="record_id", how="anti")
        read_by = dict(read.join(source_of, on="record_id").group_by("source").len().iter_rows())
        for (source,), part in lost.group_by("source"):
            filled = part.height + read_by.get(source, 0)
            # A record of an unknown person counts as one person.
            whose = part.join(owners, on="record_id", how="left").select(
                pl.coalesce("person_ref", "record_id")
            )
            persons = whose.to_series().n_unique()
            rows.append((source, table, column, part.height, filled, persons, part["record_id"].min()))
    schema = {
        "source": pl.String, "table_name": pl.String, "column_name": pl.String,
        "unreadable": pl.Int64, "filled": pl.Int64, "persons": pl.Int64, "record_id": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("source", "table_name", "column_name")


def without_record(
    typed: Frames, observed: pl.DataFrame, source_of: pl.DataFrame, sources: Sources, gate: Gate
) -> list[Reason]:
    """Report columns of tables for which most of the filled rows yield no record.

    Args:
        typed: the typed tables.
        observed: observations.
        source_of: :func:`sources_of`.
        sources: ``sources.toml``.
        gate: ``[gate]`` of ``study.toml``.
    """
    failed = observed.join(source_of, on="record_id")
    found = []
    for source in sources.source:
        if not isinstance(source, MappedSource):
            continue
        rows = source_of.filter(pl.col("source") == source.name).select("record_id").unique()
        for column in source.headers():
            for rule, (what, remedy) in _OF_ROWS.items():
                lost = failed.filter(
                    pl.col("source") == source.name,
                    pl.col("rule_id") == rule,
                    pl.col("note") == f"column {column!r}",
                ).select("record_id")
                lost = lost.unique()
                if lost.height < gate.unreadable_from:
                    continue
                tables = sorted({f"typed.{e.entity}" for e in source.entities if column in _chosen_by(e)})
                known = pl.col("person_ref").str.starts_with("number:")
                made = [typed[t].filter(known).select("record_id") for t in tables if t in typed]
                read = pl.concat([rows.clear(), *made]).unique().join(rows, on="record_id", how="semi")
                filled = lost.height + read.join(lost, on="record_id", how="anti").height
                if 100 * lost.height > gate.max_unreadable_percent * filled:
                    where = f'column "{column}" of source "{source.name}"'
                    found.append(Reason(f"{lost.height} of {filled} filled cells of {where} {what}", remedy))
    return found


def _chosen_by(entity: EntityMapping) -> set[str | None]:
    """Return the columns that decide whether a row yields the entity: conditions and patient number."""
    number = entity.columns.get("hospital_number")
    return {*(when.column for when in entity.when), number.column if number else None}


def mostly_unreadable(counts: pl.DataFrame, sources: Sources, gate: Gate) -> list[Reason]:
    """Report mapped columns with more unreadable cells than ``[gate]`` allows.

    Args:
        counts: :func:`unreadable`.
        sources: ``sources.toml``.
        gate: ``[gate]`` of ``study.toml``.
    """
    share = 100 * pl.col("unreadable") / pl.col("filled")
    many = counts.filter(
        (share > gate.max_unreadable_percent)
        & (pl.col("unreadable") >= gate.unreadable_from)
        & (pl.col("persons") > 1)
    )
    return [
        Reason(
            f"{row['unreadable']} of {row['filled']} filled cells of {header(sources, row)} cannot be read "
            f"as {row['table_name'].removeprefix('typed.')}.{row['column_name']}",
            f"Correct its format, codes or column in sources.toml. If they are right, {_WAY_OUT}",
        )
        for row in many.iter_rows(named=True)
    ]


def header(sources: Sources, place: Mapping[str, str]) -> str:
    """Return the name of the delivered column of a typed one, as it is in the table.

    Args:
        sources: ``sources.toml``.
        place: ``source``, ``table_name``, ``column_name``.
    """
    headers: list[str] = []
    for source in sources.source:
        if source.name == place["source"]:
            headers += _headers(source, place["table_name"], place["column_name"])
    quoted = " / ".join(f'"{name}"' for name in dict.fromkeys(headers)) or f'"{place["column_name"]}"'
    return f'column {quoted} of source "{place["source"]}"'


_OF_A_REPLY = {"status": "answer", "status_date": "event_date"}
"""Typed column of a reply to the key of its column in sources.toml."""


def _headers(source: object, table: str, column: str) -> list[str]:
    if isinstance(source, RegistrySource):
        name = source.columns.get(_OF_A_REPLY.get(column, column))
        return [name] if name else []
    if isinstance(source, MappedSource):
        mapped = [e.columns.get(column) for e in source.entities if f"typed.{e.entity}" == table]
        return [m.column for m in mapped if m is not None and m.column is not None]
    return []
