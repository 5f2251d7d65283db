"""Declare from which columns each column comes, where expressions cannot tell: joins and rules over rows."""

from __future__ import annotations

from schemas.column_groups import (
    ASSIGNED,
    BASELINE,
    COURSE_FACTS,
    COVARIATES,
    ENDS,
    EVENTS,
    OF_COURSE,
    OF_EVENTS,
    OF_TOXICITY,
    ONSET,
    RECORDS,
    STATUS,
    SURVIVAL,
    THERAPIES,
    TREATED,
    WHO,
    ZERO,
)
from schemas.column_lineage_typed import OBJECTS

LIMITS = (
    "curated.diagnosis.diagnosis_date_earliest curated.vital_status.death_date "
    "curated.vital_status.death_date_precision"
)
"""Columns that narrow the partial date of a treatment or an examination."""


def _placed(table: str, day: str, *, date: str) -> dict[str, str]:
    """Return the origins of the date of an event, its day, and the days that it may mean."""
    told = f"typed.{table}.{date} typed.{table}.{date}_precision"
    days = dict.fromkeys((day, f"{day}_earliest", f"{day}_latest"), f"{told} {ZERO} {LIMITS}")
    return {date: f"{told} {LIMITS}", f"{date}_precision": told, **days}


DECLARED: dict[str, dict[str, str]] = {
    "curated.link": {
        "person_ref": "typed.person.person_ref",
        "patient_id": WHO,
        "method": "typed.person.hospital_number typed.person.person_ref",
    },
    "curated.identity_reading": {"*": WHO, "record_id": "typed.person.record_id"},
    "curated.patient": {"pseudonym": "curated.link.patient_id"},
    "curated.diagnosis": {
        **dict.fromkeys(BASELINE, TREATED),
        "tumour_id": ASSIGNED,
        **dict.fromkeys(
            (
                "diagnosis_date", "diagnosis_date_precision", "diagnosis_date_earliest",
                "diagnosis_date_latest", "icd10_code", "laterality", "icdo3_morphology",
                "morphology_version", "documented",
            ),
            f"{ASSIGNED} {TREATED} typed.diagnosis.diagnosis_date "
            "typed.diagnosis.diagnosis_date_precision typed.person.birth_date typed.vital_status.status_date "
            "typed.tumour_assignment.icd10_code typed.tumour_assignment.laterality "
            "typed.tumour_assignment.icdo3_morphology typed.tumour_assignment.morphology_version",
        ),
        "index_tumour": f"{ASSIGNED} {TREATED} typed.diagnosis.diagnosis_date "
        "typed.diagnosis.diagnosis_day typed.diagnosis.tumour_id typed.diagnosis.icdo3_morphology "
        "typed.diagnosis.icdo3_topography",
        "region": "typed.diagnosis.icdo3_topography typed.diagnosis.icd10_code "
        "typed.tumour_assignment.icd10_code",
        "histology_group": "typed.diagnosis.icdo3_morphology typed.diagnosis.morphology_version "
        f"typed.diagnosis.icdo3_topography {TREATED}",
        "day": "typed.diagnosis.diagnosis_day typed.diagnosis.diagnosis_date",
        "distant_metastasis": "typed.diagnosis.m_stage typed.metastasis.metastasis_date "
        f"typed.metastasis.origin {TREATED}",
        "histologically_confirmed": "typed.diagnosis.icdo3_morphology typed.diagnosis.origin",
        "treatment_order": TREATED,
        **{
            f"{name}_{what}": f"typed.diagnosis.{column} typed.diagnosis.record_id {TREATED}"
            for name, column in (
                ("histology", "icdo3_morphology"), ("fnclcc", "fnclcc_grade"), ("t", "t_stage"),
                ("n", "n_stage"), ("m", "m_stage"),
            )
            for what in ("rule", "record_ids")
        },
    },
    "curated.diagnosis_report": {
        "reported_tumour": "typed.diagnosis.tumour_id",
        "report_day": f"typed.diagnosis.report_date {ZERO}",
        "role": f"typed.diagnosis.origin typed.diagnosis.report_date {TREATED}",
        "after": f"typed.diagnosis.after_therapy typed.diagnosis.report_date {TREATED}",
        "chosen_for": f"typed.diagnosis.record_id {TREATED}",
    },
    "curated.surgery": {
        **_placed("surgery", "surgery_day", date="surgery_date"),
        "residual_status": "typed.diagnosis.residual_status typed.diagnosis.report_date",
        "record_ids": "typed.diagnosis.record_id",
    },
    "curated.radiotherapy_course": {
        "patient_id": "curated.link.patient_id",
        **{
            f"{end}_day{name}": f"{COURSE_FACTS} {ZERO} {LIMITS}"
            for end in ("start", "end")
            for name in ("", "_earliest", "_latest")
        },
        "ct_slice_thickness_mm": "typed.image.slice_thickness_mm",
        "record_ids": " ".join(f"typed.{t}.record_id" for t in OBJECTS),
        **dict.fromkeys(OF_COURSE, COURSE_FACTS),
    },
    **{
        f"curated.radiotherapy_{table}": {
            "patient_id": "curated.link.patient_id", "*": COURSE_FACTS,
            "record_ids": "typed.plan.record_id typed.treatment.record_id typed.radiotherapy.record_id",
        }
        for table in ("phase", "plan", "reading")
    },
    **{
        f"curated.{table}": {
            "patient_id": "curated.radiotherapy_plan.patient_id",
            "course_id": "curated.radiotherapy_plan.course_id",
            "whole_course": "curated.radiotherapy_plan.phase curated.radiotherapy_plan.course_id",
            "plan_uid": "curated.radiotherapy_plan.sop_instance_uid",
            "structure_set_uid": "typed.structure_set.sop_instance_uid typed.plan.refers_to",
            "calculation": "meta.files.content_hash typed.plan.fraction_groups typed.dose.refers_to",
            "record_ids": "typed.plan.record_id typed.structure_set.record_id typed.dose.record_id",
            "*": "meta.dose_calculations.result curated.radiotherapy_plan.levels_gy "
            "curated.radiotherapy_plan.fractions curated.radiotherapy_plan.delivered_fractions",
        }
        for table in ("dose_volume", "target_margin")
    },
    "curated.systemic_therapy": {
        **_placed("systemic_therapy", "start_day", date="start_date"),
        **dict.fromkeys(
            (
                "kind", "given", "protocol", "chemotherapy", "immunotherapy", "targeted", "hormone_therapy",
            ),
            "typed.systemic_therapy.end_date typed.systemic_therapy.end_reason",
        ),
    },
    "curated.assessment": {
        **_placed("assessment", "assessment_day", date="assessment_date"),
        "distant_day": f"typed.assessment.distant_date {ZERO}",
    },
    "curated.metastasis": {
        "origin": "typed.metastasis.record_id typed.diagnosis.record_id",
        "metastasis_date": "typed.assessment.distant_date typed.diagnosis.diagnosis_date",
        "metastasis_date_precision": "typed.assessment.distant_date_precision "
        "typed.diagnosis.diagnosis_date_precision",
        "site": "typed.assessment.distant_site typed.diagnosis.icd10_code typed.diagnosis.icdo3_topography",
        "extent": "typed.metastasis.site typed.diagnosis.icd10_code typed.diagnosis.icdo3_topography",
        "reported_date": "typed.assessment.assessment_date typed.metastasis.reported_date_precision "
        f"typed.assessment.assessment_date_precision {LIMITS}",
        "reported_date_precision": "typed.assessment.assessment_date_precision "
        "typed.metastasis.reported_date_precision",
        **dict.fromkeys(
            ("reported_day", "reported_day_earliest", "reported_day_latest"),
            "typed.metastasis.reported_date typed.metastasis.reported_date_precision "
            f"typed.assessment.assessment_day typed.assessment.assessment_date_precision {ZERO} {LIMITS}",
        ),
        "metastasis_day": f"typed.metastasis.metastasis_date typed.assessment.distant_date {ZERO}",
        "record_ids": "typed.assessment.record_id typed.diagnosis.record_id",
    },
    "curated.toxicity": {
        **dict.fromkeys(("therapy_date", "course_id", "attribution"), f"{THERAPIES} {COURSE_FACTS}"),
        **dict.fromkeys(
            ("category", "code", "code_system", "onset_date", "onset_date_precision", "revision"),
            "typed.surgery.ops_codes typed.surgery.intent typed.surgery.surgery_date typed.toxicity.code",
        ),
        "statement": "typed.toxicity.grade typed.toxicity.category typed.toxicity.code typed.toxicity.term "
        "typed.surgery.ops_codes typed.surgery.intent",
        "therapy": "typed.surgery.ops_codes typed.surgery.intent",
        "kind": "typed.toxicity.therapy typed.surgery.ops_codes typed.surgery.intent",
        "onset_day": f"typed.toxicity.onset_date typed.surgery.surgery_date {ZERO}",
        **dict.fromkeys(
            ("therapy_day", "therapy_day_earliest", "therapy_day_latest"),
            f"{THERAPIES} {COURSE_FACTS} {ZERO} {LIMITS}",
        ),
        "record_ids": "typed.surgery.record_id",
    },
    "curated.vital_status": {
        "death_date": "typed.vital_status.status typed.vital_status.status_date",
        "death_date_precision": "typed.vital_status.status typed.vital_status.status_date_precision",
        "death_day": "typed.vital_status.status typed.vital_status.status_date "
        f"typed.vital_status.status_day {ZERO}",
        "death_record_ids": "typed.vital_status.record_id",
        "status": "typed.vital_status.status_date typed.vital_status.status_day",
        "last_alive_date": "typed.vital_status.status typed.vital_status.status_date "
        "typed.assessment.assessment_date",
        "last_alive_day": f"typed.vital_status.status typed.vital_status.status_date "
        f"typed.vital_status.status_day typed.assessment.assessment_date typed.assessment.assessment_day "
        f"{ZERO}",
        "last_alive_record_ids": "typed.vital_status.record_id typed.assessment.record_id",
    },
    "curated.vital_statement": {
        "source": "typed.vital_status.record_id",
        "status_day": f"typed.vital_status.status_date {ZERO}",
        "told_date": "typed.vital_status.reported_on",
        "told_day": f"typed.vital_status.reported_on {ZERO}",
    },
    "cohort.eligibility": {
        "pseudonym": "curated.patient.pseudonym",
        **dict.fromkeys(
            ("met", "value", "reason", "known", "excluded_here"),
            "curated.diagnosis.icdo3_morphology curated.diagnosis.histology_group curated.diagnosis.region "
            "curated.diagnosis.histologically_confirmed curated.diagnosis.diagnosis_date "
            "curated.diagnosis.m_stage curated.diagnosis.distant_metastasis "
            "curated.radiotherapy_course.intent curated.radiotherapy_course.technique "
            "curated.radiotherapy_course.start_date curated.radiotherapy_course.radiation_sequence "
            f"curated.surgery.intent curated.radiotherapy_course.end_date {EVENTS}",
        ),
    },
    "cohort.flow": {
        **dict.fromkeys(
            ("entered", "excluded", "remaining"), "cohort.eligibility.met cohort.eligibility.excluded_here"
        ),
        "not_known": "cohort.eligibility.known cohort.eligibility.excluded_here",
    },
    "cohort.patients": {
        "pseudonym": "curated.patient.pseudonym",
        "age_at_diagnosis_years": "curated.diagnosis.diagnosis_date curated.patient.birth_date "
        "curated.diagnosis.age_at_diagnosis_years",
        "sex": "curated.patient.sex",
        "icd10_site": "curated.diagnosis.icdo3_topography curated.diagnosis.icd10_code",
        "t_stage": "curated.diagnosis.t_stage curated.diagnosis.tnm_edition "
        "curated.diagnosis.tumour_size_cm curated.diagnosis.region",
        "residual_status": f"curated.surgery.residual_status {EVENTS}",
        "resected": f"curated.surgery.record_ids {EVENTS}",
        "chemotherapy": EVENTS,
        **{
            c: f"curated.radiotherapy_course.{c}"
            for c in (
                "radiation_sequence", "prescribed_dose_gy", "delivered_dose_gy", "fractions",
                "delivered_fractions", "overall_days", "longest_gap_days",
                "single_dose_gy", "boost", "technique", "beam_energy_mv", "ct_slice_thickness_mm",
                "dose_origin",
            )
        },
        "interrupted": "curated.radiotherapy_course.longest_gap_days curated.radiotherapy_course.end_reason",
        "dose_gy": "curated.radiotherapy_course.prescribed_dose_gy "
        "curated.radiotherapy_course.delivered_dose_gy curated.radiotherapy_course.boost "
        "curated.radiotherapy_course.levels_gy curated.radiotherapy_phase.prescribed_dose_gy "
        "curated.radiotherapy_phase.delivered_dose_gy curated.radiotherapy_phase.phase "
        "curated.radiotherapy_phase.site",
        "diagnosis_year": "curated.diagnosis.diagnosis_date",
        "relapse_pattern": EVENTS,
        **dict.fromkeys(
            (
                "follow_up_days", "follow_up_months", "registry_answer_days", "registry_answer_age_months",
            ),
            EVENTS,
        ),
        "record_ids": f"{RECORDS} {EVENTS}",
    },
    "cohort.events": {
        "pseudonym": "curated.patient.pseudonym",
        "evidence": f"{EVENTS} {RECORDS}",
        **dict.fromkeys(
            ("day", "kind", "detail", "states", "day_earliest", "day_latest", "precision"), EVENTS
        ),
    },
    "cohort.dose_volume": {
        "pseudonym": "curated.patient.pseudonym",
        "structure": "curated.dose_volume.tg263 curated.dose_volume.role",
        "delivered_dose_gy": "curated.radiotherapy_course.delivered_dose_gy",
        "evidence": "curated.dose_volume.record_ids",
        **{
            c: f"curated.dose_volume.{c}"
            for c in (
                "role", "volume_cc", "prescribed_dose_gy", "mean_gy", "max_gy", "d98_gy", "d95_gy", "d50_gy",
                "d2_gy", "v95_percent", "vx_gy", "vx_percent", "homogeneity", "conformity", "alpha_beta_gy",
                "eqd2_mean_gy", "eqd2_d50_gy", "eqd2_d2_gy",
            )
        },
    },
    "cohort.toxicity": {
        "pseudonym": "curated.patient.pseudonym",
        **{
            c: f"curated.toxicity.{c}"
            for c in (
                "therapy", "therapy_day", "kind", "category", "code_system", "code", "grade",
                "ctcae_version", "attribution", "statement",
            )
        },
        **dict.fromkeys(
            (
                "onset_day", "onset_precision", "onset_day_earliest", "onset_day_latest",
                "days_since_therapy", "window", "window_basis", "major_wound_complication",
            ),
            f"{ONSET} {ZERO}",
        ),
        "of_primary_treatment": "curated.toxicity.course_id curated.toxicity.therapy "
        f"curated.toxicity.therapy_day curated.radiotherapy_course.course_id {EVENTS}",
        "evidence": "curated.toxicity.record_ids",
    },
    "cohort.toxicity_endpoints": {
        "pseudonym": "curated.patient.pseudonym",
        "evidence": "cohort.toxicity.evidence",
        "treated": EVENTS,
        **dict.fromkeys(("documented", "event", "unclear"), OF_TOXICITY),
        **dict.fromkeys(("died_in_window", "counted"), f"{OF_TOXICITY} {EVENTS}"),
        **dict.fromkeys(
            ("time_days", "outcome", "time_basis"),
            f"{OF_TOXICITY} {EVENTS} cohort.toxicity.onset_day curated.surgery.ops_codes "
            "curated.surgery.surgery_date",
        ),
    },
    "cohort.endpoints": {
        "pseudonym": "curated.patient.pseudonym",
        "evidence": "cohort.events.evidence",
        **dict.fromkeys(
            (
                "time_days", "time_months", "entry_days", "entry_months", "event", "event_kind",
                "date_precision", "time_days_earliest", "time_days_latest", "entry_days_earliest",
                "entry_days_latest",
            ),
            OF_EVENTS,
        ),
    },
    "cohort.not_at_risk": {
        "pseudonym": "curated.patient.pseudonym",
        **dict.fromkeys(("reason", "time_days", "event_kind"), OF_EVENTS),
    },
    "meta.lineage": {
        "pseudonym": "cohort.patients.pseudonym cohort.endpoints.pseudonym",
        "record_id": "cohort.patients.record_ids cohort.endpoints.evidence",
        "path": "meta.files.path",
    },
    "analysis.table_one": {"*": COVARIATES},
    "analysis.table_one_by_group": {"*": COVARIATES},
    "analysis.toxicity_rate": {
        "*": f"{COVARIATES} cohort.toxicity_endpoints.documented cohort.toxicity_endpoints.treated "
        "cohort.toxicity_endpoints.event cohort.toxicity_endpoints.unclear "
        "cohort.toxicity_endpoints.counted cohort.toxicity_endpoints.died_in_window",
    },
    **{
        f"analysis.toxicity_{name}": {
            "*": f"{COVARIATES} cohort.toxicity_endpoints.time_days cohort.toxicity_endpoints.outcome "
            "cohort.toxicity_endpoints.time_basis",
        }
        for name in ("incidence", "curve")
    },
    "analysis.dose_response": {
        "*": f"{COVARIATES} cohort.dose_volume.structure cohort.dose_volume.volume_cc "
        "cohort.toxicity.statement cohort.toxicity.window cohort.toxicity.grade cohort.toxicity.category "
        "cohort.toxicity.major_wound_complication cohort.toxicity.therapy "
        "cohort.toxicity.of_primary_treatment",
    },
    "analysis.survival_curve": {"*": SURVIVAL},
    "analysis.survival_estimate": {"*": SURVIVAL},
    "analysis.restricted_mean": {"*": "analysis.survival_curve.survival analysis.survival_curve.time_months"},
    "analysis.cumulative_incidence": {"*": f"{SURVIVAL} {STATUS}.event_kind"},
    "analysis.estimate_movement": {"*": SURVIVAL},
    "analysis.cumulative_incidence_estimate": {
        "*": "analysis.cumulative_incidence.incidence analysis.cumulative_incidence.time_months"
    },
    "analysis.subgroup": {"*": f"{SURVIVAL} {COVARIATES}"},
    "analysis.subgroup_curve": {"*": f"{SURVIVAL} {COVARIATES}"},
    "analysis.log_rank": {"*": f"{SURVIVAL} {COVARIATES}"},
    "analysis.hazard_ratio": {"*": f"{SURVIVAL} {COVARIATES}"},
    **{
        f"analysis.{name}": {"*": f"{SURVIVAL} {COVARIATES}"}
        for name in (
            "model_fit", "joint_test", "internal_validation", "univariable_hazard_ratio", "calibration",
            "imputed_hazard_ratio", "imputed_covariate", "weighted_curve", "weighted_hazard_ratio",
            "external_validation", "external_calibration", "net_benefit",
        )
    },
    **{f"analysis.{name}": {"*": COVARIATES} for name in ("weighted_group", "weighted_balance")},
    "analysis.competing_hazard_ratio": {"*": f"{SURVIVAL} {STATUS}.event_kind {COVARIATES}"},
    "analysis.first_failure": {"*": "cohort.events.kind cohort.events.day"},
    "analysis.ph_test": {"*": f"{SURVIVAL} {COVARIATES}"},
    "analysis.survival_sensitivity": {"*": f"{SURVIVAL} {STATUS}.event_kind {ENDS} {COVARIATES}"},
    "analysis.follow_up_completeness": {"*": f"{SURVIVAL} {STATUS}.event_kind {OF_EVENTS} {COVARIATES}"},
    "analysis.immortal_time": {"*": f"{SURVIVAL} {OF_EVENTS}"},
    "analysis.covariate_timing": {"*": f"{SURVIVAL} {OF_EVENTS}"},
    "analysis.published_comparison": dict.fromkeys(
        (
            "our_text", "our_value", "our_low", "our_high", "our_p", "our_joint_p", "our_joint_text",
            "our_n", "our_percent", "difference",
            "verdict", "interval_verdict",
        ),
        f"analysis.survival_estimate.value analysis.hazard_ratio.hazard_ratio {COVARIATES} {SURVIVAL}",
    ),
}  # fmt: skip

COUNTERPART = {
    f"curated.{name}": f"typed.{typed}"
    for name, typed in {
        "patient": "person", "diagnosis": "diagnosis", "diagnosis_report": "diagnosis", "surgery": "surgery",
        "radiotherapy_course": "radiotherapy", "systemic_therapy": "systemic_therapy",
        "assessment": "assessment", "metastasis": "metastasis", "toxicity": "toxicity",
        "vital_status": "vital_status",
        "vital_statement": "vital_status",
    }.items()
}  # fmt: skip
"""Curated table to the typed table whose columns of the same name it takes."""
