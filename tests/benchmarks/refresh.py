"""Measures refreshes in their own processes: a first one, two without changes, one with 1 % changed files."""

from __future__ import annotations

import math
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sarcoma_pipeline.orchestration import dose_process, opinion_process
from sarcoma_pipeline.synthetic import crowd
from tests.benchmarks.rows import Cost, Row
from tests.refreshed import REPOSITORY, Place, lay
from tests.sources import exports

WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(done.stdout)
print(done.stderr, file=sys.stderr)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("peak", used.ru_maxrss)
print("cpu", used.ru_utime + used.ru_stime)
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
        cost: of the process and its children.
        imports: of it, until the program was loaded.
        between: of it, Dagster's between the steps and its start.
        peak_mb: largest resident memory of one process.
        steps: the line that says which steps took longest.
    """

    cost: Cost
    imports: float
    between: float
    peak_mb: float
    steps: str

    @property
    def note(self) -> str:
        """Where the time went."""
        return f"imports {self.imports:.1f} s, Dagster {self.between:.1f} s; {self.steps}"


SARCOMA = (sys.executable, "-c", "from sarcoma_pipeline.cli import main; main()")


def environment(place: Place) -> dict[str, str]:
    """Return the variables under which a command works on this place."""
    return {
        "SARCOMA_ROOT": str(place.root),
        "DAGSTER_HOME": str(place.home),
        "COLUMNS": "200",
        # Compile modules once, as where the program is installed, even if a developer's shell forbids it.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def night(place: Place) -> Night:
    """Refresh once."""
    # These processes outlive the refresh: the second opinion, and doses that come in by chance.
    env = {**os.environ, **environment(place), opinion_process.SWITCH: "off", dose_process.SWITCH: "off"}
    command = [sys.executable, "-c", WATCH, *SARCOMA, "refresh"]
    began = time.perf_counter()
    done = subprocess.run(command, env=env, cwd=REPOSITORY, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    told = _TIMES.search(done.stdout)
    peak = re.search(r"^peak (\d+)", done.stdout, re.M)
    cpu = re.search(r"^cpu ([\d.]+)", done.stdout, re.M)
    if not told or not peak or not cpu:  # nothing changed: no run was started, and no step is told of
        return Night(Cost(seconds, float(cpu[1]) if cpu else None), 0.0, 0.0, 0.0, "no run")
    imports, start, _, between, steps = told.groups()
    return Night(
        Cost(seconds, float(cpu[1])),
        float(imports),
        float(start) + float(between),
        int(peak[1]) / 1024,
        steps,
    )


_LOOK = """
import time
from sarcoma_pipeline.orchestration import run_history, skip_unchanged
from sarcoma_pipeline.sources import readers  # registers the kinds of sources
from sarcoma_pipeline.study import project
study = project.load("sts_imrt")
began = time.perf_counter()
with run_history.opened(run_history.home_of(study.root)) as history:
    found = skip_unchanged.look(study, history, study.now().date())
