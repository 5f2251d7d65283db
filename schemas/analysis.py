"""Contracts of the analysis layer: tables, curves and estimates, as printed in the report.

These tables have no rules, because they contain the program's own results; `tests/survival` checks them.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

_SURVIVAL_CI = "Log-log 95 % limit (R: conf.type = 'log-log'); null where the survival is 0 or 1."
_INCIDENCE_CI = "Log-log 95 % limit (R: conf.type = 'log-log'); null where the incidence is 0 or 1."
_RATIO_CI = "Wald limit; with Firth's penalty, limit of the profile penalised likelihood."


EFRON = "Cox, Efron"
PENALTY = "Firth's penalty"
FIRTH = f"{EFRON}, {PENALTY}"
"""Methods of a hazard ratio; the penalised one is used if the ordinary estimate does not exist."""
PENALISED = pl.col("method").str.ends_with(PENALTY)
"""The rows of `HazardRatio` with Firth's penalty, with any treatment of ties."""


class TableOne(Contract, table="analysis.table_one"):
    """One line of Table 1: a level of a factor, or a statistic of a number."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    block: pl.String = column("Block", "Title of the variable.", nullable=False)
    level: pl.String = column("Level", "Label of the factor's level; null for a number.")
    statistic: pl.String = column("Statistic", "n (%), median or Q1–Q3.", nullable=False)
    n: pl.Int64 = column("n", "Patients at the level, or with a number.", nullable=False)
    denominator: pl.Int64 = column("Denominator", "Patients of the block, missing included.", nullable=False)
    percent: pl.Float64 = column("Percentage", "100 n / denominator, not rounded.", unit="%")
    percent_printed: pl.String = column("Percentage, printed", "Rounded half up to a whole number.", unit="%")
    value: pl.Float64 = column("Value", "The median (quantile type 7).")
    low: pl.Float64 = column("Low", "First quartile (type 7).")
    high: pl.Float64 = column("High", "Third quartile (type 7).")
    text: pl.String = column("Text", "The cell as printed.", nullable=False)


class SurvivalCurve(Contract, table="analysis.survival_curve"):
    """One time of a Kaplan–Meier curve: time 0, and every time with an event or censoring."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    time_months: pl.Float64 = column("Time", "Since time zero.", nullable=False, unit="months")
    at_risk: pl.Int64 = column("At risk", "Patients with at least this time.", nullable=False)
    events: pl.Int64 = column("Events", "Events at this time.", nullable=False)
    censored: pl.Int64 = column("Censored", "Patients censored at this time.", nullable=False)
    survival: pl.Float64 = column("Survival", "Kaplan–Meier estimate after this time.", nullable=False)
    ci_low: pl.Float64 = column("95 % CI, low", _SURVIVAL_CI)
    ci_high: pl.Float64 = column("95 % CI, high", _SURVIVAL_CI)


