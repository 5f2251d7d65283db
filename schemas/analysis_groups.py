"""Contracts of groups of patients: Table 1 of those that a study compares, and groups by a model's risk."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class TableOneByGroup(Contract, table="analysis.table_one_by_group"):
    """One line of Table 1 for one group: a level of a factor, or a statistic of a number."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    covariate: pl.String = column(
        "Covariate", "Name in study.toml; its levels are the groups.", nullable=False
    )
    group: pl.String = column("Group", "The level.", nullable=False)
    group_n: pl.Int64 = column("Patients", "Of the group.", nullable=False)
    block: pl.String = column("Block", "Title of the variable.", nullable=False)
    level: pl.String = column("Level", "Label of the factor's level; null for a number.")
    statistic: pl.String = column("Statistic", "n (%), median or Q1–Q3.", nullable=False)
    n: pl.Int64 = column("n", "Patients of the group at the level, or with a number.", nullable=False)
    denominator: pl.Int64 = column(
        "Denominator", "Patients of the group and block, missing included.", nullable=False
    )
    percent: pl.Float64 = column("Percentage", "100 n / denominator, not rounded.", unit="%")
    value: pl.Float64 = column("Value", "The median (quantile type 7).")
    low: pl.Float64 = column("Low", "First quartile (type 7).")
    high: pl.Float64 = column("High", "Third quartile (type 7).")
    text: pl.String = column("Text", "The cell as printed.", nullable=False)
    standardised_difference: pl.Float64 = column(
        "Standardised difference",
        "Of the block, of the known values: the difference of means, or the distance of the shares, in "
        "pooled standard deviations (Austin 2009; Yang and Dalton 2012). With more than two groups the "
        "largest of all pairs. Null if a group has no spread to compare, or fewer than two known values.",
    )
    compared: pl.String = column("Compared", "The two groups of the difference.")


class Calibration(Contract, table="analysis.calibration"):
    """Predicted and observed survival at one horizon, of one group of patients by a Cox model's risk."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "Time of the prediction.", nullable=False, unit="months")
    risk_group: pl.Int64 = column(
        "Group", "From 1 by rising predicted risk; 0: all patients of the model.", nullable=False
    )
    n: pl.Int64 = column("n", "Patients of the group.", nullable=False)
    predicted: pl.Float64 = column(
        "Predicted", "Mean of the survival that the model predicts (R: survfit.coxph).", nullable=False
    )
    observed: pl.Float64 = column("Observed", "Kaplan–Meier estimate; null beyond the follow-up.")
    ci_low: pl.Float64 = column("95 % CI, low", "Log-log limit of the observed survival.")
    ci_high: pl.Float64 = column("95 % CI, high", "Log-log limit of the observed survival.")
    events: pl.Int64 = column("Events", "Up to the horizon.", nullable=False)
    at_risk: pl.Int64 = column("At risk", "Patients still at risk at the horizon.", nullable=False)
