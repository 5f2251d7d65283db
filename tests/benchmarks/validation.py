"""Compares the contracts with bare polars expressions of their rules, on valid records."""

from collections.abc import Iterator

import duckdb
import polars as pl

from schemas import contract as contracts
from schemas.all_contracts import CONTRACTS
from schemas.contract import Contract
from tests.benchmarks.rows import Row, medians

ROUNDS = 7
COPIES = 200


def _lazily(contract: type[Contract], frame: pl.DataFrame) -> None:
    contracts._with_rules(contract).validate(frame, lazy=True)


def _bare(contract: type[Contract], frame: pl.DataFrame) -> None:
    rules = [r.holds.alias(r.id) for r in contract.rules() if r.holds is not None]
    needed = [pl.col(c.name).is_not_null().alias(f"{c.name}?") for c in contract.columns() if not c.nullable]
    frame.select(pl.all_horizontal(*rules, *needed).all())


def rows(warehouse: str) -> Iterator[Row]:
    """Measure the typed tables of a warehouse, each repeated."""
    for table in ("typed.radiotherapy", "typed.diagnosis", "typed.assessment", "typed.vital_status"):
        contract = CONTRACTS[table]
        with duckdb.connect(warehouse, read_only=True) as connection:
            frame = contract.conform(connection.execute(f"FROM {table}").pl())
        broken = contract.failures(frame)["row"].unique()
        clean = frame.with_row_index("_row").filter(~pl.col("_row").is_in(broken.implode())).drop("_row")
        clean = pl.concat([clean] * COPIES).rechunk()
        if contract.failures(clean).height:
            continue
        own, bare, lazy = medians(
            ROUNDS,
            lambda c=contract, f=clean: c.failures(f),
            lambda c=contract, f=clean: _bare(c, f),
            lambda c=contract, f=clean: _lazily(c, f),
        )
        size = f"{clean.height:,} rows, {len(contract.rules())} rules"
        yield Row("validation", table, size, own, "bare polars expressions", bare, "≤ 2")
        yield Row("validation", table, size, own, "pandera, lazy=True", lazy)
