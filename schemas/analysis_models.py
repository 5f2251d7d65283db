"""Contracts of the analysis layer: Cox models as a whole, and their covariates as a whole."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column

_ADJUSTED = "By the p_adjustment of study.toml, among the tests of the model; null if that is none."


class ModelFit(Contract, table="analysis.model_fit"):
    """One Cox model as a whole: sample size, events per coefficient, discrimination, global tests."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    ties: pl.String = column("Ties", "How events on the same day enter: efron or breslow.", nullable=False)
    strata: pl.String = column("Strata", "Factors by which the model is stratified; null if by none.")
    n: pl.Int64 = column("n", "Complete cases.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients left out for a missing covariate.", nullable=False)
    events: pl.Int64 = column("Events", "Among the complete cases.", nullable=False)
    coefficients: pl.Int64 = column("Coefficients", "Estimated in the model.", nullable=False)
    events_per_variable: pl.Float64 = column("Events per coefficient", "Events / coefficients.")
    verdict: pl.String = column(
        "Verdict", "enough, few or too few events per coefficient, by the thresholds of study.toml."
    )
    concordance: pl.Float64 = column("Concordance", "Harrell's C of the model (R: concordance).")
    concordance_standard_error: pl.Float64 = column(
        "Standard error of the concordance", "Infinitesimal jackknife (R: concordance)."
    )
    concordance_low: pl.Float64 = column("Concordance: 95 % CI, low", "Normal approximation, at least 0.")
    concordance_high: pl.Float64 = column("Concordance: 95 % CI, high", "Normal approximation, at most 1.")
    log_likelihood: pl.Float64 = column("Log likelihood", "Partial log likelihood at the maximum.")
    degrees_of_freedom: pl.Int64 = column("Degrees of freedom", "Of the likelihood ratio test of all terms.")
    likelihood_ratio: pl.Float64 = column("Likelihood ratio", "Chi-squared against the model without terms.")
    p_value: pl.Float64 = column("p", "Of the likelihood ratio test.")
    wald: pl.Float64 = column("Wald", "Chi-squared of Wald's test of all coefficients.")
    wald_p_value: pl.Float64 = column("p (Wald)", "Of Wald's test.")
    note: pl.String = column("Note", "Why there is no estimate.")


class JointTest(Contract, table="analysis.joint_test"):
    """One covariate of a Cox model, all its coefficients tested together."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    term: pl.String = column("Term", "Name of the covariate in study.toml.", nullable=False)
    degrees_of_freedom: pl.Int64 = column("Degrees of freedom", "Coefficients that the term adds.")
    likelihood_ratio: pl.Float64 = column(
        "Likelihood ratio", "Chi-squared against the model without the term (R: drop1, test = 'Chisq')."
    )
    p_value: pl.Float64 = column("p", "Of the likelihood ratio test.")
    adjusted_p_value: pl.Float64 = column("p, adjusted", _ADJUSTED)
    wald: pl.Float64 = column("Wald", "Chi-squared of Wald's test of the term's estimated coefficients.")
    wald_degrees_of_freedom: pl.Int64 = column("Degrees of freedom (Wald)", "Estimated coefficients.")
    wald_p_value: pl.Float64 = column("p (Wald)", "Of Wald's test.")
    nonlinearity_likelihood_ratio: pl.Float64 = column(
        "Likelihood ratio, nonlinearity", "For a spline: chi-squared against a straight effect of the number."
    )
    nonlinearity_p_value: pl.Float64 = column("p, nonlinearity", "For a spline: against a straight effect.")
    univariable_likelihood_ratio: pl.Float64 = column(
        "Likelihood ratio, univariable", "Chi-squared of the model of this term alone."
    )
    univariable_p_value: pl.Float64 = column("p, univariable", "Of the model of this term alone.")
    n: pl.Int64 = column("n", "Complete cases of the model.", nullable=False)
    events: pl.Int64 = column("Events", "Among them.", nullable=False)
    note: pl.String = column("Note", "Why there is no test, or what it leaves out.")


class UnivariableHazardRatio(Contract, table="analysis.univariable_hazard_ratio"):
    """One contrast of a univariable Cox model, and the same contrast of a multivariable model."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name of the multivariable model in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    term: pl.String = column("Term", "Name of the covariate in study.toml.", nullable=False)
    level: pl.String = column("Level", "Level of a factor; null for a number.")
    contrast: pl.String = column("Contrast", "As printed: 'Female vs. male'.", nullable=False)
    hazard_ratio: pl.Float64 = column("Hazard ratio", "exp(coefficient); null if it cannot be estimated.")
    ci_low: pl.Float64 = column("95 % CI, low", "Wald limit.")
    ci_high: pl.Float64 = column("95 % CI, high", "Wald limit.")
    p_value: pl.Float64 = column("p", "Wald test, two-sided.")
    coefficient: pl.Float64 = column("Coefficient", "Log hazard ratio.")
    standard_error: pl.Float64 = column("Standard error", "Of the coefficient.")
    n: pl.Int64 = column("n", "Patients of the univariable model.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients left out.", nullable=False)
    events: pl.Int64 = column("Events", "Among the patients.", nullable=False)
    level_n: pl.Int64 = column("n at the level", "Patients at the level.")
    level_events: pl.Int64 = column("Events at the level", "Events at the level.")
    note: pl.String = column("Note", "Why there is no estimate, or which patients it leaves out.")


