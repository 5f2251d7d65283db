"""Rules on courses and plans: documentation against plan, DICOM objects against each other."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.judging import Frames, at, judges
from schemas import rules_radiotherapy


@judges(rules_radiotherapy.SEQUENCE_AGAINST_DATES, "radiotherapy")
def _sequence_against_dates(frames: Frames) -> pl.DataFrame:
    surgery = (
        frames["surgery"]
        .filter(pl.col("intent").is_null() | (pl.col("intent") == "curative"))
        .group_by("patient_id")
        .agg(first=pl.col("surgery_date").min(), last=pl.col("surgery_date").max())
    )
    before, after = pl.col("start_date") < pl.col("last"), pl.col("start_date") >= pl.col("first")
    sequence = pl.col("radiation_sequence")
    wrong = ((sequence == "preoperative") & ~before) | (sequence.str.starts_with("postoperative") & ~after)
    return (
        frames["radiotherapy"]
        .join(surgery, on="patient_id")
        .filter(wrong)
        .select("record_id", *at("radiation_sequence"))
    )


@judges(rules_radiotherapy.PATIENT_ID_MISMATCH, "structure_set")
def _patient_id_mismatch(frames: Frames) -> pl.DataFrame:
    plans = frames["every plan"].filter("has_patient_id").select(uid="refers_to", plan_ref="person_ref")
    pairs = (
        frames["structure_set"]
        .filter("has_patient_id")
        .join(plans, left_on="sop_instance_uid", right_on="uid")
        .group_by("record_id")
        .agg(fits=(pl.col("person_ref") == pl.col("plan_ref")).any(), value=pl.col("person_ref").first())
    )
    return pairs.filter(~pl.col("fits")).select(
        "record_id", column_name=pl.lit("person_ref"), value=pl.col("value")
    )


@judges(rules_radiotherapy.SLICE_THICKNESS_VARIES, "image")
def _slice_thickness_varies(frames: Frames) -> pl.DataFrame:
    images = frames["image"].filter(pl.col("series_uid").is_not_null())
    usual = pl.col("slice_thickness_mm").mode().min().over("series_uid")
    varies = pl.col("slice_thickness_mm").n_unique().over("series_uid") > 1
    odd = images.filter(varies, pl.col("slice_thickness_mm") != usual)
    return odd.unique("series_uid", keep="first", maintain_order=True).select(
        "record_id", *at("slice_thickness_mm")
    )


def _courses(frames: Frames) -> pl.DataFrame:
    """Documented irradiations of linked patients."""
    return frames["radiotherapy"].filter("irradiated", pl.col("patient_id").is_not_null())


def _approved(frames: Frames) -> pl.DataFrame:
    return frames["plan"].filter(
        pl.col("approval") == "APPROVED", ~pl.col("phantom"), pl.col("patient_id").is_not_null()
    )


@judges(rules_radiotherapy.COURSES_OVERLAP, "radiotherapy")
def _courses_overlap(frames: Frames) -> pl.DataFrame:
    dated = _courses(frames).filter(
        pl.all_horizontal(pl.col("start_date", "end_date", "module_id").is_not_null())
    )
    latest = dated.sort("reported_on", "record_id", nulls_last=False).unique(
        ["patient_id", "module_id"], keep="last", maintain_order=True
    )
    ordered = latest.sort("patient_id", "start_date", "end_date", "record_id")
    before = pl.col("end_date").cum_max().shift(1).over("patient_id")
    return ordered.filter(pl.col("start_date") <= before).select("record_id", *at("start_date"))


@judges(rules_radiotherapy.NO_SURGERY, "radiotherapy")
def _postoperative_without_surgery(frames: Frames) -> pl.DataFrame:
    return (
        _courses(frames)
        .filter(pl.col("radiation_sequence").str.starts_with("postoperative"))
        .join(frames["every surgery"].drop_nulls("patient_id"), on="patient_id", how="anti")
        .select("record_id", *at("radiation_sequence"))
    )


@judges(rules_radiotherapy.STRUCTURES_MISSING, "plan")
def _structure_set_missing(frames: Frames) -> pl.DataFrame:
    delivered = frames["every structure_set"]["sop_instance_uid"]
    missing = pl.col("refers_to").is_not_null() & ~pl.col("refers_to").is_in(delivered.implode())
    return _approved(frames).filter(missing).select("record_id", *at("refers_to"))


def _of_another(objects: pl.DataFrame, plans: pl.DataFrame, key: str, plan_key: str) -> pl.DataFrame:
    """Objects that hang on plans, none of which carries their PatientID."""
    known = plans.filter("has_patient_id", pl.col(plan_key).is_not_null())
    fits = pl.col("person_ref").is_in(pl.col("plan_refs"))
    return (
        objects.filter("has_patient_id")
        .join(known.group_by(plan_key).agg(plan_refs="person_ref"), left_on=key, right_on=plan_key)
        .filter(~fits)
    )


@judges(rules_radiotherapy.IMAGE_PATIENT_MISMATCH, "image")
def _image_patient_mismatch(frames: Frames) -> pl.DataFrame:
    frame = "frame_of_reference_uid"
    odd = _of_another(frames["image"], frames["plan"], frame, frame)
    return odd.unique("series_uid", keep="first", maintain_order=True).select("record_id", *at("person_ref"))


@judges(rules_radiotherapy.DOSE_PATIENT_MISMATCH, "dose")
def _dose_patient_mismatch(frames: Frames) -> pl.DataFrame:
    odd = _of_another(frames["dose"], frames["plan"], "refers_to", "sop_instance_uid")
    return odd.select("record_id", *at("person_ref"))


@judges(rules_radiotherapy.DOSE_WITHOUT_PLAN, "dose")
def _dose_without_plan(frames: Frames) -> pl.DataFrame:
    delivered = frames["every plan"]["sop_instance_uid"]
    missing = pl.col("refers_to").is_not_null() & ~pl.col("refers_to").is_in(delivered.implode())
    return frames["dose"].filter(missing, ~pl.col("phantom")).select("record_id", *at("refers_to"))
