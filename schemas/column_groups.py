"""Groups of columns that decide a result together: origins in `schemas.column_lineage_declared`."""

from __future__ import annotations

STATUS = "cohort.endpoints"
PATIENTS = "cohort.patients"
COVARIATES = " ".join(
    f"{PATIENTS}.{c}"
    for c in (
        "age_at_diagnosis_years", "sex", "histology_group", "region", "t_stage", "fnclcc_grade",
        "residual_status", "radiation_sequence", "chemotherapy", "tumour_size_cm", "tumour_depth", "boost",
        "technique", "dose_gy", "prescribed_dose_gy",
    )
)  # fmt: skip
SURVIVAL = f"{STATUS}.endpoint {STATUS}.time_months {STATUS}.entry_months {STATUS}.event"
ENDS = " ".join(f"{STATUS}.{what}_days_{end}" for what in ("time", "entry") for end in ("earliest", "latest"))
ZERO = "curated.diagnosis.diagnosis_date curated.diagnosis.index_tumour"
TIMELINE = {
    "assessment": (
        "assessment_day", "assessment_day_earliest", "assessment_day_latest", "assessment_date",
        "assessment_date_precision", "overall_status", "local_status", "regional_status",
        "distant_status",
    ),
    "metastasis": (
        "tumour_id", "metastasis_day", "metastasis_date", "metastasis_date_precision", "reported_day",
        "reported_day_earliest", "reported_day_latest", "reported_date_precision", "site", "extent", "origin",
    ),
    "diagnosis": (
        "index_tumour", "tumour_id", "day", "diagnosis_date", "diagnosis_date_precision",
        "diagnosis_date_earliest", "diagnosis_date_latest", "icdo3_morphology",
        "icdo3_topography", "icd10_code", "laterality", "m_stage",
    ),
    "surgery": (
        "surgery_day", "surgery_day_earliest", "surgery_day_latest", "surgery_date_precision", "tumour_id",
        "ops_codes", "intent", "residual_status",
    ),
    "radiotherapy_course": (
        "start_day", "start_day_earliest", "start_day_latest", "end_day", "end_day_earliest",
        "end_day_latest", "start_date", "start_date_precision", "end_date_precision", "tumour_id", "intent",
    ),
    "systemic_therapy": (
        "given", "start_day", "start_day_earliest", "start_day_latest", "start_date_precision", "kind",
    ),
    "vital_status": ("status", "death_date", "death_date_precision", "death_day", "tumour_related"),
    "vital_statement": (
        "source", "status", "status_date", "status_date_precision", "status_day", "told_day",
    ),
}  # fmt: skip
EVENTS = " ".join(f"curated.{table}.{c}" for table, columns in TIMELINE.items() for c in columns)
OF_EVENTS = " ".join(
    f"cohort.events.{c}"
    for c in ("kind", "day", "detail", "states", "day_earliest", "day_latest", "precision")
)
RECORDS = " ".join(
    f"curated.{t}.record_ids"
    for t in (
        "patient", "diagnosis", "surgery", "radiotherapy_course", "systemic_therapy", "assessment",
        "metastasis", "vital_status", "vital_statement",
    )
) + " curated.vital_status.death_record_ids curated.vital_status.last_alive_record_ids"  # fmt: skip

COURSE_FACTS = " ".join(
    [f"typed.plan.{c}" for c in (
        "sop_instance_uid", "frame_of_reference_uid", "plan_date", "plan_label", "plan_intent", "approval",
        "plan_relations", "dose_references", "fraction_groups", "beams", "applications", "phantom",
        "ion_plan", "brachytherapy_type", "planning_system",
    )]
    + [f"typed.treatment.{c}" for c in (
        "refers_to", "treatment_date", "treatment_time", "fraction_number", "fraction_group",
        "content_origin", "sessions", "group_summaries", "fractions_delivered", "first_treatment_date",
        "last_treatment_date",
    )]
    + [f"typed.radiotherapy.{c}" for c in (
        "module_id", "report_id", "part", "application", "start_date", "start_date_precision", "end_date",
        "end_date_precision", "start_day", "end_day",
        "prescribed_dose_gy", "single_dose_gy", "boost", "target_region", "target_side", "radiation",
        "irradiated", "end_reason",
    )]
    + ["typed.surgery.surgery_date"]
)  # fmt: skip
"""Input of the rules on courses (docs/radiotherapy.md): any of these columns may affect any value of a
course."""
OF_COURSE = (
    "course_id", "kind", "target", "start_date", "start_date_precision", "end_date", "end_date_precision",
    "prescribed_dose_gy", "single_dose_gy",
    "fractions", "levels_gy", "planned_dose_gy", "delivered_dose_gy", "delivered_fractions", "dose_origin",
    "dose_unit", "documented_dose_gy", "documented_fractions", "documented_rule", "boost", "technique",
    "techniques", "radiation", "radiations", "beam_energy_mv", "energies", "plans", "overall_days",
    "longest_gap_days", "rule", "origin", "set_aside", "intent",
)  # fmt: skip

TREATED = (
    "typed.surgery.surgery_date typed.surgery.surgery_date_precision typed.surgery.intent "
    "typed.radiotherapy.start_date typed.radiotherapy.start_date_precision "
    "typed.systemic_therapy.start_date_precision typed.radiotherapy.radiation_sequence "
    "typed.systemic_therapy.start_date typed.systemic_therapy.given "
    "typed.plan.plan_date typed.diagnosis.report_date typed.diagnosis.origin typed.diagnosis.after_therapy"
)
"""Columns that give the order of treatment, and so the report that describes a tumour at its diagnosis."""
ASSIGNED = (
    "typed.tumour_assignment.tumour_id typed.tumour_assignment.reporter typed.tumour_assignment.icd10_code "
    "typed.tumour_assignment.diagnosis_date typed.diagnosis.icdo3_morphology typed.diagnosis.icdo3_topography"
)
"""Columns that decide which records belong to one tumour."""
THERAPIES = (
    "typed.toxicity.record_id typed.toxicity.therapy typed.toxicity.onset_date typed.toxicity.onset_day "
    "typed.surgery.surgery_date typed.surgery.surgery_day typed.surgery.intent typed.surgery.ops_codes "
    "typed.systemic_therapy.start_date typed.systemic_therapy.start_day typed.systemic_therapy.given"
)
"""Columns that decide to which therapy a toxicity belongs."""
ONSET = " ".join(
    f"curated.toxicity.{c}"
    for c in (
        "onset_date", "onset_date_precision", "onset_day", "therapy_date", "therapy_day",
        "therapy_day_earliest", "therapy_day_latest", "therapy",
        "stated_window", "revision", "category", "statement", "grade", "kind", "attribution",
    )
)  # fmt: skip
OF_TOXICITY = " ".join(
    f"cohort.toxicity.{c}"
    for c in (
        "therapy", "of_primary_treatment", "statement", "window", "grade", "ctcae_version", "category",
        "major_wound_complication",
    )
)  # fmt: skip
BASELINE = (
    "icdo3_morphology", "morphology_version", "morphologies", "grade", "fnclcc_grade", "t_stage", "t_prefix",
    "t_suffix", "n_stage", "n_prefix", "n_suffix", "m_stage", "m_prefix", "m_suffix", "m_symbol",
    "tnm_edition",
)  # fmt: skip

WHO = " ".join(
    f"typed.person.{c}"
    for c in (
        "person_ref",
        "hospital_number",
        "family_name",
        "given_names",
        "birth_name",
        "former_names",
        "birth_date",
        "sex",
        "master",
    )
)
"""Columns that decide to which person a record belongs."""
