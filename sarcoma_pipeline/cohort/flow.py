"""Count the patients by criterion (the STROBE flow)."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.cohort import CohortFlow
from schemas.configuration import Criterion


def of(eligibility: pl.DataFrame, criteria: Sequence[Criterion]) -> pl.DataFrame:
    """Return ``cohort.flow``.

    Args:
        eligibility: ``cohort.eligibility`` of all patients.
        criteria: the criteria in their order.
    """
    out_here = eligibility.filter("excluded_here")
    excluded = dict(out_here.group_by("position").len().iter_rows())
    unknown = dict(out_here.filter(~pl.col("known")).group_by("position").len().iter_rows())
    entered = eligibility["pseudonym"].n_unique()
    rows = []
    for position, criterion in enumerate(criteria, start=1):
        out = excluded.get(position, 0)
        rows.append(
            {
                "position": position,
                "criterion": criterion.name,
                "label": criterion.label,
                "entered": entered,
                "excluded": out,
                "not_known": unknown.get(position, 0),
                "remaining": entered - out,
            }
        )
        entered -= out
    return CohortFlow.conform(pl.DataFrame(rows))
