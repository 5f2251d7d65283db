"""Compares a whole refresh with a pandas + lifelines script on the same files; both must find the same.

What is compared: every patient's covariates, every endpoint's days and event, Table 1, the Kaplan–Meier
estimates overall and by subgroup, the log-rank tests and the Cox models.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tests.benchmarks.peer_blocks import left_out
from tests.benchmarks.refresh import WATCH
from tests.benchmarks.rows import Cost, Row
from tests.refreshed import REPOSITORY, Place

RELATIVE = 1e-6
_ABSOLUTE = 1e-9
"""For p-values, which have no relative precision far out."""

_OF = """JOIN (SELECT pseudonym, substr(patient_id, length('number:') + 1) AS number FROM curated.patient)
    USING (pseudonym)"""
_LIMITS = ("ci_low", "ci_high")

_COMPARED: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "endpoints": (
        f"FROM cohort.endpoints {_OF}", ("number", "endpoint"), ("time_days", "event"),
    ),
    "patients": (
        f"FROM cohort.patients {_OF}", ("number",),
        (
            "sex", "age_at_diagnosis_years", "t_stage", "n_stage", "fnclcc_grade", "histology_group",
            "region", "radiation_sequence", "residual_status", "chemotherapy", "prescribed_dose_gy",
            "fractions", "technique", "ct_slice_thickness_mm", "follow_up_months",
        ),
    ),
    "flow": ("FROM cohort.flow", ("criterion",), ("remaining",)),
    "table_one": (
        """SELECT block, level, max(n) AS n, max(percent) AS percent, max(value) AS value, max(low) AS low,
            max(high) AS high FROM analysis.table_one GROUP BY block, level""",
        ("block", "level"), ("n", "percent", "value", "low", "high"),
    ),
    "estimates": (
        """SELECT *, quantity = 'median' AND EXISTS (
                FROM analysis.survival_curve c WHERE c.endpoint = e.endpoint AND abs(c.survival - 0.5) < 1e-9
            ) AS level_step
            FROM analysis.survival_estimate e WHERE quantity != 'events'""",
        ("endpoint", "quantity", "horizon_months"), ("value", *_LIMITS),
    ),
    "subgroups": (
        """SELECT *, quantity = 'median' AND EXISTS (
                FROM analysis.subgroup_curve c WHERE c.endpoint = e.endpoint AND c.covariate = e.covariate
                AND c.level = e.level AND abs(c.survival - 0.5) < 1e-9
            ) AS level_step
            FROM analysis.subgroup e""",
        ("endpoint", "covariate", "level", "quantity", "horizon_months"), ("value", *_LIMITS, "n"),
    ),
    "log_rank": (
        "SELECT DISTINCT endpoint, covariate, chi_square, p_value FROM analysis.log_rank "
        "WHERE p_value IS NOT NULL",
        ("endpoint", "covariate"), ("chi_square", "p_value"),
    ),
    "hazard_ratios": (
        """SELECT *, model IN (SELECT model FROM analysis.hazard_ratio WHERE level_events = 0) AS no_events
            FROM analysis.hazard_ratio WHERE method = 'Cox, Efron' AND hazard_ratio IS NOT NULL""",
        ("model", "term", "level"),
        ("coefficient", "standard_error", "hazard_ratio", *_LIMITS, "p_value", "concordance", "n"),
    ),
}  # fmt: skip
"""File of the script to the warehouse's query, the keys of its lines, and what must be equal in them.

``level_step``: the curve lies on 0.5 for a while. The median is then the middle of the step for R and for the
warehouse, and its end for lifelines: such a median is not compared.

