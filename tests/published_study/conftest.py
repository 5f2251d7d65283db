"""The demo cohort, its estimates and the paper, as the survival tests have them."""

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