print(time.perf_counter() - began if found else "a refresh would be asked for")
"""


def look(place: Place) -> float:
    """Seconds that the schedule takes for a night of which nothing changed, in a daemon that runs."""
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    done = subprocess.run(
        [sys.executable, "-c", _LOOK], env=env, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def _touch_one_percent(place: Place) -> int:
    """Change one file in a hundred: a plan's label, so that its content differs."""
    plans = sorted(place.drop.rglob("RTPLAN.*.dcm")) or sorted(place.drop.rglob("*.dcm"))
    every = sorted(p for p in place.drop.rglob("*") if p.is_file())
    chosen = plans[:: max(1, len(plans) * 100 // max(len(every), 1))]
    for path in chosen:
        content = path.read_bytes()
        path.write_bytes(content + b"\0\0")
    return len(chosen)


@dataclass(frozen=True)
class Measured:
    """Four nights over a crowd without defects.

    Attributes:
        place: where they ran; a smaller crowd's is given back before the next one is written.
        patients: how many.
        files: how many they have.
        first: everything is new.
        same: nothing changed.
        looked: seconds of the look by which the schedule knows so the next time.
        some: one file in a hundred changed.
        changed: how many that were.
        before: the crowd that was measured before, to say how cost grows.
    """

    place: Place
    patients: int
    files: int
    first: Night
    same: Night
    looked: float
    some: Night
    changed: int
    before: Measured | None

    def rows(self) -> Iterator[Row]:
        """What it says."""
        size = f"{self.patients:,} patients, {self.files:,} files"
        peak = f"peak {self.first.peak_mb:,.0f} MB{' (≤ 2048)' if self.patients >= 100_000 else ''}"
        yield Row("refresh", "Dagster: start, and between the steps", size, Cost(self.first.between),
                  "the whole after imports", Cost(self.first.cost.wall - self.first.imports), "≤ 0.5 at 86",
                  f"{peak}; {self.first.steps}")  # fmt: skip
        yield Row("refresh", "a night without a change", size, self.same.cost, "the first night",
                  self.first.cost, "≤ 0.03 at 10 000",
                  self.same.note)  # fmt: skip
        yield Row("refresh", "another one: the schedule looks", size, Cost(self.looked), "the first night",
                  self.first.cost, "≤ 0.03 at 10 000", "no run is started")  # fmt: skip
        yield Row("refresh", f"a night with {self.changed} changed files", size, self.some.cost,
                  "the first night", self.first.cost, "≤ 0.10 at 10 000",
                  self.some.note)  # fmt: skip
        if self.before:
            ratio = self.patients / self.before.patients
            time = math.log((self.first.cost.cpu or 1) / (self.before.first.cost.cpu or 1)) / math.log(ratio)
            room = math.log(self.first.peak_mb / self.before.first.peak_mb) / math.log(ratio)
            yield Row("refresh", f"growth from {self.before.patients:,} patients", size, self.first.cost,
                      "the first night there", self.before.first.cost, "time ≤ 1.05",
                      f"exponent of CPU {time:.2f}, of memory {room:.2f}")  # fmt: skip


def cumulative(folder: Path, patients: int, plans: float = 0.1) -> Iterator[Row]:
    """Measure nights of a study whose tumour documentation is one cumulative export.

    Args:
        folder: an empty folder.
        patients: how many.
        plans: fraction of the treatment plans that are exported.
    """
    place = lay(folder)
    crowd.write(place.drop, patients, 1, place.root / "data/demo", 0.05, plans, 1)
    export = exports.joined(place.drop / "obds")
    shutil.rmtree(place.drop / "obds")
    (place.drop / "obds").mkdir()
    path = place.drop / "obds/cumulative.xml"
    path.write_bytes(export.content)
    first = night(place)
    some = tuple(_other(one) if not n % 100 else one for n, one in enumerate(export.patients))
    path.write_bytes(replace(export, patients=some).content)
    size = f"{patients:,} patients, {path.stat().st_size / 1e6:.0f} MB"
    changed = night(place)
    yield Row("refresh", "a cumulative export, 1 % of patients changed", size, changed.cost,
              "the first night", first.cost, "", changed.note)  # fmt: skip


def _other(patient: bytes) -> bytes:
    """Change the grades and the sex of a patient."""
    return re.sub(rb"<Grading>\w", b"<Grading>4", patient).replace(b"<Geschlecht>W", b"<Geschlecht>D")


def measure_all(folder: Path, sizes: list[int], plans: float) -> Iterator[Measured]:
    """Lay out a crowd of every size and refresh it three times."""
    before = None
    for patients in sizes:
        place = lay(folder / str(patients))
        crowd.write(
            place.drop, patients, 1, place.root / "data/demo", 0.0, plans, len(os.sched_getaffinity(0))
        )
        files = sum(1 for p in place.drop.rglob("*") if p.is_file())
        first, same, looked = night(place), night(place), look(place)
        changed = _touch_one_percent(place)
        before = Measured(place, patients, files, first, same, looked, night(place), changed, before)
        yield before
        if patients != sizes[-1]:
            shutil.rmtree(place.root)
