"""Fixtures shared with the survival tests: the demo cohort, its estimates and the paper."""

from tests.survival.conftest import (
    demo,
    demo_estimates,
    demo_hazard_ratios,
    endpoints,
    paper,
    patients,
    study,
)

__all__ = ["demo", "demo_estimates", "demo_hazard_ratios", "endpoints", "paper", "patients", "study"]