class SurvivalEstimate(Contract, table="analysis.survival_estimate"):
    """One estimate from a Kaplan–Meier curve or of the follow-up."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    quantity: pl.String = column(
        "Quantity",
        "events, survival, median, follow-up observed (plain quantile of the times, events included) or "
        "follow-up reverse Kaplan–Meier (Schemper and Smith 1996: censoring is the event).",
        nullable=False,
    )
    horizon_months: pl.Float64 = column("Horizon", "For survival: the time.", unit="months")
    value: pl.Float64 = column(
        "Value", "Probability, months, or number of events; null for a median that is not reached."
    )
    ci_low: pl.Float64 = column("95 % CI, low", "Log-log limit; for medians by inverting the limits.")
    ci_high: pl.Float64 = column("95 % CI, high", "Log-log limit; for medians by inverting the limits.")
    q1: pl.Float64 = column("First quartile", "Of a time: 25 % have ended.", unit="months")
    q3: pl.Float64 = column("Third quartile", "Of a time: 75 % have ended.", unit="months")
    n: pl.Int64 = column("n", "Patients.", nullable=False)
    events: pl.Int64 = column("Events", "Up to the horizon, else all.", nullable=False)
    at_risk: pl.Int64 = column("At risk", "Patients at risk at the horizon.")


class SurvivalSensitivity(Contract, table="analysis.survival_sensitivity"):
    """One estimate of a sensitivity variant, with three datings of partial dates, and the main estimate."""

    variant: pl.String = column(
        "Variant",
        "main; complete cases (patients with every covariate, the same in every Cox model); or a variant of "
        "study.toml with other censoring: of other events, at another day, or earlier.",
        nullable=False,
    )
    switch: pl.String = column("Switch", "For another assumption: its name in [assumptions].")
    value: pl.String = column("Value", "For another assumption: what it is in this run.")
    moved: pl.Int64 = column(
        "Moved", "For another assumption: patients whose row of the endpoint differs from the main analysis."
    )
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    quantity: pl.String = column("Quantity", "survival, median or hazard ratio.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "For survival: the time.", unit="months")
    model: pl.String = column("Model", "For a hazard ratio: name in study.toml.")
    term: pl.String = column("Term", "For a hazard ratio: name of the covariate.")
    level: pl.String = column("Level", "For a hazard ratio of a factor: its level.")
    main: pl.Float64 = column("Main analysis", "The same estimate of the main analysis.")
    middle: pl.Float64 = column(
        "Middle", "Partial dates in the middle of the interval, as in the main analysis."
    )
    ci_low: pl.Float64 = column("95 % CI, low", "Limit of the middle estimate.")
    ci_high: pl.Float64 = column("95 % CI, high", "Limit of the middle estimate.")
    earliest: pl.Float64 = column("Earliest", "With the early end of every partial date.")
    latest: pl.Float64 = column("Latest", "With the late end of every partial date.")
    n: pl.Int64 = column("n", "Patients of the run.", nullable=False)
    events: pl.Int64 = column("Events", "Events of the run.", nullable=False)


class RestrictedMean(Contract, table="analysis.restricted_mean"):
    """Mean survival time up to a horizon: the area under the Kaplan–Meier curve."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "Upper limit of the time.", nullable=False, unit="months")
    value: pl.Float64 = column(
        "Restricted mean",
        "Null beyond the last time, where the curve is not known, unless it has fallen to 0.",
        unit="months",
    )
    standard_error: pl.Float64 = column(
        "Standard error", "By Greenwood's formula (R: print of survfit).", unit="months"
    )
    ci_low: pl.Float64 = column("95 % CI, low", "Normal approximation, at least 0.", unit="months")
    ci_high: pl.Float64 = column("95 % CI, high", "Normal approximation, at most the horizon.", unit="months")
    n: pl.Int64 = column("n", "Patients.", nullable=False)
    events: pl.Int64 = column("Events", "Up to the horizon.", nullable=False)


