"""Compute sensitivity analyses: how much do the results depend on assumptions?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

import polars as pl

from sarcoma_pipeline.survival import kaplan_meier
from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.design import values
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
    main = pl.concat(parts).filter(pl.col("variant") == MAIN)
    for alternative in alternatives:
        parts += _under(alternative, patients, endpoints, main, horizons_months, models, covariates, ties)
    frame = pl.concat(parts).drop("main")
    main = frame.filter(pl.col("variant") == MAIN).select(*_ESTIMATE, main="middle")
    frame = frame.join(main, on=_ESTIMATE, how="left", nulls_equal=True, maintain_order="left")
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


def _under(
    alternative: Alternative,
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    main: pl.DataFrame,
    horizons_months: Sequence[float],
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    ties: Ties,
) -> Iterator[pl.DataFrame]:
    """Estimate under another assumption, by endpoint, with the number of patients whose result changes.

    If nothing changes, the rows of the main analysis are used instead of computing them again.
    """
    switch, value, (others, changed) = alternative
    label = f"{switch} = {value}"
    used = sorted({c.column for c in covariates})
    same_covariates = _same(patients, others, ["pseudonym", *used])
    for name in dict.fromkeys([*endpoints["endpoint"], *changed["endpoint"]]):
        before, after = (f.filter(pl.col("endpoint") == name) for f in (endpoints, changed))
        said = {"variant": label, "switch": switch, "value": str(value), "moved": _moved(before, after)}
        if after.is_empty():
            # If no patient is left in the endpoint, the row says so.
            yield SurvivalSensitivity.conform(_nobody(main.filter(endpoint=name), said))
            continue
        same = _same(before, after, [c for c in _COMPARED if c in before.columns])
        rates = pl.col("endpoint").eq(name) & pl.col("quantity").ne(_RATIO)
        ratios = pl.col("endpoint").eq(name) & pl.col("quantity").eq(_RATIO)
        made = [
            main.filter(rates) if same else kaplan_meier.sensitivity(after, horizons_months),
            main.filter(ratios)
            if same and same_covariates
            else _ratios(label, others, after, models, covariates, ties),
        ]
        yield SurvivalSensitivity.conform(
            pl.concat(made).with_columns(pl.lit(v).alias(c) for c, v in said.items())
        )


_RATIO = "hazard ratio"
_COMPARED = (
    "pseudonym", "time_days", "time_days_earliest", "time_days_latest", "event_kind", "entry_days",
    "entry_days_earliest", "entry_days_latest",
)  # fmt: skip


def _same(before: pl.DataFrame, after: pl.DataFrame, columns: Sequence[str]) -> bool:
    """Return whether two frames have the same values in some columns."""
    one, other = (f.select(columns).sort(columns) for f in (before, after))
    return one.equals(other)


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


def _exact(endpoints: pl.DataFrame, time: str) -> bool:
    """Return whether the times and entries at one end of the partial dates are those of the middle."""
    ends = (time, DATINGS["middle"])
    one, middle = (
        endpoints.select(time_days=t, entry_days=kaplan_meier.entry_at(t, endpoints.columns)) for t in ends
    )
    return one.equals(middle)


def _ratios(
    variant: str,
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    ties: Ties,
) -> pl.DataFrame:
    of = ["model", "endpoint", "term", "level"]
    fits: dict[str, pl.DataFrame] = {}
    for dating, time in DATINGS.items():
        # If every date is exact, both ends have the fit of the middle.
        exact = bool(fits) and (endpoints.is_empty() or _exact(endpoints, time))
        fits[dating] = (
            fits["middle"]
            if exact
            else hazard_ratios(patients, endpoints, models, covariates, time=time, penalise=False, ties=ties)
        )
    frame = fits["middle"].rename({"hazard_ratio": "middle"})
    for dating in _ENDS:
        other = fits[dating].select(*of, pl.col("hazard_ratio").alias(dating))
        frame = frame.join(other, on=of, how="left", nulls_equal=True, maintain_order="left")
    named = frame.with_columns(variant=pl.lit(variant), quantity=pl.lit(_RATIO))
    return SurvivalSensitivity.conform(named)
