"""Rules on being alive or dead, and on what else one source says against another."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.judging import Frames, at, deaths, judges
from schemas import rules


@judges(rules.ALIVE_AFTER_DEATH, "vital_status")
def _alive_after_death(frames: Frames) -> pl.DataFrame:
    later = (pl.col("status_date") > pl.col("died")) | (pl.col("status_day") > pl.col("death_day"))
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in(["alive", "moved"]))
        .join(deaths(frames), on="patient_id")
        .filter(later.fill_null(False), ~pl.col("record_id").is_in(pl.col("death_records")))
        .select("record_id", *at("status_date"))
    )


@judges(rules.STATUS_CONTRADICTION, "vital_status")
def _status_contradiction(frames: Frames) -> pl.DataFrame:
    dead = pl.col("status").str.starts_with("deceased")
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in(["alive", "deceased", "deceased, date unknown"]))
        .filter(dead.any().over("record_id"), (~dead).any().over("record_id"))
        .select("record_id", *at("status"))
    )


@judges(rules.DEATH_DATE_CONFLICT, "vital_status")
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
    return ranked.filter(when != when.first().over("patient_id")).select(
        "record_id", column_name=pl.lit("status_date"), value=when
    )


@judges(rules.BORN_AFTER_STATUS, "vital_status")
def _before_birth(frames: Frames) -> pl.DataFrame:
    born = frames["person"].filter("master").group_by("patient_id").agg(born=pl.col("birth_date").min())
    return (
        frames["vital_status"]
        .join(born, on="patient_id")
        .filter(pl.col("status_date") < pl.col("born"))
        .select("record_id", *at("status_date"))
    )


@judges(rules.SEX_DIFFERS, "person")
def _sex_differs(frames: Frames) -> pl.DataFrame:
    known = pl.col("sex").is_in(["female", "male"])
    file = frames["person"].filter("master", known).group_by("patient_id").agg(file="sex")
    return (
        frames["person"]
        .filter(~pl.col("master"), known)
        .join(file, on="patient_id")
        .filter(~pl.col("sex").is_in(pl.col("file")))
        .select("record_id", *at("sex"))
    )


@judges(rules.SYSTEMIC_CONTRADICTION, "systemic_therapy")
def _systemic_contradiction(frames: Frames) -> pl.DataFrame:
    told = frames["systemic_therapy"].filter(pl.col("patient_id").is_not_null())
    given = (pl.col("given") == "yes").any().over("patient_id", "kind")
    return told.filter(given, pl.col("given") == "no").select("record_id", *at("given"))
