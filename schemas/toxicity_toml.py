"""Define ``[[toxicity]]`` of ``study.toml``: endpoints of toxicity, counted by window and group."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from schemas.toml_section import Section


class ToxicityEndpoint(Section):
    """A share of patients with a toxicity, among those whose toxicity is documented."""

    name: str
    """Name of the endpoint, unique among those of toxicity."""
    title: str
    """Name in the report."""
    measure: Literal["grade", "major wound complication"] = "grade"
    """A grade of CTCAE after the primary course of radiotherapy, or a major wound complication up to day 120
    after the definitive resection (O'Sullivan 2002)."""
    window: Literal["acute", "late"] | None = None
    """For a grade, required: acute up to day 90 from the start of radiotherapy, or late after."""
    least_grade: Annotated[int, Field(ge=1, le=5)] = 3
    """For a grade: the lowest one that counts."""
    categories: tuple[str, ...] = ()
    """For a grade: categories that count; if empty, all, and side effects whose kind is not documented."""
    by: str
    """A factor among the covariates, whose levels are compared by Fisher's exact test."""
