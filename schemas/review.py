"""Contract of the chart review: how often released values differ from the charts of a drawn sample."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class ChartReview(Contract, table="meta.chart_review"):
    """The result of a chart review for one variable; a release contains the reviews read before it."""

    sample_id: pl.String = column("Sample", "Names the drawn sample.", nullable=False)
    refresh_id: pl.String = column("Release", "The release whose values were reviewed.", nullable=False)
    read_on: pl.String = column("Read on", "Day on which the sheet was read back, ISO 8601.", nullable=False)
    patients: pl.Int64 = column("Patients", "Patients of the sample.", nullable=False)
    variable: pl.String = column("Variable", "Its name; `all` for all together.", nullable=False)
    reviewed: pl.Int64 = column("Reviewed", "Values that the chart confirms or contradicts.", nullable=False)
    errors: pl.Int64 = column("Errors", "Of these, values that differ from the chart.", nullable=False)
    not_in_chart: pl.Int64 = column("Not in chart", "Values of which the chart says nothing.", nullable=False)
    error_rate: pl.Float64 = column("Error rate", "Errors / reviewed; null if none was reviewed.")
    ci_low: pl.Float64 = column("Lower limit", "Exact 95 % interval (Clopper–Pearson).")
    ci_high: pl.Float64 = column("Upper limit", "Exact 95 % interval (Clopper–Pearson).")
