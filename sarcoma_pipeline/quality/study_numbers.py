"""The numbers of a study that a decision or a changed configuration may change.

They are apart from :mod:`.impact`, which imports all of curation.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.survival import cox, kaplan_meier
from sarcoma_pipeline.survival.design import model_data
from schemas.configuration import Study


def numbers(patients: pl.DataFrame, ends: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return the study's numbers: patients, events, medians and hazard ratios.

    Estimates with Firth's penalty are not among them: their intervals take seconds for a few events.

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
    for data in model_data(patients, ends, study.models, study.covariates, ties=study.statistics.ties):
        for line in cox.plain_lines(data):
            shown = _ratio(line.get("hazard_ratio"), line.get("ci_low"), line.get("ci_high"))
            rows.append((f"{line['model']} hazard ratio, {line['contrast']}", shown))
    return pl.DataFrame(rows, schema=["quantity", "value"], orient="row")


def _ratio(ratio: float | None, low: float | None, high: float | None) -> str:
    if ratio is None:
        return "not estimated"
    return f"{ratio:.3f}" if low is None or high is None else f"{ratio:.3f} ({low:.3f}–{high:.3f})"
