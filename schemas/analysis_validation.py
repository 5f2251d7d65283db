"""Contracts of the analysis layer: external validation of published prognostic models."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class ExternalValidation(Contract, table="analysis.external_validation"):
    """One measure of how well a published model predicts in this study's patients."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    validation: pl.String = column("Validation", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    quantity: pl.String = column(
        "Measure",
        "Harrell's C; Uno's C (pairs weighted by the censoring); calibration slope (Cox coefficient of the "
        "linear predictor; below 1: predictions too extreme); observed / expected (events up to the horizon: "
        "1 − Kaplan–Meier, over the mean predicted risk).",
        nullable=False,
    )
    horizon_months: pl.Float64 = column("Horizon", "For observed / expected.", unit="months")
    value: pl.Float64 = column("Value", "Null if it cannot be computed.")
    standard_error: pl.Float64 = column(
        "Standard error", "Of C: infinitesimal jackknife; of the slope: from the information."
    )
    ci_low: pl.Float64 = column("95 % CI, low", "Normal; of observed / expected: from Kaplan–Meier's limits.")
    ci_high: pl.Float64 = column(
        "95 % CI, high", "Normal; of observed / expected: from Kaplan–Meier's limits."
    )
    n: pl.Int64 = column("n", "Patients with every predictor.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients left out for a missing predictor.", nullable=False)
    events: pl.Int64 = column("Events", "Among the patients.", nullable=False)


class ExternalCalibration(Contract, table="analysis.external_calibration"):
    """Predicted and observed survival at one horizon, of one group of patients by the published model."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    validation: pl.String = column("Validation", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "Time of the prediction.", nullable=False, unit="months")
    risk_group: pl.Int64 = column("Group", "From 1 by rising predicted risk; 0: all.", nullable=False)
    n: pl.Int64 = column("n", "Patients of the group.", nullable=False)
    predicted: pl.Float64 = column("Predicted", "Mean predicted survival.", nullable=False)
    observed: pl.Float64 = column("Observed", "Kaplan–Meier estimate; null beyond the follow-up.")
    ci_low: pl.Float64 = column("95 % CI, low", "Log-log limit of the observed survival.")
    ci_high: pl.Float64 = column("95 % CI, high", "Log-log limit of the observed survival.")
    events: pl.Int64 = column("Events", "Up to the horizon.", nullable=False)
    at_risk: pl.Int64 = column("At risk", "Patients still at risk at the horizon.", nullable=False)


class NetBenefit(Contract, table="analysis.net_benefit"):
    """Net benefit of acting on a predicted risk, at one horizon and threshold (Vickers 2008)."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    validation: pl.String = column("Validation", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    horizon_months: pl.Float64 = column("Horizon", "Time of the prediction.", nullable=False, unit="months")
    threshold: pl.Float64 = column("Threshold", "Predicted risk from which one acts.", nullable=False)
    n: pl.Int64 = column("n", "Patients.", nullable=False)
    flagged: pl.Int64 = column("Flagged", "Patients with at least this risk.", nullable=False)
    model: pl.Float64 = column(
        "Net benefit of the model",
        "True positives less weighted false positives, per patient (Kaplan–Meier).",
    )
    everybody: pl.Float64 = column("Net benefit of acting on everybody", "Of acting on nobody it is 0.")
