"""Derive the cohort from the curated tables: events, covariates, eligibility and endpoints, in this order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from sarcoma_pipeline.cohort import covariates, dose_columns, eligibility, endpoints, structure_doses
from sarcoma_pipeline.cohort.derived_once import Derive, every_time
from sarcoma_pipeline.cohort.eligibility import Eligibility, Verdicts
from sarcoma_pipeline.cohort.endpoints import Derived
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.timeline import Timeline, timeline
from schemas.assumptions import Assumptions
from schemas.configuration import Study


@dataclass(frozen=True)
class Cohort:
    """The cohort of a study. Each part is computed when it is first asked for, and once.

    Attributes:
        curated: the curated tables.
        study: criteria, endpoints and bounds; its assumptions are those of ``happened``.
        happened: the events of all patients.
        chosen: pseudonyms of the eligible patients, if they are known already.
        derive: calls the function of each part.
        evidence: whether the covariates name the records that they come from.
        cut: the data cut-off, if it is known already: of some of the patients it has to be.
    """

    curated: Curated
    study: Study
    happened: Timeline
    chosen: pl.Series | None = None
    derive: Derive = every_time
    evidence: bool = True
    cut: dt.date | None = None

    @cached_property
    def delivered(self) -> pl.DataFrame:
        """Covariates of every patient with an index tumour, without the bounds of the gate."""
        return covariates.as_delivered(
            self.curated, self.happened, self.derive, evidence=self.evidence, cut=self.cut
        )

    @cached_property
    def described(self) -> pl.DataFrame:
        """``cohort.patients`` of every patient with an index tumour, eligible or not."""
        return self.derive(covariates.bounded, self.delivered, self.happened, self.study.gate)

    @cached_property
    def verdicts(self) -> Verdicts:
        """The verdicts on the patients."""
        return eligibility.judge(self.curated, self.happened, self.study, self.described)

    @cached_property
    def judged(self) -> Eligibility:
        """The verdicts on all patients, and the flow."""
        return eligibility.together([self.verdicts], self.study)

    @cached_property
    def eligible(self) -> pl.Series:
        """Pseudonyms of the eligible patients."""
        if self.chosen is not None:
            return self.chosen
        if "verdicts" in vars(self):
            return eligibility.eligible(self.verdicts.eligibility)
        # The runs of a sensitivity analysis do not ask for reasons and the flow.
        return self.derive(eligibility.meeting, self.curated, self.happened, self.study, self.described)

    @cached_property
    def members(self) -> pl.DataFrame:
        """``patient_id`` and ``pseudonym`` of the eligible patients."""
        return self.derive(eligibility.members, self.curated, self.eligible)

    @cached_property
    def patients(self) -> pl.DataFrame:
        """``cohort.patients``: the eligible patients."""
        return self.derive(covariates.chosen, self.described, self.eligible)

    @cached_property
    def with_doses(self) -> pl.DataFrame:
        """``cohort.patients`` with the volumes and doses that the study declares."""
        if not self.study.dose_columns:
            return self.patients
        doses = self.derive(structure_doses.structure_doses, self.curated, self.members, self.study.gate)
        return dose_columns.with_doses(self.patients, doses, self.study.dose_columns, self.derive)

    @cached_property
    def derived(self) -> Derived:
        """Endpoints of the eligible patients, and who is not at risk."""
        return endpoints.derive(self.happened, self.members, self.study)

    @cached_property
    def times(self) -> pl.DataFrame:
        """``cohort.endpoints`` alone, and of it only the columns that analyses read."""
        return endpoints.at_risk(self.happened, self.members, self.study, self.derive)


def cohort(
    curated: Curated,
    study: Study,
    assumptions: Assumptions | None = None,
    *,
    chosen: pl.Series | None = None,
    derive: Derive = every_time,
    evidence: bool = True,
    cut: dt.date | None = None,
) -> Cohort:
    """Return the cohort of a study.

    Args:
        curated: the curated tables.
        study: criteria, endpoints and bounds.
        assumptions: used in place of the study's own ones.
        chosen: pseudonyms of the eligible patients, if they are known already.
        derive: calls the function of each part.
        evidence: whether the covariates name the records that they come from.
        cut: the data cut-off, if it is known already: of some of the patients it has to be.
    """
    happened = timeline(curated, assumptions or study.assumptions, derive)
    return Cohort(curated, study, happened, chosen, derive, evidence, cut)
