"""Contract of the volumes and doses of the cohort."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, NumberList, TextList, column


class CohortDoseVolume(Contract, table="cohort.dose_volume"):
    """Volume and planned dose of one structure of an eligible patient, in the course of the index tumour.

    Doses are those of all planned fractions of the whole course. A patient without a row has no structure
    set or dose, or none that could be computed yet.
    """

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
    mean_gy: pl.Float64 = column("Dmean", "Mean dose.", unit="Gy")
    max_gy: pl.Float64 = column("Dmax", "Highest dose.", unit="Gy")
    d98_gy: pl.Float64 = column("D98", "Least dose of the hottest 98 % of the volume.", unit="Gy")
    d95_gy: pl.Float64 = column("D95", "Least dose of the hottest 95 % of the volume.", unit="Gy")
    d50_gy: pl.Float64 = column("D50", "Median dose.", unit="Gy")
    d2_gy: pl.Float64 = column("D2", "Least dose of the hottest 2 % of the volume.", unit="Gy")
    v95_percent: pl.Float64 = column(
        "V95", "Part of the volume with at least 95 % of the prescribed dose.", unit="%"
    )
    vx_gy: NumberList = column("Doses of Vx", "The declared doses x.", unit="Gy")
    vx_percent: NumberList = column(
        "Vx", "Part of the volume with at least the dose x, in the order of these doses.", unit="%"
    )
    homogeneity: pl.Float64 = column("Homogeneity", "(D2 − D98) / D50 of a target (ICRU 83).")
    conformity: pl.Float64 = column("Conformity", "Paddick's index of a target at the prescribed dose.")
    alpha_beta_gy: pl.Float64 = column("Alpha/beta", "As declared for the structure.", unit="Gy")
    eqd2_mean_gy: pl.Float64 = column(
        "Mean EQD2", "Mean of the dose in 2 Gy fractions of equal effect.", unit="Gy"
    )
    eqd2_d50_gy: pl.Float64 = column("Median EQD2", "Median of the same.", unit="Gy")
    eqd2_d2_gy: pl.Float64 = column("Near-maximum EQD2", "D2 of the same.", unit="Gy")
    evidence: TextList = column("Evidence", "Records of plans, structure set and doses.", nullable=False)
