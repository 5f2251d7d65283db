"""Compute sensitivity analyses: how much do the results depend on assumptions?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from typing import Any

import polars as pl

from sarcoma_pipeline.survival import kaplan_meier
from sarcoma_pipeline.survival.cox import plain_lines
from sarcoma_pipeline.survival.design import model_data, values
from sarcoma_pipeline.survival.kaplan_meier import DATINGS, DAYS_PER_MONTH, MAIN, TOLERANCE, Z
from schemas.analysis import SurvivalSensitivity
from schemas.configuration import CensoringVariant, Covariate, Model
from schemas.statistics import Ties

COMPLETE = "complete cases"

Alternative = tuple[str, "str | int", tuple[pl.DataFrame, pl.DataFrame]]
"""A switch of ``[assumptions]``, its value, and ``cohort.patients`` and ``cohort.endpoints`` with that
value."""

_ESTIMATE = ["endpoint", "quantity", "horizon_months", "model", "term", "level"]


def sensitivity(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    horizons_months: Sequence[float],
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    variants: Sequence[CensoringVariant],
    alternatives: Iterable[Alternative] = (),
    ties: Ties = "efron",
) -> pl.DataFrame:
    """Run every variant and add the main analysis to each estimate.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        horizons_months: times of the survival estimates.
        models: the Cox models.
        covariates: the covariates of the models.
        variants: the censoring variants.
        alternatives: the cohort under other assumptions, derived anew.
        ties: how events on the same day enter the Cox models.

    Returns:
        `schemas.analysis.SurvivalSensitivity`.
    """
    parts = [SurvivalSensitivity.empty()]
    for variant, changed in _runs(patients, endpoints, variants):
        parts.append(kaplan_meier.sensitivity(changed, horizons_months, variant=variant))
        parts.append(_ratios(variant, patients, changed, models, covariates, ties))
    named = {name for model in models for name in (*model.covariates, *model.strata)}
    if named:
        complete = patients.filter(
            pl.all_horizontal(values(c).is_not_null() for c in covariates if c.name in named)
        )
        parts.append(_ratios(COMPLETE, complete, endpoints, models, covariates, ties))
    rows = pl.concat(parts).filter(pl.col("variant") == MAIN)
    main = _Main(patients, endpoints, rows, models, covariates)
    for alternative in alternatives:
        parts += _under(alternative, main, horizons_months, ties)
    frame = pl.concat(parts).drop("main")
    middle = frame.filter(pl.col("variant") == MAIN).select(*_ESTIMATE, main="middle")
    frame = frame.join(middle, on=_ESTIMATE, how="left", nulls_equal=True, maintain_order="left")
    return SurvivalSensitivity.enforce(SurvivalSensitivity.conform(frame))


def beyond_error(frame: pl.DataFrame) -> list[tuple[str, str, float | None]]:
    """Return the survival rates that another assumption changes by more than their standard error.

    The standard error is that of the main analysis, on the scale of its limits, log(-log S). Where its
    survival is 0 or 1, the standard error is 0.

    Args:
        frame: rows of one endpoint in `schemas.analysis.SurvivalSensitivity`.

    Returns:
        Variant, quantity and horizon, in the order of the frame.
    """
    rates = frame.filter(quantity="survival")
    main = rates.filter(variant=MAIN).select("horizon_months", low="ci_low", high="ci_high")

    def scaled(name: str) -> pl.Expr:
        return (-pl.col(name).log()).log()

    error = (scaled("low") - scaled("high")) / (2 * Z)
    moved = (pl.col("middle") - pl.col("main")).abs() > TOLERANCE
    beyond = pl.when(pl.col("main").is_in([0.0, 1.0])).then(moved)
    far = (
        rates.filter(pl.col("switch").is_not_null())
        .join(main, on="horizon_months", how="left", maintain_order="left")
        .filter(beyond.otherwise((scaled("middle") - scaled("main")).abs() > error).fill_null(False))
    )
    return list(far.select("variant", "quantity", "horizon_months").iter_rows())


class _Main:
    """The main analysis: its cohort, its rows, and what its models are fitted to.

    Attributes:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        times: endpoint to its rows of ``endpoints``.
        rates: endpoint to its survival and medians.
        models: endpoint to its models.
    """

    def __init__(
        self,
        patients: pl.DataFrame,
        endpoints: pl.DataFrame,
        rows: pl.DataFrame,
        models: Sequence[Model],
        covariates: Sequence[Covariate],
    ) -> None:
        self.patients, self.endpoints, self.covariates = patients, endpoints, covariates
        self.times = _by_endpoint(endpoints)
        self.rates = _by_endpoint(rows.filter(pl.col("quantity") != _RATIO))
        self.models: dict[str, list[Model]] = {}
        for model in models:
            self.models.setdefault(model.endpoint, []).append(model)
        self._ratios = rows.filter(pl.col("quantity") == _RATIO).partition_by("model", as_dict=True)
        self._none = rows.clear()
        self._data = {
            m.name: self._of(m, patients, self.times[m.endpoint]) for m in models if m.endpoint in self.times
        }

    def rows(self, name: str) -> pl.DataFrame:
        """Return the rows of an endpoint."""
        return pl.concat([self.rates.get(name, self._none), *map(self.ratios, self.models.get(name, ()))])

    def ratios(self, model: Model) -> pl.DataFrame:
        """Return the rows of a model."""
        return self._ratios.get((model.name,), self._none)

    def fits(self, model: Model, patients: pl.DataFrame, times: pl.DataFrame) -> bool:
        """Return whether a model of the main analysis is fitted to the same data."""
        data = self._data.get(model.name)
        return data is not None and data.equals(self._of(model, patients, times))

    def _of(self, model: Model, patients: pl.DataFrame, times: pl.DataFrame) -> pl.DataFrame:
        """Return everything that a model reads of the patients of its endpoint."""
        used = {*model.covariates, *model.strata}
        read = patients.select("pseudonym", *(values(c) for c in self.covariates if c.name in used))
        of_times = times.select("event", *(c for c in _COMPARED if c in times.columns))
        return of_times.join(read, on="pseudonym", maintain_order="left")


def _by_endpoint(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by("endpoint", as_dict=True, maintain_order=True)
    return {str(name): part for (name,), part in parts.items()}


def _under(
    alternative: Alternative, main: _Main, horizons_months: Sequence[float], ties: Ties
) -> Iterator[pl.DataFrame]:
    """Estimate under another assumption, by endpoint, with the number of patients whose result changes.

    If nothing changes, the rows of the main analysis are used instead of computing them again.
    """
    switch, value, (others, changed) = alternative
    label = f"{switch} = {value}"
    times = main.times if changed is main.endpoints else _by_endpoint(changed)
    nobody, no_times = main.endpoints.clear(), changed.clear()
    names = list(dict.fromkeys([*main.times, *times]))
    ends = {name: (main.times.get(name, nobody), times.get(name, no_times)) for name in names}
    other = {name: after for name, (before, after) in ends.items() if not _same(before, after)}
    rates = _rates(list(other.values()), horizons_months)
    for name, (before, after) in ends.items():
        same = name not in other
        moved = 0 if same else _moved(before, after)
        said = {"variant": label, "switch": switch, "value": str(value), "moved": moved}
        if after.is_empty():
            # If no patient is left in the endpoint, the row says so.
            yield SurvivalSensitivity.conform(_nobody(main.rows(name), said))
            continue
        made = [main.rates[name] if same else rates[name]]
        for model in main.models.get(name, ()):
            known = same and (others is main.patients or main.fits(model, others, after))
            fitted = (
                main.ratios(model) if known else _ratios(label, others, after, [model], main.covariates, ties)
            )
            made.append(fitted)
        yield SurvivalSensitivity.conform(
            pl.concat(made).with_columns(pl.lit(v).alias(c) for c, v in said.items())
        )


_RATIO = "hazard ratio"
_COMPARED = (
    "pseudonym", "time_days", "time_days_earliest", "time_days_latest", "event_kind", "entry_days",
    "entry_days_earliest", "entry_days_latest",
)  # fmt: skip


def _rates(changed: Sequence[pl.DataFrame], horizons_months: Sequence[float]) -> dict[str, pl.DataFrame]:
    """Return survival and medians by endpoint; of all at once, because each estimate takes time to begin."""
    frames = [frame for frame in changed if frame.height]
    if not frames:
        return {}
    return _by_endpoint(kaplan_meier.sensitivity(pl.concat(frames), horizons_months))


def _same(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Return whether the endpoints of two frames are the same to a model."""
    if before is after:
        return True
    columns = [c for c in _COMPARED if c in before.columns]
    one, other = (f.select(columns) for f in (before, after))
    return one.equals(other) or one.sort(columns).equals(other.sort(columns))


