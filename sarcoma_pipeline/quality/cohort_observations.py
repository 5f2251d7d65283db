"""What the derivation of the cohort observes: values out of bounds, gaps of models, unknown facts."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from sarcoma_pipeline.cohort import finding_place, moves, not_known, structure_doses, within_bounds
from sarcoma_pipeline.cohort.derivation import Cohort
from sarcoma_pipeline.quality import model_gaps
from schemas.configuration import Sources


def observe(made: Cohort, sources: Sources, places: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """Return the observations on a cohort.

    Args:
        made: the cohort.
        sources: of the study.
        places: returns the locations of records, as :func:`sarcoma_pipeline.quality.findings.places` does.

    Returns:
        `schemas.quality.Observed`.
    """
    study = made.study
    unknown = not_known.unknown(made.judged)
    records = not_known.candidates(made.curated, unknown)
    main = model_gaps.main_records(made.curated)
    found = pl.concat(
        [
            within_bounds.observe(made.delivered, made.happened, study.gate),
            moves.observe(made.happened, made.members),
            structure_doses.observe(made.curated, made.members, study.gate),
            model_gaps.missing_covariates(made.with_doses, made.eligible, study, main),
            model_gaps.unknown_causes(made.happened, made.members, study),
        ]
    )
    where = places(pl.concat([records["record_id"], found["record_id"]]))
    return pl.concat(
        [
            finding_place.placed(found, where, sources),
            not_known.observe(made.judged, unknown, records, where, sources),
        ]
    )
