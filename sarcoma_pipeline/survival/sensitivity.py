"""Sensitivity analyses beside the main analysis: how much do the results depend on assumptions?

Every variant is a complete analysis, with partial dates in the middle and at both ends of their intervals:

- ``main``: as reported;
- the ``censoring_variants`` of ``study.toml``: some kinds of event are censored, patients without event are
followed to the last day known alive, or the follow-up is limited. The tables contain only the first event of
an
  endpoint: a patient whose event is censored is therefore followed up to the day of that event;
- ``complete cases``: Cox models on the patients with every covariate of every model, so that models with
different covariates use the same patients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import ceil

import polars as pl

from sarcoma_pipeline.survival import kaplan_meier
from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.design import values
from sarcoma_pipeline.survival.kaplan_meier import DATINGS, DAYS_PER_MONTH, MAIN
from schemas.analysis import EFRON, SurvivalSensitivity
from schemas.configuration import CensoringVariant, Covariate, Model

COMPLETE = "complete cases"

Alternative = tuple[str, "str | int", pl.DataFrame, pl.DataFrame]
"""A switch of ``[assumptions]``, its value, and ``cohort.patients`` and ``cohort.endpoints`` under it."""

_ESTIMATE = ["endpoint", "quantity", "horizon_months", "model", "term", "level"]


def sensitivity(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    horizons_months: Sequence[float],
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    variants: Sequence[CensoringVariant],
    alternatives: Iterable[Alternative] = (),
) -> pl.DataFrame:
    """Run every variant, with the main analysis beside each estimate.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        horizons_months: times of the survival estimates.
        models: the Cox models.
        covariates: the covariates of the models.
        variants: the censoring variants.
        alternatives: the cohort under other assumptions, derived anew.

    Returns:
        `schemas.analysis.SurvivalSensitivity`.
    """
    parts = [SurvivalSensitivity.empty()]
    for variant, changed in _runs(patients, endpoints, variants):
        parts.append(kaplan_meier.sensitivity(changed, horizons_months, variant=variant))
        parts.append(_ratios(variant, patients, changed, models, covariates))
    named = {name for model in models for name in model.covariates}
    if named:
        complete = patients.filter(
            pl.all_horizontal(values(c).is_not_null() for c in covariates if c.name in named)
        )
        parts.append(_ratios(COMPLETE, complete, endpoints, models, covariates))
    for alternative in alternatives:
        parts += _under(alternative, patients, endpoints, horizons_months, models, covariates)
    frame = pl.concat(parts).drop("main")
    main = frame.filter(pl.col("variant") == MAIN).select(*_ESTIMATE, main="middle")
    frame = frame.join(main, on=_ESTIMATE, how="left", nulls_equal=True, maintain_order="left")
    return SurvivalSensitivity.enforce(SurvivalSensitivity.conform(frame))


def _under(
    alternative: Alternative,
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    horizons_months: Sequence[float],
    models: Sequence[Model],
    covariates: Sequence[Covariate],
) -> Iterator[pl.DataFrame]:
    """Estimate under another assumption, endpoint by endpoint, with the number of patients that it moves."""
    switch, value, others, changed = alternative
    compared = ["time_days", "event_kind", *(["entry_days"] if "entry_days" in endpoints.columns else [])]
    same_patients = _described(patients).equals(_described(others))
    for name in dict.fromkeys([*endpoints["endpoint"], *changed["endpoint"]]):
        before, after = (f.filter(pl.col("endpoint") == name) for f in (endpoints, changed))
        moved = before.select("pseudonym", *compared).join(
            after.select("pseudonym", *compared, _there=pl.lit(True)),
            on=["pseudonym", *compared], how="full", nulls_equal=True, coalesce=True,
        )  # fmt: skip
        alike = before.select("pseudonym", *compared).join(
            after.select("pseudonym", *compared), on=["pseudonym", *compared], how="semi", nulls_equal=True
        )
        count = moved["pseudonym"].n_unique() - alike.height
        label = f"{switch} = {value}"
        said = [
            pl.lit(switch).alias("switch"),
            pl.lit(str(value)).alias("value"),
            pl.lit(count).alias("moved"),
        ]
        if after.height:
            made = kaplan_meier.sensitivity(after, horizons_months, variant=label)
            yield SurvivalSensitivity.conform(made.with_columns(said))
            # Hazard ratios that nothing moved are those of the main analysis, and stand there.
            if count or not same_patients:
                fitted = _ratios(label, others, after, models, covariates)
                yield SurvivalSensitivity.conform(fitted.with_columns(said))


def _described(patients: pl.DataFrame) -> pl.DataFrame:
    """Return the patients without what names the records that they rest on, in order."""
    return patients.drop("record_ids", "centre", strict=False).sort("pseudonym")


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
) -> pl.DataFrame:
    of = ["model", "endpoint", "term", "level"]
    fits = {
        dating: hazard_ratios(patients, endpoints, models, covariates, time=time).filter(
            pl.col("method") == EFRON
        )
        for dating, time in DATINGS.items()
    }
    frame = fits["middle"].rename({"hazard_ratio": "middle"})
    for dating in ("earliest", "latest"):
        other = fits[dating].select(*of, pl.col("hazard_ratio").alias(dating))
        frame = frame.join(other, on=of, how="left", nulls_equal=True, maintain_order="left")
    named = frame.with_columns(variant=pl.lit(variant), quantity=pl.lit("hazard ratio"))
    return SurvivalSensitivity.conform(named)
