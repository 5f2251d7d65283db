"""Contracts of curated radiotherapy: courses, their phases and their plans, with all doses.

Every value has the number of the rule that decided it (``docs/radiotherapy.md``) and the origin of the
decision.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, NumberList, TextList, column
from schemas.curated import Curated, earliest, latest
from schemas.typed import RadiotherapyColumns


class Doses(Contract):
    """Doses as prescribed, as planned (from the beams), and as delivered."""

    levels_gy: NumberList = column(
        "Dose levels", "Total doses of the target levels, the highest first.", unit="Gy"
    )
    fractions: pl.Int32 = column("Fractions", "Planned number of fractions.")
    planned_dose_gy: pl.Float64 = column(
        "Planned dose", "Beam dose times fractions; empty unless every treating beam has a dose.", unit="Gy"
    )
    delivered_dose_gy: pl.Float64 = column(
        "Delivered dose", "By the treatment records: shares of fractions times dose per fraction.", unit="Gy"
    )
    delivered_fractions: pl.Int32 = column(
        "Delivered fractions", "Fractions of which the treatment records tell; empty without records."
    )
    radiation: pl.String = column(
        "Radiation", "Kind of radiation that gives most of the dose.", vocabulary="radiation"
    )
    radiations: TextList = column("Radiations", "Every kind of radiation, the one that gives most first.")
    technique: pl.String = column(
        "Technique", "As the beams that give most of the dose show it.", vocabulary="technique"
    )
    techniques: TextList = column("Techniques", "Every technique, the one that gives most first.")
    beam_energy_mv: pl.Float64 = column(
        "Energy", "Nominal energy of the photon beams that give most of the dose.", unit="MV"
    )
    energies: NumberList = column(
        "Energies", "Nominal energies of the beams of the first radiation: MV, MeV, or MeV/u."
    )
    dose_unit: pl.String = column(
        "Unit of the doses", "Gy, or Gy(RBE) of protons and heavier ions.", vocabulary="dose_unit"
    )
    rule: pl.String = column("Rule", "Numbers of the rules that decided, joined by blanks.")
    origin: pl.String = column(
        "Origin of the decision", "What the rules rested on.", vocabulary="decision_origin"
    )


class RadiotherapyPlan(Doses, Curated, table="curated.radiotherapy_plan"):
    """One plan of a patient: its purpose, its prescription, and what was delivered."""

    sop_instance_uid: pl.String = column("SOP instance", "Names the plan.", identifying="identifier")
    course_id: pl.String = column(
        "Course", "Key of its course; empty for a plan of none.", identifying="identifier"
    )
    phase: pl.Int32 = column("Phase", "Number of its phase in the course.")
    role: pl.String = column("Role", "What it was made for.", nullable=False, vocabulary="plan_role")
    role_rule: pl.String = column("Rule of the role", "R1 to R7.", nullable=False)
    role_origin: pl.String = column(
        "Origin of the role", "What the rule rested on.", vocabulary="decision_origin"
    )
    role_of: pl.String = column(
        "Role towards", "SOP instance of the plan that it copies, verifies or replaces.",
        identifying="identifier",
    )  # fmt: skip
    course_rule: pl.String = column("Rule of the course", "A1 to A7: why it belongs to its course.")
    course_origin: pl.String = column(
        "Origin of the course", "What the rule rested on.", vocabulary="decision_origin"
    )
    plan_label: pl.String = column("Label", "RTPlanLabel.", identifying="identifier")
    plan_date: pl.Date = column("Date of the plan", "RTPlanDate.", identifying="quasi-identifier")
    approval: pl.String = column("Approval", "ApprovalStatus.", vocabulary="approval")
    prescribed_dose_gy: pl.Float64 = column("Prescribed dose", "Total dose of the highest level.", unit="Gy")
    single_dose_gy: pl.Float64 = column("Single dose", "Dose per fraction of the highest level.", unit="Gy")
    dose_origin: pl.String = column("Origin of the dose", "How the dose was had.", vocabulary="dose_origin")
    delivery_origin: pl.String = column(
        "Origin of the delivery", "Treatment records, or a treatment summary."
    )
    start_date: pl.Date = column("First day", "First treatment.", identifying="quasi-identifier")
    end_date: pl.Date = column("Last day", "Last treatment.", identifying="quasi-identifier")


class RadiotherapyPhase(Doses, Curated, table="curated.radiotherapy_phase"):
    """One phase of a course, with the same targets and dose per fraction: a plan and its revisions."""

    course_id: pl.String = column("Course", "Key of its course.", nullable=False, identifying="identifier")
    phase: pl.Int32 = column("Phase", "Number in the course, from 1.", nullable=False)
    kind: pl.String = column("Kind", "How it is given.", nullable=False, vocabulary="phase_kind")
    site: pl.Int32 = column(
        "Site", "Number of the irradiated site: 1 for the one that gives the dose of the course."
    )
    prescribed_dose_gy: pl.Float64 = column("Prescribed dose", "Total dose of the highest level.", unit="Gy")
    single_dose_gy: pl.Float64 = column("Single dose", "Dose per fraction of the highest level.", unit="Gy")
    start_date: pl.Date = column("First day", "First fraction.", identifying="quasi-identifier")
    end_date: pl.Date = column("Last day", "Last fraction.", identifying="quasi-identifier")
    plans: pl.Int32 = column("Plans", "Number of plans.", nullable=False)


class RadiotherapyCourse(Doses, RadiotherapyColumns, Curated, table="curated.radiotherapy_course"):
    """One course of radiotherapy of a patient, joined from documentation, plans and treatment records."""

    course_id: pl.String = column(
        "Course", "Names it among the courses of its patient.", nullable=False, identifying="identifier"
    )
    start_day_earliest: pl.Int32 = earliest("first day")
    start_day_latest: pl.Int32 = latest("first day")
    end_day_earliest: pl.Int32 = earliest("last day")
    end_day_latest: pl.Int32 = latest("last day")
    kind: pl.String = column(
        "Kind", "How the dose of the course is given.", nullable=False, vocabulary="phase_kind"
    )
    target: pl.Int32 = column(
        "Target", "1 for the main target region of an oBDS ST, 2 and more for its others.", nullable=False
    )
    dose_origin: pl.String = column("Origin of the dose", "How the dose was had.", vocabulary="dose_origin")
    documented_dose_gy: pl.Float64 = column(
        "Documented dose", "Total dose by the tumour documentation.", unit="Gy"
    )
    documented_fractions: pl.Int32 = column(
        "Documented fractions", "Documented total dose over single dose, if that is a whole number."
    )
    documented_rule: pl.String = column(
        "Rule of the documentation", "O1 to O7: how several irradiations of an ST became one dose."
    )
    ct_slice_thickness_mm: pl.Float64 = column("Slice thickness", "Of the planning CT.", unit="mm")
    plans: pl.Int32 = column("Plans", "Number of its plans.")
    overall_days: pl.Int32 = column(
        "Overall treatment time", "From the first to the last day, both counted.", unit="d"
    )
    longest_gap_days: pl.Int32 = column(
        "Longest gap", "Most days from one day of treatment to the next, by the treatment records.", unit="d"
    )
    set_aside: pl.String = column(
        "Set aside", "Rule that the course breaks: its doses are left empty, other courses are not touched."
    )


class RadiotherapyReading(Curated, table="curated.radiotherapy_reading"):
    """One reading of the plans of a course that no rule decides: a data steward chooses."""

    course_id: pl.String = column("Course", "Key of its course.", nullable=False, identifying="identifier")
    rule_id: pl.String = column("Rule", "Rule of the finding that asks.", nullable=False)
    record_id: pl.String = column("Record", "Record of the finding that asks.", nullable=False)
    reading: pl.Int32 = column("Reading", "Number of the reading, from 1.", nullable=False)
    text: pl.String = column("In words", "How the plans are read.", nullable=False)
    prescribed_dose_gy: pl.Float64 = column("Prescribed dose", "By this reading.", unit="Gy")
    fractions: pl.Int32 = column("Fractions", "By this reading.")
    reading_key: pl.String = column(
        "Key",
        "Hash of the plans, the documentation and the reading: a decision counts as long as they stay the "
        "same.",
        nullable=False,
    )
    chosen: pl.Boolean = column("Chosen", "Whether a data steward decided for it.", nullable=False)
