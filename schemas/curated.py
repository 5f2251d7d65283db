"""Contracts of curated entities: linked to one patient, reconciled between sources, one row per event."""

from __future__ import annotations

from typing import Any

import polars as pl

from schemas.contract import Contract, TextList, column
from schemas.typed import (
    AssessmentColumns,
    DiagnosisColumns,
    MetastasisColumns,
    PersonColumns,
    SurgeryColumns,
    SystemicTherapyColumns,
)
from schemas.typed_diagnosis import ReportColumns


def earliest(day: str) -> Any:
    """Return the column of the first day that a date may mean."""
    return column(f"Earliest {day}", "First day that the date may mean, in days since time zero.", unit="d")


def latest(day: str) -> Any:
    """Return the column of the last day that a date may mean."""
    return column(f"Latest {day}", "Last day that the date may mean, in days since time zero.", unit="d")


class Curated(Contract):
    """The patient of a row, and its records."""

    patient_id: pl.String = column(
        "Patient", "Names the patient within the warehouse.", nullable=False, identifying="identifier"
    )
    record_ids: TextList = column(
        "Records", "Every record that the row rests on, losers of a conflict included.", nullable=False
    )


class Patient(PersonColumns, Curated, table="curated.patient"):
    """One patient."""

    pseudonym: pl.String = column(
        "Pseudonym", "HMAC-SHA256 of the patient with a key kept outside the database.", nullable=False
    )


class Link(Contract, table="curated.link"):
    """The patient of a person reference, and how it was found."""

    person_ref: pl.String = column(
        "Person reference", "As in the typed tables.", nullable=False, unique=True, identifying="identifier"
    )
    patient_id: pl.String = column("Patient", "The patient.", nullable=False, identifying="identifier")
    method: pl.String = column("Method", "hospital number, or name + birth date + sex.", nullable=False)


class Diagnosis(DiagnosisColumns, Curated, table="curated.diagnosis"):
    """One primary tumour of a patient at its diagnosis, from the reports that describe it then."""

    index_tumour: pl.Boolean = column(
        "Index tumour",
        "Whether it is the tumour that the study is about: a sarcoma, in a region of the study, irradiated, "
        "within its window, operated on; of several the earliest.",
        nullable=False,
    )
    documented: pl.Boolean = column(
        "Documented by a Diagnose",
        "False where no Diagnose was delivered and the Tumorzuordnung of other reports stands for it.",
        nullable=False,
    )
    region: pl.String = column("Region", "Region of the body by site.", vocabulary="region")
    histology_group: pl.String = column(
        "Histology group", "Group by ICD-O-3 morphology; null for what is no sarcoma.",
        vocabulary="histology_group",
    )  # fmt: skip
    day: pl.Int32 = column("Day", "Days since time zero.", unit="d")
    diagnosis_date_earliest: pl.Date = column(
        "Earliest date of diagnosis", "First day that the date may mean.", identifying="quasi-identifier"
    )
    diagnosis_date_latest: pl.Date = column(
        "Latest date of diagnosis", "Last day that the date may mean.", identifying="quasi-identifier"
    )
    treatment_order: pl.String = column(
        "Order of treatment", "Whether surgery or another therapy came first.", vocabulary="treatment_order"
    )
    histology_rule: pl.String = column(
        "Rule of the histology", "What the report that gives it was made of.", vocabulary="report_role"
    )
    histology_record_ids: TextList = column("Records of the histology", "Records that say the same.")
    fnclcc_rule: pl.String = column(
        "Rule of the FNCLCC grade", "What the report that gives it was made of.", vocabulary="report_role"
    )
    fnclcc_record_ids: TextList = column("Records of the FNCLCC grade", "Records that say the same.")
    t_rule: pl.String = column("Rule of T", "Which TNM gives it: cTNM, pTNM, or a table.")
    t_record_ids: TextList = column("Records of T", "Records that say the same.")
    n_rule: pl.String = column("Rule of N", "Which TNM gives it: cTNM, pTNM, or a table.")
    n_record_ids: TextList = column("Records of N", "Records that say the same.")
    m_rule: pl.String = column("Rule of M", "Which report gives it: Diagnose, a table, or another report.")
    m_record_ids: TextList = column("Records of M", "Records that say the same.")


