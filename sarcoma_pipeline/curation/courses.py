"""Courses of radiotherapy: documented ones (oBDS, tables) joined with their approved plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from schemas import curated, typed, typed_dicom

Frames = Mapping[str, pl.DataFrame]

_FAR = 10**6


def curate(sound: Frames, precedence: Sequence[str]) -> tuple[pl.DataFrame, list[tuple[str, pl.DataFrame]]]:
    """Join plans with documented courses.

    A plan belongs to the documented course of its patient that starts nearest to its date; a patient with
    plans and no documentation has a course made of the plans. Several approved plans of one course are a
    sequence: their doses and fractions add up. Dose, fractions, technique and energy are the plan's where
    the precedence names DICOM first, else the documentation's.

    Args:
        sound: typed tables with ``patient_id``, quarantined records left out.
        precedence: order of the sources for radiotherapy.

    Returns:
        The courses (columns of ``curated.radiotherapy_course`` without days), and records that no course
        could use, with the reason.
    """
    documented = _documented(sound[typed.Radiotherapy.table()])
    all_plans = sound[typed_dicom.Plan.table()].filter(~pl.col("phantom"))
    approved = pl.col("approval") == "APPROVED"
    plans = all_plans.filter(approved)
    placed = _placed(plans, documented)
    lone = placed.filter(pl.col("course").is_null()).with_columns(
        course=pl.lit("plan:") + pl.col("patient_id")
    )
    placed = pl.concat([placed.filter(pl.col("course").is_not_null()), lone])
    summed = _summed(placed)
    attached, orphans = _attached(sound, placed, documented)
    courses = documented.join(summed, on=["patient_id", "course"], how="full", coalesce=True).join(
        attached, on=["patient_id", "course"], how="left"
    )
    plan_first = _rank(precedence, "DICOM") < _rank(precedence, "oBDS")

    def preferred(plan: str, file: str) -> pl.Expr:
        return pl.coalesce([plan, file] if plan_first else [file, plan])

    none: pl.Expr = pl.lit([], dtype=pl.List(pl.String))
    planned_single = pl.col("plan_single")
    courses = courses.with_columns(
        prescribed_dose_gy=preferred("plan_dose", "prescribed_dose_gy"),
        single_dose_gy=pl.coalesce([planned_single, "single_dose_gy"])
        if plan_first
        else pl.coalesce(["single_dose_gy", planned_single]),
        dose_origin=pl.when(
            pl.col("plan_dose").is_not_null() & (plan_first | pl.col("prescribed_dose_gy").is_null())
        )
        .then("plan_origin")
        .when(pl.col("prescribed_dose_gy").is_not_null())
        .then(pl.lit("documented")),
        boost=pl.when(pl.col("boost").is_null() | (pl.col("boost") == "unspecified"))
        .then(pl.coalesce(["plan_boost", "boost"]))
        .otherwise("boost"),
        plans=pl.col("plans").fill_null(0).cast(pl.Int32),
        record_ids=pl.concat_list(
            *(pl.col(c).fill_null(none) for c in ("record_ids", "plan_records", "attached_records"))
        )
        .list.unique()
        .list.sort(),
    )
    idle = [
        ("the plan is not approved", all_plans.filter(~approved.fill_null(False)).select("record_id")),
        ("no approved plan or course of the patient refers to it", orphans),
    ]
    return courses, idle


def _rank(precedence: Sequence[str], source: str) -> int:
    return list(precedence).index(source) if source in precedence else len(precedence)


def _documented(records: pl.DataFrame) -> pl.DataFrame:
    """One row per documented course; reports of its begin and its end are one course."""
    ordered = records.sort("reported_on", "record_id", nulls_last=False)
    values = [c.name for c in curated.RadiotherapyCourse.columns() if c.name in records.columns]
    values = [c for c in values if c not in ("patient_id", "record_ids")]
    key = pl.coalesce(["module_id", pl.col("start_date").cast(pl.String), "record_id"]).alias("course")
    return ordered.group_by("patient_id", key, maintain_order=True).agg(
        *(pl.col(c).drop_nulls().last() for c in values), record_ids=pl.col("record_id").unique().sort()
    )


def _placed(plans: pl.DataFrame, documented: pl.DataFrame) -> pl.DataFrame:
    distance = (pl.col("plan_date") - pl.col("start_date")).dt.total_days().abs().fill_null(_FAR)
    nearest = (
        plans.join(documented.select("patient_id", "course", "start_date"), on="patient_id", how="left")
        .with_columns(_distance=distance)
        .sort("record_id", "_distance", "course")
        .unique("record_id", keep="first", maintain_order=True)
    )
    return nearest.drop("start_date", "_distance")


def _summed(placed: pl.DataFrame) -> pl.DataFrame:
    once = pl.col("sop_instance_uid").is_first_distinct().over("patient_id", "course")
    distinct = placed.sort("plan_date", "record_id").filter(once)
    several = pl.len() > 1
    return distinct.group_by("patient_id", "course", maintain_order=True).agg(
        plan_dose=pl.when(pl.col("prescribed_dose_gy").count() > 0)
        .then(pl.col("prescribed_dose_gy").sum())
        .first(),
        fractions=pl.when(pl.col("fractions").count() > 0).then(pl.col("fractions").sum()).first(),
        plan_single=(pl.col("prescribed_dose_gy") / pl.col("fractions")).max(),
        plan_origin=pl.col("dose_origin").drop_nulls().first(),
        technique=pl.col("technique").drop_nulls().first(),
        beam_energy_mv=pl.col("beam_energy_mv").drop_nulls().first(),
        plan_boost=pl.when(several)
        .then(pl.lit("sequential"))
        .when(pl.col("dose_levels").max() > 1)
        .then(pl.lit("simultaneous integrated"))
        .otherwise(pl.lit("none"))
        .first(),
        plans=pl.len(),
        plan_records=pl.col("record_id").unique(),
    )


def _attached(
    sound: Frames, placed: pl.DataFrame, documented: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Structure sets, doses, images and treatment records of a course, by the plan that they belong to."""
    plan_keys = placed.select(
        "patient_id", "course", "sop_instance_uid", "frame_of_reference_uid", structures="refers_to"
    )
    any_course = pl.concat(
        [placed.select("patient_id", "course"), documented.select("patient_id", "course")]
    ).unique("patient_id", keep="first", maintain_order=True)
    none = pl.lit(None, dtype=pl.Float64)
    objects = pl.concat(
        [
            sound[c.table()].select(
                "record_id", "patient_id", "sop_instance_uid", "frame_of_reference_uid", "refers_to",
                thickness=pl.col("slice_thickness_mm") if c is typed_dicom.Image else none,
            )
            for c in (typed_dicom.StructureSet, typed_dicom.Dose, typed_dicom.Image, typed_dicom.Treatment)
        ]
    ).filter(pl.col("record_id").is_not_null())  # fmt: skip

    def by(left: str, right: str) -> pl.DataFrame:
        keys = plan_keys.filter(pl.col(right).is_not_null()).unique(["patient_id", right], keep="first")
        return objects.join(
            keys.select("patient_id", "course", on=right),
            left_on=["patient_id", left],
            right_on=["patient_id", "on"],
        ).select("record_id", "course")

    found = pl.concat(
        [
            by("refers_to", "sop_instance_uid"),
            by("sop_instance_uid", "structures"),
            by("frame_of_reference_uid", "frame_of_reference_uid"),
        ]
    ).unique("record_id", keep="first", maintain_order=True)
    homed = (
        objects.join(found, on="record_id", how="left")
        .join(any_course.rename({"course": "_any"}), on="patient_id", how="left")
        .with_columns(course=pl.coalesce(["course", "_any"]))
    )
    attached = (
        homed.filter(pl.col("course").is_not_null())
        .group_by("patient_id", "course")
        .agg(
            ct_slice_thickness_mm=pl.col("thickness").drop_nulls().mode().min(),
            attached_records=pl.col("record_id").unique(),
        )
    )
    return attached, homed.filter(pl.col("course").is_null()).select("record_id")
