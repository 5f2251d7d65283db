"""Decide which components of the disease an examination states.

An overall complete remission states every component without a status of its own; any other overall status
states only itself. "Unknown" and "questionable" state nothing (switch), "missing" never does.
"""

from __future__ import annotations

import polars as pl

from schemas.assumptions import Assumptions
from schemas.configuration import EndpointRule
from schemas.vocabularies import UNKNOWN_RELAPSE

OVERALL, COMPONENTS = "overall", ("local", "regional", "distant")

_STATED = ("no tumour", "residual", "progression", "stable", "relapse")
_VAGUE = ("questionable", "unknown")
_SILENT_OVERALL = ("not assessable", "missing")


def states(assumptions: Assumptions, documents_metastasis: pl.Expr) -> pl.Expr:
    """Return the list of components that an examination states.

    Args:
        assumptions: whether a questionable component counts as examined.
        documents_metastasis: whether it reports a metastasis, which states the distant component.
    """
    telling = [*_STATED, *(_VAGUE if assumptions.questionable_status == "look" else ())]
    whole = (pl.col("overall_status") == "complete remission").fill_null(False)
    overall = pl.col("overall_status").is_not_null() & ~pl.col("overall_status").is_in(_SILENT_OVERALL)
    said = {OVERALL: overall} | {
        # "Missing" for a component means that it was not examined, regardless of the overall status.
        part: pl.col(f"{part}_status").is_in(telling).fill_null(whole)
        for part in COMPONENTS
    }
    said["distant"] = said["distant"] | documents_metastasis
    listed = [pl.when(holds).then(pl.lit(name)) for name, holds in said.items()]
    return pl.concat_list(listed).list.drop_nulls()


def needed(rule: EndpointRule) -> tuple[str, ...]:
    """Return the components that an examination must state to extend an endpoint.

    ``overall`` stands for disease-free survival.

    An endpoint of every site, or of relapses of unknown site, needs an overall statement or all components;
    one of local and regional relapse needs the local component.
    """
    sites = [part for part in COMPONENTS if f"{part} relapse" in rule.events]
    if UNKNOWN_RELAPSE in rule.events or len(sites) == len(COMPONENTS):
        return (OVERALL,)
    return tuple(part for part in sites if not (part == "regional" and "local" in sites))


def extends(rule: EndpointRule, assumptions: Assumptions) -> pl.Expr:
    """Return whether an examination extends an endpoint, from its list ``states``."""
    return stating(needed(rule), assumptions)


def stating(wanted: tuple[str, ...], assumptions: Assumptions) -> pl.Expr:
    """Return whether an examination extends an endpoint that needs these components."""
    said = pl.col("states")
    if assumptions.examination == "any statement" or not wanted:
        return said.list.len() > 0
    whole = pl.all_horizontal(said.list.contains(part) for part in COMPONENTS)
    if wanted == (OVERALL,):
        return said.list.contains(OVERALL) | whole
    return pl.all_horizontal(said.list.contains(part) for part in wanted)