def _moved(before: pl.DataFrame, after: pl.DataFrame) -> int:
    """Count the patients whose time, event or entry differs, including patients who enter or leave."""
    compared = [c for c in ("pseudonym", "time_days", "event_kind", "entry_days") if c in before.columns]
    alike = before.join(after, on=compared, how="semi", nulls_equal=True).height
    return pl.concat([before["pseudonym"], after["pseudonym"]]).n_unique() - alike


def _nobody(main: pl.DataFrame, said: dict[str, str | int]) -> pl.DataFrame:
    numbers = [pl.lit(None, pl.Float64).alias(c) for c in ("middle", "ci_low", "ci_high", *_ENDS)]
    nobody = [pl.lit(0, pl.Int64).alias(c) for c in ("n", "events")]
    return main.with_columns(*numbers, *nobody, *(pl.lit(v).alias(c) for c, v in said.items()))


_ENDS = ("earliest", "latest")


def _runs(
    patients: pl.DataFrame, endpoints: pl.DataFrame, variants: Sequence[CensoringVariant]
) -> Iterator[tuple[str, pl.DataFrame]]:
    if endpoints.height:
        yield MAIN, endpoints
    for variant in variants:
        mine = endpoints.filter(pl.col("endpoint") == variant.endpoint)
        if mine.height:
            yield variant.name, _censored(variant, patients, mine)


