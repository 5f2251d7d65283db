"""The analysis layer: tables, curves and estimates, as the report prints them (design section 6).

No rule guards these tables: their numbers are the program's own. What they must be is in `tests/survival`.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

_SURVIVAL_CI = "Log-log 95 % limit (R: conf.type = 'log-log'); null where the survival is 0 or 1."


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
    """One time of a Kaplan–Meier curve: time 0, and every time at which somebody died or was censored."""

    endpoint: pl.String = column("Endpoint", "OS, DFS, DMFS or LRFS.", nullable=False, vocabulary="endpoint")
    time_months: pl.Float64 = column("Time", "Since time zero.", nullable=False, unit="months")
    at_risk: pl.Int64 = column("At risk", "Patients with at least this time.", nullable=False)
    events: pl.Int64 = column("Events", "Events at this time.", nullable=False)
    censored: pl.Int64 = column("Censored", "Patients censored at this time.", nullable=False)
    survival: pl.Float64 = column("Survival", "Kaplan–Meier estimate after this time.", nullable=False)
    ci_low: pl.Float64 = column("95 % CI, low", _SURVIVAL_CI)
    ci_high: pl.Float64 = column("95 % CI, high", _SURVIVAL_CI)


class SurvivalEstimate(Contract, table="analysis.survival_estimate"):
    """One number read off a Kaplan–Meier curve, or one of the follow-up."""

    endpoint: pl.String = column("Endpoint", "OS, DFS, DMFS or LRFS.", nullable=False, vocabulary="endpoint")
    quantity: pl.String = column(
        "Quantity",
        "events, survival, median, follow-up observed (plain quantile of the times, events included) or "
        "follow-up reverse Kaplan–Meier (Schemper and Smith 1996: censoring is the event).",
        nullable=False,
    )
    horizon_months: pl.Float64 = column("Horizon", "For survival: at which time.", unit="months")
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
    """One estimate with partial dates set to the middle and to both ends of their intervals."""

    endpoint: pl.String = column("Endpoint", "OS, DFS, DMFS or LRFS.", nullable=False, vocabulary="endpoint")
    quantity: pl.String = column("Quantity", "survival or median.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "For survival: at which time.", unit="months")
    middle: pl.Float64 = column("Middle", "The main analysis: the middle of the interval.")
    earliest: pl.Float64 = column("Earliest", "With the early end of every partial date.")
    latest: pl.Float64 = column("Latest", "With the late end of every partial date.")


class HazardRatio(Contract, table="analysis.hazard_ratio"):
    """One contrast of a multivariable Cox model."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "OS, DFS, DMFS or LRFS.", nullable=False, vocabulary="endpoint")
    term: pl.String = column("Term", "Name of the covariate in study.toml.", nullable=False)
    level: pl.String = column("Level", "Level of a factor; null for a number.")
    contrast: pl.String = column("Contrast", "As printed: 'Female vs. male'.", nullable=False)
    reference: pl.String = column("Reference", "Reference level of a factor.")
    hazard_ratio: pl.Float64 = column("Hazard ratio", "exp(coefficient); null if it cannot be estimated.")
    ci_low: pl.Float64 = column("95 % CI, low", "Wald.")
    ci_high: pl.Float64 = column("95 % CI, high", "Wald.")
    p_value: pl.Float64 = column("p", "Wald test, two-sided.")
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
    method: pl.String = column("Method", "Cox, Efron.", nullable=False)
    note: pl.String = column("Note", "Why there is no estimate, or what it leaves out.")


class PublishedComparison(Contract, table="analysis.published_comparison"):
    """One number of the paper beside ours."""

    id: pl.Int64 = column("Id", "Row of published.csv.", nullable=False, unique=True)
    section: pl.String = column("Section", "Where the paper prints it.", nullable=False)
    quantity: pl.String = column("Quantity", "What it is.", nullable=False)
    level: pl.String = column("Level", "Of which group.")
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
    our_n: pl.Int64 = column("Ours: n", "Patients.")
    our_percent: pl.Float64 = column("Ours: %", "Not rounded.", unit="%")
    difference: pl.Float64 = column("Difference", "Ours − paper, of the value, else n, else %.")
    verdict: pl.String = column(
        "Verdict",
        "equal; within rounding (ours, rounded half up as printed, is the paper's); close (within 3 %); "
        "differs; paper contradicts itself; not computable. Of the worst part, CI and p left aside.",
        nullable=False,
    )
    interval_verdict: pl.String = column(
        "Verdict on the interval", "The same words, of a confidence interval."
    )
    reason: pl.String = column("Reason", "Why it is not computable, or what the audit of the paper found.")
    quote: pl.String = column("Quote", "The paper's words.")
