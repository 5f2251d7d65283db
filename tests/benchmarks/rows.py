"""The result of a benchmark, and how its times are measured."""

import gc
import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One measurement beside what it is held against, from the same run.

    Attributes:
        area: reading, validation, statistics, refresh.
        what: what was measured.
        size: how much of it.
        seconds: median of the rounds.
        against: what it is held against.
        other_seconds: its median.
        target: what the ratio should be.
        note: what else must be known.
    """

    area: str
    what: str
    size: str
    seconds: float
    against: str
    other_seconds: float
    target: str = ""
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours divided by the other."""
        return self.seconds / self.other_seconds


def medians(rounds: int, *runs: Callable[[], object]) -> list[float]:
    """Median seconds of each, taken in turns so that a slow minute of the machine hits all of them."""
    taken: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for times, run in zip(taken, runs, strict=True):
            gc.collect()
            began = time.perf_counter()
            run()
            times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in taken]


def markdown(rows: list[Row]) -> str:
    """A table for people."""
    lines = [
        "| area | what | size | s | held against | s | ratio | target | |",
        "|---|---|---|--:|---|--:|--:|---|---|",
    ]
    lines += [
        f"| {r.area} | {r.what} | {r.size} | {r.seconds:.3g} | {r.against} | {r.other_seconds:.3g} "
        f"| {r.ratio:.3g} | {r.target} | {r.note} |"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def save(rows: list[Row], path: Path) -> None:
    """The same as JSON and as Markdown."""
    path.with_suffix(".json").write_text(json.dumps([asdict(r) | {"ratio": r.ratio} for r in rows], indent=1))
    path.with_suffix(".md").write_text(markdown(rows))