def _censored(variant: CensoringVariant, patients: pl.DataFrame, endpoints: pl.DataFrame) -> pl.DataFrame:
    times = list(DATINGS.values())
    if variant.date == "last known alive":
        alive = patients.select("pseudonym", _alive="follow_up_days")
        later = [pl.when("event").then(time).otherwise(pl.max_horizontal(time, "_alive")) for time in times]
        endpoints = (
            endpoints.join(alive, on="pseudonym", how="left", maintain_order="left")
            .with_columns(time.alias(name) for name, time in zip(times, later, strict=True))
            .drop("_alive")
        )
    event = pl.col("event") & ~pl.col("event_kind").is_in(variant.censor)
    frame = endpoints.with_columns(event=event)
    if variant.months is None:
        return frame
    last = variant.months * DAYS_PER_MONTH
    # Rounded up to a whole day, so that the curve is known at the limit. The middle of a partial date decides
    # whether an event counts.
    return frame.with_columns(
        *(pl.min_horizontal(time, pl.lit(ceil(last))).alias(time) for time in times),
        event=event & (pl.col("time_days") <= last),
    )


def _ratios(
    variant: str,
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    ties: Ties,
) -> pl.DataFrame:
    fits: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
    for dating, time in DATINGS.items():
        # If every date is exact, both ends have the fit of the middle.
        exact = bool(fits) and (endpoints.is_empty() or kaplan_meier.is_exact(endpoints, time))
        fits[dating] = (
            fits["middle"]
            if exact
            else {
                tuple(line[c] for c in _CONTRAST): line
                for data in model_data(patients, endpoints, models, covariates, time=time, ties=ties)
                for line in plain_lines(data)
            }
        )
    lines = [
        {
            **line,
            **{dating: fits[dating].get(of, {}).get("hazard_ratio") for dating in fits},
            "variant": variant,
            "quantity": _RATIO,
        }
        for of, line in fits["middle"].items()
    ]
    return SurvivalSensitivity.conform(pl.DataFrame(lines, schema=SurvivalSensitivity.polars_schema()))


_CONTRAST = ("model", "endpoint", "term", "level")
