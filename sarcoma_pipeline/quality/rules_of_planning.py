"""Rules on plans and the DICOM objects around them: whose they are, and what is missing."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.plan_roles import QA_INTENTS
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.sides import Side
from schemas.vocabularies import APPROVED


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
    sides=(Side("typed.plan", ("person_ref",), by=(("sop_instance_uid", "refers_to"),)),),
)
def _patient_id_mismatch(frames: Frames) -> pl.DataFrame:
    plans = (
        frames["every plan"].filter("has_patient_id").select("phantom", uid="refers_to", fits="person_ref")
    )
    pairs = (
        frames["structure_set"]
        .filter("has_patient_id")
        .join(plans, left_on="sop_instance_uid", right_on="uid")
        .with_columns(fits=pl.col("person_ref") == pl.col("fits"))
        .group_by("record_id", "person_ref")
        # The plan of a phantom may refer to the structures of the patient whose plan it verifies.
        .agg(fits=pl.col("fits").any() & pl.any_horizontal("fits", "phantom").all())
    )
    return verdicts(pairs, ~pl.col("fits"), "person_ref")


@rule(
    "ct.slice-thickness-varies",
    "warning",
    on="typed.image",
    scope="source",
    what="The slices of one planning CT series differ in thickness.",
    remedy="In the archive (PACS), check whether two series were mixed. Export the planning CT again.",
    source="DICOM PS3.3 C.7.6.2 SliceThickness",
    missing="kept",
    sides=(
        Side(
            by=("series_uid",),
            where=pl.col("slice_thickness_mm") != pl.col("own_slice_thickness_mm"),
            one_per_value=True,
        ),
    ),
)
def _slice_thickness_varies(frames: Frames) -> pl.DataFrame:
    images = frames["image"].filter(pl.col("series_uid").is_not_null())
    usual = pl.col("slice_thickness_mm").mode().min().over("series_uid")
    varies = pl.col("slice_thickness_mm").n_unique().over("series_uid") > 1
    odd = varies & (pl.col("slice_thickness_mm") != usual)
    return verdicts(images, odd, "slice_thickness_mm", once_per="series_uid")


def _used(frames: Frames) -> pl.DataFrame:
    """Return plans that may have been used: approved, without approval status, or treated."""
    treated = pl.col("sop_instance_uid").is_in(frames["treatment"]["refers_to"].drop_nulls().implode())
    approved = pl.col("approval").is_null() | (pl.col("approval") == APPROVED)
    return frames["plan"].filter(approved | treated, ~pl.col("phantom"), pl.col("patient_id").is_not_null())


@rule(
    "structures.planning-ct-missing",
    "notice",
    on="typed.structure_set",
    scope="source",
    what="The planning CT on which the structures were drawn was not delivered, or its slices do not name "
    "their series. Its slice thickness is unknown.",
    remedy="In the treatment planning system, export the planning CT together with the structure set.",
    source="DICOM PS3.3 C.8.8.5 ReferencedFrameOfReferenceSequence",
    alone="the planning CT was not delivered",
)
def _planning_ct_missing(frames: Frames) -> pl.DataFrame:
    images = frames["every image"]
    if images.is_empty():
        # The study does without planning CTs.
        return frames["structure_set"].clear().select("record_id", *at("sop_instance_uid"))
    used = frames["structure_set"].filter(
        pl.col("sop_instance_uid").is_in(_used(frames)["refers_to"].drop_nulls().implode())
    )
    series = images["series_uid"].drop_nulls().unique().to_list()
    drawn_on = pl.col("series_uids").list.drop_nulls()
    named = drawn_on.list.len().fill_null(0) > 0
    delivered = drawn_on.list.eval(pl.element().is_in(series)).list.any()
    in_frame = pl.col("frame_of_reference_uid").is_in(images["frame_of_reference_uid"].drop_nulls().implode())
    there = pl.when(named).then(delivered).otherwise(in_frame).fill_null(False)
    return used.filter(~there).select("record_id", *at("sop_instance_uid"))


@rule(
    "plan.structure-set-missing",
    "notice",
    on="typed.plan",
    scope="source",
    what="The structure set that the plan refers to was not delivered.",
    remedy="In the treatment planning system, export the structure set together with the plan.",
    source="DICOM PS3.3 C.8.8.16 ReferencedStructureSetSequence",
    missing="kept",
    alone="the structure set was not delivered",
)
def _structure_set_missing(frames: Frames) -> pl.DataFrame:
    delivered = frames["every structure_set"]["sop_instance_uid"]
    return verdicts(_used(frames), ~pl.col("refers_to").is_in(delivered.implode()), "refers_to")


@rule(
    "plan.dose-grid-missing",
    "notice",
    on="typed.plan",
    scope="source",
    what="No dose distribution that refers to the plan was delivered. Its structures have volumes and no "
    "doses.",
    remedy="In the treatment planning system, export the dose of the plan (RTDOSE, DoseSummationType PLAN) "
    "together with the plan.",
    source="DICOM PS3.3 C.8.8.3 ReferencedRTPlanSequence",
    missing="kept",
    alone="the dose distribution was not delivered",
)
def _dose_grid_missing(frames: Frames) -> pl.DataFrame:
    delivered = frames["every dose"]["refers_to"].drop_nulls()
    drawn = pl.col("refers_to").is_in(frames["every structure_set"]["sop_instance_uid"].implode())
    # A study that delivers neither doses nor contours does without volumes and doses.
    plans = _used(frames).filter(
        drawn.fill_null(False) | pl.lit(not frames["every dose"].is_empty()),
        ~pl.col("plan_intent").is_in(QA_INTENTS).fill_null(False),
    )
    return verdicts(plans, ~pl.col("sop_instance_uid").is_in(delivered.implode()), "sop_instance_uid")


def _with_plans(objects: pl.DataFrame, plans: pl.DataFrame, key: str, plan_key: str) -> pl.DataFrame:
    """Return objects that refer to plans, with the persons of these plans (``plan_refs``)."""
    known = plans.filter("has_patient_id", pl.col(plan_key).is_not_null())
    return objects.filter("has_patient_id").join(
        known.group_by(plan_key).agg(plan_refs="person_ref"), left_on=key, right_on=plan_key
    )


_OF_ANOTHER = ~pl.col("person_ref").is_in(pl.col("plan_refs"))
"""True if no plan has the object's PatientID."""


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
    sides=(Side("typed.plan", ("person_ref",), by=("frame_of_reference_uid",)),),
)
def _image_patient_mismatch(frames: Frames) -> pl.DataFrame:
    frame = "frame_of_reference_uid"
    images = _with_plans(frames["every image"], frames["every plan"], frame, frame)
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
    sides=(Side("typed.plan", ("person_ref",), by=(("refers_to", "sop_instance_uid"),)),),
)
def _dose_patient_mismatch(frames: Frames) -> pl.DataFrame:
    # A PatientID that nobody has is the wrong one, too.
    doses = _with_plans(frames["every dose"], frames["every plan"], "refers_to", "sop_instance_uid")
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
    alone="the plan was not delivered",
)
def _dose_without_plan(frames: Frames) -> pl.DataFrame:
    delivered = frames["every plan"]["sop_instance_uid"]
    missing = ~pl.col("refers_to").is_in(delivered.implode())
    return frames["dose"].filter(~pl.col("phantom")).pipe(verdicts, missing, "refers_to")
