"""Small random samples with many ties, times of 0 and late entries, to compute definitions on in full.

Faults in rare ties do not show in large data sets, and small samples consist of rare ties.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Patients of a sample; arrays of length ``n``.

    Attributes:
        time: last day, from 0.
        cause: of the event, ``a`` or ``b``; empty if censored.
        entry: day only after which the patient is at risk; NaN means from the beginning.
        level: group.
        design: two covariates, ``n × 2``.
    """

    time: NDArray[np.int64]
    cause: NDArray[np.str_]
    entry: Floats
    level: NDArray[np.str_]
    design: Floats

    @property
    def event(self) -> NDArray[np.bool_]:
        """Whether the time ended with an event."""
        return self.cause != ""

    @property
    def days(self) -> list[int]:
        """Return the distinct times."""
        return sorted(set(self.time.tolist()))

    def at_risk(self, day: float) -> NDArray[np.bool_]:
        """Return who is at risk on a day: entered before it, and neither dead nor censored before it."""
        return (self.time >= day) & ~(self.entry >= day)

    def frame(self, **columns: pl.Expr) -> pl.DataFrame:
        """Return the sample with the columns of endpoints."""
        return pl.DataFrame(
            {
                "time_days": self.time,
                "event": self.event,
                "entry_days": pl.Series(
                    [None if np.isnan(e) else int(e) for e in self.entry], dtype=pl.Int32
                ),
                "level": self.level,
                "cause": pl.Series([c or None for c in self.cause.tolist()], dtype=pl.String),
            }
        ).with_columns(**columns)


def samples(number: int, *, late: bool = True, seed: int = 1) -> Iterator[Sample]:
    """Yield samples of 1 to 20 patients.

    Args:
        number: of samples.
        late: whether patients enter late in every second sample.
        seed: of the draws.
    """
    rng = np.random.default_rng(seed)
    for sample in range(number):
        n, last = int(rng.integers(1, 21)), int(rng.choice([1, 2, 3, 5, 12]))
        time = rng.integers(0, last + 1, n)
        cause = np.where(rng.random(n) < rng.choice([0.4, 0.8]), "a", "b")
        cause[rng.random(n) < rng.choice([0, 0.3, 0.6, 1], p=[0.2, 0.4, 0.3, 0.1])] = ""
        entry = np.full(n, np.nan)
        if late and sample % 2:
            entry = np.floor(rng.uniform(-2, np.maximum(time, 0)))
            entry[rng.random(n) < 0.3] = np.nan
            entry[entry >= time] -= 1
        level = rng.choice(list("ABC")[: int(rng.integers(1, 4))], n)
        design = np.column_stack([rng.integers(0, 3, n).astype(np.float64), np.round(rng.normal(size=n), 1)])
        yield Sample(time, cause, entry, level, design)
