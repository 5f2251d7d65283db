"""Count the patients with toxicity, among those whose toxicity is documented, by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.survival.design import values
from sarcoma_pipeline.survival.proportions import exact_interval, fisher
from schemas.analysis_toxicity import ToxicityRate
from schemas.configuration import Covariate
from schemas.toxicity_toml import ToxicityEndpoint


def toxicity_rates(
    patients: pl.DataFrame,
    toxicity: pl.DataFrame,
    endpoints: Sequence[ToxicityEndpoint],
    covariates: Sequence[Covariate],
) -> pl.DataFrame:
    """Return the frequency of each endpoint in all patients, and in each group.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        toxicity: `schemas.cohort_toxicity.CohortToxicity`.
        endpoints: as study.toml declares them; none gives an empty table.
        covariates: the covariates of study.toml.

    Returns:
        `schemas.analysis_toxicity.ToxicityRate`.
    """
    lines = [line for endpoint in endpoints for line in _lines(patients, toxicity, endpoint, covariates)]
    if not lines:
        return ToxicityRate.empty()
    frame = pl.DataFrame(lines, infer_schema_length=None).with_row_index("position", offset=1)
    return ToxicityRate.enforce(ToxicityRate.conform(frame))


def states(toxicity: pl.DataFrame, endpoint: ToxicityEndpoint) -> pl.DataFrame:
    """Return the documented patients: ``pseudonym``, ``event``, and ``unclear`` (may have had one).

    A grade up to day 90 is documented by a statement of acute toxicity, or that there was none; a late one by
    a statement of late toxicity: the side effects of an oBDS report end at day 90 and say nothing of later.

    Args:
        toxicity: `schemas.cohort_toxicity.CohortToxicity`.
        endpoint: what counts.
    """
    stated = toxicity.filter(pl.col("statement") != "unknown")
    if endpoint.measure == "major wound complication":
        mine = stated.filter(therapy="surgery", of_primary_treatment=True)
        says = pl.col("major_wound_complication")
        told, event = pl.lit(True), says.fill_null(False)
        maybe = says.is_null()
    else:
        mine = stated.filter(therapy="radiotherapy", of_primary_treatment=True)
        present = pl.col("statement") == "present"
        here = pl.col("window") == endpoint.window
        told = here.fill_null(False)
        grave = present & (pl.col("grade") >= endpoint.least_grade)
        kind = pl.col("category").is_in(list(endpoint.categories)) if endpoint.categories else pl.lit(True)
        event = (grave & here & kind).fill_null(False)
        # Null where a part is not documented: then it may be an event.
        maybe = (grave & here & kind).is_null()
    return (
        mine.with_columns(_told=told, _event=event, _maybe=maybe)
        .group_by("pseudonym")
        .agg(
            told=pl.col("_told").any(),
            event=pl.col("_event").any(),
            unclear=pl.col("_maybe").any() & ~pl.col("_event").any(),
        )
        .filter("told")
        .drop("told")
    )


def _lines(
    patients: pl.DataFrame,
    toxicity: pl.DataFrame,
    endpoint: ToxicityEndpoint,
    covariates: Sequence[Covariate],
) -> Iterator[dict[str, Any]]:
    factor = next(c for c in covariates if c.name == endpoint.by)
    frame = patients.select("pseudonym", _level=values(factor)).join(
        states(toxicity, endpoint), on="pseudonym", how="left"
    )
    order = dict.fromkeys([factor.reference, *factor.levels])
    known = [level for level in order if level in set(frame["_level"].drop_nulls())]
    known += sorted(set(frame["_level"].drop_nulls()) - set(known))
    groups = [(level, frame.filter(pl.col("_level") == level)) for level in known]
    p = fisher([(int(of["event"].sum()), of["event"].drop_nulls().len()) for _, of in groups])
    for level, of in [(None, frame), *groups]:
        documented, events = of["event"].drop_nulls().len(), int(of["event"].sum())
        low, high = exact_interval(events, documented) or (None, None)
        yield {
            "endpoint": endpoint.name, "covariate": factor.name, "level": level, "patients": of.height,
            "documented": documented, "events": events, "unclear": int(of["unclear"].sum()),
            "share": events / documented if documented else None, "ci_low": low, "ci_high": high,
            "p_value": p,
        }  # fmt: skip