class CumulativeIncidence(Contract, table="analysis.cumulative_incidence"):
    """One time of an Aalen–Johansen curve: time 0, and every time with an event or censoring."""

    analysis: pl.String = column("Analysis", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    cause: pl.String = column("Cause", "Name in study.toml; the others compete with it.", nullable=False)
    time_months: pl.Float64 = column("Time", "Since time zero.", nullable=False, unit="months")
    at_risk: pl.Int64 = column("At risk", "Patients with at least this time.", nullable=False)
    events: pl.Int64 = column("Events", "Events of the cause at this time.", nullable=False)
    incidence: pl.Float64 = column(
        "Cumulative incidence", "Aalen–Johansen estimate after this time.", nullable=False
    )
    standard_error: pl.Float64 = column("Standard error", "Infinitesimal jackknife.", nullable=False)
    ci_low: pl.Float64 = column("95 % CI, low", _INCIDENCE_CI)
    ci_high: pl.Float64 = column("95 % CI, high", _INCIDENCE_CI)


class CumulativeIncidenceEstimate(Contract, table="analysis.cumulative_incidence_estimate"):
    """One estimate from an Aalen–Johansen curve."""

    analysis: pl.String = column("Analysis", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    cause: pl.String = column("Cause", "Name in study.toml; the others compete with it.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "At which time.", nullable=False, unit="months")
    value: pl.Float64 = column("Cumulative incidence", "Null beyond the last time.")
    standard_error: pl.Float64 = column("Standard error", "Infinitesimal jackknife.")
    ci_low: pl.Float64 = column("95 % CI, low", _INCIDENCE_CI)
    ci_high: pl.Float64 = column("95 % CI, high", _INCIDENCE_CI)
    n: pl.Int64 = column("n", "Patients.", nullable=False)
    events: pl.Int64 = column("Events", "Of the cause, up to the horizon.", nullable=False)
    at_risk: pl.Int64 = column("At risk", "Patients at risk at the horizon.", nullable=False)


class Subgroup(Contract, table="analysis.subgroup"):
    """One estimate from the Kaplan–Meier curve of a subgroup."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml.", nullable=False)
    level: pl.String = column("Level", "The subgroup.", nullable=False)
    quantity: pl.String = column("Quantity", "survival or median.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "For survival: the time.", unit="months")
    value: pl.Float64 = column("Value", "Probability or months; null for a median that is not reached.")
    ci_low: pl.Float64 = column("95 % CI, low", "Log-log limit; for medians by inverting the limits.")
    ci_high: pl.Float64 = column("95 % CI, high", "Log-log limit; for medians by inverting the limits.")
    n: pl.Int64 = column("n", "Patients of the subgroup.", nullable=False)
    events: pl.Int64 = column("Events", "Up to the horizon, else all.", nullable=False)
    at_risk: pl.Int64 = column("At risk", "Patients at risk at the horizon.")


class SubgroupCurve(Contract, table="analysis.subgroup_curve"):
    """One time of the Kaplan–Meier curve of a subgroup."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml.", nullable=False)
    level: pl.String = column("Level", "The subgroup.", nullable=False)
    time_months: pl.Float64 = column("Time", "Since time zero.", nullable=False, unit="months")
    at_risk: pl.Int64 = column("At risk", "Patients with at least this time.", nullable=False)
    events: pl.Int64 = column("Events", "Events at this time.", nullable=False)
    censored: pl.Int64 = column("Censored", "Patients censored at this time.", nullable=False)
    survival: pl.Float64 = column("Survival", "Kaplan–Meier estimate after this time.", nullable=False)
    ci_low: pl.Float64 = column("95 % CI, low", _SURVIVAL_CI)
    ci_high: pl.Float64 = column("95 % CI, high", _SURVIVAL_CI)


class LogRank(Contract, table="analysis.log_rank"):
    """One level in the log-rank test of a covariate; the result of the test is repeated in every row."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml.", nullable=False)
    level: pl.String = column("Level", "The subgroup.", nullable=False)
    n: pl.Int64 = column("n", "Patients of the subgroup.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients in no subgroup.", nullable=False)
    observed: pl.Int64 = column("Observed", "Events of the subgroup.", nullable=False)
    expected: pl.Float64 = column("Expected", "Events if all had the same hazard.", nullable=False)
    chi_square: pl.Float64 = column(
        "Chi-squared", "Log-rank test (R: survdiff); null with a single subgroup."
    )
    degrees_of_freedom: pl.Int64 = column(
        "Degrees of freedom",
        "Number of subgroups with expected events, minus one; fewer if some are not at risk together.",
    )
    p_value: pl.Float64 = column("p", "Two-sided; not adjusted for the number of tests.")


class ProportionalHazards(Contract, table="analysis.ph_test"):
    """One term of a Cox model in Schoenfeld's test, with events per coefficient and concordance."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    term: pl.String = column("Term", "Covariate in study.toml, or GLOBAL for all together.", nullable=False)
    chi_square: pl.Float64 = column(
        "Chi-squared", "Exact score test against 1 − S(t−) (R: cox.zph, transform = 'km')."
    )
    degrees_of_freedom: pl.Int64 = column("Degrees of freedom", "Coefficients of the term.")
    p_value: pl.Float64 = column("p", "A small value means that the hazard ratio changes with time.")
    n: pl.Int64 = column("n", "Complete cases of the fit.", nullable=False)
    events: pl.Int64 = column("Events", "Among them.", nullable=False)
    parameters: pl.Int64 = column("Coefficients", "Estimated in the model.", nullable=False)
    events_per_variable: pl.Float64 = column("Events per coefficient", "Below 10 is few (Peduzzi 1995).")
    concordance: pl.Float64 = column("Concordance", "Harrell's C of the model.")
    warning: pl.String = column("Warning", "Too few events, or why there is no test.")


class HazardRatio(Contract, table="analysis.hazard_ratio"):
    """One contrast of a multivariable Cox model."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    term: pl.String = column("Term", "Name of the covariate in study.toml.", nullable=False)
    level: pl.String = column("Level", "Level of a factor; null for a number.")
    contrast: pl.String = column("Contrast", "As printed: 'Female vs. male'.", nullable=False)
    reference: pl.String = column("Reference", "Reference level of a factor.")
    hazard_ratio: pl.Float64 = column("Hazard ratio", "exp(coefficient); null if it cannot be estimated.")
    ci_low: pl.Float64 = column("95 % CI, low", _RATIO_CI)
    ci_high: pl.Float64 = column("95 % CI, high", _RATIO_CI)
    p_value: pl.Float64 = column(
        "p", "Wald test, two-sided; with Firth's penalty the penalised likelihood ratio test."
    )
    coefficient: pl.Float64 = column("Coefficient", "Log hazard ratio.")
    standard_error: pl.Float64 = column("Standard error", "Of the coefficient.")
    n: pl.Int64 = column("n", "Complete cases.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients left out for a missing covariate.", nullable=False)
    events: pl.Int64 = column("Events", "Among the complete cases.", nullable=False)
    level_n: pl.Int64 = column("n at the level", "Complete cases at the level.")
    level_events: pl.Int64 = column("Events at the level", "Events at the level.")
    events_per_variable: pl.Float64 = column(
        "Events per parameter",
        "Events / estimated coefficients of the model; below 10 is few (Peduzzi 1995).",
    )
    concordance: pl.Float64 = column("Concordance", "Harrell's C of the model.")
    method: pl.String = column(
        "Method",
        "Cox and how ties are handled; or the same with Firth's penalty, where a level has no event.",
        nullable=False,
    )
    note: pl.String = column("Note", "Why there is no estimate, or which patients it leaves out.")


class PublishedComparison(Contract, table="analysis.published_comparison"):
    """One published number and our number."""

    id: pl.Int64 = column("Id", "Row of published.csv.", nullable=False, unique=True)
    section: pl.String = column("Section", "Section of the paper.", nullable=False)
    quantity: pl.String = column("Quantity", "The quantity.", nullable=False)
    level: pl.String = column("Level", "The group of patients.")
    unit: pl.String = column("Unit", "Unit of the value.")
    published_text: pl.String = column("Paper", "The paper's numbers in one line.", nullable=False)
    our_text: pl.String = column("Ours", "Our numbers in one line, to the paper's decimals, at least one.")
    published_value: pl.Float64 = column("Paper: value", "Null if not a number.")
    published_low: pl.Float64 = column("Paper: low", "CI, quartile or range, as the quantity says.")
    published_high: pl.Float64 = column("Paper: high", "CI, quartile or range, as the quantity says.")
    published_p: pl.Float64 = column("Paper: p", "p value.")
    published_n: pl.Int64 = column("Paper: n", "Patients.")
    published_percent: pl.Float64 = column("Paper: %", "As printed.", unit="%")
    our_value: pl.Float64 = column("Ours: value", "Not rounded.")
    our_low: pl.Float64 = column("Ours: low", "Not rounded.")
    our_high: pl.Float64 = column("Ours: high", "Not rounded.")
    our_p: pl.Float64 = column("Ours: p", "Not rounded.")
    our_joint_p: pl.Float64 = column(
        "Ours: joint p", "Of a contrast: likelihood ratio test of all coefficients of its covariate."
    )
    our_joint_text: pl.String = column(
        "Ours: joint test, in words", "Where the paper's p of one contrast is small and the joint p is not."
    )
    our_n: pl.Int64 = column("Ours: n", "Patients.")
    our_percent: pl.Float64 = column("Ours: %", "Not rounded.", unit="%")
    difference: pl.Float64 = column("Difference", "Ours − paper, of the value, else n, else %.")
    verdict: pl.String = column(
        "Verdict",
        "equal; within rounding (ours, rounded half up as printed, equals the paper's); close (within 3 %); "
        "differs; paper contradicts itself; not computable. The worst of value, n and %, without CI and p.",
        nullable=False,
    )
    interval_verdict: pl.String = column(
        "Verdict on the interval", "The same verdicts, for the confidence interval."
    )
    reason: pl.String = column("Reason", "Why it is not computable, or what the audit of the paper found.")
    quote: pl.String = column("Quote", "The paper's words.")
