"""Builds, reads and publishes releases: pseudonymous DuckDB databases without identifying columns.

A release has no calendar dates; times are days since time zero. Readers never wait for a refresh and never
see a partial release: the database is built next to the published one and swapped in by ``os.replace``.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from sarcoma_pipeline.cohort import wide
from sarcoma_pipeline.publish.tables_on_demand import OnDemand, held_open
from schemas import cohort_wide
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.cohort_wide import WIDE
from schemas.contract import Contract
from schemas.meta import MetaDictionary, MetaVocabulary, dictionary, vocabularies
from schemas.release import ACCOUNT, RELEASED, MetaRelease, released_columns, released_name
from schemas.review import ChartReview
from schemas.vocabularies import VOCABULARIES

KEEP = 14
"""Releases kept besides the current one: two weeks of nightly refreshes."""

KEY_BYTES = 32
"""Length of the key: the output size of SHA-256."""
_ROWS = 50_000
"""Rows that are serialised at a time while a table is hashed, to limit memory."""


class NothingToPublish(Exception):
    """The release failed its last check; the published database is unchanged."""


def pseudonym_key(path: Path, centre: str = "") -> bytes:
    """Return the secret key of the pseudonyms; create it at first use, readable by its owner only.

    Args:
        path: the key file.
        centre: name of the centre in a study with several. Each centre has its own key, derived from the one
            in the file, because the same hospital number in two centres means two patients.

    Raises:
        ValueError: the file is no valid key. It is never replaced, because that would change every pseudonym.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Written to a temporary file first: a killed process leaves either a complete key or none.
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(secrets.token_hex(KEY_BYTES) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink()
    key = bytes.fromhex(path.read_text().strip())
    if len(key) < KEY_BYTES:
        raise ValueError(f"{path.name} is not a key of {KEY_BYTES} bytes")
    return hmac.new(key, f"centre {centre}".encode(), hashlib.sha256).digest() if centre else key


def pseudonyms(patient_ids: pl.Series, key: bytes) -> pl.DataFrame:
    """Compute pseudonyms: the first 64 bits of HMAC-SHA256 of the patient id, in hexadecimal.

    Returns:
        ``patient_id`` and ``pseudonym``.
    """
    ids = patient_ids.unique().sort()
    digests = [hmac.new(key, i.encode(), hashlib.sha256).hexdigest()[:16] for i in ids]
    return pl.DataFrame({"patient_id": ids, "pseudonym": pl.Series(digests, dtype=pl.String)})


def content_hash(tables: Mapping[str, pl.DataFrame]) -> str:
    """Return a hash of the content of the released tables."""
    digest = hashlib.blake2b(digest_size=16)
    for table in sorted(tables):
        digest.update(table.encode() + b"\0")
        for part in tables[table].iter_slices(_ROWS):
            digest.update(part.write_ndjson().encode())
        digest.update(b"\0")
    return digest.hexdigest()


def released(tables: Mapping[str, pl.DataFrame]) -> Mapping[str, pl.DataFrame]:
    """Return the released tables without identifying columns."""
    return OnDemand(RELEASED, lambda table: tables[table].select(released_columns(table)))


def build(
    path: Path,
    tables: Mapping[str, pl.DataFrame],
    release: pl.DataFrame,
    account: Mapping[str, pl.DataFrame] | None = None,
) -> None:
    """Write the database of a release, documented by comments, with enumerated types for coded columns.

    A type is named after its vocabulary and keeps its order, so that ``ORDER BY fnclcc_grade`` sorts in the
    field's usual order. A column with a value outside its vocabulary stays text; the gate reports it.

    Args:
        path: the new file; an existing file is replaced.
        tables: the tables, from :func:`released`.
        release: ``meta.release``.
        account: the account of movement; not part of the release's content hash.
    """
    beside = {MetaRelease.table(): release, **(account or {})}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    documents = {MetaDictionary.table(): MetaDictionary, MetaVocabulary.table(): MetaVocabulary}
    endpoints = tables[CohortEndpoint.table()]
    contracts = {t: CONTRACTS[t] for t in (*tables, *beside)} | {WIDE: wide.contract(endpoints)}
    types: dict[tuple[str, str], str] = {}

    def written(table: str, frame: pl.DataFrame) -> None:
        kinds = _write(connection, table, contracts[table], frame)
        named = {table, released_name(table)}
        types.update({(name, column): kind for name in named for column, kind in kinds.items()})

    with duckdb.connect(str(path)) as connection:
        # With more threads it takes half again the CPU time, and is not faster.
        connection.execute("SET threads = 1")
        # Each comment would be a transaction of its own, and there are thousands.
        connection.execute("BEGIN")
        for schema in sorted({t.partition(".")[0] for t in (*contracts, *documents)}):
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in tables:
            written(table, tables[table])
        for table, frame in beside.items():
            written(table, frame)
        written(WIDE, wide.table(tables[CohortPatient.table()], endpoints))
        for table, contract in contracts.items():
            if released_name(table) != table:
                _view(connection, table, contract, [c for t, c in types if t == table])
        types |= {(t, c.name): "" for t, contract in documents.items() for c in contract.columns()}
        contracts |= {released_name(t): contract for t, contract in contracts.items()} | documents
        _write(connection, MetaDictionary.table(), MetaDictionary, _dictionary(contracts, types))
        _write(connection, MetaVocabulary.table(), MetaVocabulary, vocabularies())
        connection.execute("COMMIT")


def _view(
    connection: duckdb.DuckDBPyConnection, table: str, contract: type[Contract], columns: list[str]
) -> None:
    """Create the view that has the contract's name, so that it can be qualified; with the same comments."""
    (database,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    name = f'"{database}".{table}'
    # The view names its table without the database: it works under any alias of the file.
    connection.execute(f"CREATE VIEW {name} AS FROM {released_name(table)}")
    comments = [c.replace("COMMENT ON TABLE", "COMMENT ON VIEW", 1) for c in contract.comments(name)]
    connection.execute("; ".join(_of_columns(comments, columns)))


def _of_columns(comments: Iterable[str], columns: Iterable[str]) -> Iterator[str]:
    """Yield the comments on a table and on those of its columns that exist."""
    kept = {f'."{column}" IS ' for column in columns}
    for comment in comments:
        if not comment.startswith("COMMENT ON COLUMN") or any(name in comment for name in kept):
            yield comment


def _dictionary(
    contracts: Mapping[str, type[Contract]], types: Mapping[tuple[str, str], str]
) -> pl.DataFrame:
    """Return the data dictionary of the existing columns, with the enumerated type if there is one.

    A table of the cohort has two names, which are both in the dictionary.
    """
    present = pl.DataFrame(
        [(table, column, kind or None) for (table, column), kind in types.items()],
        schema={"table_name": pl.String, "column_name": pl.String, "enumerated": pl.String},
        orient="row",
    )
    return (
        dictionary(contracts)
        .join(present, on=["table_name", "column_name"], how="inner", maintain_order="left")
        .with_columns(type=pl.coalesce(pl.lit("ENUM ") + pl.col("enumerated"), "type"))
        .drop("enumerated")
    )


def _write(
    connection: duckdb.DuckDBPyConnection, table: str, contract: type[Contract], frame: pl.DataFrame
) -> dict[str, str]:
    """Create a table of a release; return each column's vocabulary if it is enumerated, else ""."""
    coded = _coded(contract, frame) if table in (*RELEASED, WIDE) else {}
    for vocabulary in sorted(set(coded.values())):
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in VOCABULARIES[vocabulary])
        connection.execute(f'CREATE TYPE IF NOT EXISTS "{vocabulary}" AS ENUM ({values})')
    name = released_name(table)
    columns = ", ".join(f'"{c}"::"{coded[c]}" AS "{c}"' if c in coded else f'"{c}"' for c in frame.columns)
    connection.register("_frame", frame.to_arrow())
    connection.execute(f"CREATE TABLE {name} AS SELECT {columns} FROM _frame")
    connection.unregister("_frame")
    connection.execute("; ".join(_of_columns(contract.comments(name), frame.columns)))
    return {c: coded.get(c, "") for c in frame.columns}


def _coded(contract: type[Contract], frame: pl.DataFrame) -> dict[str, str]:
    """Return the columns whose values all belong to their vocabulary, with its name."""
    named = {c.name: c.vocabulary for c in contract.columns() if c.dtype == "String" and c.vocabulary}
    return {
        c: name
        for c, name in named.items()
        if c in frame.columns and set(frame[c].unique().drop_nulls()) <= set(VOCABULARIES[name])
    }


def read(path: Path, only: Collection[str] | None = None) -> dict[str, pl.DataFrame] | None:
    """Read the tables of a release by their contracts' names; None if there is no file.

    Enumerated columns are returned as text, as the contracts declare them.

    Args:
        path: the database.
        only: the tables to read, of those that it has; None for all.
    """
    if not path.exists():
        return None
    # Opened once for all connections within the block.
    with duckdb.connect(str(path), read_only=True):
        found = on_demand(path) or {}
        with held_open(found):
            return {table: found[table] for table in found if only is None or table in only}


def on_demand(path: Path) -> OnDemand | None:
    """Open a release like :func:`read`, but read each table on access; do not replace the file meanwhile.

    The wide table is left out: :func:`with_wide` makes it from the others, for releases of any age.
    """
    if not path.exists():
        return None
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables "
            "WHERE table_type = 'BASE TABLE' "
            "AND (table_schema <> 'meta' OR table_name IN ('release', 'lineage')) ORDER BY ALL"
        ).fetchall()
    known = {f"{'cohort' if schema == 'main' else schema}.{name}": (schema, name) for schema, name in names}
    known = {table: place for table, place in known.items() if table not in (*ACCOUNT, WIDE)}

    def one(table: str) -> pl.DataFrame:
        with duckdb.connect(str(path), read_only=True) as connection:
            frame = pl.DataFrame(connection.table(".".join(known[table])))
        return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))

    def count(table: str) -> int:
        with duckdb.connect(str(path), read_only=True) as connection:
            return connection.table(".".join(known[table])).shape[0]

    return OnDemand(known, one, path, count)


