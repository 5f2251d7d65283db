"""Runs all benchmarks and prints a table.

    .venv/bin/python -m tests.benchmarks [--sizes 86,1000,10000] [--plans 1.0] [--rows 1000000]
        [--cumulative 1000] [--into FILE]

--cumulative N: patients of the cumulative export.
--script-up-to N: the pandas + lifelines script runs beside the first night up to so many patients.

Every row is measured beside its floor or its peer in the same run: only the ratios are to be quoted.
"""

import argparse
import os
import platform
import tempfile
from pathlib import Path

from tests.benchmarks import commands, peer, reading, refresh, release_queries, survival, validation
from tests.benchmarks.rows import Row, markdown, save


def main() -> None:
    """Measure, print, save."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--sizes", default="86,1000")
    options.add_argument("--plans", type=float, default=1.0)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--script-up-to", type=int, default=10_000)
    options.add_argument("--cumulative", type=int, default=1_000)
    options.add_argument("--into", type=Path, help="writes FILE.md and FILE.json")
    chosen = options.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        place = None
        for measured in refresh.measure_all(Path(folder), sizes, chosen.plans):
            place = measured.place
            scripted = measured.patients <= chosen.script_up_to
            for row in (
                *measured.rows(),
                *(peer.rows(place, measured.first.cost, measured.patients) if scripted else ()),
            ):
                found.append(row)
                print(markdown([row]).splitlines()[-1], flush=True)
        assert place
        for row in (
            *reading.rows(place.root, place.study),
            *reading.cumulative(Path(folder) / "cumulative"),
            *refresh.cumulative(Path(folder) / "nights", chosen.cumulative),
            *commands.rows(Path(folder) / "demo"),
            *validation.rows(str(place.root / f"data/warehouse/{place.study}.duckdb")),
            *survival.rows(Path(folder), chosen.rows),
            *release_queries.rows(place.release),
        ):
            found.append(row)
            print(markdown([row]).splitlines()[-1], flush=True)
    print(f"\n{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(markdown(found))
    if chosen.into:
        save(found, chosen.into)


if __name__ == "__main__":
    main()
