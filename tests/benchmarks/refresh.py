"""Refreshes in processes of their own: a first one, one without a change, one with 1 % of files changed."""

import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sarcoma_pipeline.synthetic import crowd
from tests.benchmarks.rows import Row
from tests.refresh.conftest import REPOSITORY, Place, lay

_WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(done.stdout)
print(done.stderr, file=sys.stderr)
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(done.returncode)
"""


_TIMES = re.compile(
    r"= imports ([\d.]+) \+ definitions and instance ([\d.]+) \+ steps ([\d.]+) "
    r"\+ Dagster between them ([\d.]+)\n\s+(.*)"
)


@dataclass(frozen=True)
class Night:
    """What one refresh cost.

    Attributes:
        seconds: wall time of the process.
        imports: of it, until the program was loaded.
        between: of it, Dagster's between the steps and its start.
        peak_mb: largest resident memory of one process.
        steps: the line that says which steps took longest.
    """

    seconds: float
    imports: float
    between: float
    peak_mb: float
    steps: str


def night(place: Place) -> Night:
    """Refresh once."""
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home), "COLUMNS": "200"}
    program = "from sarcoma_pipeline.cli import main; main()"
    command = [sys.executable, "-c", _WATCH, sys.executable, "-c", program, "refresh"]
    began = time.perf_counter()
    done = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    told = _TIMES.search(done.stdout)
    peak = re.search(r"^peak (\d+)", done.stdout, re.M)
    assert told and peak
    imports, start, _, between, steps = told.groups()
    return Night(seconds, float(imports), float(start) + float(between), int(peak[1]) / 1024, steps)


def _touch_one_percent(place: Place) -> int:
    """Change one file in a hundred: a plan's label, so that its content differs."""
    plans = sorted(place.drop.rglob("RTPLAN.*.dcm")) or sorted(place.drop.rglob("*.dcm"))
    every = sorted(p for p in place.drop.rglob("*") if p.is_file())
    chosen = plans[:: max(1, len(plans) * 100 // max(len(every), 1))]
    for path in chosen:
        content = path.read_bytes()
        path.write_bytes(content + b"\0\0")
    return len(chosen)


def measure(folder: Path, patients: int, plans: float) -> tuple[Place, Night, Night, Night, int]:
    """Lay out a crowd without defects and refresh it three times."""
    place = lay(folder / str(patients))
    crowd.write(place.drop, patients, 1, place.root / "data/demo", 0.0, plans, len(os.sched_getaffinity(0)))
    first, same = night(place), night(place)
    changed = _touch_one_percent(place)
    return place, first, same, night(place), changed


def rows(folder: Path, sizes: list[int], plans: float) -> Iterator[tuple[Row, Place]]:
    """Measure every size; the last place is left for other benchmarks."""
    before: tuple[int, Night] | None = None
    for patients in sizes:
        place, first, same, some, changed = measure(folder, patients, plans)
        files = sum(1 for p in place.drop.rglob("*") if p.is_file())
        size = f"{patients:,} patients, {files:,} files"
        target = "≤ 2048 MB" if patients >= 100_000 else ""
        yield (
            Row("refresh", "Dagster: start, and between the steps", size, first.between,
                "the whole after imports", first.seconds - first.imports, "< 0.5",
                f"peak {first.peak_mb:,.0f} MB {target}; {first.steps}"),
            place,
        )  # fmt: skip
        yield Row("refresh", "a night without a change", size, same.seconds, "the first night",
                  first.seconds, "≤ 0.03 at 10 000", f"imports {same.imports:.1f} s"), place  # fmt: skip
        yield Row("refresh", f"a night with {changed} changed files", size, some.seconds, "the first night",
                  first.seconds, "≤ 0.10 at 10 000", some.steps), place  # fmt: skip
        if before:
            grown = math.log(first.seconds / before[1].seconds) / math.log(patients / before[0])
            what = f"growth from {before[0]:,} patients: exponent {grown:.2f}"
            yield Row("refresh", what, size, first.seconds, "the first night there", before[1].seconds,
                      "exponent ≤ 1.05"), place  # fmt: skip
        before = patients, first


def tidy(place: Place) -> None:
    """Give the disk back."""
    shutil.rmtree(place.root)