class InternalValidation(Contract, table="analysis.internal_validation"):
    """One measure of a Cox model, corrected for the optimism of judging it in its own patients."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    model: pl.String = column("Model", "Name in study.toml.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    quantity: pl.String = column(
        "Quantity",
        "concordance (Harrell's C) or calibration slope (1: neither too extreme nor too flat).",
        nullable=False,
    )
    apparent: pl.Float64 = column("Apparent", "In the patients to whom the model was fitted.")
    optimism: pl.Float64 = column(
        "Optimism", "Mean over resamples: in the resample minus in all patients (R: rms::validate)."
    )
    corrected: pl.Float64 = column("Corrected", "Apparent minus optimism.")
    resamples: pl.Int64 = column("Resamples", "Drawn with replacement.", nullable=False)
    fitted: pl.Int64 = column("Fitted", "Resamples that gave an estimate.", nullable=False)
    note: pl.String = column("Note", "Why there is none, or how many resamples are left out.")


CAUSE_SPECIFIC, SUBDISTRIBUTION = "cause-specific", "subdistribution"
"""Hazards of a cause among competing ones: of those free of any event, and of the cumulative incidence."""


class CompetingHazardRatio(Contract, table="analysis.competing_hazard_ratio"):
    """One contrast of a model of one cause, by cause-specific hazard and by subdistribution hazard."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    analysis: pl.String = column("Analysis", "Name of the cumulative incidence.", nullable=False)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    cause: pl.String = column("Cause", "Name in study.toml; the others compete with it.", nullable=False)
    hazard: pl.String = column(
        "Hazard",
        "cause-specific (Cox, other causes censored) or subdistribution (Fine and Gray).",
        nullable=False,
    )
    term: pl.String = column("Term", "Name of the covariate in study.toml.", nullable=False)
    level: pl.String = column("Level", "Level of a factor; null for a number.")
    contrast: pl.String = column("Contrast", "As printed: 'Female vs. male'.", nullable=False)
    reference: pl.String = column("Reference", "Reference level of a factor.")
    hazard_ratio: pl.Float64 = column("Hazard ratio", "exp(coefficient); null if it cannot be estimated.")
    ci_low: pl.Float64 = column("95 % CI, low", "Wald limit.")
    ci_high: pl.Float64 = column("95 % CI, high", "Wald limit.")
    p_value: pl.Float64 = column("p", "Wald test, two-sided.")
    coefficient: pl.Float64 = column("Coefficient", "Log hazard ratio.")
    standard_error: pl.Float64 = column(
        "Standard error", "Of the subdistribution: Fine and Gray's, with the estimated censoring (R: crr)."
    )
    joint_wald: pl.Float64 = column("Wald, joint", "Chi-squared of all estimated coefficients of the term.")
    joint_degrees_of_freedom: pl.Int64 = column("Degrees of freedom, joint", "Estimated coefficients.")
    joint_p_value: pl.Float64 = column("p, joint", "Of Wald's test of all coefficients of the term.")
    n: pl.Int64 = column("n", "Complete cases.", nullable=False)
    missing: pl.Int64 = column("Missing", "Patients left out for a missing covariate.", nullable=False)
    events: pl.Int64 = column("Events", "Of the cause, among the complete cases.", nullable=False)
    competing_events: pl.Int64 = column("Competing events", "Of the other causes.", nullable=False)
    level_n: pl.Int64 = column("n at the level", "Complete cases at the level.")
    level_events: pl.Int64 = column("Events at the level", "Events of the cause at the level.")
    events_per_variable: pl.Float64 = column(
        "Events per coefficient", "Events of the cause / estimated coefficients."
    )
    verdict: pl.String = column(
        "Verdict", "enough, few or too few events per coefficient, by the thresholds of study.toml."
    )
    note: pl.String = column("Note", "Why there is no estimate, or which patients it leaves out.")


class FirstFailure(Contract, table="analysis.first_failure"):
    """One pattern of first failure: what came first after time zero, alone or together with what."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    pattern: pl.String = column(
        "Pattern",
        "The sites of relapse within the declared days of the first one; or what else came first.",
        nullable=False,
    )
    n: pl.Int64 = column("n", "Patients.", nullable=False)
    denominator: pl.Int64 = column("Denominator", "All eligible patients.", nullable=False)
    percent: pl.Float64 = column("Percentage", "100 n / denominator, not rounded.", unit="%")
    median_months: pl.Float64 = column(
        "Median time", "From time zero to the first failure (quantile type 7).", unit="months"
    )
    died: pl.Int64 = column("Died", "Patients of the pattern who died later or by it.", nullable=False)