def with_wide(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Add the wide table, if the tables have a row per patient; those for the public have none."""
    needed = (CohortPatient.table(), CohortEndpoint.table())
    if not all(table in tables for table in needed):
        return dict(tables)
    return {**tables, WIDE: wide.table(*(tables[table] for table in needed))}


def wide_is_true(path: Path) -> bool:
    """Return whether the wide table of a release says what its other tables say, if it has one."""
    tables = on_demand(path)
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "SELECT 1 FROM duckdb_tables() WHERE schema_name || '.' || table_name = ?", [released_name(WIDE)]
        ).fetchone()
        if tables is None or found is None:
            return True
        told = connection.table(released_name(WIDE)).pl()
        parts = {table: tables[table] for table in (CohortPatient.table(), CohortEndpoint.table())}
    told = told.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))
    return told.equals(with_wide(parts)[WIDE])


def contract_of(table: str, tables: Mapping[str, pl.DataFrame]) -> type[Contract]:
    """Return the contract of a table of a release."""
    return wide.contract(tables[CohortEndpoint.table()]) if table == WIDE else CONTRACTS[table]


def account(path: Path) -> dict[str, pl.DataFrame]:
    """Read the account of movement of a release; releases of older versions have none."""
    with duckdb.connect(str(path), read_only=True) as connection:
        present = connection.execute(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
        ).fetchall()
        return {t: pl.DataFrame(connection.table(t)) for t in ACCOUNT if (t,) in present}


def chart_review(path: Path) -> pl.DataFrame:
    """Read the chart reviews that a release contains; releases of older versions have none."""
    with duckdb.connect(str(path), read_only=True) as connection:
        try:
            return ChartReview.conform(pl.DataFrame(connection.table(ChartReview.table())))
        except duckdb.CatalogException:
            return ChartReview.empty()


def read_label(path: Path) -> dict[str, Any] | None:
    """Read ``meta.release`` of a database; None if there is none, or if it cannot be read."""
    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return pl.DataFrame(connection.table(MetaRelease.table())).row(0, named=True)
    except (duckdb.Error, pl.exceptions.OutOfBoundsError):
        return None


def faults(path: Path) -> list[str]:
    """Return the reasons why a database must not be published; empty if there is none."""
    found = []
    with duckdb.connect(str(path), read_only=True) as connection:
        patients = connection.execute("SELECT count(*) FROM main.patients").fetchone()
        if not patients or not patients[0]:
            found.append("no patient is eligible")
        named = connection.execute(
            "SELECT DISTINCT endpoint FROM main.endpoints WHERE endpoint NOT NULL"
        ).fetchall()
        contracts = {**CONTRACTS, WIDE: cohort_wide.contract(name for (name,) in named)}
        for table, name, kind in connection.execute(
            "SELECT replace(table_schema, 'main', 'cohort') || '.' || table_name, column_name, data_type "
            "FROM information_schema.columns ORDER BY ALL"
        ).fetchall():
            spec = {c.name: c for c in contracts[table].columns()}[name]
            if spec.identifying == "identifier":
                found.append(f"{table}.{name} identifies patients")
            if kind in ("DATE", "TIMESTAMP"):
                found.append(f"{table}.{name} is a calendar date")
        strangers = connection.execute(
            "SELECT count(*) FROM main.endpoints ANTI JOIN main.patients USING (pseudonym)"
        ).fetchone()
        if strangers and strangers[0]:
            found.append("endpoints of patients who are not in the cohort")
    return found


def withdrawn(releases: Path) -> set[str]:
    """Return the refresh ids that were withdrawn and not published again, by the log in ``releases/``."""
    away: set[str] = set()
    with suppress(FileNotFoundError), (releases / "log.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            away.add(row["from"])
            away.discard(row["to"])
    return away - {""}


def publish(built: Path, target: Path, refresh_id: str, keep: int = KEEP) -> None:
    """Check a built database, keep a copy under its refresh id, and swap it in.

    Args:
        built: a database on the file system of ``target``.
        target: the published database.
        refresh_id: name of the kept copy.
        keep: number of copies kept in ``releases/``.

    Raises:
        NothingToPublish: it failed the check; ``target`` is unchanged.
    """
    wrong = faults(built)
    if wrong:
        built.unlink()
        raise NothingToPublish("; ".join(wrong))
    releases = target.parent / "releases"
    releases.mkdir(parents=True, exist_ok=True)
    copy = releases / f"{refresh_id}.duckdb"
    partial = copy.with_suffix(".part")
    shutil.copyfile(built, partial)
    with partial.open("rb") as stream:
        os.fsync(stream.fileno())
    partial.replace(copy)
    built.replace(target)
    for old in sorted(releases.glob("*.duckdb"))[:-keep]:
        old.unlink()
