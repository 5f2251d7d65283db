"""Frames collected for several tables arrive as if each had been inserted alone, in their order."""

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.warehouse import rewrite
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.rewrite import Appending
from schemas.contract import ContractBroken
from schemas.meta import MetaMigration, MetaValueAccount

TEXTS = ["", "short", "Wölpgrund-Bärg, geb. 漢字", "a\x00b, longer than twelve bytes", "x" * 5_000, None]
ACCOUNT, MIGRATIONS = MetaValueAccount.table(), MetaMigration.table()


@pytest.fixture
def tables():
    tables = Tables(duckdb.connect())
    tables.execute("CREATE SCHEMA meta")
    for contract in (MetaValueAccount, MetaMigration):
        tables.execute("; ".join(contract.ddl()))
    return tables


def _account(start: int) -> pl.DataFrame:
    texts = [TEXTS[n % len(TEXTS)] for n in range(start, start + 10)]
    frame = pl.DataFrame({"detail": texts, "values": range(start, start + 10), "outcome": ["read"] * 10})
    return MetaValueAccount.conform(
        frame.with_columns(file_id=pl.lit("f"), path="detail", first_refresh=pl.lit("R")).with_columns(
            pl.col("path").fill_null("-"), last_refresh=pl.lit(None, pl.String)
        )
    )


def _migration(version: int) -> pl.DataFrame:
    row = {"version": version, "what": "w", "applied_at": "a", "code_version": "c"}
    return MetaMigration.conform(pl.DataFrame([row]))


def test_collected_frames_keep_their_order_and_every_text(tables):
    appending = Appending(tables)
    parts = [_account(0), _account(10), _account(20).clear(), _account(20)]
    for version, part in enumerate(parts):
        appending.add(ACCOUNT, part)
        appending.add(MIGRATIONS, _migration(9 - version))
    appending.flush()
    assert tables.execute(f"FROM {ACCOUNT}").pl().equals(pl.concat(parts))
    assert tables.execute(f"SELECT version FROM {MIGRATIONS}").fetchall() == [(9,), (8,), (7,), (6,)]


def test_nothing_is_appended_twice_and_much_is_appended_at_once(tables, monkeypatch):
    monkeypatch.setattr(rewrite, "_AT_ONCE_BYTES", 10_000)
    appending = Appending(tables)
    appending.add(MIGRATIONS, _migration(1))
    assert tables.execute(f"SELECT count(*) FROM {MIGRATIONS}").fetchone() == (0,)
    appending.add(ACCOUNT, _account(0))
    assert tables.execute(f"SELECT count(*) FROM {MIGRATIONS}").fetchone() == (1,)
    appending.flush()
    appending.flush()
    assert tables.execute(f"SELECT values FROM {ACCOUNT}").pl()["values"].to_list() == list(range(10))


def test_a_frame_that_breaks_its_contract_is_refused(tables):
    appending = Appending(tables)
    appending.add(MIGRATIONS, _migration(1))
    appending.add(MIGRATIONS, _migration(1))
    with pytest.raises(ContractBroken):
        appending.flush()
