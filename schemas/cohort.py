"""Contracts of the cohort layer: eligibility, one row per patient, and endpoints in long format.

All tables are pseudonymous: no identifier column; times are days since time zero, the date of the initial
pathological diagnosis. Months are days / 30.4375.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column
from schemas.rule import Rule

REMEDY_PROGRAM = "Report it to the pipeline's owner: the cohort layer contradicts itself."

RELAPSE_PATTERNS = ("none", "local only", "distant only", "local and distant")


class CohortEligibility(Contract, table="cohort.eligibility"):
    """One criterion judged for one patient."""

    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    criterion: pl.String = column("Criterion", "Name in study.toml.", nullable=False)
    position: pl.Int32 = column("Position", "Order of the criterion in study.toml, from 1.", nullable=False)
    met: pl.Boolean = column("Met", "Whether the patient fulfils it.", nullable=False)
    value: pl.String = column("Value", "What it was judged on, as text.")
    reason: pl.String = column("Reason", "Why it is not met.")
    known: pl.Boolean = column(
        "Known",
        "Whether the verdict rests on known facts, and not on a value that is missing or contradictory.",
        nullable=False,
    )
    excluded_here: pl.Boolean = column(
        "Excluded here", "Whether it is the first criterion that the patient does not meet.", nullable=False
    )


class CohortFlow(Contract, table="cohort.flow"):
    """One step of the STROBE flow: a criterion with its counts."""

    position: pl.Int32 = column("Position", "Order in study.toml, from 1.", nullable=False, unique=True)
    criterion: pl.String = column("Criterion", "Name in study.toml.", nullable=False)
    label: pl.String = column("Label", "The criterion in words.", nullable=False)
    entered: pl.Int64 = column("Entered", "Patients before the step.", nullable=False)
    excluded: pl.Int64 = column("Excluded", "Patients whose first unmet criterion it is.", nullable=False)
    not_known: pl.Int64 = column(
        "Not known", "Of the excluded, those of whom a value is missing or contradictory."
    )
    remaining: pl.Int64 = column("Remaining", "Patients after the step.", nullable=False)


class CohortPatient(
    Contract,
    table="cohort.patients",
    rules=(
        Rule(
            "cohort.follow-up-negative",
            "error",
            what="The follow-up ends before the diagnosis.",
            remedy=REMEDY_PROGRAM,
            scope="program",
            column="follow_up_days",
            holds=pl.col("follow_up_days") >= 0,
            missing="kept",
        ),
        Rule(
            "cohort.relapse-pattern-unknown",
            "error",
            what="The relapse pattern is not one of the four.",
            remedy=REMEDY_PROGRAM,
            scope="program",
            column="relapse_pattern",
            holds=pl.col("relapse_pattern").is_in(RELAPSE_PATTERNS),
            missing="kept",
        ),
    ),
):
    """One eligible patient of the study."""

    pseudonym: pl.String = column(
        "Pseudonym",
        "HMAC-SHA256 with a key kept outside the database.",
        nullable=False,
        unique=True,
        identifying="quasi-identifier",
    )
    centre: pl.String = column(
        "Centre",
        "Who delivered it; missing where a study has one drop folder.",
        identifying="quasi-identifier",
    )
    age_at_diagnosis_years: pl.Float64 = column(
        "Age at diagnosis", "Days / 365.25 at time zero.", unit="a", identifying="quasi-identifier"
    )
    sex: pl.String = column("Sex", "Administrative sex.", vocabulary="sex", identifying="quasi-identifier")
    histology_group: pl.String = column(
        "Histology group", "Group by ICD-O-3 morphology.", vocabulary="histology_group"
    )
    icdo3_morphology: pl.String = column("ICD-O-3 morphology", "Histology with behaviour.")
    icd10_site: pl.String = column("Site", "ICD-10 / ICD-O-3 site of the primary tumour.")
    region: pl.String = column("Region", "Region of the body by site.", vocabulary="region")
    t_stage: pl.String = column(
        "T category",
        "In the words of the TNM edition that the assumptions choose, 7 by default.",
        vocabulary="t_stage",
    )
    n_stage: pl.String = column("N category", "Regional lymph nodes.", vocabulary="n_stage")
    fnclcc_grade: pl.String = column("FNCLCC grade", "Coindre: G1 to G3.", vocabulary="fnclcc_grade")
    residual_status: pl.String = column(
        "Residual status",
        "Local R classification of the definitive resection, its re-resection included.",
        vocabulary="residual_status",
    )
    resected: pl.Boolean = column("Resected", "Whether the primary was operated on, biopsies aside.")
    radiation_sequence: pl.String = column(
        "Radiation sequence", "Relation of radiotherapy to surgery.", vocabulary="radiation_sequence"
    )
    chemotherapy: pl.String = column("Chemotherapy", "Whether it was given.", vocabulary="yes_no_unknown")
    tumour_size_cm: pl.Float64 = column("Tumour size", "Greatest diameter.", unit="cm")
    tumour_depth: pl.String = column(
        "Depth", "Above or below the superficial fascia.", vocabulary="tumour_depth"
    )
    dose_gy: pl.Float64 = column(
        "Dose",
        "Prescribed or delivered, with or without a boost, as the assumptions choose; the prescribed total "
        "dose of the highest level by default.",
        unit="Gy",
    )
    prescribed_dose_gy: pl.Float64 = column("Prescribed dose", "Total dose of the highest level.", unit="Gy")
    delivered_dose_gy: pl.Float64 = column(
        "Delivered dose", "By the treatment records: shares of fractions times dose per fraction.", unit="Gy"
    )
    fractions: pl.Int32 = column("Fractions", "Planned number of fractions.")
    delivered_fractions: pl.Int32 = column(
        "Delivered fractions", "By the treatment records of the primary course; missing without records."
    )
    overall_days: pl.Int32 = column(
        "Overall treatment time",
        "From the first to the last day of the primary course, both counted: by the treatment records, "
        "or by the documentation where there are none or its end is later.",
        unit="d",
    )
    longest_gap_days: pl.Int32 = column(
        "Longest gap",
        "Most days from one day of treatment to the next, by the treatment records; 3 over a weekend.",
        unit="d",
    )
    interrupted: pl.Boolean = column(
        "Interrupted",
        "Whether there was a break of more than 3 days: by the treatment records, else as oBDS Ende_Grund "
        "says (F with such a break, E without).",
    )
    single_dose_gy: pl.Float64 = column("Single dose", "Dose per fraction of the highest level.", unit="Gy")
    boost: pl.String = column("Boost", "Kind of boost.", vocabulary="boost")
    technique: pl.String = column("Technique", "As the plan's beams show it.", vocabulary="technique")
    beam_energy_mv: pl.Float64 = column("Energy", "Nominal beam energy.", unit="MV")
    ct_slice_thickness_mm: pl.Float64 = column("Slice thickness", "Of the planning CT.", unit="mm")
    dose_origin: pl.String = column("Origin of the dose", "How the dose was had.", vocabulary="dose_origin")
    diagnosis_year: pl.Int32 = column(
        "Year of diagnosis", "Calendar year of time zero.", identifying="quasi-identifier"
    )
    diagnosis_date_precision: pl.String = column(
        "Precision of time zero", "To what the date of diagnosis is exact.", vocabulary="date_precision"
    )
    relapse_pattern: pl.String = column(
        "Relapse pattern",
        "none, local only, distant only, or local and distant; regional lymphatic relapse counts as local.",
    )
    follow_up_days: pl.Int32 = column(
        "Follow-up", "Time zero to death or the last date known alive.", unit="d"
    )
    follow_up_months: pl.Float64 = column("Follow-up", "Days / 30.4375.", unit="months")
    registry_answer_days: pl.Int32 = column(
        "Last registry answer", "Day of the registry office's last answer since time zero.", unit="d"
    )
    registry_answer_age_months: pl.Int32 = column(
        "Age of the registry answer",
        "From it to the data cut-off, in whole months; of the living. Exact days would tell the date of "
        "diagnosis to whoever knows the cut-off.",
        unit="months",
    )
    record_ids: TextList = column("Records", "Every record that the row rests on.", nullable=False)


class CohortEndpoint(
    Contract,
    table="cohort.endpoints",
    rules=(
        Rule(
            "cohort.endpoint-negative",
            "error",
            what="The endpoint's time lies before time zero.",
            remedy=REMEDY_PROGRAM,
            scope="program",
            column="time_days",
            holds=pl.col("time_days") >= 0,
            missing="kept",
        ),
        Rule(
            "cohort.endpoint-kind",
            "error",
            what="An event is called censored, or a censored time has an event.",
            remedy=REMEDY_PROGRAM,
            scope="program",
            column="event_kind",
            holds=(pl.col("event_kind") == "censored") != pl.col("event"),
            missing="kept",
        ),
    ),
):
    """One endpoint of one patient: the time to its first event, or to censoring."""

    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    time_days: pl.Int32 = column(
        "Time", "Days since time zero, or since the endpoint's own origin.", nullable=False, unit="d"
    )
    time_months: pl.Float64 = column("Time", "Days / 30.4375.", nullable=False, unit="months")
    entry_days: pl.Int32 = column(
        "Entry",
        "Days since the origin, only after which the patient is at risk; missing for: at once.",
        unit="d",
    )
    entry_months: pl.Float64 = column("Entry", "Days / 30.4375.", unit="months")
    entry_days_earliest: pl.Int32 = column(
        "Earliest entry", "With the early end of every partial date; missing for: at once.", unit="d"
    )
    entry_days_latest: pl.Int32 = column(
        "Latest entry", "With the late end of every partial date; missing for: at once.", unit="d"
    )
    event: pl.Boolean = column("Event", "True for an event, false for censored.", nullable=False)
    event_kind: pl.String = column(
        "Kind of event", "What ended the time.", nullable=False, vocabulary="event_kind"
    )
    evidence: TextList = column("Evidence", "Records that decided it.", nullable=False)
    date_precision: pl.String = column(
        "Precision", "Of the least exact date that decided it.", vocabulary="date_precision"
    )
    time_days_earliest: pl.Int32 = column(
        "Earliest time", "With the early end of every partial date.", nullable=False, unit="d"
    )
    time_days_latest: pl.Int32 = column(
        "Latest time", "With the late end of every partial date.", nullable=False, unit="d"
    )


class CohortDerivability(Contract, table="cohort.derivability"):
    """One endpoint, and whether it can be derived from the study's sources."""

    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False, unique=True)
    derivable: pl.Boolean = column("Derivable", "Whether it can be had from the sources.", nullable=False)
    reason: pl.String = column("Reason", "Why not.")
