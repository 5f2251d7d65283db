"""Rules on being alive or dead, and on what else one source says against another."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import deaths
from sarcoma_pipeline.quality.rule_registry import Frames, rule, verdicts


@rule(
    "vital-status.alive-after-death",
    "error",
    on="typed.vital_status",
    scope="source",
    what="The person is said to be alive after the documented death.",
    remedy="Find out which is right; the statement of life is not used until then.",
    missing="kept",
)
def _alive_after_death(frames: Frames) -> pl.DataFrame:
    later = (pl.col("status_date") > pl.col("died")) | (pl.col("status_day") > pl.col("death_day"))
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in(["alive", "moved"]))
        .join(deaths(frames), on="patient_id")
        .filter(~pl.col("record_id").is_in(pl.col("death_records")))
        .pipe(verdicts, later, "status_date")
    )


@rule(
    "vital-status.contradiction",
    "warning",
    on="typed.vital_status",
    scope="record",
    what="Two statements of one record contradict each other on being alive or dead.",
    remedy="Find out which is right; the precedence of sources.toml decides until then.",
    missing="kept",
)
def _status_contradiction(frames: Frames) -> pl.DataFrame:
    dead = pl.col("status").str.starts_with("deceased")
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in(["alive", "deceased", "deceased, date unknown"]))
        .pipe(verdicts, dead.any().over("record_id") & (~dead).any().over("record_id"), "status")
    )


@rule(
    "vital-status.death-date-conflict",
    "warning",
    on="typed.vital_status",
    scope="source",
    what="Two sources give different dates of death; the source named first in the precedence wins.",
    remedy="Find the right date and correct the other source.",
    source="sources.toml precedence",
    missing="kept",
)
def _death_date_conflict(frames: Frames) -> pl.DataFrame:
    exact = (pl.col("status_date_precision") == "day") | pl.col("status_day").is_not_null()
    deaths = frames["vital_status"].filter(
        pl.col("status") == "deceased", exact, pl.col("patient_id").is_not_null()
    )
    order = {"registry office": 0, "oBDS": 1, "table": 2}
    ranked = deaths.with_columns(
        rank=pl.col("source").replace_strict(order, default=9, return_dtype=pl.Int32)
    ).sort("patient_id", "rank", "record_id", maintain_order=True)
    when = pl.coalesce(pl.col("status_date").cast(pl.String), pl.format("day {}", "status_day"))
    dated = ranked.with_columns(status_date=when)
    return verdicts(dated, when != when.first().over("patient_id"), "status_date")


@rule(
    "vital-status.before-birth",
    "error",
    on="typed.vital_status",
    scope="source",
    what="The statement on life or death is dated before the birth.",
    remedy="Correct it in the source system; it is read again in the next refresh.",
    missing="kept",
)
def _before_birth(frames: Frames) -> pl.DataFrame:
    born = frames["person"].filter("master").group_by("patient_id").agg(born=pl.col("birth_date").min())
    return (
        frames["vital_status"]
        .join(born, on="patient_id")
        .pipe(verdicts, pl.col("status_date") < pl.col("born"), "status_date")
    )


@rule(
    "identity.sex-differs",
    "warning",
    on="typed.person",
    scope="source",
    what="The sex differs from the patient file's.",
    remedy="Check which is right; the patient file's is used.",
    missing="kept",
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
    what="One source says that the therapy was given, another that it was not.",
    remedy="Find out which is right.",
    missing="kept",
)
def _systemic_contradiction(frames: Frames) -> pl.DataFrame:
    told = frames["systemic_therapy"].filter(pl.col("patient_id").is_not_null())
    given = (pl.col("given") == "yes").any().over("patient_id", "kind")
    return verdicts(told, given & (pl.col("given") == "no"), "given")
