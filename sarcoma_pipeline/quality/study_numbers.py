"""The numbers of a study that a decision or a changed configuration may change.

They are apart from :mod:`.impact`, which imports all of curation.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.survival import cox, kaplan_meier
from schemas.analysis import PENALISED
from schemas.configuration import Study


def numbers(patients: pl.DataFrame, ends: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the study's numbers: patients, events, medians and hazard ratios.

    Args:
        patients: ``cohort.patients``.
        ends: ``cohort.endpoints``.
        study: endpoints, models, covariates.

    Returns:
        ``quantity``, ``value`` (text), in the order of a report.
    """
    rows: list[tuple[str, str]] = [("patients", str(patients.height))]
    estimates = kaplan_meier.estimates(ends, study.horizons_months)
    medians = estimates.filter(pl.col("quantity") == "median")
    for row in medians.iter_rows(named=True):
        middle = "not reached" if row["value"] is None else f"{row['value']:.2f} months"
        rows += [(f"{row['endpoint']} events", str(row["events"])), (f"{row['endpoint']} median", middle)]
    ratios = cox.hazard_ratios(patients, ends, study.models, study.covariates, ties=study.statistics.ties)
    for row in ratios.filter(~PENALISED).iter_rows(named=True):
        ratio = row["hazard_ratio"]
        shown = (
            "not estimated"
            if ratio is None
            else f"{ratio:.3f} ({row['ci_low']:.3f}–{row['ci_high']:.3f})"
            if row["ci_low"] is not None
            else f"{ratio:.3f}"
        )
        rows.append((f"{row['model']} hazard ratio, {row['contrast']}", shown))
    return pl.DataFrame(rows, schema=["quantity", "value"], orient="row")
