"""Compares Cox and Kaplan–Meier on a million rows with R's survival."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from sarcoma_pipeline.survival.kaplan_meier import estimator
from sarcoma_pipeline.survival.partial_likelihood import PartialLikelihood
from tests.benchmarks.rows import Cost, Row, medians

ROUNDS = 3


def _data(n: int) -> pl.DataFrame:
    draw = np.random.default_rng(7)
    x = draw.standard_normal((n, 4))
    hazard = np.exp(x @ np.array([0.4, -0.3, 0.2, 0.0])) / 1500
    death, end = draw.exponential(1 / hazard), draw.uniform(0, 3650, n)
    columns = {f"x{i + 1}": x[:, i] for i in range(4)}
    time = np.floor(np.minimum(death, end)).astype(int) + 1
    return pl.DataFrame(columns | {"time": time, "event": death <= end, "g": draw.integers(0, 4, n)})


def rows(folder: Path, n: int = 1_000_000) -> Iterator[Row]:
    """Measure both on the same rows; the coefficients must agree."""
    if not shutil.which("Rscript"):
        return
    data = _data(n)
    path = folder / "million.csv"
    data.with_columns(pl.col("event").cast(pl.Int8)).write_csv(path)
    command = ["Rscript", str(Path(__file__).with_name("survival.R")), str(path), str(ROUNDS)]
    told = dict(
        line.split(" ", 1)
        for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    )
    x = data.select("x1", "x2", "x3", "x4").to_numpy()

    def cox() -> np.ndarray:
        return PartialLikelihood(data["time"], data["event"], x).maximum().coefficients

    theirs = np.array([float(c) for c in told["coef"].split()])
    apart = float(np.max(np.abs(cox() - theirs) / np.maximum(np.abs(theirs), 1e-3)))
    if apart > 1e-6:
        raise AssertionError(f"coefficients are {apart:.1e} apart")
    own_cox, own_km = medians(ROUNDS, cox, lambda: estimator(data, ["g"], time="time"))
    size = f"{n:,} rows"
    yield Row("statistics", "Cox, four covariates", size, own_cox, "R's coxph", Cost(float(told["cox"])),
              "≤ 1",
              f"coefficients within {apart:.0e}")  # fmt: skip
    yield Row(
        "statistics", "Kaplan–Meier, four groups", size, own_km, "R's survfit", Cost(float(told["km"])), "≤ 1"
    )
