"""Rows of several tables that are read in one statement are those that are read table by table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.warehouse import opening, selection
from schemas.all_contracts import CONTRACTS
from tests.refreshed import with_empty_tables

RECEIVED = ("received.obds_death", "received.registry_reply", "received.dicom_plan")
PLACE = ("record_id", "file_id", "position")


@pytest.fixture
def store(tmp_path: Path):
    made = Warehouse(path=str(with_empty_tables(tmp_path / "w.duckdb")))
    yield made
    made.close()


def _rows(table: str, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Return rows of a contract; what is not given is a text or a number that a table accepts."""
    schema = CONTRACTS[table].polars_schema()
    given = pl.DataFrame(rows, schema_overrides={c: schema[c] for c in rows[0]})
    missing = [pl.lit("x" if kind == pl.String else None).cast(kind).alias(c) for c, kind in schema.items()]
    return given.select(*(e for e in missing if e.meta.output_name() not in given.columns), *given.columns)


def _insert(store: Warehouse, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    frame = _rows(table, rows)
    with store.transaction() as tables:
        for row in frame.rows():
            values = ", ".join("NULL" if v is None else repr(v) for v in row)
            names = ", ".join(f'"{c}"' for c in frame.columns)
            tables.execute(f"INSERT INTO {tables.own(table)} ({names}) VALUES ({values})")


@pytest.fixture
def received(store):
    for number, table in enumerate(RECEIVED[:2]):
        rows = [
            {"record_id": f"{i % 4}{number}", "file_id": f"f{9 - i}", "ordinal": i, "last_refresh": ended}
            for i, ended in enumerate([None, None, "R1", None, "R2", None])
        ]
        _insert(store, table, rows)
    return store


@pytest.mark.parametrize("current", [True, False])
def test_several_tables_are_read_as_each_of_them(received, current):
    wanted = pl.Series("record_id", ["00", "10", "21", "31", "01", "none"])
    read = received.read if current else received.read_versions
    each = {table: read(table, columns=PLACE, among=wanted) for table in RECEIVED}
    together = received.read_several(RECEIVED, columns=PLACE, among=wanted, current=current)
    assert [frame.height for frame in together.values()] == ([3, 2, 0] if current else [4, 4, 0])
    assert together.keys() == each.keys()
    assert all(together[table].equals(each[table]) for table in RECEIVED)


def test_a_step_depends_on_tables_whose_current_rows_it_read_together(received):
    wanted = pl.Series("record_id", ["00"])
    with received.recorded_reads() as reads:
        received.read_several(RECEIVED, columns=PLACE, among=wanted, current=False)
        assert reads == set()
        received.read_several(RECEIVED, columns=PLACE, among=wanted)
        received.read_resting(("curated.patient",), wanted)
        assert reads == {*RECEIVED, "curated.patient"}


def test_typed_rows_read_together_are_in_their_order(store):
    tables = ("typed.surgery", "typed.person")
    for table in tables:
        rows = [{"record_id": str(i), "person_ref": "p", "place": place} for i, place in enumerate("cab")]
        _insert(store, table, rows)
    found = store.read_several(tables, columns=("record_id",), among=pl.Series("person_ref", ["p"]))
    assert [frame["record_id"].to_list() for frame in found.values()] == [["1", "2", "0"]] * 2


def test_rows_that_rest_on_records(store):
    resting = ("curated.patient", "curated.surgery", "curated.assessment")
    for table in resting[:2]:
        lists = (["a", "b"], ["c"], ["b"], ["d", "a"])
        _insert(store, table, [{"patient_id": str(i), "record_ids": ids} for i, ids in enumerate(lists)])
    found = store.read_resting(resting, pl.Series("record_id", ["a", "c", "none"]))
    assert [frame["patient_id"].to_list() for frame in found.values()] == [["0", "1", "3"]] * 2 + [[]]
    assert found["curated.surgery"].schema == CONTRACTS["curated.surgery"].polars_schema()


def test_values_are_added_up_of_current_rows_only(store):
    rows = [
        ("f1", "read", 2, None),
        ("f1", "read", 3, None),
        ("f1", "ignored", 4, None),
        ("f2", "read", 5, "R1"),
    ]
    names = ("file_id", "outcome", "values", "last_refresh")
    _insert(store, "meta.value_account", [dict(zip(names, row, strict=True)) for row in rows])
    with store.recorded_reads() as reads:
        found = store.sums("meta.value_account", by=("file_id", "outcome"), of="values")
    assert sorted(found.rows()) == [("f1", "ignored", 4), ("f1", "read", 5)]
    assert found.schema["values"] == pl.Int64
    assert reads == {"meta.value_account"}


@pytest.mark.parametrize(
    ("large", "catalog", "times"), [(-1, "", 1), (1 << 20, "", 0), (-1, "postgres://x", 0)]
)
def test_duckdb_gives_back_what_it_keeps_of_a_file_after_a_large_reading(
    received, monkeypatch, large, catalog, times
):
    given_back = []
    with received.transaction() as tables:
        monkeypatch.setenv("SARCOMA_CATALOG", catalog)
        monkeypatch.setattr(selection, "_LARGE_BYTES", large)
        monkeypatch.setattr(opening, "let_go", given_back.append)
        selection.rows(tables, RECEIVED[0], (), None)
    assert given_back == [tables.connection] * times
