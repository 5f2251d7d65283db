"""Rules on courses and plans: documentation against plan, DICOM objects against each other."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.judging import Frames, at, judges
from schemas import rules_radiotherapy

DOSE_TOLERANCE_GY = 0.1
PLAN_MARGIN_DAYS = 120


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


@judges(rules_radiotherapy.DOSE_CONFLICT, "radiotherapy")
def _dose_conflict(frames: Frames) -> pl.DataFrame:
    plans = (
        frames["plan"]
        .filter(pl.col("approval") == "APPROVED", ~pl.col("phantom"), pl.col("patient_id").is_not_null())
        .unique("sop_instance_uid", keep="first", maintain_order=True)
        .group_by("patient_id")
        .agg(total=pl.col("prescribed_dose_gy").sum(), single=pl.col("prescribed_dose_gy"))
    )
    documented = pl.col("prescribed_dose_gy")
    as_sum = (documented - pl.col("total")).abs() <= DOSE_TOLERANCE_GY
    as_one = pl.col("nearest") <= DOSE_TOLERANCE_GY
    return (
        frames["radiotherapy"]
        .join(plans, on="patient_id")
        .with_columns(nearest=(pl.col("single") - documented).list.eval(pl.element().abs()).list.min())
        .filter(documented.is_not_null(), pl.col("total") > 0, ~(as_sum | as_one.fill_null(False)))
        .select("record_id", *at("prescribed_dose_gy"))
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


@judges(rules_radiotherapy.FRACTIONS_CONFLICT, "radiotherapy")
def _fractions_conflict(frames: Frames) -> pl.DataFrame:
    planned = (
        _approved(frames)
        .unique("sop_instance_uid", keep="first", maintain_order=True)
        .group_by("patient_id")
        .agg(total=pl.col("fractions").sum(), single="fractions", dose=pl.col("prescribed_dose_gy").sum())
    )
    documented = pl.col("prescribed_dose_gy") / pl.col("single_dose_gy")
    nearest = (pl.col("single") - documented).list.eval(pl.element().abs()).list.min()
    # Another dose is another rule: here the doses agree and their parts do not.
    same_dose = (pl.col("dose") - pl.col("prescribed_dose_gy")).abs() <= DOSE_TOLERANCE_GY
    return (
        _courses(frames)
        .join(planned, on="patient_id")
        .filter(same_dose, pl.col("total") > 0, (pl.col("total") - documented).abs() > 0.5, nearest > 0.5)
        .select("record_id", *at("single_dose_gy"))
    )


def _against_course(frames: Frames) -> pl.DataFrame:
    """Approved plans with the first and the last day of all courses of the patient."""
    courses = (
        _courses(frames)
        .group_by("patient_id")
        .agg(first=pl.col("start_date").min(), last=pl.coalesce("end_date", "start_date").max())
    )
    return _approved(frames).join(courses, on="patient_id")


@judges(rules_radiotherapy.PLAN_AFTER_COURSE, "plan")
def _plan_after_course(frames: Frames) -> pl.DataFrame:
    late = pl.col("plan_date") > pl.max_horizontal("first", "last")
    return _against_course(frames).filter(late).select("record_id", *at("plan_date"))


@judges(rules_radiotherapy.PLAN_LONG_BEFORE, "plan")
def _plan_long_before(frames: Frames) -> pl.DataFrame:
    early = pl.col("plan_date") < pl.col("first").dt.offset_by(f"-{PLAN_MARGIN_DAYS}d")
    return _against_course(frames).filter(early).select("record_id", *at("plan_date"))


@judges(rules_radiotherapy.PLAN_WITHOUT_COURSE, "plan")
def _plan_without_course(frames: Frames) -> pl.DataFrame:
    # A report of radiotherapy without its irradiation is a finding of its own.
    documented = frames["every radiotherapy"].drop_nulls("patient_id")
    return (
        _approved(frames)
        .join(documented, on="patient_id", how="anti")
        .join(frames["diagnosis"].drop_nulls("patient_id"), on="patient_id", how="semi")
        .select("record_id", *at("plan_label"))
    )


@judges(rules_radiotherapy.PLAN_TWICE, "plan")
def _plan_label_twice(frames: Frames) -> pl.DataFrame:
    same = ["patient_id", "plan_label", "plan_date"]
    known = _approved(frames).filter(pl.all_horizontal(pl.col(same).is_not_null()))
    several = pl.col("sop_instance_uid").n_unique().over(same) > 1
    first = pl.col("sop_instance_uid").min().over(same)
    return known.filter(several, pl.col("sop_instance_uid") != first).select("record_id", *at("plan_label"))


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
