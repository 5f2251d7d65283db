"""Report missing facts that models and endpoints need: covariates, cause of death."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from sarcoma_pipeline.cohort import endpoint_rules, primary
from sarcoma_pipeline.cohort.finding_place import candidates
from sarcoma_pipeline.cohort.last_days import DEATHS
from sarcoma_pipeline.cohort.life_and_death import CAUSE_UNKNOWN
from sarcoma_pipeline.cohort.timeline import Timeline
from sarcoma_pipeline.survival.design import values
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.configuration import Study
from schemas.rule import Rule
from schemas.vocabularies import NOTICE

COVARIATE_MISSING = Rule(
    "model.covariate-missing",
    "warning",
    on=CohortPatient.table(),
    scope="patient",
    what="A covariate of the patient is missing, or has a level that study.toml does not list. The patient "
    "is left out of every model with this covariate; the note names the models.",
    remedy="Look the value up in the letters, the pathology report or the plan, and add it in the system "
    "that the column comes from. If the level is right, list it under [[covariates]] in study.toml.",
    source="STROBE, item 12c: how missing data were addressed",
    alone="a value is missing",
)
DEATH_OF_UNKNOWN_CAUSE = Rule(
    "endpoint.cause-unknown",
    "notice",
    on=CohortEndpoint.table(),
    scope="patient",
    what="An endpoint depends on the cause of death, which is unknown. If there was a relapse before the "
    "death, it counts as death by the tumour, otherwise not.",
    remedy="In the tumour documentation, add Tod_tumorbedingt and Menge_Todesursachen from the "
    "certificate of death.",
    source="oBDS 3.0.4 Tod/Tod_tumorbedingt",
    alone="a value is missing",
)


def missing_covariates(
    patients: pl.DataFrame, eligible: pl.Series, study: Study, records: pl.DataFrame
) -> pl.DataFrame:
    """Return who is left out of a model by which covariate; where no model has it, a notice.

    A dose that no patient has is not computed yet: that is no gap of a record.

    Args:
        patients: ``cohort.patients``, of any patients.
        eligible: pseudonyms of the cohort.
        study: its covariates and models.
        records: ``pseudonym`` and ``record_ids``: from :func:`main_records`.

    Returns:
        What ``finding_place.placed`` takes.
    """
    cohort = patients.drop("record_ids", strict=False).filter(pl.col("pseudonym").is_in(eligible.implode()))
    cohort = cohort.join(records, on="pseudonym", maintain_order="left")
    found = [candidates(cohort.clear(), "pseudonym", COVARIATE_MISSING, CohortPatient.table(), "")]
    doses = {column for one in study.dose_columns for column in (one.name, one.third)}
    for covariate in study.covariates:
        if covariate.column in doses and cohort[covariate.column].is_null().all():
            continue  # computed after the first refresh
        models = sorted({m.name for m in study.models if covariate.name in (*m.covariates, *m.strata)})
        note = f"covariate {covariate.name}; " + (f"models of {', '.join(models)}" if models else "no model")
        seen = _lacking(cohort.filter(values(covariate).is_null()), covariate.column, note)
        found.append(seen if models else seen.with_columns(severity=pl.lit(NOTICE)))
    return pl.concat(found)


def _lacking(frame: pl.DataFrame, column: str, note: str) -> pl.DataFrame:
    return candidates(
        frame, "pseudonym", COVARIATE_MISSING, CohortPatient.table(), column,
        pl.col(column).cast(pl.String), pl.lit(note),
    )  # fmt: skip


def unknown_causes(timeline: Timeline, members: pl.DataFrame, study: Study) -> pl.DataFrame:
    """Return deaths of unknown cause, if an endpoint depends on the cause.

    Args:
        timeline: the events of the patients.
        members: ``patient_id``, ``pseudonym`` of the cohort.
        study: its endpoints.

    Returns:
        What ``finding_place.placed`` takes.
    """
    rules = [endpoint_rules.resolved(rule, timeline) for rule in study.endpoints if rule.derivable]
    needing = [r.name for r in rules if set(DEATHS[1:]) & {*r.events, *r.censored_by}]
    unknown = (pl.col("kind") == "death") & (pl.col("detail") == CAUSE_UNKNOWN) & pl.lit(bool(needing))
    deaths = timeline.events.filter(unknown).join(members, on="patient_id", how="semi")
    note = pl.lit(f"endpoints {', '.join(needing)}")
    return candidates(
        deaths, "patient_id", DEATH_OF_UNKNOWN_CAUSE, CohortEndpoint.table(), "event_kind", note=note
    )


def main_records(curated: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the records of every patient on which a missing covariate could stand: of the index tumour.

    Args:
        curated: the curated tables.

    Returns:
        ``pseudonym``, ``record_ids``; of a patient without a tumour the records of the person.
    """
    tumour = primary.tumour(curated).select("patient_id", _of_tumour="record_ids")
    persons = curated["curated.patient"].select("patient_id", "pseudonym", "record_ids")
    joined = persons.join(tumour, on="patient_id", how="left", maintain_order="left").sort("pseudonym")
    of_tumour = pl.when(pl.col("_of_tumour").list.len() > 0).then("_of_tumour")
    return joined.select("pseudonym", record_ids=pl.coalesce(of_tumour, "record_ids"))
