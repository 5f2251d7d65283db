"""Contracts of volumes and doses: one row per structure of a plan, and of a course of several plans."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract as Base
from schemas.contract import column
from schemas.curated import Curated
from schemas.dose_numbers import DoseNumbers


class OfCourse(Curated):
    """The course or plan whose dose a row is about, and its structure set."""

    course_id: pl.String = column(
        "Course", "Key of its course; empty for a plan of none.", identifying="identifier"
    )
    whole_course: pl.Boolean = column(
        "Whole course",
        "Whether it is the dose of the whole course: of its only plan, or of all its plans, added as the "
        "rules of courses say.",
        nullable=False,
    )
    plan_uid: pl.String = column(
        "Plan", "SOP instance of the plan; empty for a course of several plans.", identifying="identifier"
    )
    structure_set_uid: pl.String = column(
        "Structure set", "SOP instance of the structure set.", nullable=False, identifying="identifier"
    )
    calculation: pl.String = column(
        "Calculation",
        "Hash of the files, of the calculator's version and of its settings; key of meta.dose_calculations.",
        nullable=False,
    )


class _Structure(OfCourse):
    roi_number: pl.Int32 = column("Number", "ROINumber in the structure set.", nullable=False)
    structure: pl.String = column("Structure", "ROIName as delivered.", identifying="quasi-identifier")
    tg263: pl.String = column("TG-263", "Name after TG-263; empty if it has none or is not mapped.")
    role: pl.String = column(
        "Role", "What the structure is for; empty: the name is not mapped.", vocabulary="structure_role"
    )
    volume_cc: pl.Float64 = column("Volume", "Volume of the structure.", unit="cm³")
    covered_percent: pl.Float64 = column("Covered", "Part of the volume that the dose grid covers.", unit="%")
    prescribed_dose_gy: pl.Float64 = column(
        "Prescribed dose", "Dose that V95 refers to: the level of the target.", unit="Gy"
    )


class DoseVolume(DoseNumbers, _Structure, table="curated.dose_volume"):
    """Volume and planned dose of one structure, computed from contours and dose grid.

    Doses are those of all planned fractions. A value that cannot be computed is empty, and a finding says
    why.
    """

    fractions: pl.Int32 = column("Fractions", "Planned fractions of the plan or of all plans.")
    dose_kind: pl.String = column(
        "Kind of dose", "DoseSummationType of the distributions; several joined by blanks."
    )


class TargetMargin(OfCourse, table="curated.target_margin"):
    """Margin from one target to the next larger one, in the structure set of one plan."""

    inner: pl.String = column("Inner target", "Name after TG-263.", nullable=False)
    outer: pl.String = column("Outer target", "Name after TG-263.", nullable=False)
    axis: pl.String = column(
        "Axis", "Bone whose direction is the axis of the limb; patient: from feet to head.", nullable=False
    )
    superior_mm: pl.Float64 = column("Superior", "Margin towards the head, along the axis.", unit="mm")
    inferior_mm: pl.Float64 = column("Inferior", "Margin towards the feet, along the axis.", unit="mm")
    radial_p5_mm: pl.Float64 = column("Radial, 5 %", "5th percentile across the axis.", unit="mm")
    radial_p50_mm: pl.Float64 = column("Radial, median", "Median across the axis.", unit="mm")
    radial_p95_mm: pl.Float64 = column("Radial, 95 %", "95th percentile across the axis.", unit="mm")


class MetaDoseCalculation(Base, table="meta.dose_calculations"):
    """The result of one calculation; kept as long as the warehouse, because the files may disappear."""

    calculation: pl.String = column(
        "Calculation", "Hash of files, calculator and settings.", nullable=False, unique=True
    )
    first_refresh: pl.String = column("First refresh", "The refresh that found the result.", nullable=False)
    result: pl.String = column(
        "Result", "JSON: rows of structures and margins, and what is doubtful.", nullable=False,
        identifying="quasi-identifier",
    )  # fmt: skip
    seconds: pl.Float64 = column("Seconds", "CPU time.", nullable=False, unit="s")
    peak_mb: pl.Float64 = column("Memory", "Greatest memory of its process.", nullable=False, unit="MB")
