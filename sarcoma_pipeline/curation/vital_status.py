"""Vital status: what all sources say of a patient's being alive or dead, one row per patient."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation.event_rows import Frames, cut, ranked, with_days
from schemas import typed


def curate(sound: Frames, zero: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Reconcile what all sources say of life and death.

    Args:
        sound: the typed tables.
        zero: ``patient_id, zero``.
        precedence: kinds of source, the most credible first.

    Returns:
        Rows of ``curated.vital_status``.
    """
    records = ranked(sound[typed.VitalStatus.table()], precedence)
    records = with_days(records, zero, {"status_date": "status_day"})
    died = pl.col("status") == "deceased"
    dated = died & (pl.col("status_date").is_not_null() | pl.col("status_day").is_not_null())
    # An exact date beats a more credible source's month.
    exact = (pl.col("status_date_precision") == "day") | pl.col("status_date_precision").is_null()
    same = pl.any_horizontal(
        (pl.col(c) == pl.col(c).last()).fill_null(False) for c in ("status_date", "status_day")
    )
    deaths = (
        records.filter(dated)
        .sort(exact, maintain_order=True)
        .group_by("patient_id", maintain_order=True)
        .agg(
            death_date=pl.col("status_date").last(),
            death_date_precision=pl.col("status_date_precision").last(),
            death_day=pl.col("status_day").last(),
            # Evidence: records with the chosen exact day, and records whose partial date may mean it.
            death_record_ids=pl.col("record_id").filter(~exact | same).unique().sort(),
            tumour_related=pl.col("tumour_related").drop_nulls().last(),
        )
    )
    living = (
        records.filter(
            pl.col("status").is_in(["alive", "moved"]),
            pl.any_horizontal(pl.col("status_date", "status_day").is_not_null()),
        )
        .sort("status_date", "status_day", "record_id", nulls_last=False)
        .group_by("patient_id", maintain_order=True)
        .agg(
            _exact=pl.col("status_date").filter(exact).max(),
            last_alive_date=pl.col("status_date").last(),
            last_alive_day=pl.col("status_day").last(),
            last_alive_record_ids=pl.col("record_id").last(),
        )
        .with_columns(last_alive_record_ids=pl.concat_list("last_alive_record_ids"))
    )
    seen = _last_seen(sound, zero)
    everyone = pl.concat([records.select("patient_id"), seen.select("patient_id")]).unique()
    claimed = records.group_by("patient_id").agg(
        record_ids=pl.col("record_id").unique().sort(),
        _dead=pl.col("status").str.starts_with("deceased").any(),
    )
    frame = (
        everyone.join(claimed, on="patient_id", how="left")
        .join(deaths, on="patient_id", how="left")
        .join(living, on="patient_id", how="left")
        .join(seen, on="patient_id", how="left")
    )
    frame = _after_the_last_contact(frame)
    better = pl.col("seen_day") > pl.col("last_alive_day").fill_null(-1_000_000)
    frame = frame.with_columns(
        last_alive_date=pl.when(better).then("seen_date").otherwise("last_alive_date"),
        last_alive_record_ids=pl.when(better).then("seen_record_ids").otherwise("last_alive_record_ids"),
        last_alive_day=pl.when(better).then("seen_day").otherwise("last_alive_day"),
        record_ids=pl.col("record_ids").fill_null([]),
        status=pl.when(pl.col("death_day").is_not_null() | pl.col("death_date").is_not_null())
        .then(pl.lit("deceased"))
        .when(pl.col("_dead").fill_null(False))
        .then(pl.lit("deceased, date unknown"))
        .otherwise(pl.lit("alive")),
    )
    # Caps the last day known alive at the death.
    after = pl.col("last_alive_day") > pl.col("death_day")
    return frame.with_columns(
        last_alive_day=pl.when(after).then("death_day").otherwise("last_alive_day"),
        last_alive_date=pl.when(after).then("death_date").otherwise("last_alive_date"),
    )


def _after_the_last_contact(frame: pl.DataFrame) -> pl.DataFrame:
    """Cut a partial date of death: nobody dies before a day on which they were examined or stated alive."""
    date, _, _ = cut(
        pl.col("death_date"),
        pl.col("death_date_precision"),
        pl.max_horizontal("seen_date", "_exact"),
        pl.lit(None, dtype=pl.Date),
    )
    moved = (date - pl.col("death_date")).dt.total_days().fill_null(0).cast(pl.Int32)
    return frame.with_columns(death_date=date, death_day=pl.col("death_day") + moved).drop("_exact")


def _last_seen(sound: Frames, zero: pl.DataFrame) -> pl.DataFrame:
    """Return the last day on which the hospital itself documented the patient alive, exact to the day."""
    events = [
        (typed.Assessment, "assessment_date", "assessment_day", None),
        (typed.Surgery, "surgery_date", "surgery_day", None),
        (typed.Radiotherapy, "start_date", "start_day", None),
        (typed.Radiotherapy, "end_date", "end_day", None),
        (typed.SystemicTherapy, "start_date", "start_day", "start_date_precision"),
        (typed.Diagnosis, "diagnosis_date", "diagnosis_day", "diagnosis_date_precision"),
    ]
    parts = []
    for contract, date, day, precision in events:
        frame = with_days(sound[contract.table()], zero, {date: day})
        if precision and precision in frame.columns:
            frame = frame.filter(pl.col(precision).fill_null("day") == "day")
        parts.append(
            frame.select(
                "patient_id", seen_date=pl.col(date), seen_day=pl.col(day), seen_record_ids="record_id"
            )
        )
    return (
        pl.concat(parts)
        .filter(pl.col("seen_day").is_not_null())
        .sort("seen_day", "seen_record_ids")
        .group_by("patient_id", maintain_order=True)
        .last()
        .with_columns(seen_record_ids=pl.concat_list("seen_record_ids"))
    )
