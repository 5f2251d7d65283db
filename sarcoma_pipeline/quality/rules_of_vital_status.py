"""Rules on vital status, and on other contradictions between sources."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import (
    births,
    deaths,
    refuted_deaths,
    sarcomas,
    undated_deaths,
)
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.partial_dates import interval
from schemas.sides import BIRTH, DEATHS, DIAGNOSES, LIFE, SEX, STATEMENTS, Side
from schemas.vocabularies import ALIVE, DECEASED, DECEASED_DATE_UNKNOWN, MOVED


@rule(
    "vital-status.alive-after-death",
    "error",
    on="typed.vital_status",
    scope="source",
    what=(
        "The person is stated to be alive after the documented death, by a source that does not take "
        "precedence over that of the death. The statement is not used."
    ),
    remedy=(
        "Ask the registry office for the date of death. Correct Tod/Sterbedatum in the tumour "
        "documentation, or the date of the last contact in the table."
    ),
    missing="kept",
    sides=(DEATHS,),
)
def _alive_after_death(frames: Frames) -> pl.DataFrame:
    later = (pl.col("status_date") > pl.col("died")) | (pl.col("status_day") > pl.col("death_day"))
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in([ALIVE, MOVED]))
        .join(deaths(frames), on="patient_id")
        .filter(~pl.col("record_id").is_in(pl.col("death_records")))
        .pipe(verdicts, later, "status_date")
    )


@rule(
    "vital-status.before-diagnosis",
    "warning",
    on="typed.vital_status",
    scope="patient",
    what="The last statement of life is dated before the diagnosis: it says nothing of the follow-up.",
    remedy=(
        "Compare the date of the last contact in the table, or of the registry office's answer, with the "
        "date of diagnosis. Correct the wrong one; if both are right, ask the registry office."
    ),
    missing="kept",
    sides=(DIAGNOSES,),
)
def _before_diagnosis(frames: Frames) -> pl.DataFrame:
    """Judge the latest statement; an earlier one before the diagnosis is nothing unusual."""
    dated = frames["vital_status"].filter(pl.col("status_date").is_not_null())
    _, latest = interval(pl.col("status_date"), pl.col("status_date_precision"))
    last = pl.col("status_date") == pl.col("status_date").max().over("patient_id")
    return (
        dated.filter(pl.col("patient_id").is_not_null(), last)
        .filter(pl.col("status").is_in([ALIVE, MOVED]))
        .join(undated_deaths(frames).select("patient_id"), on="patient_id", how="anti")
        .join(sarcomas(frames), on="patient_id")
        .pipe(verdicts, latest < pl.col("zero_first"), "status_date")
    )


@rule(
    "vital-status.no-diagnosis",
    "warning",
    on="typed.vital_status",
    scope="patient",
    what="The patient has a vital status and no diagnosis with a date: no time of theirs can be counted.",
    remedy=(
        "Fill in the date of diagnosis in the table, or have the tumour documentation deliver the patient's "
        "Diagnose."
    ),
    alone="the diagnosis is missing",
)
def _no_diagnosis(frames: Frames) -> pl.DataFrame:
    """Judge patients of whom no diagnosis was set aside either: that has a finding of its own."""
    told = frames["every diagnosis"].filter(
        pl.any_horizontal(pl.col("diagnosis_date", "diagnosis_day").is_not_null())
        | ~pl.col("record_id").is_in(frames["diagnosis"]["record_id"].implode())
    )
    assigned = frames["every tumour_assignment"].filter(pl.col("diagnosis_date").is_not_null())
    return (
        frames["vital_status"]
        .filter(pl.col("patient_id").is_not_null())
        .join(told.select("patient_id"), on="patient_id", how="anti")
        .join(assigned, on="patient_id", how="anti")
        .select("record_id", *at("status"))
    )


@rule(
    "vital-status.death-refuted",
    "error",
    on="typed.vital_status",
    scope="source",
    what=(
        "The person is stated to be alive after this death, by a source that takes precedence (in "
        "sources.toml) over every source of the death. The death is not used."
    ),
    remedy=(
        "Ask the registry office for an extended reply. If the person is dead, waive this finding: the death "
        "counts. If they live, correct Tod/Sterbedatum in the tumour documentation, or the date in the table."
    ),
    source="sources.toml precedence, death",
    overruled=True,
    sides=(LIFE,),
)
def _death_refuted(frames: Frames) -> pl.DataFrame:
    note = pl.format("alive on {}, says the {}", "alive_on", "alive_source")
    return refuted_deaths(frames).select("record_id", *at("status_date"), note=note)


@rule(
    "vital-status.alive-after-undated-death",
    "error",
    on="typed.vital_status",
    scope="source",
    what=(
        "The person is stated to be alive after another statement said that they are dead, without a date "
        "of death. The death counts, and this statement is not used until a data steward decides."
    ),
    remedy=(
        "Ask the registry office for an extended reply. If the person lives, ask the sender of the death "
        "report to withdraw it; until then waive this finding: the statement counts, and the death does "
        "not. If the person is dead, enter Sterbedatum in the tumour documentation."
    ),
    missing="kept",
    sides=(DEATHS,),
)
def _alive_after_undated_death(frames: Frames) -> pl.DataFrame:
    alive = pl.coalesce("status_date", "reported_on")
    return verdicts(_living_and_dead(frames), alive > pl.col("told"), "status_date")


@rule(
    "vital-status.death-order-unknown",
    "warning",
    on="typed.vital_status",
    scope="source",
    what=(
        "One statement says that the person is alive, another that they are dead without a date of death, "
        "and it is not known which was made later. Both count: the patient was alive until then and died at"
        " an unknown time after."
    ),
    remedy=(
        "Add to both the day on which they were made: the day of the answer in the reply, Meldedatum in the "
        "tumour documentation. Ask the registry office for an extended reply."
    ),
    missing="broken",
    sides=(STATEMENTS,),
)
def _death_order_unknown(frames: Frames) -> pl.DataFrame:
    alive = pl.coalesce("status_date", "reported_on")
    order = alive > pl.col("told")
    # A known order is no fault, or a fault of the rule above.
    return verdicts(_living_and_dead(frames), order & ~order, "status_date")


def _living_and_dead(frames: Frames) -> pl.DataFrame:
    """Return statements of life of patients whose only known death is undated."""
    living = frames["vital_status"].filter(pl.col("status").is_in([ALIVE, MOVED]))
    return living.join(undated_deaths(frames), on="patient_id")


@rule(
    "vital-status.contradiction",
    "warning",
    on="typed.vital_status",
    scope="record",
    what=(
        "Two statements of one record contradict each other on whether the patient is alive or dead. The "
        "precedence in sources.toml decides."
    ),
    remedy="Compare both columns of this record with the registry office's reply. Correct the wrong one.",
    missing="kept",
)
def _status_contradiction(frames: Frames) -> pl.DataFrame:
    dead = pl.col("status").is_in([DECEASED, DECEASED_DATE_UNKNOWN])
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in([ALIVE, DECEASED, DECEASED_DATE_UNKNOWN]))
        .pipe(verdicts, dead.any().over("record_id") & (~dead).any().over("record_id"), "status")
    )


@rule(
    "vital-status.before-birth",
    "error",
    on="typed.vital_status",
    scope="source",
    what="The statement on life or death is dated before the birth.",
    remedy="Compare the date with Geburtsdatum. Correct the wrong one in the system that sent it.",
    missing="kept",
    sides=(BIRTH,),
)
def _before_birth(frames: Frames) -> pl.DataFrame:
    _, last = interval(pl.col("status_date"), pl.col("status_date_precision"))
    return (
        frames["vital_status"]
        .join(births(frames), on="patient_id")
        .pipe(verdicts, last < pl.col("first"), "status_date")
    )


@rule(
    "identity.sex-differs",
    "warning",
    on="typed.person",
    scope="source",
    what="The sex differs from Patienten_Stammdaten/Geschlecht. The latter is used.",
    remedy="Check the sex in the patient administration. Correct Geschlecht in the system that is wrong.",
    missing="kept",
    sides=(SEX,),
)
def _sex_differs(frames: Frames) -> pl.DataFrame:
    known = pl.col("sex").is_in(["female", "male"])
    file = frames["person"].filter("master", known).group_by("patient_id").agg(file="sex")
    return (
        frames["person"]
        .filter(~pl.col("master"), known)
        .join(file, on="patient_id")
        .pipe(verdicts, ~pl.col("sex").is_in(pl.col("file")), "sex")
    )


@rule(
    "systemic-therapy.contradiction",
    "warning",
    on="typed.systemic_therapy",
    scope="source",
    what="One record states that the therapy was given, another that it was not.",
    remedy=(
        "Compare SYST in the tumour documentation with the table's column on this therapy. Correct the "
        "wrong one."
    ),
    missing="kept",
    sides=(Side("typed.systemic_therapy", ("given", "chemotherapy", "start_date")),),
)
def _systemic_contradiction(frames: Frames) -> pl.DataFrame:
    told = frames["systemic_therapy"].filter(pl.col("patient_id").is_not_null())
    given = (pl.col("given") == "yes").any().over("patient_id", "kind")
    return verdicts(told, given & (pl.col("given") == "no"), "given")
