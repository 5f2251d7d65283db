"""Count the patients with toxicity, among those whose toxicity is documented, by group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.survival.numbered_lines import numbered
from sarcoma_pipeline.survival.proportions import exact_interval, fisher
from sarcoma_pipeline.survival.toxicity_groups import grouped
from schemas.analysis_toxicity import ToxicityRate
from schemas.configuration import Covariate
from schemas.toxicity_toml import ToxicityEndpoint


def toxicity_rates(
    patients: pl.DataFrame,
    states: pl.DataFrame,
    endpoints: Sequence[ToxicityEndpoint],
    covariates: Sequence[Covariate],
) -> pl.DataFrame:
    """Return the frequency of each endpoint in all patients, and in each group.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        states: `schemas.cohort_toxicity_endpoints.CohortToxicityEndpoint`.
        endpoints: as study.toml declares them; none gives an empty table.
        covariates: the covariates of study.toml.

    Returns:
        `schemas.analysis_toxicity.ToxicityRate`.
    """
    lines = [line for endpoint in endpoints for line in _lines(patients, states, endpoint, covariates)]
    return numbered(ToxicityRate, lines)


def _lines(
    patients: pl.DataFrame,
    states: pl.DataFrame,
    endpoint: ToxicityEndpoint,
    covariates: Sequence[Covariate],
) -> Iterator[dict[str, Any]]:
    groups, levels = grouped(patients, endpoint, covariates)
    frame = groups.join(states.filter(endpoint=endpoint.name), on="pseudonym", how="left")
    parts: list[tuple[str | None, pl.DataFrame]] = [(None, frame)]
    parts += [(level, frame.filter(level=level)) for level in levels]
    counts = [(level, _counts(of)) for level, of in parts]
    p = fisher([(of["events"], of["counted"]) for level, of in counts if level is not None])
    for level, of in counts:
        low, high = exact_interval(of["events"], of["counted"]) or (None, None)
        yield {
            "endpoint": endpoint.name, "covariate": endpoint.by, "level": level, **of,
            "share": of["events"] / of["counted"] if of["counted"] else None, "ci_low": low, "ci_high": high,
            "least": min(1.0, of["events"] / of["treated"]) if of["treated"] else None, "p_value": p,
        }  # fmt: skip


def _counts(group: pl.DataFrame) -> dict[str, int]:
    mine = group.filter("counted")
    return {
        "patients": group.height,
        "treated": int(group["treated"].sum()),
        "documented": int(group["documented"].sum()),
        "counted": mine.height,
        "events": int(mine["event"].fill_null(False).sum()),
        "unclear": int(mine["unclear"].sum()),
        "died": int(group["died_in_window"].sum()),
    }
