"""Contracts of the analysis layer: groups made comparable by inverse-probability weights."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

UNBALANCED = 0.1
"""A standardised difference above it is usually called an imbalance (Austin 2009)."""

_CI = "Log-log 95 % limit with the robust variance; null where the survival is 0 or 1."


class WeightedGroup(Contract, table="analysis.weighted_group"):
    """One group of a weighting: its patients, weights and propensity scores."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    weighting: pl.String = column("Weighting", "Name in study.toml.", nullable=False)
    treatment: pl.String = column("Treatment", "Covariate whose levels are compared.", nullable=False)
    level: pl.String = column("Group", "Its level.", nullable=False)
    n: pl.Int64 = column("n", "Patients with every covariate of the weighting.", nullable=False)
    missing: pl.Int64 = column(
        "Missing", "Patients left out: no treatment of the two, or a missing covariate.", nullable=False
    )
    effective_size: pl.Float64 = column(
        "Effective sample size", "(Sum of the weights)² / sum of their squares (Kish)."
    )
    weight_mean: pl.Float64 = column("Mean weight", "About 1 if the weights are stabilised.")
    weight_low: pl.Float64 = column("Least weight", "Of the group.")
    weight_high: pl.Float64 = column("Greatest weight", "Of the group.")
    score_low: pl.Float64 = column("Least propensity", "Probability of the treatment that was given.")
    score_high: pl.Float64 = column("Greatest propensity", "Probability of the treatment that was given.")
    method: pl.String = column("Method", "How the propensity was estimated; null if it could not be.")
    warning: pl.String = column("Warning", "Where groups hardly overlap, or weights are extreme.")


class WeightedBalance(Contract, table="analysis.weighted_balance"):
    """One covariate of a weighting: how far the groups lie apart, before and after."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    weighting: pl.String = column("Weighting", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml.", nullable=False)
    level: pl.String = column("Level", "Level of a factor; null for a number.")
    before: pl.Float64 = column(
        "Before", "Standardised difference of the patients as they are; null without any spread."
    )
    after: pl.Float64 = column(
        "After", "The same of the weighted patients, in units of the spread before (Austin and Stuart 2015)."
    )


class WeightedCurve(Contract, table="analysis.weighted_curve"):
    """One time of the weighted (adjusted) Kaplan–Meier curve of a group."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    weighting: pl.String = column("Weighting", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    level: pl.String = column("Group", "Level of the treatment.", nullable=False)
    time_months: pl.Float64 = column("Time", "Since time zero.", nullable=False, unit="months")
    at_risk: pl.Int64 = column("At risk", "Patients, not weighted.", nullable=False)
    weighted_at_risk: pl.Float64 = column("Weight at risk", "Sum of their weights.", nullable=False)
    events: pl.Int64 = column("Events", "Patients with an event at this time.", nullable=False)
    censored: pl.Int64 = column("Censored", "Patients censored at this time.", nullable=False)
    survival: pl.Float64 = column("Survival", "Weighted Kaplan–Meier estimate.", nullable=False)
    ci_low: pl.Float64 = column("95 % CI, low", _CI)
    ci_high: pl.Float64 = column("95 % CI, high", _CI)


class WeightedHazardRatio(Contract, table="analysis.weighted_hazard_ratio"):
    """The treatment's hazard ratio for one endpoint: weighted, and of the patients as they are."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    weighting: pl.String = column("Weighting", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    contrast: pl.String = column("Contrast", "As printed: 'Preoperative vs. postoperative'.", nullable=False)
    n: pl.Int64 = column("n", "Patients of both groups.", nullable=False)
    events: pl.Int64 = column("Events", "Among them.", nullable=False)
    hazard_ratio: pl.Float64 = column("Hazard ratio, weighted", "exp(coefficient).")
    ci_low: pl.Float64 = column("95 % CI, low", "Wald limit with the robust standard error.")
    ci_high: pl.Float64 = column("95 % CI, high", "Wald limit with the robust standard error.")
    p_value: pl.Float64 = column("p", "Wald test with the robust standard error, two-sided.")
    coefficient: pl.Float64 = column("Coefficient", "Log hazard ratio, weighted.")
    standard_error: pl.Float64 = column(
        "Robust standard error", "Lin and Wei's (R: coxph(weights, robust = TRUE))."
    )
    crude_hazard_ratio: pl.Float64 = column(
        "Hazard ratio, as they are", "Of the same patients, not weighted."
    )
    crude_ci_low: pl.Float64 = column("95 % CI, low, as they are", "Wald limit, robust.")
    crude_ci_high: pl.Float64 = column("95 % CI, high, as they are", "Wald limit, robust.")
    crude_p_value: pl.Float64 = column("p, as they are", "Wald test, robust.")
    note: pl.String = column("Note", "Why there is no estimate, or why it says little.")
