"""Import every contract, so that ``CONTRACTS`` contains the contracts of all tables by name."""

from __future__ import annotations

from schemas import (
    analysis,
    analysis_follow_up,
    analysis_groups,
    analysis_imputation,
    analysis_models,
    analysis_validation,
    analysis_weighting,
    audit,
    cohort,
    cohort_events,
    cohort_toxicity,
    curated,
    curated_dose,
    curated_identity,
    curated_radiotherapy,
    curated_toxicity,
    impact,
    ledger,
    lineage,
    meta,
    movement,
    quality,
    received,
    release,
    review,
    typed,
    typed_dicom,
    volumes,
)
from schemas.contract import CONTRACTS

MODULES = (
    received,
    typed,
    typed_dicom,
    curated,
    curated_identity,
    curated_radiotherapy,
    curated_toxicity,
    curated_dose,
    quality,
    volumes,
    ledger,
    cohort,
    cohort_events,
    cohort_toxicity,
    impact,
    lineage,
    analysis,
    analysis_follow_up,
    analysis_groups,
    analysis_imputation,
    analysis_models,
    analysis_validation,
    analysis_weighting,
    audit,
    meta,
    movement,
    release,
    review,
)
"""Modules of the layers in the order of the data flow."""

__all__ = ["CONTRACTS", "MODULES"]
