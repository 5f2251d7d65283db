"""Take over the received records of patients whose part of a large export is as it was in an earlier one.

The records of such a patient are those of the earlier export, except for the file, their place in it and the
facts about the export. They are added anew, because received tables keep what every refresh received.
Afterwards the tables are as if the file had been read as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from sarcoma_pipeline.sources import export_parts, manifest, readers, value_account
from sarcoma_pipeline.sources.leaves import ODD_KEPT
from sarcoma_pipeline.sources.manifest import Found
from sarcoma_pipeline.sources.read_parallel import Read
from sarcoma_pipeline.sources.received_record import COPY
from sarcoma_pipeline.warehouse import ducklake
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.lent_frame import lent
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaExportPatient, MetaFile, MetaValueAccount

_PARTS, _ACCOUNT = MetaExportPatient.table(), MetaValueAccount.table()
_READER = ["source", "reader_version"]
_ABOUT = ("delivered", "account", "unknown")


@dataclass(frozen=True)
class Known:
    """The patients of earlier exports.

    Attributes:
        parts: rows of ``meta.export_patients`` with ``source`` and ``reader_version`` of their file; of equal
            patients one.
    """

    parts: pl.DataFrame

    def offered(self, found: Iterable[Found]) -> list[Found]:
        """Return the files to read, each with the patients that its reader need not read."""
        of: dict[tuple[str, str], dict[str, int]] = {}
        for source, version, part_hash, records in self.parts.select(
            *_READER, "part_hash", "records"
        ).iter_rows():
            of.setdefault((source, version), {})[part_hash] = records

        def offering(one: Found) -> Found:
            known = of.get((str(one.row["source"]), str(one.row["reader_version"])))
            return replace(one, file=replace(one.file, known=known)) if known else one

        return [offering(one) for one in found]


@dataclass(frozen=True)
class Completed:
    """The result of reading files, completed by what is known of their unchanged patients.

    Attributes:
        read: rows and frames to write.
        parts: rows of ``meta.export_patients`` of the files that were cut.
        taken: one row per record that is taken over: where it is, and where it belongs.
        patients: number of patients that are taken over.
    """

    read: Read
    parts: pl.DataFrame = field(default_factory=MetaExportPatient.empty)
    taken: pl.DataFrame = field(default_factory=pl.DataFrame)
    patients: int = 0


def known(tables: Tables) -> Known:
    """Return the patients of earlier exports whose records are still in the warehouse."""
    parts, files = tables.own(_PARTS), tables.own(MetaFile.table())
    return Known(
        tables.execute(
            f"SELECT p.*, f.source, f.reader_version FROM {parts} AS p "
            f"JOIN {files} AS f USING (file_id, first_refresh) "
            "QUALIFY row_number() OVER (PARTITION BY source, reader_version, part_hash "
            "ORDER BY file_id, first_refresh, part) = 1"
        ).pl()
    )


def complete(tables: Tables, read: Read, known: Known) -> Completed | None:
    """Add what is known of unchanged patients to the rows of their files.

    Args:
        tables: the study's tables, before ``read`` is written.
        read: a group of files as their readers returned them.
        known: the patients that they were offered.

    Returns:
        None if a record to take over is missing, or the values of the files can only be accounted for
        together: the files must be read as a whole.
    """
    frames = dict(read.tables)
    parts = frames.pop(_PARTS, None)
    if parts is None:
        return Completed(Read(read.files, frames, read.cuts))
    unread = parts.filter(pl.col("account").is_null()).drop(_ABOUT)
    if unread.is_empty():
        return Completed(Read(read.files, frames, read.cuts), _settled(read, parts))
    files = pl.DataFrame(
        [(row["file_id"], row["source"], row["reader_version"]) for row in read.files],
        schema=dict.fromkeys(("file_id", *_READER), pl.String),
        orient="row",
    )
    earlier = known.parts.select(
        *_READER,
        "part_hash",
        *_ABOUT,
        from_file="file_id",
        from_refresh="first_refresh",
        from_before="before",
        from_line="line",
    )
    placed = unread.join(files, on="file_id").join(earlier, on=[*_READER, "part_hash"])
    taken = _by_record(placed)
    if placed.height != unread.height or not _all_there(tables, taken):
        return None
    rows, accounts = [], [frames[_ACCOUNT]]
    for row in read.files:
        cut, mine = read.cuts.get(str(row["file_id"])), placed.filter(pl.col("file_id") == row["file_id"])
        if cut is None or mine.is_empty():
            rows.append(row)
            continue
        account = export_parts.summed(mine, cut.outcomes)
        accounts.append(value_account.frame([(str(row["file_id"]), account)], str(row["first_refresh"])))
        rows.append({**row, "delivered_values": int(row["delivered_values"] or 0) + account.delivered})
    frames[_ACCOUNT] = _together(accounts)
    if _ambiguous(frames[_ACCOUNT], placed["file_id"]):
        return None
    schema = MetaExportPatient.polars_schema()
    whole = pl.concat([parts.filter(pl.col("account").is_not_null()), placed.select(schema.names())])
    whole = _settled(read, whole.sort("file_id", "part"))
    return Completed(Read(rows, frames, read.cuts), whole, taken, placed.height)


def take_over(tables: Tables, completed: Completed) -> dict[str, int]:
    """Add the records that are taken over, within the caller's transaction.

    Returns:
        Received table to number of records.
    """
    insert(tables, _PARTS, completed.parts)
    if completed.taken.is_empty():
        return {}
    cuts = completed.read.cuts
    facts = pl.DataFrame(
        [{"file_id": file_id, **cut.facts} for file_id, cut in cuts.items()], infer_schema_length=None
    ).cast(pl.String)
    reporters = pl.DataFrame(
        [(file_id, *pair) for file_id, cut in cuts.items() for pair in cut.reporters.items()],
        schema=dict.fromkeys(("file_id", "Melder_ID", "Melder_IKNR"), pl.String),
        orient="row",
    )
    frames = lent(tables.connection, {"_taken": completed.taken, "_facts": facts, "_reporters": reporters})
    with frames, ducklake.in_order(tables.connection):
        return {table: _take_over(tables, table, facts.columns) for table in _received()}


def forget_closed(tables: Tables) -> None:
    """Delete the patients of exports that are gone or replaced, after those that stayed were taken over."""
    tables.execute(
        f"DELETE FROM {tables.own(_PARTS)} WHERE (file_id, first_refresh) NOT IN "
        f"(SELECT (file_id, first_refresh) FROM {tables.own(MetaFile.table())} WHERE last_refresh IS NULL)"
    )


def _settled(read: Read, parts: pl.DataFrame) -> pl.DataFrame:
    """Leave out files that changed while they were read: the next refresh reads them again."""
    changing = [str(row["file_id"]) for row in read.files if not manifest.is_settled(row)]
    if not changing:
        return parts
    return parts.filter(~pl.col("file_id").is_in(changing))


def _received() -> Sequence[str]:
    return (*readers.reader("obds").tables, readers.UNREAD)


def _by_record(placed: pl.DataFrame) -> pl.DataFrame:
    """Return one row per record of the patients.

    Returns:
        ``from_file``, ``from_refresh``, ``from_ordinal``; ``file_id``, ``first_refresh``, ``ordinal``,
        ``part``; ``shift`` (lines).
    """
    return (
        placed.filter(pl.col("records") > 0)
        .with_columns(nth=pl.int_ranges(1, pl.col("records") + 1))
        .explode("nth")
        .select(
            "from_file",
            "from_refresh",
            "file_id",
            "first_refresh",
            "part",
            from_ordinal=pl.col("from_before") + pl.col("nth"),
            ordinal=pl.col("before") + pl.col("nth"),
            shift=pl.col("line") - pl.col("from_line"),
        )
    )


_SAME = "r.file_id = t.from_file AND r.first_refresh = t.from_refresh AND r.ordinal = t.from_ordinal"


def _all_there(tables: Tables, taken: pl.DataFrame) -> bool:
    found = 0
    with lent(tables.connection, {"_taken": taken}):
        for table in _received():
            row = tables.execute(
                f"SELECT count(*) FROM {tables.own(table)} AS r JOIN _taken AS t ON {_SAME}"
            ).fetchone()
            found += row[0] if row else 0
    return found == taken.height


def _take_over(tables: Tables, table: str, facts: Sequence[str]) -> int:
    base = f"split_part(r.record_id, '{COPY}', 1)"
    made = {
        "record_id": base,
        "record_key": f"CASE WHEN r.record_key = r.record_id THEN {base} ELSE r.record_key END",
        "file_id": "t.file_id",
        "first_refresh": "t.first_refresh",
        "last_refresh": "NULL",
        "ordinal": "t.ordinal",
        # line N /oBDS/Menge_Patient/Patient[K]…
        "position": "'line ' || (CAST(split_part(r.position, ' ', 2) AS BIGINT) + t.shift) "
        "|| ' /oBDS/Menge_Patient/Patient[' || t.part || substr(r.position, instr(r.position, ']'))",
        "Melder_IKNR": "k.Melder_IKNR",
        **{name: f'f."{name}"' for name in facts if name not in ("file_id", "Melder_IKNR")},
    }
    columns = CONTRACTS[table].polars_schema().names()
    selected = ", ".join(f'{made.get(name, f"""r."{name}" """)} AS "{name}"' for name in columns)
    # The reader looks up a missing Melder_ID as the text None.
    reporter = "k.file_id = t.file_id AND k.Melder_ID = coalesce(r.Melder_ID, 'None')"
    reported = f" LEFT JOIN _reporters AS k ON {reporter}" if "Melder_IKNR" in columns else ""
    own = tables.own(table)
    row = tables.execute(
        f"INSERT INTO {own} BY NAME SELECT {selected} FROM {own} AS r JOIN _taken AS t ON {_SAME} "
        f"JOIN _facts AS f ON f.file_id = t.file_id{reported}"
    ).fetchone()
    return int(row[0]) if row else 0


def _together(accounts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    schema = MetaValueAccount.polars_schema()
    keys = [name for name in schema.names() if name != "values"]
    summed = pl.concat(accounts).group_by(keys, maintain_order=True).agg(pl.col("values").sum())
    return summed.select(schema.names())


def _ambiguous(accounts: pl.DataFrame, files: pl.Series) -> bool:
    """Return whether a file has so many unknown paths that a reader would join some of them."""
    unknown = accounts.filter(
        pl.col("outcome") == value_account.UNKNOWN, pl.col("file_id").is_in(files.unique().implode())
    )
    return bool((unknown.group_by("file_id").len()["len"] >= ODD_KEPT).any())
