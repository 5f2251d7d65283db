"""Statements read frames by name; a transaction does not keep them."""

import gc
import weakref

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.warehouse import lent_frame
from sarcoma_pipeline.warehouse.lent_frame import lent


@pytest.fixture
def connection():
    with duckdb.connect() as connection:
        yield connection


def test_a_statement_reads_several_frames_by_name_and_none_after_the_block(connection):
    numbers = pl.concat([pl.DataFrame({"n": [1, 2]}), pl.DataFrame({"n": [3]})], rechunk=False)
    names = pl.DataFrame({"n": [2, 3], "name": ["two", None]})
    with lent(connection, {"_numbers": numbers, "_names": names}):
        for _ in range(2):
            found = connection.execute("FROM _numbers LEFT JOIN _names USING (n) ORDER BY n").fetchall()
            assert found == [(1, None), (2, "two"), (3, None)]
    with pytest.raises(duckdb.CatalogException):
        connection.execute("FROM _numbers")


def test_a_frame_is_let_go_of_within_the_transaction_also_after_an_error(connection, monkeypatch):
    loans = []

    class Seen(lent_frame._Loan):
        def __init__(self, rows):
            super().__init__(rows)
            loans.append(weakref.ref(self))

    monkeypatch.setattr(lent_frame, "_Loan", Seen)
    connection.execute("BEGIN; CREATE TABLE kept (n BIGINT)")
    with lent(connection, {"_numbers": pl.DataFrame({"n": [1]})}):
        connection.execute("INSERT INTO kept FROM _numbers")
    with pytest.raises(duckdb.BinderException), lent(connection, {"_numbers": pl.DataFrame({"n": [1]})}):
        connection.execute("SELECT missing FROM _numbers")
    gc.collect()
    # If DuckDB no longer keeps what was registered until the commit, there is no need for loans.
    assert any(loan() is not None for loan in loans)
    assert all(loan() is None or loan().rows is None for loan in loans)
    connection.execute("COMMIT")
    assert connection.execute("FROM kept").fetchall() == [(1,)]