class DiagnosisReport(DiagnosisColumns, ReportColumns, Curated, table="curated.diagnosis_report"):
    """One report on a tumour in one TNM; the values of ``curated.diagnosis`` are chosen from these rows."""

    reported_tumour: pl.String = column(
        "Number as reported", "The reporter's own number of the tumour.", identifying="identifier"
    )
    report_day: pl.Int32 = column("Day of the report", "Days since time zero.", unit="d")
    complete: pl.Boolean = column("Makes a diagnosis", "Whether it documents the diagnosis.", nullable=False)
    role: pl.String = column(
        "Role", "What it was made of, and when.", nullable=False, vocabulary="report_role"
    )
    after: pl.Boolean = column("After therapy", "Whether therapy came before what it describes.")
    chosen_for: TextList = column("Chosen for", "The values that rest on it.", nullable=False)


class Surgery(SurgeryColumns, Curated, table="curated.surgery"):
    """One operation of a patient."""

    surgery_day_earliest: pl.Int32 = earliest("day of surgery")
    surgery_day_latest: pl.Int32 = latest("day of surgery")


class SystemicTherapy(SystemicTherapyColumns, Curated, table="curated.systemic_therapy"):
    """One systemic therapy of a patient, or the statement that there was none."""

    start_day_earliest: pl.Int32 = earliest("first day")
    start_day_latest: pl.Int32 = latest("first day")


class Assessment(AssessmentColumns, Curated, table="curated.assessment"):
    """The state of a patient's disease on one day."""

    assessment_day_earliest: pl.Int32 = earliest("day of assessment")
    assessment_day_latest: pl.Int32 = latest("day of assessment")
    distant_day: pl.Int32 = column("Day of metastasis", "Days since time zero.", unit="d")


class Metastasis(MetastasisColumns, Curated, table="curated.metastasis"):
    """One metastasis of a tumour, from any report that documents it."""

    metastasis_day: pl.Int32 = column("Day of metastasis", "Days since time zero.", unit="d")
    reported_day_earliest: pl.Int32 = earliest("day of the report")
    reported_day_latest: pl.Int32 = latest("day of the report")


class VitalStatus(Curated, table="curated.vital_status"):
    """Whether a patient is known to be alive or dead; one row per patient."""

    status: pl.String = column(
        "Vital status", "After reconciliation.", nullable=False, vocabulary="vital_status"
    )
    death_date: pl.Date = column("Date of death", "After reconciliation.", identifying="quasi-identifier")
    death_date_precision: pl.String = column(
        "Precision of the date of death", "To what it is exact.", vocabulary="date_precision"
    )
    death_day: pl.Int32 = column("Day of death", "Days since time zero.", unit="d")
    death_record_ids: TextList = column("Records of death", "Records that the death rests on.")
    last_alive_date: pl.Date = column(
        "Last known alive", "From any source, a registry office's reply included.",
        identifying="quasi-identifier",
    )  # fmt: skip
    last_alive_day: pl.Int32 = column("Day last known alive", "Days since time zero.", unit="d")
    last_alive_record_ids: TextList = column("Records of life", "Records that the last date alive rests on.")
    tumour_related: pl.String = column(
        "Death by the tumour", "Whether the tumour caused it.", vocabulary="yes_no_unknown"
    )


class VitalStatement(Curated, table="curated.vital_statement"):
    """One statement of one source on whether a patient is alive or dead."""

    source: pl.String = column("Source", "Kind of source.", nullable=False, vocabulary="source")
    status: pl.String = column("Vital status", "As it was stated.", nullable=False, vocabulary="vital_status")
    status_date: pl.Date = column(
        "Date",
        "Of death, of the move, or on which the person was known alive.",
        identifying="quasi-identifier",
    )
    status_date_precision: pl.String = column(
        "Precision", "To what the date is exact.", vocabulary="date_precision"
    )
    status_day: pl.Int32 = column("Day", "Days since time zero.", unit="d")
    told_date: pl.Date = column(
        "Told on", "Day of the office's answer, or of the report.", identifying="quasi-identifier"
    )
    told_day: pl.Int32 = column("Day of telling", "Days since time zero.", unit="d")
