"""Recompute the paper's quantities from the cohort, as declared in ``published_map.csv``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl


@dataclass(frozen=True)
class Recomputed:
    """Our value of a quantity; attributes that do not apply are None.

    Attributes:
        value: median, rate in per cent, months, hazard ratio …
        low: confidence limit, quartile or minimum.
        high: confidence limit, quartile or maximum.
        p: p value.
        n: number of patients.
        denominator: number of patients that ``n`` refers to.
        interval: whether low and high are confidence limits.
        not_reached: whether the curve does not fall to the median.
        missing: why there is no value.
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    n: int | None = None
    denominator: int | None = None
    interval: bool = False
    not_reached: bool = False
    missing: str | None = None

    @property
    def percent(self) -> float | None:
        """100 n / denominator."""
        return 100 * self.n / self.denominator if self.n is not None and self.denominator else None


class Cohort:
    """The frames from which quantities are recomputed."""

    def __init__(
        self,
        patients: pl.DataFrame,
        endpoints: pl.DataFrame,
        estimates: pl.DataFrame,
        hazard_ratios: pl.DataFrame,
    ) -> None:
        survival = endpoints.filter(pl.col("endpoint") == "OS").select(
            "pseudonym", os_event="event", os_months="time_months"
        )
        self.patients = patients.join(survival, on="pseudonym", how="left")
        self.estimates = estimates
        self.hazard_ratios = hazard_ratios

    def recompute(self, row: dict[str, Any]) -> Recomputed:
        """Recompute the quantity of a row of ``published_map.csv``.

        Raises:
            ValueError: the statistic is unknown. polars.exceptions.ColumnNotFoundError: a condition names a
            column that is missing in the cohort.
        """
        if row["statistic"] not in _STATISTICS:
            raise ValueError(f"published_map row {row['id']}: unknown statistic {row['statistic']!r}")
        return _STATISTICS[row["statistic"]](self, row)

    def _among(self, row: dict[str, Any]) -> pl.DataFrame:
        return self.patients.filter(_condition(row["of"]))

    def _values(self, row: dict[str, Any]) -> pl.Series:
        return self._among(row)[row["column"]].drop_nulls()

    def _count(self, row: dict[str, Any]) -> Recomputed:
        among = self._among(row)
        return Recomputed(n=among.filter(_condition(row["where"])).height, denominator=among.height)

    def _quartiles(self, row: dict[str, Any]) -> Recomputed:
        q1, median, q3 = (self._values(row).quantile(p, interpolation="linear") for p in (0.25, 0.5, 0.75))
        return Recomputed(value=median, low=q1, high=q3) if median is not None else _NOBODY

    def _range(self, row: dict[str, Any]) -> Recomputed:
        values = self._values(row).cast(pl.Float64)
        median = values.quantile(0.5, interpolation="linear")
        if median is None:
            return _NOBODY
        return Recomputed(value=median, low=float(values.min()), high=float(values.max()))  # pyright: ignore[reportArgumentType]

    def _maximum(self, row: dict[str, Any]) -> Recomputed:
        values = self._values(row)
        return Recomputed(value=float(values.max())) if len(values) else _NOBODY  # pyright: ignore[reportArgumentType]

    def _mode(self, row: dict[str, Any]) -> Recomputed:
        values = self._values(row)
        return Recomputed(value=float(values.mode().sort()[0])) if len(values) else _NOBODY

    def _levels(self, row: dict[str, Any]) -> Recomputed:
        return Recomputed(n=self._values(row).n_unique())

    def _survival(self, row: dict[str, Any]) -> Recomputed:
        chosen = (pl.col("endpoint") == row["endpoint"]) & (pl.col("quantity") == "survival")
        found = self.estimates.filter(chosen & (pl.col("horizon_months") == row["horizon"]))
        if found.is_empty() or found["value"][0] is None:
            return Recomputed(missing=f"No estimate of {row['endpoint']} at {row['horizon']} months.")
        line = found.row(0, named=True)
        value, low, high = (_times_100(line[name]) for name in ("value", "ci_low", "ci_high"))
        return Recomputed(value=value, low=low, high=high, interval=True)

    def _median(self, row: dict[str, Any]) -> Recomputed:
        chosen = (pl.col("endpoint") == row["endpoint"]) & (pl.col("quantity") == "median")
        found = self.estimates.filter(chosen)
        if found.is_empty():
            return Recomputed(missing=f"{row['endpoint']} is not derivable.")
        line = found.row(0, named=True)
        return Recomputed(
            value=line["value"],
            low=line["ci_low"],
            high=line["ci_high"],
            interval=True,
            not_reached=line["value"] is None,
        )

    def _terms(self, row: dict[str, Any]) -> Recomputed:
        by_model = self.hazard_ratios.group_by("model").agg(pl.col("term").unique())
        terms = {model: set(names) for model, names in by_model.iter_rows()}
        if row["model"] not in terms:
            return Recomputed(missing=f"No model {row['model']}.")
        return Recomputed(n=len(terms[row["model"]] - terms.get(row["beyond"], set())))

    def _hazard_ratio(self, row: dict[str, Any]) -> Recomputed:
        found = self.hazard_ratios.filter(
            pl.col("model") == row["model"],
            pl.col("term") == row["term"],
            pl.col("level").eq_missing(pl.lit(row["level"], dtype=pl.String)),
        )
        if found.is_empty():
            return Recomputed(missing=f"No such contrast in model {row['model']}.")
        line = found.row(0, named=True)
        if line["hazard_ratio"] is None:
            return Recomputed(missing=f"No estimate: {line['note']}.")
        return Recomputed(
            value=line["hazard_ratio"],
            low=line["ci_low"],
            high=line["ci_high"],
            p=line["p_value"],
            interval=True,
        )

    def _not_computable(self, row: dict[str, Any]) -> Recomputed:
        return Recomputed(missing=row["reason"])


_NOBODY = Recomputed(missing="No patient with this datum.")

_STATISTICS: dict[str, Callable[[Cohort, dict[str, Any]], Recomputed]] = {
    "count": Cohort._count,
    "quartiles": Cohort._quartiles,
    "range": Cohort._range,
    "maximum": Cohort._maximum,
    "mode": Cohort._mode,
    "levels": Cohort._levels,
    "survival": Cohort._survival,
    "median": Cohort._median,
    "terms": Cohort._terms,
    "hazard ratio": Cohort._hazard_ratio,
    "not computable": Cohort._not_computable,
}


def _condition(text: str | None) -> pl.Expr:
    parts = []
    for part in (text or "").split(";") if text else []:
        name, operator, value = part.partition("<" if "<" in part else "=")
        if operator == "<":
            parts.append(pl.col(name) < float(value))
        else:
            parts.append(pl.col(name).cast(pl.String).is_in(value.split("|")))
    return pl.all_horizontal(parts) if parts else pl.lit(True)


def _times_100(share: float | None) -> float | None:
    return None if share is None else 100 * share
