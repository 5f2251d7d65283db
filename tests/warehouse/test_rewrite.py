"""Frames collected for several tables arrive as if each had been inserted alone, in their order."""

import duckdb
import polars as pl

from sarcoma_pipeline.warehouse import rewrite
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.rewrite import Appending

TEXTS = ["", "short", "Wölpgrund-Bärg, geb. 漢字", "a\x00b, longer than twelve bytes", "x" * 5_000, None]


def _tables():
    tables = Tables(duckdb.connect())
    tables.execute("CREATE TABLE one (number BIGINT, text VARCHAR); CREATE TABLE two (text VARCHAR)")
    return tables


def _part(start: int) -> pl.DataFrame:
    numbers = range(start, start + 10)
    return pl.DataFrame({"text": [TEXTS[n % len(TEXTS)] for n in numbers], "number": numbers})


def test_collected_frames_keep_their_order_and_every_text():
    tables = _tables()
    appending = Appending(tables)
    parts = [_part(0), _part(10), _part(20).clear(), _part(20)]
    for part in parts:
        appending.add("one", part)
        appending.add("two", part.select("text").reverse())
    appending.flush()
    assert tables.execute("FROM one").pl().equals(pl.concat(parts).select("number", "text"))
    assert tables.execute("FROM two").pl().equals(pl.concat(p.select("text").reverse() for p in parts))


def test_nothing_is_appended_twice_and_much_is_appended_at_once(monkeypatch):
    monkeypatch.setattr(rewrite, "_AT_ONCE_BYTES", 10_000)
    tables = _tables()
    appending = Appending(tables)
    appending.add("one", _part(0))
    assert tables.execute("SELECT count(*) FROM one").fetchone() == (0,)
    appending.add("one", _part(10))
    assert tables.execute("SELECT count(*) FROM one").fetchone() == (20,)
    appending.flush()
    appending.flush()
    assert tables.execute("SELECT number FROM one").pl()["number"].to_list() == list(range(20))
