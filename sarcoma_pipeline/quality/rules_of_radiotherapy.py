"""Rules on courses and plans: documentation against plan, DICOM objects against each other."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.vocabularies import APPROVED

DOSE_TOLERANCE_GY = 0.1
PLAN_MARGIN_DAYS = 120


@rule(
    "radiotherapy.sequence-against-dates",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="Stellung_OP contradicts the dates of radiotherapy and surgery.",
    remedy=(
        "In the tumour documentation, compare Stellung_OP with Bestrahlung/Beginn and OP/Datum. Correct"
        " the wrong one."
    ),
    source="oBDS Stellung_OP",
    missing="kept",
)
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
    return frames["radiotherapy"].join(surgery, on="patient_id").pipe(verdicts, wrong, "radiation_sequence")


@rule(
    "radiotherapy.dose-conflict",
    "warning",
    on="typed.radiotherapy",
    scope="source",
    what=("The documented total dose differs by more than 0.1 Gy from the approved plan. The plan counts."),
    remedy=(
        "Compare Gesamtdosis with the prescription in the treatment planning system. Correct "
        "Gesamtdosis, or withdraw a plan that was not treated."
    ),
    source="ICRU 83; oBDS Gesamtdosis",
    missing="kept",
    overruled=True,
)
def _dose_conflict(frames: Frames) -> pl.DataFrame:
    plans = (
        frames["plan"]
        .filter(pl.col("approval") == APPROVED, ~pl.col("phantom"), pl.col("patient_id").is_not_null())
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
        .filter(pl.col("total") > 0)
        .pipe(verdicts, ~(as_sum | as_one), "prescribed_dose_gy")
    )


@rule(
    "dicom.patient-id-mismatch",
    "error",
    on="typed.structure_set",
    scope="source",
    what="The plan refers to this structure set, but their PatientIDs differ.",
    remedy=(
        "In the treatment planning system, compare PatientID of plan and structure set. Correct the "
        "wrong one and export both again."
    ),
    source="DICOM PS3.3 C.7.1.1",
    waivable=False,
    missing="kept",
)
def _patient_id_mismatch(frames: Frames) -> pl.DataFrame:
    plans = frames["every plan"].filter("has_patient_id").select(uid="refers_to", plan_ref="person_ref")
    pairs = (
        frames["structure_set"]
        .filter("has_patient_id")
        .join(plans, left_on="sop_instance_uid", right_on="uid")
        .group_by("record_id")
        .agg(fits=(pl.col("person_ref") == pl.col("plan_ref")).any(), value=pl.col("person_ref").first())
    )
    return verdicts(pairs.rename({"value": "person_ref"}), ~pl.col("fits"), "person_ref")


@rule(
    "ct.slice-thickness-varies",
    "warning",
    on="typed.image",
    scope="source",
    what="The slices of one planning CT series differ in thickness.",
    remedy="In the archive (PACS), check whether two series were mixed. Export the planning CT again.",
    source="DICOM PS3.3 C.7.6.2 SliceThickness",
    missing="kept",
)
def _slice_thickness_varies(frames: Frames) -> pl.DataFrame:
    images = frames["image"].filter(pl.col("series_uid").is_not_null())
    usual = pl.col("slice_thickness_mm").mode().min().over("series_uid")
    varies = pl.col("slice_thickness_mm").n_unique().over("series_uid") > 1
    odd = varies & (pl.col("slice_thickness_mm") != usual)
    return verdicts(images, odd, "slice_thickness_mm", once_per="series_uid")


def _courses(frames: Frames) -> pl.DataFrame:
    """Documented irradiations of linked patients."""
    return frames["radiotherapy"].filter("irradiated", pl.col("patient_id").is_not_null())


def _approved(frames: Frames) -> pl.DataFrame:
    return frames["plan"].filter(
        pl.col("approval") == APPROVED, ~pl.col("phantom"), pl.col("patient_id").is_not_null()
    )


@rule(
    "radiotherapy.overlapping",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="Two courses of one patient overlap in time.",
    remedy=(
        "In the tumour documentation, check whether one course was documented under two ST_IDs. A boost"
        " belongs to its course."
    ),
    source="oBDS ST_ID",
    missing="kept",
)
def _courses_overlap(frames: Frames) -> pl.DataFrame:
    dated = _courses(frames).filter(
        pl.all_horizontal(pl.col("start_date", "end_date", "module_id").is_not_null())
    )
    latest = dated.sort("reported_on", "record_id", nulls_last=False).unique(
        ["patient_id", "module_id"], keep="last", maintain_order=True
    )
    ordered = latest.sort("patient_id", "start_date", "end_date", "record_id")
    before = pl.col("end_date").cum_max().shift(1).over("patient_id")
    return verdicts(ordered, pl.col("start_date") <= before, "start_date")


@rule(
    "radiotherapy.postoperative-without-surgery",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="The course is documented as postoperative, but the patient has no operation.",
    remedy="In the tumour documentation, add the OP, or correct Stellung_OP.",
    source="oBDS Stellung_OP",
)
def _postoperative_without_surgery(frames: Frames) -> pl.DataFrame:
    return (
        _courses(frames)
        .filter(pl.col("radiation_sequence").str.starts_with("postoperative"))
        .join(frames["every surgery"].drop_nulls("patient_id"), on="patient_id", how="anti")
        .select("record_id", *at("radiation_sequence"))
    )


@rule(
    "radiotherapy.fractions-conflict",
    "warning",
    on="typed.radiotherapy",
    scope="source",
    what=("The total dose agrees with the approved plan, the number of fractions does not. The plan counts."),
    remedy=(
        "Compare Einzeldosis with the prescription in the treatment planning system. Correct "
        "Einzeldosis in the tumour documentation."
    ),
    source="ICRU 83; oBDS Einzeldosis",
    missing="kept",
    overruled=True,
)
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
        .filter(same_dose, pl.col("total") > 0)
        .pipe(verdicts, ((pl.col("total") - documented).abs() > 0.5) & (nearest > 0.5), "single_dose_gy")
    )


def _against_course(frames: Frames) -> pl.DataFrame:
    """Approved plans with the first and the last day of all courses of the patient."""
    courses = (
        _courses(frames)
        .group_by("patient_id")
        .agg(first=pl.col("start_date").min(), last=pl.coalesce("end_date", "start_date").max())
    )
    return _approved(frames).join(courses, on="patient_id")


@rule(
    "plan.after-course",
    "warning",
    on="typed.plan",
    scope="source",
    what="The plan is dated after the last day of the documented courses.",
    remedy=(
        "Compare RTPlanDate with Bestrahlung/Ende in the tumour documentation. Correct the wrong date, "
        "or withdraw the approval of a plan that was not treated."
    ),
    missing="kept",
)
def _plan_after_course(frames: Frames) -> pl.DataFrame:
    late = pl.col("plan_date") > pl.max_horizontal("first", "last")
    return verdicts(_against_course(frames), late, "plan_date")


@rule(
    "plan.long-before-course",
    "warning",
    on="typed.plan",
    scope="source",
    what="The plan is dated more than 120 days before the first documented course.",
    remedy=(
        "Compare RTPlanDate with Bestrahlung/Beginn in the tumour documentation. Correct the wrong "
        "date, or document the missing course."
    ),
    missing="kept",
)
def _plan_long_before(frames: Frames) -> pl.DataFrame:
    early = pl.col("plan_date") < pl.col("first").dt.offset_by(f"-{PLAN_MARGIN_DAYS}d")
    return verdicts(_against_course(frames), early, "plan_date")


@rule(
    "plan.without-course",
    "warning",
    on="typed.plan",
    scope="source",
    what="The patient has an approved plan, but no documented radiotherapy.",
    remedy=(
        "If the plan was treated, document the course (ST) in the tumour documentation. Otherwise "
        "withdraw its approval in the treatment planning system."
    ),
    source="oBDS module ST",
)
def _plan_without_course(frames: Frames) -> pl.DataFrame:
    # A report of radiotherapy without its irradiation is a finding of its own.
    documented = frames["every radiotherapy"].drop_nulls("patient_id")
    return (
        _approved(frames)
        .join(documented, on="patient_id", how="anti")
        .join(frames["diagnosis"].drop_nulls("patient_id"), on="patient_id", how="semi")
        .select("record_id", *at("plan_label"))
    )


@rule(
    "plan.label-twice",
    "warning",
    on="typed.plan",
    scope="source",
    what=(
        "Two approved plans of one patient have the same label and date, but different UIDs. Their "
        "doses would be added."
    ),
    remedy="In the treatment planning system, withdraw the approval of the plan that was not treated.",
    source="DICOM PS3.3 C.8.8.9 RTPlanLabel",
    missing="kept",
)
def _plan_label_twice(frames: Frames) -> pl.DataFrame:
    same = ["patient_id", "plan_label", "plan_date"]
    known = _approved(frames).filter(pl.all_horizontal(pl.col(same).is_not_null()))
    several = pl.col("sop_instance_uid").n_unique().over(same) > 1
    first = pl.col("sop_instance_uid").min().over(same)
    return verdicts(known, several & (pl.col("sop_instance_uid") != first), "plan_label")


@rule(
    "plan.structure-set-missing",
    "notice",
    on="typed.plan",
    scope="source",
    what="The structure set that the plan refers to was not delivered.",
    remedy="In the treatment planning system, export the structure set together with the plan.",
    source="DICOM PS3.3 C.8.8.16 ReferencedStructureSetSequence",
    missing="kept",
)
def _structure_set_missing(frames: Frames) -> pl.DataFrame:
    delivered = frames["every structure_set"]["sop_instance_uid"]
    return verdicts(_approved(frames), ~pl.col("refers_to").is_in(delivered.implode()), "refers_to")


def _with_plans(objects: pl.DataFrame, plans: pl.DataFrame, key: str, plan_key: str) -> pl.DataFrame:
    """Objects that refer to plans, with the persons of these plans (``plan_refs``)."""
    known = plans.filter("has_patient_id", pl.col(plan_key).is_not_null())
    return objects.filter("has_patient_id").join(
        known.group_by(plan_key).agg(plan_refs="person_ref"), left_on=key, right_on=plan_key
    )


_OF_ANOTHER = ~pl.col("person_ref").is_in(pl.col("plan_refs"))
"""None of the plans carries the object's PatientID."""


