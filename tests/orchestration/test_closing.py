"""Files with a new time and the same content: the time is noted, in one statement for all of them."""

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets.received import OF_FILES, _close
from sarcoma_pipeline.sources.manifest import Scan
from sarcoma_pipeline.warehouse.centres import Tables
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaFile, MetaRefresh


class Counted(Tables):
    """Tables that count their statements."""

    asked = 0

    def execute(self, *sql, **values):
        self.asked += 1
        return super().execute(*sql, **values)


@pytest.fixture
def tables():
    made = Counted(duckdb.connect())
    for table in {*OF_FILES, MetaFile.table(), MetaRefresh.table()}:
        made.execute(f"CREATE SCHEMA IF NOT EXISTS {table.partition('.')[0]}")
        made.execute("; ".join(CONTRACTS[table].ddl()))
    return made


def received(tables: Tables, file_id: str, last: str | None = None) -> None:
    row = {"file_id": file_id, "path": f"{file_id}.xml", "kind": "obds", "size_bytes": 1, "mtime_ns": 1}
    row |= {"content_hash": file_id, "reader_version": "v", "records": 0, "first_refresh": "one"}
    names = ", ".join([*row, "last_refresh"])
    values = ", ".join("NULL" if of is None else repr(of) for of in [*row.values(), last])
    tables.execute(f"INSERT INTO {MetaFile.table()} ({names}) VALUES ({values})")


def times(tables: Tables) -> dict[tuple[str, str | None], int]:
    rows = tables.execute(f"SELECT file_id, last_refresh, mtime_ns FROM {MetaFile.table()}").fetchall()
    return {(file_id, last): mtime for file_id, last, mtime in rows}


def touched(of: dict[str, int], closed: list[str] | None = None) -> Scan:
    return Scan([], of, list(of), closed or [], 0, "")


def test_only_the_present_version_of_a_touched_file_has_the_new_time(tables):
    # The same content may have been there before, under the same id.
    received(tables, "a", last="zero")
    for file_id in ("a", "b", "c"):
        received(tables, file_id)
    _close(tables, touched({"a": 7, "c": 9}))
    assert times(tables) == {("a", "zero"): 1, ("a", None): 7, ("b", None): 1, ("c", None): 9}


def test_many_touched_files_take_no_more_statements_than_one(tables):
    for n in range(40):
        received(tables, f"f{n}")
    needed = []
    for many in (1, 40):
        before = tables.asked
        _close(tables, touched({f"f{n}": 100 + many + n for n in range(many)}))
        needed.append(tables.asked - before)
    assert needed[0] == needed[1]
    assert times(tables) == {(f"f{n}", None): 140 + n for n in range(40)}


def test_a_file_that_is_gone_is_closed_with_the_refresh_before(tables):
    received(tables, "a")
    received(tables, "b")
    known = pl.DataFrame({"refresh_id": ["one", "two"]})
    columns = {c.name: c for c in MetaRefresh.columns()}
    for refresh in known["refresh_id"]:
        given = {n: repr(refresh) if n == "refresh_id" else _filler(c) for n, c in columns.items()}
        values = ", ".join(given.values())
        tables.execute(f"INSERT INTO {MetaRefresh.table()} ({', '.join(given)}) VALUES ({values})")
    _close(tables, touched({"b": 5}, closed=["a"]))
    assert times(tables) == {("a", "two"): 1, ("b", None): 5}


def _filler(column) -> str:
    if column.nullable:
        return "NULL"
    return {"VARCHAR": "''", "DATE": "DATE '2026-01-01'", "BIGINT": "0", "INTEGER": "0"}.get(
        column.sql_type, "now()"
    )
