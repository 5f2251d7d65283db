"""Contracts of the analysis layer: completeness of follow-up, and when covariates became known."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

KNOWN_FROM: dict[str, tuple[str, ...]] = {
    "radiation_sequence": ("radiotherapy start",),
    "dose_gy": ("radiotherapy start",),
    "prescribed_dose_gy": ("radiotherapy start",),
    "delivered_dose_gy": ("radiotherapy end",),
    "fractions": ("radiotherapy start",),
    "single_dose_gy": ("radiotherapy start",),
    "boost": ("radiotherapy start",),
    "technique": ("radiotherapy start",),
    "beam_energy_mv": ("radiotherapy start",),
    "ct_slice_thickness_mm": ("radiotherapy start",),
    "residual_status": ("definitive resection",),
    "resected": ("definitive resection",),
    "chemotherapy": ("radiotherapy end", "definitive resection"),
    "relapse_pattern": ("end of the time",),
    "follow_up_days": ("end of the time",),
    "follow_up_months": ("end of the time",),
    "registry_answer_days": ("end of the time",),
    "registry_answer_age_months": ("end of the time",),
}
"""Column of ``cohort.patients`` to the days that make it known (the last counts). Others are baseline."""


class FollowUpCompleteness(Contract, table="analysis.follow_up_completeness"):
    """How much of the possible person-time of an endpoint was observed, in all patients or at one level."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "The factor of the subgroup; null for all patients.")
    level: pl.String = column("Level", "Of the factor.")
    n: pl.Int64 = column("n", "Patients at risk of the endpoint.", nullable=False)
    events: pl.Int64 = column("Events", "Of the endpoint.", nullable=False)
    observed_years: pl.Float64 = column(
        "Observed", "Person-time under observation.", unit="person-years", nullable=False
    )
    possible_years: pl.Float64 = column(
        "Possible",
        "Person-time up to the data cut-off, or to the event, a censoring event or death before it.",
        unit="person-years",
        nullable=False,
    )
    completeness: pl.Float64 = column(
        "Completeness", "Observed / possible (Clark 2002); null where nothing was possible."
    )
    lost: pl.Int64 = column(
        "Lost", "Patients without an event whose time ends more than a year before it could.", nullable=False
    )
    never_examined: pl.Int64 = column(
        "Never examined", "Of an endpoint that needs examinations: patients without one that counts."
    )
    late_deaths: pl.Int64 = column(
        "Late deaths",
        "Of an endpoint that needs examinations: deaths that count as its event, later after the last "
        "examination than the window of the assumptions, or without any.",
    )
    p_value: pl.Float64 = column("p", "Log-rank test of the losses between the levels of the factor.")
    warning: pl.String = column("Warning", "What the numbers give reason to doubt.")


class ImmortalTime(Contract, table="analysis.immortal_time"):
    """The time from an endpoint's origin to a treatment, which only surviving patients reach."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    milestone: pl.String = column("Treatment", "What begins or happens on the day.", nullable=False)
    n: pl.Int64 = column("n", "Patients at risk of the endpoint who have a day of it.", nullable=False)
    median_days: pl.Float64 = column("Median", "Days from the origin (quantile type 7).", unit="d")
    q1_days: pl.Float64 = column("First quartile", "Days from the origin.", unit="d")
    q3_days: pl.Float64 = column("Third quartile", "Days from the origin.", unit="d")
    longest_days: pl.Int64 = column("Longest", "Days from the origin.", unit="d")
    events_before: pl.Int64 = column(
        "Events before", "Events of the endpoint up to and on that day, after the entry.", nullable=False
    )
    percent: pl.Float64 = column("Share", "Of the patients' time at risk that lies before.", unit="%")


class CovariateTiming(Contract, table="analysis.covariate_timing"):
    """One covariate of a Cox model that is known only after some patients are at risk."""

    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml.", nullable=False)
    known_from: pl.String = column("Known from", "The treatment that makes it known.", nullable=False)
    n: pl.Int64 = column("n", "Patients at risk before it is known.", nullable=False)
    median_days: pl.Float64 = column("Median", "Days at risk before it is known.", unit="d", nullable=False)
    events_before: pl.Int64 = column("Events before", "Events before it is known.", nullable=False)
    warning: pl.String = column("Warning", "What follows from it.", nullable=False)
