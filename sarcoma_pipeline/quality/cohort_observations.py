"""What the derivation of the cohort observes: values out of bounds, gaps of models, unknown facts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort import (
    dose_columns,
    eligibility,
    finding_place,
    moves,
    not_known,
    structure_doses,
    within_bounds,
)
from sarcoma_pipeline.cohort.derivation import Cohort
from sarcoma_pipeline.cohort.eligibility import Eligibility
from sarcoma_pipeline.quality import model_gaps
from schemas.configuration import Sources, Study


@dataclass(frozen=True)
class OfPatients:
    """What is observed of some patients, whoever else is in the study, and what is asked about all of them.

    Attributes:
        found: candidates for findings of single patients.
        records: from ``not_known.candidates``.
        eligible: covariates of the eligible ones.
        doses: their ``cohort.dose_volume``, if the study declares columns with doses.
        main: from ``model_gaps.main_records``, of the eligible ones.
    """

    found: pl.DataFrame
    records: pl.DataFrame
    eligible: pl.DataFrame
    doses: pl.DataFrame
    main: pl.DataFrame


def of_patients(made: Cohort) -> OfPatients:
    """Return what is observed of the patients of a cohort, or of some of them."""
    study = made.study
    found = [
        within_bounds.observe(made.delivered, made.happened, study.gate),
        moves.observe(made.happened, made.members),
        structure_doses.observe(made.curated, made.members, study.gate),
        model_gaps.unknown_causes(made.happened, made.members, study),
    ]
    unknown = not_known.unknown(made.verdicts)
    doses = structure_doses.structure_doses(made.curated, made.members, study.gate)
    covariates = {covariate.column for covariate in study.covariates} & set(made.patients.columns)
    return OfPatients(
        pl.concat(found),
        not_known.candidates(made.curated, unknown),
        made.patients.select("pseudonym", *sorted(covariates)),
        doses if study.dose_columns else doses.clear(),
        model_gaps.main_records(made.curated).join(
            made.members, on="pseudonym", how="semi", maintain_order="left"
        ),
    )


def observe(
    seen: Sequence[OfPatients],
    judged: Eligibility,
    study: Study,
    sources: Sources,
    places: Callable[[pl.Series], pl.DataFrame],
) -> pl.DataFrame:
    """Return the observations on a cohort.

    Args:
        seen: what is observed of all patients, by groups.
        judged: the verdicts on all patients.
        study: its covariates and models.
        sources: of the study.
        places: returns the locations of records, as :func:`sarcoma_pipeline.quality.findings.places` does.

    Returns:
        `schemas.quality.Observed`.
    """
    patients = pl.concat([some.eligible for some in seen])
    doses = pl.concat([some.doses for some in seen])
    # The limits of thirds are those of the whole cohort.
    patients = dose_columns.with_doses(patients, doses, study.dose_columns)
    chosen = eligibility.eligible(judged.eligibility)
    main = pl.concat([some.main for some in seen])
    gaps = model_gaps.missing_covariates(patients, chosen, study, main)
    found = pl.concat([*(some.found for some in seen), gaps])
    records = pl.concat([some.records for some in seen])
    where = places(pl.concat([records["record_id"], found["record_id"]]))
    unknown = not_known.unknown(judged)
    return pl.concat(
        [
            finding_place.placed(found, where, sources),
            not_known.observe(judged, unknown, records, where, sources),
        ]
    )
