"""An amended table reads like one that was written at once, and its version changes with its content."""

import random

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.warehouse import row_order, step_cache
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.rewrite import Amendment, NotAmendable, TableWriter, amendable
from schemas.all_contracts import CONTRACTS
from schemas.contract import ContractBroken
from schemas.curated import Link
from schemas.meta import MetaStepPatient, MetaVersion
from schemas.quality import SetAside
from schemas.typed_tumour import TumourAssignment

TYPED, ASIDE = TumourAssignment.table(), SetAside.table()


@pytest.fixture
def tables():
    made = Tables(duckdb.connect())
    for contract in (MetaVersion, TumourAssignment, SetAside, MetaStepPatient, Link):
        made.execute(f"CREATE SCHEMA IF NOT EXISTS {contract.table().partition('.')[0]}")
        made.execute("; ".join(contract.ddl()))
    return made


def rows_of(record: str, content: int) -> list[dict[str, str]]:
    """Return some rows of one record: none, one or several with one place, not sorted by content."""
    place = f"folder/{record} 000000001"
    return [
        {"record_id": record, "place": place, "person_ref": f"number:{(content * 7 + n) % 5}"}
        for n in range(content % 4)
    ]


def typed(records: dict[str, int]) -> pl.DataFrame:
    """Return the typed rows of records in the order of a full computation, which is not that of reading."""
    rows = [
        row for record in sorted(records, key=lambda r: r[::-1]) for row in rows_of(record, records[record])
    ]
    return TumourAssignment.conform(pl.DataFrame(rows))


def aside(records: dict[str, int]) -> pl.DataFrame:
    rows = [
        {"record_id": record, "disposition": "duplicate", "reason": row["person_ref"]}
        for record in sorted(records, reverse=True)
        for row in rows_of(record, records[record])
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("record_id", "disposition", "reason"), pl.String))


def write(tables: Tables, records: dict[str, int], step: str = "typed") -> None:
    writer = TableWriter(tables, step)
    writer.add({TYPED: typed(records)}, {ASIDE: aside(records)})
    writer.note()


def amend(tables: Tables, before: dict[str, int], after: dict[str, int], touched: set[str]) -> None:
    new = {record: content for record, content in after.items() if record in touched}
    gone = pl.Series("record_id", sorted(before.keys() & touched), dtype=pl.String)
    writer = TableWriter(tables, "typed")
    writer.amend(TYPED, Amendment(gone, typed(new)))
    writer.amend(ASIDE, Amendment(gone, aside(new), shared=True))
    writer.note()


def read(tables: Tables, table: str) -> pl.DataFrame:
    return row_order.ordered(table, CONTRACTS[table].conform(tables.execute(f"FROM {table}").pl()))


def versions(tables: Tables) -> dict[tuple[str, str], str]:
    return {key: content.version for key, content in step_cache.known_parts(tables).items()}


@pytest.mark.parametrize("seed", range(40))
def test_amended_tables_read_like_rewritten_ones_and_versions_name_their_content(tables, seed):
    chosen = random.Random(seed)
    write(tables, {"other": 3}, "curated")
    records = {f"{chosen.randrange(10_000):04}": chosen.randrange(9) for _ in range(12)}
    write(tables, records)
    content_of: dict[str, pl.DataFrame] = {}
    for _ in range(6):
        after = {r: c if chosen.random() < 0.8 else chosen.randrange(9) for r, c in records.items()}
        after = {r: c for r, c in after.items() if chosen.random() < 0.9}
        after |= {f"{chosen.randrange(10_000):04}": chosen.randrange(9) for _ in range(chosen.randrange(3))}
        changed = {r for r in records.keys() | after.keys() if records.get(r) != after.get(r)}
        untouched_too = {r for r in records if chosen.random() < 0.2}
        earlier = versions(tables)
        was = read(tables, TYPED)
        amend(tables, records, after, changed | untouched_too)
        records = after
        now = read(tables, TYPED)
        assert now.equals(row_order.ordered(TYPED, typed(records)))
        both = pl.concat([aside(records).with_columns(step=pl.lit("typed")),
                          aside({"other": 3}).with_columns(step=pl.lit("curated"))])  # fmt: skip
        assert read(tables, ASIDE).equals(row_order.ordered(ASIDE, both))
        later = versions(tables)
        assert later[ASIDE, "curated"] == earlier[ASIDE, "curated"]
        assert (later[TYPED, ""] == earlier[TYPED, ""]) == now.equals(was)
        # No version is ever that of another content.
        assert content_of.setdefault(later[TYPED, ""], now).equals(now)
        assert amendable(tables, TYPED) and amendable(tables, ASIDE, "typed")


def test_a_table_written_at_once_after_an_amendment_is_written_again(tables):
    write(tables, {"a": 3, "b": 2})
    amend(tables, {"a": 3, "b": 2}, {"a": 1, "b": 2}, {"a"})
    write(tables, {"a": 1, "b": 2})
    assert tables.execute(f"FROM {TYPED}").pl()["record_id"].to_list() == ["a", "b", "b"]


def test_several_amendments_and_parts_of_one_step_add_up(tables):
    write(tables, {"a": 1, "b": 2, "c": 3})
    writer = TableWriter(tables, "typed")
    for gone, new in (("a", {"a": 2}), ("b", {}), ("x", {"x": 1})):
        writer.amend(TYPED, Amendment(pl.Series("record_id", [gone]), typed(new)))
    writer.note()
    assert read(tables, TYPED).equals(row_order.ordered(TYPED, typed({"a": 2, "c": 3, "x": 1})))
    assert amendable(tables, TYPED)


def test_a_table_whose_content_is_not_known_is_not_amended(tables, monkeypatch):
    nothing = Amendment(pl.Series("record_id", ["a"]), typed({}))
    assert not amendable(tables, TYPED)
    with pytest.raises(NotAmendable):
        TableWriter(tables, "typed").amend(TYPED, nothing)
    write(tables, {"a": 1, "b": 1})
    assert amendable(tables, TYPED) and amendable(tables, ASIDE, "typed")
    assert not amendable(tables, ASIDE, "curated")
    tables.execute(f"DELETE FROM {TYPED} WHERE record_id = 'a'")
    assert not amendable(tables, TYPED)
    monkeypatch.setenv("SARCOMA_CATALOG", "postgres://somewhere")
    assert not amendable(tables, ASIDE, "typed")


def test_rows_that_break_their_contract_are_refused(tables):
    write(tables, {"a": 1})
    broken = pl.DataFrame({"record_id": ["a"], "disposition": ["duplicate"], "reason": [None]})
    with pytest.raises(ContractBroken):
        TableWriter(tables, "typed").amend(
            ASIDE, Amendment(pl.Series("record_id", ["a"]), broken, shared=True)
        )


def test_a_table_is_amended_by_any_column(tables):
    def noted(**inputs: str) -> pl.DataFrame:
        row = {"circumstances": "c", "step": "curated"}
        rows = [{"patient_id": patient, "inputs": of, **row} for patient, of in inputs.items()]
        return MetaStepPatient.conform(pl.DataFrame(rows))

    table = MetaStepPatient.table()
    writer = TableWriter(tables, "curated")
    writer.add({}, {table: noted(a="1", b="2").drop("step")})
    writer.note()
    writer = TableWriter(tables, "curated")
    gone = pl.Series("patient_id", ["a", "c"])
    writer.amend(table, Amendment(gone, noted(c="3").drop("step"), shared=True))
    writer.note()
    assert read(tables, table).equals(noted(b="2", c="3"))
