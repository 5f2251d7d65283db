"""Contracts of the analysis layer: Cox models after multiple imputation of missing covariates."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class ImputedHazardRatio(Contract, table="analysis.imputed_hazard_ratio"):
    """One contrast of a Cox model after multiple imputation, beside that of the complete cases."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    term: pl.String = column("Term", "Name of the covariate in study.toml.", nullable=False)
    level: pl.String = column("Level", "Level of a factor; null for a number.")
    contrast: pl.String = column("Contrast", "As printed: 'Female vs. male'.", nullable=False)
    reference: pl.String = column("Reference", "Reference level of a factor.")
    hazard_ratio: pl.Float64 = column(
        "Hazard ratio", "exp of the mean coefficient of the imputed data sets (Rubin's rules)."
    )
    ci_low: pl.Float64 = column("95 % CI, low", "From the t distribution (R: mice::pool).")
    ci_high: pl.Float64 = column("95 % CI, high", "From the t distribution (R: mice::pool).")
    p_value: pl.Float64 = column("p", "Two-sided, from the t distribution.")
    coefficient: pl.Float64 = column("Coefficient", "Mean log hazard ratio.")
    standard_error: pl.Float64 = column(
        "Standard error", "Root of the variance within and between the imputations."
    )
    degrees_of_freedom: pl.Float64 = column("Degrees of freedom", "Of t (Barnard and Rubin 1999).")
    missing_information: pl.Float64 = column(
        "Fraction of missing information", "Share of the information that the missing values cost."
    )
    joint_f: pl.Float64 = column("F of the covariate", "Joint Wald test of its coefficients (R: mice::D1).")
    joint_degrees_of_freedom: pl.Int64 = column("Degrees of freedom of F", "Coefficients of the covariate.")
    joint_denominator: pl.Float64 = column("Denominator of F", "Its degrees of freedom (Reiter 2007).")
    joint_p_value: pl.Float64 = column("p of the covariate", "Of the joint Wald test.")
    n: pl.Int64 = column("n", "Patients of the imputed data sets.", nullable=False)
    events: pl.Int64 = column("Events", "Among them.", nullable=False)
    left_out: pl.Int64 = column(
        "Left out", "Patients with a level that the study does not list: nothing is missing.", nullable=False
    )
    imputations: pl.Int64 = column("Imputations", "Imputed data sets.", nullable=False)
    complete_n: pl.Int64 = column("Complete cases", "Patients without a missing covariate.", nullable=False)
    complete_events: pl.Int64 = column("Events of the complete cases", "Among them.", nullable=False)
    complete_hazard_ratio: pl.Float64 = column("Hazard ratio, complete cases", "The main analysis.")
    complete_ci_low: pl.Float64 = column("95 % CI, low, complete cases", "Wald limit.")
    complete_ci_high: pl.Float64 = column("95 % CI, high, complete cases", "Wald limit.")
    complete_p_value: pl.Float64 = column("p, complete cases", "Wald test, two-sided.")
    note: pl.String = column("Note", "Why there is no pooled estimate.")


class ImputedCovariate(Contract, table="analysis.imputed_covariate"):
    """One variable of an imputation model: how much of it is missing, and how it is imputed."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    covariate: pl.String = column("Covariate", "Name in study.toml.", nullable=False)
    role: pl.String = column("Role", "covariate, stratum or auxiliary.", nullable=False)
    method: pl.String = column(
        "Method", "none, predictive mean matching or multinomial logistic regression.", nullable=False
    )
    n: pl.Int64 = column("n", "Patients of the imputed data sets.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients without a value.", nullable=False)
    share: pl.Float64 = column("Share missing", "Missing / n; null without patients.")
