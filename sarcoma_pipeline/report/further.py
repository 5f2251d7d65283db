"""What the paper lacks: competing risks, subgroups, restricted means, tests of proportional hazards."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from sarcoma_pipeline.report import curves, tables
from sarcoma_pipeline.report.printed import median, number, p_value, rate
from sarcoma_pipeline.report.tables import Table

SHOWN_MONTHS = 24
"""The horizon of a subgroup's line, as in the paper; all horizons stand in ``analysis.subgroup``."""

_PANEL = ("time_months", "incidence", "ci_low", "ci_high")


def incidence_panels(frame: pl.DataFrame) -> list[str]:
    """One drawing per analysis of ``analysis.cumulative_incidence``, a curve per cause."""
    drawings = []
    for part in frame.partition_by("analysis", maintain_order=True):
        name = part["analysis"][0]
        by_cause = {
            str(one["cause"][0]): one.sort("time_months").select(_PANEL).rows()
            for one in part.partition_by("cause", maintain_order=True)
        }
        longest = float(part.select(pl.col("time_months").max()).item() or 0)
        key = "svg-incidence-" + "".join(c if c.isalnum() else "-" for c in name.lower())
        drawings.append(curves.cumulative_incidence(by_cause, key=key, title=name, horizon=longest))
    return drawings


def subgroups(frame: pl.DataFrame, tests: pl.DataFrame, titles: dict[str, str], label: str) -> Table:
    """A line per endpoint and level: n, events, median, survival at two years, the factor's log-rank p."""
    keys = ["endpoint", "covariate", "level"]
    rank = {(r["endpoint"], r["covariate"]): r["p_value"] for r in tests.iter_rows(named=True)}
    rows = []
    for part in frame.partition_by(keys, maintain_order=True):
        half = part.filter(pl.col("quantity") == "median")
        at = part.filter(pl.col("quantity") == "survival", pl.col("horizon_months") == SHOWN_MONTHS)
        first = part.row(0, named=True)
        rows.append(
            (
                titles.get(first["endpoint"], first["endpoint"]), first["covariate"].replace("_", " "),
                first["level"], *_counts(half), _interval(half, median), _interval(at, rate),
                p_value(rank.get((first["endpoint"], first["covariate"]))),
            )
        )  # fmt: skip
    return tables.plain(
        "table-subgroup", label, "Subgroups: Kaplan–Meier estimates with log-rank tests",
        (
            "Endpoint", "Factor", "Level", "n", "Events", "Median, months (95 % CI)",
            f"At {SHOWN_MONTHS} months, % (95 % CI)", "p (log-rank)",
        ),
        rows,
    )  # fmt: skip


def restricted_means(frame: pl.DataFrame, titles: dict[str, str], label: str) -> Table:
    """A line per endpoint and horizon."""
    rows = [
        (
            titles.get(r["endpoint"], r["endpoint"]), number(r["horizon_months"]),
            median(r["value"], r["ci_low"], r["ci_high"], "not known"),
        )
        for r in frame.iter_rows(named=True)
    ]  # fmt: skip
    head = ("Endpoint", "Up to, months", "Restricted mean, months (95 % CI)")
    return tables.plain("table-restricted-mean", label, "Restricted mean survival times", head, rows)


def proportional_hazards(frame: pl.DataFrame, label: str) -> Table:
    """A line per model and term."""
    rows = [
        (
            r["model"], "all terms" if r["term"] == "GLOBAL" else r["term"].replace("_", " "),
            number(r["chi_square"], 2), number(r["degrees_of_freedom"]), p_value(r["p_value"]),
        )
        for r in frame.iter_rows(named=True)
    ]  # fmt: skip
    caption = "Tests of proportional hazards (Grambsch and Therneau; scaled Schoenfeld residuals)"
    head = ("Model", "Term", "Chi-squared", "df", "p")
    return tables.plain("table-ph-test", label, caption, head, rows)


def _counts(rows: pl.DataFrame) -> Iterator[str]:
    for name in ("n", "events"):
        yield number(rows[name].first() if rows.height else None)  # pyright: ignore[reportArgumentType]


def _interval(rows: pl.DataFrame, shown: Any) -> str:
    values = rows.row(0, named=True) if rows.height else {}
    return shown(values.get("value"), values.get("ci_low"), values.get("ci_high"))
