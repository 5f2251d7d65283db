"""Choose the dose of a course under the assumptions: prescribed or delivered, with or without a boost.

Without boost, the dose is that of the phase with the highest dose (of equal ones the earlier); with an
integrated boost it is the lowest dose level. If a boost is documented but no phase and no level shows it, the
dose without boost is null.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.primary import Curated
from schemas.assumptions import Assumptions

_INTEGRATED, _FOLLOWING = "simultaneous integrated", ("sequential", "concomitant")
_KEY = ("patient_id", "course_id")


def doses(curated: Curated, courses: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return the courses with ``dose_gy``.

    Args:
        curated: the curated tables.
        courses: rows of ``curated.radiotherapy_course``.
        assumptions: whether the dose is the prescribed one, and whether a boost counts.
    """
    column = f"{assumptions.dose}_dose_gy"
    if assumptions.boost == "counted":
        return courses.with_columns(dose_gy=pl.col(column))
    leading = _leading_phases(curated, courses, column)
    frame = courses.join(leading, on=_KEY, how="left", maintain_order="left")
    boost = pl.col("boost")
    levels = pl.col("levels_gy").list.drop_nulls()
    # Every fraction gives all levels of an integrated boost, so each level is delivered in the same
    # proportion.
    share = pl.when(levels.list.len() > 1).then(levels.list.min() / levels.list.max())
    whole = boost.is_null() | (boost == "none")
    return frame.with_columns(
        dose_gy=pl.when(whole)
        .then(column)
        .when(boost == _INTEGRATED)
        .then(pl.col(column) * share)
        .when(boost.is_in(_FOLLOWING))
        .then("_without")
    ).drop("_without")


def _leading_phases(curated: Curated, courses: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the dose of the leading phase (``_without``) of every course with several phases at its site."""
    of_site = (pl.col("site") == 1).fill_null(True)
    # Brachytherapy is a boost of external beam radiotherapy, regardless of its dose.
    another_kind = pl.col("kind").ne_missing(pl.col("_kind"))
    return (
        curated["curated.radiotherapy_phase"]
        .filter(of_site, pl.col("prescribed_dose_gy").is_not_null())
        .join(courses.select(*_KEY, _kind="kind"), on=_KEY)
        .sort(*_KEY, another_kind, pl.col("prescribed_dose_gy").neg(), "phase")
        .group_by(_KEY, maintain_order=True)
        .agg(_without=pl.when(pl.len() > 1).then(pl.col(column).first()))
    )
