"""What findings are made of is read once, and is the same whether a table is small or large."""

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets import finding_sources
from sarcoma_pipeline.orchestration.assets.finding_sources import FindingSources
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from schemas.all_contracts import CONTRACTS
from tests.refreshed import with_empty_tables

TABLE = "typed.surgery"


@pytest.fixture
def store(tmp_path):
    made = Warehouse(path=str(with_empty_tables(tmp_path / "w.duckdb")))
    rows = [
        {"record_id": f"r{i}", "person_ref": f"p{i % 3}", "place": place} for i, place in enumerate("dacb")
    ]
    schema = CONTRACTS[TABLE].polars_schema()
    with made.transaction() as tables:
        for row in rows:
            texts = {c: "'x'" for c, kind in schema.items() if kind == pl.String}
            given = {**texts, "received_on": "'2021-01-01'", **{c: f"'{v}'" for c, v in row.items()}}
            names = ", ".join(f'"{c}"' for c in given)
            tables.execute(f"INSERT INTO {tables.own(TABLE)} ({names}) VALUES ({', '.join(given.values())})")
    yield made
    made.close()


@pytest.mark.parametrize("wanted", [["p0"], ["p1", "p2", "none"], []])
def test_rows_of_a_small_table_are_those_of_a_large_one(store, monkeypatch, wanted):
    among = pl.Series("person_ref", wanted, dtype=pl.String)
    found = {}
    for small in (0, 4):
        monkeypatch.setattr(finding_sources, "_SMALL", small)
        sources = FindingSources(store)
        with store.recorded_reads() as reads:
            found[small] = [sources.rows(TABLE, among) for _ in range(2)]
        assert reads == {TABLE}
        store.forget(TABLE)
    (one, again), (whole, filtered) = found.values()
    assert one.equals(again) and one.equals(whole) and one.equals(filtered)
    assert one["record_id"].to_list() == {"p0": ["r3", "r0"], "p1": ["r1", "r2"]}.get("".join(wanted[:1]), [])


def test_a_record_is_asked_for_once(store, monkeypatch):
    asked = []
    read = Warehouse.read_several

    def counted(self, names, *, columns, among, current=True):
        asked.append(among.to_list())
        return read(self, names, columns=columns, among=among, current=current)

    monkeypatch.setattr(Warehouse, "read_several", counted)
    sources = FindingSources(store)
    first = sources.persons(pl.Series(["r0", "r1", None]))
    both = sources.persons(pl.Series(["r1", "r2"]))
    assert [sorted(ids) for ids in asked] == [["r0", "r1"], ["r2"]]
    assert sorted(first.rows()) == [("r0", "p0"), ("r1", "p1")]
    assert sorted(both.rows()) == [("r1", "p1"), ("r2", "p2")]
