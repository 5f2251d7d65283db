"""Builds the wide table of a release: one row a patient, with the time and event of every endpoint."""

from __future__ import annotations

import polars as pl

from schemas import cohort_wide
from schemas.contract import Contract


def contract(endpoints: pl.DataFrame) -> type[Contract]:
    """Return the contract of the wide table for the endpoints that `cohort.endpoints` has."""
    return cohort_wide.contract(_names(endpoints))


def _names(endpoints: pl.DataFrame) -> list[str]:
    return endpoints["endpoint"].drop_nulls().unique().sort().to_list()


def table(patients: pl.DataFrame, endpoints: pl.DataFrame) -> pl.DataFrame:
    """Join the endpoints to the patients, a set of columns each.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.

    Returns:
        `schemas.cohort_wide`, in the order of the patients.
    """
    wide = patients
    for endpoint, prefix in cohort_wide.prefixes(_names(endpoints)).items():
        columns = cohort_wide.endpoint_columns(prefix)
        mine = endpoints.filter(endpoint=endpoint).select("pseudonym", *columns).rename(columns)
        wide = wide.join(mine, on="pseudonym", how="left", maintain_order="left_right")
    # Not enforced here: the release gate reports a patient or an endpoint that occurs twice.
    return contract(endpoints).conform(wide)
