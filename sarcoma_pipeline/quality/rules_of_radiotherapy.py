"""Rules on courses and plans: documentation against plan, DICOM objects against each other."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.curation.plan_roles import QA_INTENTS
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.partial_dates import interval
from schemas.sides import OPERATIONS, Side, peers
from schemas.vocabularies import APPROVED


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
    sides=(OPERATIONS,),
)
def _sequence_against_dates(frames: Frames) -> pl.DataFrame:
    operated = interval(pl.col("surgery_date"), pl.col("surgery_date_precision"))
    surgery = (
        frames["surgery"]
        .filter(~pl.col("intent").is_in(["palliative", "diagnostic", "revision"]).fill_null(False))
        .group_by("patient_id")
        .agg(first=operated[0].min(), last=operated[1].max())
    )
    begun = interval(pl.col("start_date"), pl.col("start_date_precision"))
    before, after = begun[0] < pl.col("last"), begun[1] >= pl.col("first")
    sequence = pl.col("radiation_sequence")
    wrong = ((sequence == "preoperative") & ~before) | (sequence.str.starts_with("postoperative") & ~after)
    return frames["radiotherapy"].join(surgery, on="patient_id").pipe(verdicts, wrong, "radiation_sequence")


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


def _courses(frames: Frames) -> pl.DataFrame:
    """Return documented irradiations of linked patients."""
    return frames["radiotherapy"].filter("irradiated", pl.col("patient_id").is_not_null())


def _used(frames: Frames) -> pl.DataFrame:
    """Return plans that may have been used: approved, without approval status, or treated."""
    treated = pl.col("sop_instance_uid").is_in(frames["treatment"]["refers_to"].drop_nulls().implode())
    approved = pl.col("approval").is_null() | (pl.col("approval") == APPROVED)
    return frames["plan"].filter(approved | treated, ~pl.col("phantom"), pl.col("patient_id").is_not_null())


@rule(
    "radiotherapy.overlapping",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="Two courses of one patient irradiate one target region on the same days.",
    remedy=(
        "In the tumour documentation, check whether one course was documented under two ST_IDs. A boost"
        " belongs to its course."
    ),
    source="oBDS ST_ID",
    missing="kept",
    sides=peers(columns=("start_date", "end_date")),
)
def _courses_overlap(frames: Frames) -> pl.DataFrame:
    dated = _courses(frames).filter(
        pl.all_horizontal(pl.col("start_date", "end_date", "module_id").is_not_null())
    )
    # The last report of a course has all its irradiations; each is compared with those of other courses.
    report = pl.struct("reported_on", pl.coalesce("report_id", "record_id"))
    latest = dated.sort("reported_on", "record_id", nulls_last=False).filter(
        report == report.last().over("patient_id", "module_id")
    )
    latest = latest.sort("patient_id", "start_date", "end_date", "record_id").with_row_index("nth")
    facts = ("nth", "end_date", "end_date_precision", "module_id", "target_region", "target_side")
    _, begun = interval(pl.col("start_date"), pl.col("start_date_precision"))
    ended, _ = interval(pl.col("end_date_other"), pl.col("end_date_precision_other"))
    pairs = latest.join(latest.select("patient_id", *facts), on="patient_id", suffix="_other").filter(
        pl.col("nth") > pl.col("nth_other"),
        pl.col("module_id") != pl.col("module_id_other"),
        begun <= ended,
        *(
            # Two target regions on the same days are two courses, not a fault.
            (pl.col(column) == pl.col(f"{column}_other")).fill_null(True)
            for column in ("target_region", "target_side")
        ),
    )
    return verdicts(latest, pl.col("record_id").is_in(pairs["record_id"].implode()), "start_date")


@rule(
    "radiotherapy.postoperative-without-surgery",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="The course is documented as postoperative, but the patient has no operation.",
    remedy="In the tumour documentation, add the OP, or correct Stellung_OP.",
    source="oBDS Stellung_OP",
    alone="the operation is not documented",
)
def _postoperative_without_surgery(frames: Frames) -> pl.DataFrame:
    return (
        _courses(frames)
        .filter(pl.col("radiation_sequence").str.starts_with("postoperative"))
        .join(frames["every surgery"].drop_nulls("patient_id"), on="patient_id", how="anti")
        .select("record_id", *at("radiation_sequence"))
    )


@rule(
    "radiotherapy.chemotherapy-missing",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="The irradiation is documented as given with chemotherapy (Radiochemo), but the patient has no "
    "chemotherapy. None counts.",
    remedy="In the tumour documentation, add the SYST, or correct Radiochemo.",
    source="oBDS 3.0.4 Perkutan/Radiochemo",
    alone="the chemotherapy is not documented",
)
def _chemotherapy_missing(frames: Frames) -> pl.DataFrame:
    given = frames["systemic_therapy"].filter(pl.col("chemotherapy"), pl.col("patient_id").is_not_null())
    return (
        _courses(frames)
        .filter("with_chemotherapy")
        .join(given, on="patient_id", how="anti")
        .select("record_id", *at("with_chemotherapy"))
    )


@rule(
    "radiotherapy.preoperative-without-surgery",
    "notice",
    on="typed.radiotherapy",
    scope="patient",
    what="The course is documented as preoperative, but the patient has no operation: it was not done, or "
    "its report is missing. The patient counts as not resected.",
    remedy="In the tumour documentation, add the OP. If there was none, nothing needs to be done.",
    source="oBDS Stellung_OP",
    alone="the operation is not documented",
)
def _preoperative_without_surgery(frames: Frames) -> pl.DataFrame:
    return (
        _courses(frames)
        .filter(pl.col("radiation_sequence") == "preoperative")
        .join(frames["every surgery"].drop_nulls("patient_id"), on="patient_id", how="anti")
        .select("record_id", *at("radiation_sequence"))
    )


UNDER_WAY_DAYS = 100
"""How long a course may have no end because it goes on: as long as no course is overlong."""


def _told_once(records: pl.DataFrame, keys: list[str], column: pl.Expr) -> pl.DataFrame:
    """Return the newest report of each irradiation of which no report fills a column.

    Begin and end of one irradiation are two reports: what one of them says is known.
    """
    course = pl.coalesce("module_id", "record_id")
    of = ["patient_id", "tumour_id", "_course", *keys]
    lacking = records.with_columns(_course=course, _part=pl.col("part").fill_null(1)).filter(
        column.is_null().all().over(of)
    )
    return lacking.sort(*NEWEST_LAST, nulls_last=False).unique(of, keep="last", maintain_order=True)


@rule(
    "radiotherapy.end-missing",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="No report gives the last day of the course, and there are no treatment records. Nothing is counted "
    "from its end, and it is no contact on that day.",
    remedy="In the tumour documentation, add Bestrahlung/Ende, or report the end of the treatment.",
    source="oBDS 3.0.4 ST/Bestrahlung/Ende",
    alone="the last day is missing",
)
def _end_missing(frames: Frames) -> pl.DataFrame:
    treated = frames["every treatment"].drop_nulls("patient_id")
    lacking = _told_once(
        _courses(frames),
        [],
        pl.coalesce(pl.col("end_date").cast(pl.String), pl.col("end_day").cast(pl.String)),
    )
    under_way = (pl.col("received_on") - pl.col("start_date")).dt.total_days() <= UNDER_WAY_DAYS
    return (
        lacking.join(treated, on="patient_id", how="anti", maintain_order="left")
        .filter(~under_way.fill_null(False))
        .select("record_id", *at("end_date"))
    )


@rule(
    "radiotherapy.dose-missing",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="No report gives the total dose or the single dose of the irradiation, and the patient has no plan. "
    "The value is unknown.",
    remedy="In the tumour documentation, add Gesamtdosis and Einzeldosis, or export the plan.",
    source="oBDS 3.0.4 ST/Gesamtdosis, Einzeldosis",
    alone="the dose is missing",
)
def _dose_missing(frames: Frames) -> pl.DataFrame:
    planned = frames["every plan"].drop_nulls("patient_id")
    irradiated = (
        _courses(frames)
        .filter(pl.col("activity_gbq").is_null(), pl.col("application").ne_missing("radionuclide"))
        .join(planned, on="patient_id", how="anti", maintain_order="left")
    )
    return pl.concat(
        _told_once(irradiated, ["_part"], pl.col(dose)).select("record_id", *at(dose))
        for dose in ("prescribed_dose_gy", "single_dose_gy")
    )


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
