"""What reads the warehouse without writing gets the rows as steps do."""

import duckdb

from sarcoma_pipeline.warehouse import read_only, row_order
from schemas import typed


def test_rows_of_an_amended_table_come_in_the_order_of_the_steps():
    table, columns = typed.Surgery.table(), typed.Surgery.columns()
    with duckdb.connect() as warehouse:
        warehouse.execute("CREATE SCHEMA typed")
        names = ", ".join(f'"{c.name}" {c.sql_type}' for c in columns)
        warehouse.execute(f"CREATE TABLE {table} ({names})")
        for record, place in (("r1", "b 2"), ("r2", "a 1"), ("r3", "b 1"), ("r0", "a 1")):
            warehouse.execute(f"INSERT INTO {table} (record_id, place) VALUES ('{record}', '{place}')")
        found = read_only.frame(warehouse, table)
        assert found["record_id"].to_list() == ["r2", "r0", "r3", "r1"]
        assert row_order.ordered(table, found).equals(found)
        # Versions of rows are read as written.
        assert read_only.frame(warehouse, table, current=False)["record_id"].to_list() == [
            "r1", "r2", "r3", "r0",
        ]  # fmt: skip
