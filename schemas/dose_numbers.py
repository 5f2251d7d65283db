"""The doses of a structure: the columns that the curated and the released table share."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, NumberList, column


class DoseNumbers(Contract):
    """Doses of one structure, from the contours and the dose grid."""

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
    alpha_beta_gy: pl.Float64 = column("Alpha/beta", "As declared for the role.", unit="Gy")
    eqd2_mean_gy: pl.Float64 = column(
        "Mean EQD2",
        "Mean of the dose in 2 Gy fractions of equal effect, computed point by point from the dose per "
        "fraction of each plan; empty if a number of fractions is unknown.",
        unit="Gy",
    )
    eqd2_d50_gy: pl.Float64 = column("Median EQD2", "Median of the same.", unit="Gy")
    eqd2_d2_gy: pl.Float64 = column("Near-maximum EQD2", "D2 of the same.", unit="Gy")
