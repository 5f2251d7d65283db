"""The result of a benchmark, and how its times are measured."""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What a run cost.

    Attributes:
        wall: seconds by the clock.
        cpu: seconds of CPU, user and system, with those of ended children; None if unknown. Only these can be
            quoted from a machine that has other work.
    """

    wall: float
    cpu: float | None = None


@dataclass(frozen=True)
class Row:
    """One measurement beside what it is held against, from the same run.

    Attributes:
        area: reading, validation, statistics, refresh, commands.
        what: what was measured.
        size: how much of it.
        own: median of the rounds.
        against: what it is held against.
        other: its median.
        target: what the ratio should be.
        note: what else must be known.
    """

    area: str
    what: str
    size: str
    own: Cost
    against: str
    other: Cost
    target: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours divided by the other, by the clock."""
        return self.own.wall / self.other.wall

    @property
    def cpu_ratio(self) -> float | None:
        """Ours divided by the other, in CPU."""
        return self.own.cpu / self.other.cpu if self.own.cpu is not None and self.other.cpu else None


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def medians(rounds: int, *runs: Callable[[], object]) -> list[Cost]:
    """Median cost of each, taken in turns so that a slow minute of the machine hits all of them."""
    taken: list[list[Cost]] = [[] for _ in runs]
    for _ in range(rounds):
        for costs, run in zip(taken, runs, strict=True):
            gc.collect()
            began, spent = time.perf_counter(), _cpu()
            run()
            costs.append(Cost(time.perf_counter() - began, _cpu() - spent))
    return [median(costs) for costs in taken]


def median(costs: Sequence[Cost]) -> Cost:
    """The median of wall and CPU time, each for itself."""
    spent = [one.cpu for one in costs if one.cpu is not None]
    return Cost(statistics.median(one.wall for one in costs), statistics.median(spent) if spent else None)


def process(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Cost:
    """Run a command and measure it as a whole process, with its children.

    Raises:
        RuntimeError: it failed.
    """
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(time.perf_counter() - began, spent)


def _shown(number: float | None) -> str:
    return "–" if number is None else f"{number:.3g}"


def markdown(rows: list[Row]) -> str:
    """A table for people."""
    lines = [
        "| area | what | size | CPU s | wall s | held against | CPU s | wall s | CPU ratio | wall ratio "
        "| target | |",
        "|---|---|---|--:|--:|---|--:|--:|--:|--:|---|---|",
    ]
    for r in rows:
        own, other = [f"{_shown(cost.cpu)} | {_shown(cost.wall)}" for cost in (r.own, r.other)]
        ratios = f"{_shown(r.cpu_ratio)} | {_shown(r.ratio)}"
        lines.append(
            f"| {r.area} | {r.what} | {r.size} | {own} | {r.against} | {other} | {ratios} "
            f"| {r.target} | {r.note} |"
        )
    return "\n".join(lines) + "\n"


def save(rows: list[Row], path: Path) -> None:
    """The same as JSON and as Markdown."""
    told = [asdict(r) | {"ratio": r.ratio, "cpu_ratio": r.cpu_ratio} for r in rows]
    path.with_suffix(".json").write_text(json.dumps(told, indent=1))
    path.with_suffix(".md").write_text(markdown(rows))
