"""Derives the endpoints; written as a specification.

Time zero is the initial pathological diagnosis of the index tumour; everything is counted in days from it.

- **death**: of any cause, from any source, as reconciled.
- **distant relapse**: an examination finds the distant status `relapse` or `progression`, or documents a
  metastasis; it happened on the day of the metastasis where one is given, else on that of the examination.
- **regional relapse**: the status of the regional lymph nodes is `relapse` or `progression`.
- **local relapse**: the local status is `relapse`; or `progression` with no operation on the tumour after it
  (a tumour that grows and is then removed has not relapsed; one that stays in place has).
- **relapse of unknown site**: the overall status is `relapse` and no site is said.
- **second malignancy**: another tumour of behaviour /3 or ICD-10 chapter C, diagnosed after time zero.

An endpoint's time ends with the first of the events that study.toml names for it; of two on one day the one
named first counts. Without an event it is censored on the last day on which somebody looked:

- ``last known alive``: from any source, a registry office's reply included;
- ``last disease assessment``: the last examination that says something of the disease. That an office says
  "alive in June" says nothing about relapse.

A patient without any such day has no row. A death of unknown date ends nothing: it is a finding, and the time
is censored.

A partial date stands in the middle of its month or year, never before time zero nor after death; its two ends
give ``time_days_earliest`` and ``time_days_latest``. If time zero itself is partial, its interval counts as
well, but only where the time was counted from calendar dates and not by the source.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort.primary import Curated, surgeries, tumour
from schemas.cohort import CohortDerivability, CohortEndpoint
from schemas.configuration import EndpointRule, Study

DAYS_PER_MONTH = 30.4375

_FOUND = ["relapse", "progression"]
_SAYS_NOTHING = ["unknown", "missing", "not assessable"]
_COLUMNS = ("patient_id", "kind", "day", "date", "precision", "record_ids")


@dataclass(frozen=True)
class Derived:
    """``cohort.endpoints`` and ``cohort.derivability``."""

    endpoints: pl.DataFrame
    derivability: pl.DataFrame


def derive(curated: Curated, eligible: pl.Series, study: Study) -> Derived:
    """Derive every endpoint of the eligible patients.

    Args:
        curated: the curated tables.
        eligible: pseudonyms.
        study: the endpoints' rules.
    """
    members = curated["curated.patient"].filter(pl.col("pseudonym").is_in(eligible.implode()))
    who = members.select("patient_id", "pseudonym")
    happened, looked = events(curated), censoring(curated)
    derived = [_endpoint(rule, who, happened, looked, curated) for rule in study.endpoints if rule.derivable]
    derivability = [
        {"endpoint": r.name, "derivable": r.derivable, "reason": None if r.derivable else r.reason}
        for r in study.endpoints
    ]
    return Derived(
        CohortEndpoint.conform(pl.concat([CohortEndpoint.empty(), *derived])),
        CohortDerivability.conform(pl.DataFrame(derivability)),
    )


def events(curated: Curated) -> pl.DataFrame:
    """Everything that may end an endpoint.

    Returns:
        ``patient_id, kind, day, date`` (null where the source counts days), ``precision, record_ids``; one
        row per event, relapses and second malignancies after time zero only.
    """
    assessed = curated["curated.assessment"].with_columns(
        day=pl.col("assessment_day"), date=pl.col("assessment_date"), precision=pl.lit("day")
    )
    metastasis = pl.col("distant_day").is_not_null()
    distant = assessed.filter(pl.col("distant_status").is_in(_FOUND) | metastasis).with_columns(
        kind=pl.lit("distant relapse"),
        day=pl.coalesce(["distant_day", "assessment_day"]),
        date=pl.when(metastasis).then("distant_date").otherwise("assessment_date"),
        precision=pl.when(metastasis).then("distant_date_precision").otherwise(pl.lit("day")),
    )
    regional = assessed.filter(pl.col("regional_status").is_in(_FOUND)).with_columns(
        kind=pl.lit("regional relapse")
    )
    no_site = pl.all_horizontal(
        pl.col(c).is_null() | pl.col(c).is_in(_SAYS_NOTHING)
        for c in ("local_status", "regional_status", "distant_status")
    )
    unknown = assessed.filter((pl.col("overall_status") == "relapse") & no_site & ~metastasis).with_columns(
        kind=pl.lit("relapse of unknown site")
    )
    malignant = pl.any_horizontal(
        pl.col("icdo3_morphology").str.ends_with("/3").fill_null(False),
        pl.col("icd10_code").str.starts_with("C").fill_null(False),
    )
    second = (
        curated["curated.diagnosis"]
        .filter(~pl.col("index_tumour") & malignant)
        .with_columns(
            kind=pl.lit("second malignancy"), date=pl.col("diagnosis_date"),
            precision=pl.col("diagnosis_date_precision"),
        )
    )  # fmt: skip
    after_zero = pl.concat(
        [f.select(_COLUMNS) for f in (_local_relapses(assessed, curated), regional, distant, unknown, second)]
    ).filter(pl.col("day") > 0)
    died = curated["curated.vital_status"].select(
        "patient_id",
        kind=pl.lit("death"),
        day="death_day",
        date="death_date",
        precision="death_date_precision",
        record_ids="death_record_ids",
    )
    return pl.concat([died.filter(pl.col("day").is_not_null()), after_zero])


def _local_relapses(assessed: pl.DataFrame, curated: Curated) -> pl.DataFrame:
    last_operation = surgeries(curated).group_by("patient_id").agg(_operated=pl.col("surgery_day").max())
    stays = pl.col("_operated").is_null() | (pl.col("_operated") <= pl.col("day"))
    return (
        assessed.join(last_operation, on="patient_id", how="left")
        .filter(
            (pl.col("local_status") == "relapse") | ((pl.col("local_status") == "progression") & stays)
        )
        .with_columns(kind=pl.lit("local relapse"))
    )  # fmt: skip


def censoring(curated: Curated) -> dict[str, pl.DataFrame]:
    """Per rule of censoring, the last day on which somebody looked: columns as of :func:`events`."""
    alive = curated["curated.vital_status"].select(
        "patient_id",
        kind=pl.lit("censored"),
        day="last_alive_day",
        date="last_alive_date",
        precision=pl.lit("day"),
        record_ids="last_alive_record_ids",
    )
    statuses = ("overall_status", "local_status", "regional_status", "distant_status")
    tells = pl.any_horizontal(
        (pl.col(c).is_not_null() & ~pl.col(c).is_in(_SAYS_NOTHING)).fill_null(False) for c in statuses
    )
    assessed = (
        curated["curated.assessment"]
        .filter(tells & (pl.col("assessment_day") >= 0))
        .sort("assessment_day", maintain_order=True)
        .group_by("patient_id", maintain_order=True)
        .last()
        .select(
            "patient_id",
            kind=pl.lit("censored"),
            day="assessment_day",
            date="assessment_date",
            precision=pl.lit("day"),
            record_ids="record_ids",
        )
    )
    found = {"last known alive": alive, "last disease assessment": assessed}
    return {name: frame.filter(pl.col("day").is_not_null()) for name, frame in found.items()}


def _endpoint(
    rule: EndpointRule,
    who: pl.DataFrame,
    happened: pl.DataFrame,
    looked: Mapping[str, pl.DataFrame],
    curated: Curated,
) -> pl.DataFrame:
    order = {kind: i for i, kind in enumerate(rule.events)}
    counted = happened.filter(pl.col("kind").is_in(rule.events))
    first = (
        counted.sort("day", pl.col("kind").replace_strict(order, default=len(order)), maintain_order=True)
        .group_by("patient_id", maintain_order=True)
        .agg(
            # All records that tell of the same event on the same day are its evidence.
            record_ids=pl.col("record_ids")
            .filter((pl.col("day") == pl.col("day").first()) & (pl.col("kind") == pl.col("kind").first()))
            .explode(),
            **{c: pl.col(c).first() for c in ("kind", "day", "date", "precision")},
        )
        .select(_COLUMNS)
    )
    without = looked[rule.censor].join(first, on="patient_id", how="anti").select(_COLUMNS)
    ended = pl.concat([first, without]).join(who, on="patient_id")
    zero = tumour(curated).select(
        "patient_id", _zero="diagnosis_date", _zero_precision="diagnosis_date_precision"
    )
    died = curated["curated.vital_status"].select("patient_id", _died="death_day")
    framed = ended.join(zero, on="patient_id", how="left").join(died, on="patient_id", how="left")
    # Where a source counts days there is no date, or one that has nothing to do with the day.
    dated = ((pl.col("date") - pl.col("_zero")).dt.total_days() == pl.col("day")).fill_null(False)
    precision = pl.when(dated).then(pl.col("precision").fill_null("day")).otherwise(pl.lit("day"))
    zeroed = pl.when(dated).then(pl.col("_zero_precision").fill_null("day")).otherwise(pl.lit("day"))
    back, forth = _reach(pl.col("date"), precision)
    zero_back, zero_forth = _reach(pl.col("_zero"), zeroed)
    middle = pl.max_horizontal(pl.lit(0), pl.min_horizontal("day", pl.coalesce(["_died", "day"])))
    coarse = {"day": 0, "month": 1, "year": 2}
    rank = pl.max_horizontal(precision.replace_strict(coarse), zeroed.replace_strict(coarse))
    return CohortEndpoint.conform(
        framed.with_columns(_days=middle.cast(pl.Int32))
        .select(
            "pseudonym",
            endpoint=pl.lit(rule.name),
            time_days="_days",
            time_months=pl.col("_days") / DAYS_PER_MONTH,
            event=pl.col("kind") != "censored",
            event_kind="kind",
            evidence=pl.col("record_ids").list.unique().list.sort(),
            date_precision=rank.replace_strict({v: k for k, v in coarse.items()}, return_dtype=pl.String),
            time_days_earliest=pl.max_horizontal(pl.lit(0), pl.col("_days") - back - zero_forth),
            time_days_latest=pl.col("_days") + forth + zero_back,
        )
        .sort("pseudonym")
    )


def _reach(date: pl.Expr, precision: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Days from a partial date back to the first and forth to the last day of its interval."""

    def within(start: pl.Expr, end: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
        return (date - start).dt.total_days(), (end - date).dt.total_days()

    month = within(date.dt.month_start(), date.dt.month_end())
    year = within(pl.date(date.dt.year(), 1, 1), pl.date(date.dt.year(), 12, 31))
    back, forth = (
        pl.when(precision == "month").then(m).when(precision == "year").then(y).otherwise(0).fill_null(0)
        for m, y in zip(month, year, strict=True)
    )
    return back, forth