``no_events``: a level of the model has no events. Its coefficient tends to minus infinity, so that its
patients rank lowest: for R (survival 3.5-3, a crowd of 86: 0.9323204) and for the warehouse. The script
drops the level: the concordance of such a model is not compared.
"""


_LEFT_OUT = {"value": "level_step", "concordance": "no_events"}
"""Column to the one that says of which lines it is not compared."""


@dataclass(frozen=True)
class Scripted:
    """What one run of the script cost.

    Attributes:
        cost: of the process.
        peak_mb: its largest resident memory.
        parts: of the wall time, seconds by part; ``start`` is Python's and the imports'.
    """

    cost: Cost
    peak_mb: float
    parts: dict[str, float]


def _study(place: Place) -> Path:
    return place.root / "data/studies" / place.study / "study.toml"


def run(place: Place, into: Path) -> Scripted:
    """Run the script over the place's drop folder.

    Raises:
        RuntimeError: the script failed.
    """
    script = ["-m", "tests.benchmarks.peer_script", str(place.drop), str(_study(place)), str(into)]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", WATCH, sys.executable, *script],
        cwd=REPOSITORY,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - began
    peak = re.search(r"^peak (\d+)", done.stdout, re.M)
    cpu = re.search(r"^cpu ([\d.]+)", done.stdout, re.M)
    if done.returncode or not peak or not cpu:
        raise RuntimeError(done.stdout + done.stderr)
    parts = json.loads((into / "seconds.json").read_text())
    return Scripted(
        Cost(seconds, float(cpu[1])), int(peak[1]) / 1024, {"start": seconds - sum(parts.values()), **parts}
    )


def compare(place: Place, results: Path) -> None:
    """Hold what the script found against the warehouse.

    Raises:
        AssertionError: they differ.
    """
    for name, (sql, keys, columns) in _COMPARED.items():
        theirs = pl.read_csv(results / f"{name}.csv", infer_schema_length=None)
        if "number" in keys:
            theirs = theirs.with_columns(pl.col("number").cast(pl.String))
        ours = place.warehouse(sql)
        if "block" in keys:
            ours = ours.filter(~pl.col("block").is_in(left_out(_study(place))))
        _agree(name, ours, theirs, keys, columns)


def _agree(
    what: str, ours: pl.DataFrame, theirs: pl.DataFrame, keys: Sequence[str], columns: Sequence[str]
) -> None:
    """Same keys, same texts, numbers within the tolerance; infinite and missing are the same."""
    if ours.is_empty():
        raise AssertionError(f"{what}: the warehouse has none")
    unmarked = [pl.lit(value=False).alias(name) for name in _LEFT_OUT.values() if name not in ours.columns]
    ours = ours.with_columns(unmarked)
    pairs = ours.select(*keys, *columns, *_LEFT_OUT.values(), _ours=True).join(
        theirs.select(*keys, *columns, _theirs=True), on=keys, how="full", nulls_equal=True, suffix="_theirs"
    )
    alone = pairs.filter(pl.any_horizontal(pl.col("_ours", "_theirs").is_null()))
    if alone.height:
        raise AssertionError(f"{what}: {alone.height} of {pairs.height} lines are of one side only")
    for name in columns:
        a, b = pairs[name], pairs[f"{name}_theirs"]
        if a.dtype.is_numeric():
            a, b = (x.cast(pl.Float64).replace([float("inf"), float("nan")], None) for x in (a, b))
            apart = ((a - b).abs() > RELATIVE * a.abs() + _ABSOLUTE) | (a.is_null() != b.is_null())
        else:
            apart = a.ne_missing(b)
        # R, and so the warehouse, has no limits at a survival of 0 or 1.
        if name in ("ci_low", "ci_high"):
            apart = apart & a.is_not_null()
        if name in _LEFT_OUT:
            apart = apart & ~pairs[_LEFT_OUT[name]]
        if apart.fill_null(False).any():
            lines = pairs.filter(apart).select(*(k for k in keys if k != "number"), name, f"{name}_theirs")
            raise AssertionError(f"{what}: {name} differs in {lines.height} of {pairs.height} lines: {lines}")


def rows(place: Place, first_night: Cost, patients: int) -> Iterator[Row]:
    """Run the script over a place that was refreshed, and compare.

    Args:
        place: laid out without defects and refreshed.
        first_night: what its first night cost.
        patients: how many it has.

    Raises:
        AssertionError: script and pipeline differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = run(place, Path(folder))
        compare(place, Path(folder))
    files = sum(1 for p in place.drop.rglob("*") if p.is_file())
    took = ", ".join(f"{part} {seconds:.1f}" for part, seconds in script.parts.items())
    yield Row(
        "refresh",
        "the whole, first night",
        f"{patients:,} patients, {files:,} files",
        first_night,
        "pandas + lifelines script",
        script.cost,
        "≤ 0.1 at 10 000",
        f"results equal; script: peak {script.peak_mb:,.0f} MB; {took}",
    )
