"""Access to R's golden values and their data sets (tests/golden/*.R)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import polars as pl

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH
from schemas.configuration import Covariate, Model

FOLDER = Path(__file__).parents[1] / "golden"
SETS = ("lung", "veteran", "gbsg", "rotterdam", "colon", "mgus2", "demo_os", "demo_lrfs", "demo_dmfs")

LATE = ("heart", "mgus", "late_demo_os", "late_demo_dmfs")
"""Sets with delayed entry."""

RELATIVE = 1e-8
"""Required relative agreement; R prints 17 digits."""


@cache
def data(name: str) -> pl.DataFrame:
    """Load a data set with the columns of `schemas.cohort.CohortEndpoint`, and its covariates."""
    frame = pl.read_csv(FOLDER / "data" / f"{name}.csv", schema_overrides={"event": pl.String})
    return frame.with_row_index("pseudonym").with_columns(
        pl.col("pseudonym").cast(pl.String),
        endpoint=pl.lit("DFS"),
        time_days=pl.col("time").cast(pl.Int64),
        time_months=pl.col("time") / DAYS_PER_MONTH,
        event=pl.col("event") == "TRUE",
        event_kind=pl.col("kind").fill_null("censored"),
        entry_days=pl.col("entry").cast(pl.Int64) if "entry" in frame.columns else pl.lit(None, pl.Int64),
    )


def split(name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split a data set into endpoints and patients."""
    frame = data(name)
    times = ["endpoint", "time_days", "time_months", "event", "event_kind", "entry_days"]
    return frame.select("pseudonym", *times), frame.drop(*times)


@cache
def golden(topic: str) -> pl.DataFrame:
    """Load ``set, object, key, quantity, value`` of a topic."""
    return pl.read_csv(
        FOLDER / f"{topic}.csv", schema_overrides={"key": pl.String, "object": pl.String, "value": pl.Float64}
    )


def quantities(topic: str, **chosen: str) -> dict[tuple[str, str], float | None]:
    """Return ``(key, quantity)`` to value for a part of a topic."""
    frame = golden(topic).filter(pl.col(name) == value for name, value in chosen.items())
    assert frame.height, chosen
    pairs = frame.select(pl.col("key").fill_null(""), "quantity", "value")
    return {(key, quantity): value for key, quantity, value in pairs.iter_rows()}


def same(ours: dict, theirs: dict, relative: float = RELATIVE) -> None:
    """Assert that every golden value has a matching value: both null, or within the tolerance."""
    missing = object()
    assert theirs
    wrong = {
        key: (ours.get(key, missing), value)
        for key, value in theirs.items()
        if key not in ours or not _near(ours[key], value, relative)
    }
    assert not wrong, wrong


def _near(one: float | None, other: float | None, relative: float) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return abs(one - other) <= relative * abs(other) + 1e-300


def model(name: str, terms: list[str]) -> tuple[Model, list[Covariate]]:
    """Build a Cox model like R's formula: the reference is the alphabetically first level."""
    frame = data(name)
    covariates = []
    for term in terms:
        if frame[term].dtype == pl.String:
            levels = sorted(frame[term].unique().to_list())
            covariates.append(
                Covariate(name=term, column=term, kind="factor", reference=levels[0], levels=tuple(levels))
            )
        else:
            covariates.append(Covariate(name=term, column=term, kind="continuous"))
    return Model(name=name, endpoint="DFS", title="", covariates=tuple(terms)), covariates


def r_name(term: str, level: str | None) -> str:
    """Return R's name of a coefficient."""
    return term if level is None else f"{term}{level}"
