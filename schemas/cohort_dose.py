"""Contract of the volumes and doses of the cohort."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column
from schemas.dose_numbers import DoseNumbers


class _Structure(Contract):
    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    structure: pl.String = column(
        "Structure", "Name after TG-263, or the role if TG-263 has no name.", nullable=False
    )
    role: pl.String = column(
        "Role", "What the structure is for.", nullable=False, vocabulary="structure_role"
    )
    volume_cc: pl.Float64 = column("Volume", "Volume of the structure.", unit="cm³")
    prescribed_dose_gy: pl.Float64 = column(
        "Prescribed dose", "Dose that V95 refers to: the level of the target.", unit="Gy"
    )
    delivered_dose_gy: pl.Float64 = column(
        "Delivered dose", "Of the course, by the treatment records.", unit="Gy"
    )


class CohortDoseVolume(DoseNumbers, _Structure, table="cohort.dose_volume"):
    """Volume and planned dose of one structure of an eligible patient, in the course of the index tumour.

    Doses are those of all planned fractions of the whole course. A patient without a row has no structure
    set or dose, or none that could be computed yet.
    """

    evidence: TextList = column("Evidence", "Records of plans, structure set and doses.", nullable=False)