@rule(
    "dicom.image-patient-id-mismatch",
    "warning",
    on="typed.image",
    scope="source",
    what="The slice shares the frame of reference of a plan, but their PatientIDs differ.",
    remedy=(
        "In the treatment planning system, compare PatientID of the plan and of its planning CT. "
        "Correct the wrong one and export both again."
    ),
    source="DICOM PS3.3 C.7.4.1",
    missing="kept",
)
def _image_patient_mismatch(frames: Frames) -> pl.DataFrame:
    frame = "frame_of_reference_uid"
    images = _with_plans(frames["image"], frames["plan"], frame, frame)
    return verdicts(images, _OF_ANOTHER, "person_ref", once_per="series_uid")


@rule(
    "dicom.dose-patient-id-mismatch",
    "warning",
    on="typed.dose",
    scope="source",
    what="The dose distribution refers to a plan, but their PatientIDs differ.",
    remedy=(
        "In the treatment planning system, compare PatientID of plan and dose. Correct the wrong one "
        "and export both again."
    ),
    source="DICOM PS3.3 C.8.8.3",
    missing="kept",
)
def _dose_patient_mismatch(frames: Frames) -> pl.DataFrame:
    doses = _with_plans(frames["dose"], frames["plan"], "refers_to", "sop_instance_uid")
    return verdicts(doses, _OF_ANOTHER, "person_ref")


@rule(
    "dose.without-plan",
    "notice",
    on="typed.dose",
    scope="source",
    what="The plan that the dose distribution refers to was not delivered.",
    remedy="In the treatment planning system, export the plan together with the dose.",
    source="DICOM PS3.3 C.8.8.3 ReferencedRTPlanSequence",
    missing="kept",
)
def _dose_without_plan(frames: Frames) -> pl.DataFrame:
    delivered = frames["every plan"]["sop_instance_uid"]
    missing = ~pl.col("refers_to").is_in(delivered.implode())
    return frames["dose"].filter(~pl.col("phantom")).pipe(verdicts, missing, "refers_to")
