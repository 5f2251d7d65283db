"""Measures the ready queries on a release of 100 000 patients, compared with Parquet files.

    .venv/bin/python -m tests.benchmarks.release_queries --release data/published/sts_imrt/cohort.duckdb

The release is an existing one, its patients repeated under new pseudonyms. Prints a Markdown table: one run,
both sides, so that only the ratios are to be quoted.
"""

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from tests.benchmarks.rows import Cost, Row

PAGE = (Path(__file__).parents[2] / "docs/queries.md").read_text("utf-8")
QUERIES = dict(re.findall(r"^## (.+)\n\n.+\n\n```sql\n([^`]+)```", PAGE, re.M))
ROUNDS = 7
_GROWN = ("patients", "endpoints")


def grow(source: Path, into: Path, patients: int) -> None:
    """Copy a release with its patients and endpoints repeated until there are enough."""
    with duckdb.connect(str(into)) as c:
        c.execute(f"ATTACH '{source}' AS old (READ_ONLY)")
        c.execute("COPY FROM DATABASE old TO " + c.execute("SELECT current_database()").fetchall()[0][0])
        times = -(-patients // c.execute("SELECT count(*) FROM main.patients").fetchall()[0][0])
        for table in _GROWN:
            c.execute(
                f"INSERT INTO main.{table} "
                "SELECT o.* REPLACE (format('{}-{}', pseudonym, copy) AS pseudonym) "
                f"FROM old.main.{table} o, range(1, {times}) copies(copy)"
            )
        c.execute("DETACH old")


def parquet(source: Path, folder: Path) -> duckdb.DuckDBPyConnection:
    """The same tables as Parquet files behind views of the same names."""
    with duckdb.connect(str(source), read_only=True) as c:
        tables = c.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
        kinds = c.execute(
            "SELECT type_name, labels FROM duckdb_types() WHERE logical_type = 'ENUM' AND labels <> []"
        ).fetchall()
        for schema, name in tables:
            c.execute(f"COPY {schema}.{name} TO '{folder}/{schema}.{name}.parquet' (FORMAT parquet)")
    views = duckdb.connect()
    for name, labels in kinds:
        listed = ", ".join("'" + label.replace("'", "''") + "'" for label in labels)
        views.execute(f"CREATE TYPE {name} AS ENUM ({listed})")
    for schema, name in tables:
        views.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        views.execute(f"CREATE VIEW {schema}.{name} AS FROM '{folder}/{schema}.{name}.parquet'")
    return views


def median(run: Callable[[], object]) -> float:
    """Median seconds of several runs after one that warms up."""
    run()
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure(release: Path, patients: int) -> Iterator[tuple[str, float, float]]:
    """Query, seconds on the release, seconds on Parquet."""
    with tempfile.TemporaryDirectory() as folder:
        grown = Path(folder) / "grown.duckdb"
        grow(release.resolve(), grown, patients)
        views = parquet(grown, Path(folder))
        with duckdb.connect(str(grown), read_only=True) as opened:
            for title, sql in QUERIES.items():
                ours, theirs = (median(lambda c=c, s=sql: c.execute(s).fetchall()) for c in (opened, views))
                yield title, ours, theirs


def rows(release: Path, patients: int = 100_000) -> Iterator[Row]:
    """The median query of all."""
    measured = list(measure(release, patients))
    ours, theirs = (statistics.median(side) for side in list(zip(*measured, strict=True))[1:])
    what = f"median of {len(measured)} ready queries"
    yield Row(
        "release", what, f"{patients:,} patients", Cost(ours), "the same on Parquet files", Cost(theirs)
    )


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--release", type=Path, required=True)
    options.add_argument("--patients", type=int, default=100_000)
    chosen = options.parse_args()
    print(f"{chosen.patients} patients; medians of {ROUNDS} rounds\n")
    print("| query | release, ms | Parquet, ms | release / Parquet |\n|---|---:|---:|---:|")
    measured = list(measure(chosen.release, chosen.patients))
    middle = [statistics.median(side) for side in list(zip(*measured, strict=True))[1:]]
    for title, ours, theirs in [*measured, ("**median**", *middle)]:
        print(f"| {title} | {1000 * ours:.1f} | {1000 * theirs:.1f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
