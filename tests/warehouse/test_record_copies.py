"""Copies of records across the files of a warehouse: named by what the drop folder holds, not by history."""

import itertools

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.warehouse import record_copies
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.ddl import prepare
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaFile
from schemas.received import ObdsDeath

TABLE = ObdsDeath.table()


class Store:
    """A warehouse whose files hold records, given by their name and their key, if any."""

    def __init__(self, centre: str = "") -> None:
        self.connection = duckdb.connect()
        prepare(self.connection, CONTRACTS, centre)
        self.tables = Tables(self.connection, centre)

    def add(self, path: str, *records: tuple[str, str | None]) -> None:
        file = {
            "file_id": path, "path": path, "kind": "obds", "size_bytes": 1, "mtime_ns": 1,
            "content_hash": "c", "reader_version": "1", "records": len(records), "first_refresh": "R1",
        }  # fmt: skip
        insert(self.tables, MetaFile.table(), MetaFile.conform(pl.DataFrame([file])))
        rows = [
            {
                "record_id": base, "file_id": path, "position": f"line {n}", "ordinal": n,
                "record_key": key or base, "content_hash": base, "first_refresh": "R1",
            }
            for n, (base, key) in enumerate(records, 1)
        ]  # fmt: skip
        insert(self.tables, TABLE, ObdsDeath.conform(pl.DataFrame(rows)))
        self.number()

    def remove(self, path: str) -> None:
        for table in (TABLE, MetaFile.table()):
            self.tables.execute(
                f"UPDATE {self.tables.own(table)} SET last_refresh = 'R2' WHERE file_id = '{path}'"
            )
        self.number()

    def number(self) -> None:
        record_copies.number(self.tables, [TABLE])

    def names(self) -> dict[tuple[str, int], tuple[str, str]]:
        rows = self.tables.execute(
            f"SELECT file_id, ordinal, record_id, record_key FROM {self.tables.own(TABLE)} "
            "WHERE last_refresh IS NULL"
        ).fetchall()
        return {(file, ordinal): (name, key) for file, ordinal, name, key in rows}


FILES = {"a": [("x", "k"), ("y", None)], "b": [("y", None), ("z", "k")], "c": [("x", "k"), ("y", None)]}
WANTED = {
    ("a", 1): ("x", "k"), ("a", 2): ("y", "y"), ("b", 1): ("y-2", "y-2"), ("b", 2): ("z", "k"),
    ("c", 1): ("x-2", "k"), ("c", 2): ("y-3", "y-3"),
}  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_the_names_of_copies_do_not_depend_on_the_night_of_their_files(order):
    store = Store("north" if order[0] == "a" else "")
    for path in order:
        store.add(path, *FILES[path])
    assert store.names() == WANTED
    store.number()
    assert store.names() == WANTED


def test_a_copy_that_is_alone_again_has_the_name_of_the_record():
    store = Store()
    for path, records in FILES.items():
        store.add(path, *records)
    store.remove("a")
    assert store.names() == {
        ("b", 1): ("y", "y"), ("b", 2): ("z", "k"), ("c", 1): ("x", "k"), ("c", 2): ("y-2", "y-2"),
    }  # fmt: skip
    store.remove("b")
    assert store.names() == {("c", 1): ("x", "k"), ("c", 2): ("y", "y")}
    store.add("0", *FILES["a"])
    assert store.names()[("c", 2)] == ("y-2", "y-2") and store.names()[("0", 2)] == ("y", "y")


def test_records_that_are_gone_keep_the_name_that_they_had():
    store = Store()
    store.add("a", ("x", "k"))
    store.add("b", ("x", "k"))
    store.remove("b")
    store.remove("a")
    gone = store.tables.execute(f"SELECT file_id, record_id FROM {TABLE} ORDER BY 1").fetchall()
    assert gone == [("a", "x"), ("b", "x-2")]
