"""Contracts of the frequencies of toxicity: shares in a window, and cumulative incidence."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

_GROUP = "The group: a level, or a part of a number; null for all patients."


class _Line(Contract):
    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)


class _OfGroup(Contract):
    """One endpoint of toxicity in all patients, or in one group of those that are compared."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml; its groups are compared.", nullable=False)
    level: pl.String = column("Level", _GROUP)


class ToxicityRate(_OfGroup, _Line, table="analysis.toxicity_rate"):
    """One endpoint of toxicity in all patients or in one group: patients with it among those who count."""

    patients: pl.Int64 = column("Patients", "Of the group, documented or not.", nullable=False)
    treated: pl.Int64 = column(
        "Treated", "Patients with the therapy that it is a toxicity of, documented or not.", nullable=False
    )
    documented: pl.Int64 = column(
        "Documented",
        "Patients whose documentation says whether there was such a toxicity. No documentation is not the "
        "same as none.",
        nullable=False,
    )
    counted: pl.Int64 = column(
        "Counted", "The denominator: documented patients, unless study.toml says otherwise.", nullable=False
    )
    events: pl.Int64 = column("Patients with it", "Among those who count.", nullable=False)
    unclear: pl.Int64 = column(
        "Unclear",
        "Patients who count, with a toxicity that may be one, because its grade, kind, version or window is "
        "not known.",
        nullable=False,
    )
    died: pl.Int64 = column(
        "Died in the window", "Patients without it who died within the window.", nullable=False
    )
    share: pl.Float64 = column("Share", "Patients with it / counted; null if nobody counts.")
    ci_low: pl.Float64 = column("95 % CI, low", "Exact limit (Clopper–Pearson; R: binom.test).")
    ci_high: pl.Float64 = column("95 % CI, high", "Exact limit (Clopper–Pearson; R: binom.test).")
    least: pl.Float64 = column(
        "Least share", "Patients with it / treated: the share if nobody without documentation had it."
    )
    p_value: pl.Float64 = column(
        "p",
        "Fisher's exact test of the groups (R: fisher.test), repeated in every row; null with fewer than two "
        "groups that count, or without any event. If more than 200 000 tables are possible, or fewer in a "
        "large study, 100 000 random ones are compared (R: simulate.p.value).",
    )


class ToxicityIncidence(_OfGroup, _Line, table="analysis.toxicity_incidence"):
    """Cumulative incidence of one endpoint of toxicity at a horizon, in all patients or in one group."""

    horizon_months: pl.Float64 = column("Horizon", "Time since the therapy.", nullable=False)
    at_start: pl.Int64 = column("Patients", "At risk on the day of the therapy.", nullable=False)
    events: pl.Int64 = column("Patients with it", "Within the whole follow-up.", nullable=False)
    deaths: pl.Int64 = column("Deaths", "That ended the risk.", nullable=False)
    amputations: pl.Int64 = column("Amputations", "That ended the risk.", nullable=False)
    undated: pl.Int64 = column(
        "Without a date",
        "Patients whose toxicity has no date: it is placed in the middle of the days on which it may have "
        "begun.",
        nullable=False,
    )
    at_risk: pl.Int64 = column("At risk", "At the horizon.", nullable=False)
    value: pl.Float64 = column(
        "Cumulative incidence", "Aalen–Johansen estimate at the horizon; null beyond the last time."
    )
    standard_error: pl.Float64 = column("Standard error", "Infinitesimal jackknife, as R's survfit.")
    ci_low: pl.Float64 = column("95 % CI, low", "Log-log interval.")
    ci_high: pl.Float64 = column("95 % CI, high", "Log-log interval.")
    gray_statistic: pl.Float64 = column(
        "Gray's statistic", "Test of the groups (R: cmprsk), repeated in every row."
    )
    gray_degrees: pl.Int64 = column("Degrees of freedom", "Of Gray's test.")
    p_value: pl.Float64 = column(
        "p",
        "Of Gray's test; null with fewer than two groups at risk, without any event, or where so many "
        "patients have the event on one day that the variance of the test is negative.",
    )


class ToxicityCurve(_OfGroup, table="analysis.toxicity_curve"):
    """Cumulative incidence of one endpoint of toxicity over time, in all patients or in one group."""

    time_months: pl.Float64 = column("Time", "Since the therapy.", unit="months", nullable=False)
    at_risk: pl.Int64 = column("At risk", "Just before the time.", nullable=False)
    events: pl.Int64 = column("Patients with it", "At the time.", nullable=False)
    incidence: pl.Float64 = column("Cumulative incidence", "Aalen–Johansen estimate.", nullable=False)
    ci_low: pl.Float64 = column("95 % CI, low", "Log-log interval.")
    ci_high: pl.Float64 = column("95 % CI, high", "Log-log interval.")


class DoseResponseCurve(_Line, table="analysis.dose_response"):
    """One point of a logistic curve: the probability of a toxicity by a dose, in the documented patients."""

    name: pl.String = column("Name", "Name of the curve in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name of the toxicity in study.toml.", nullable=False)
    column_name: pl.String = column("Column", "The number: a column of the patients.", nullable=False)
    patients: pl.Int64 = column(
        "Patients", "With documentation of the toxicity and a known value.", nullable=False
    )
    events: pl.Int64 = column("Patients with it", "Among these patients.", nullable=False)
    left_out: pl.Int64 = column(
        "Left out", "Patients without documentation of the toxicity, or without a value.", nullable=False
    )
    odds_ratio: pl.Float64 = column("Odds ratio", "Per unit of the number; null without a curve.")
    odds_ratio_low: pl.Float64 = column("Odds ratio, low", "95 % limit (Wald).")
    odds_ratio_high: pl.Float64 = column("Odds ratio, high", "95 % limit (Wald).")
    p_value: pl.Float64 = column("p", "Wald's test of the slope, not adjusted for several tests.")
    value: pl.Float64 = column("Value", "The number at this point; from the 5th to the 95th percentile.")
    probability: pl.Float64 = column("Probability", "Of the toxicity, by the fitted curve.")
    ci_low: pl.Float64 = column("95 % CI, low", "Of the probability (Wald, on the log odds).")
    ci_high: pl.Float64 = column("95 % CI, high", "Of the probability (Wald, on the log odds).")
    warning: pl.String = column("Warning", "Why there is no curve.")
