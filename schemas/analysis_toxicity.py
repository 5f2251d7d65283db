"""Contract of the frequencies of toxicity."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column


class ToxicityRate(Contract, table="analysis.toxicity_rate"):
    """One endpoint of toxicity in all patients or in one group: patients with it among the documented."""

    position: pl.Int64 = column("Position", "Order of the lines, from 1.", nullable=False, unique=True)
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    covariate: pl.String = column(
        "Covariate", "Name in study.toml; its levels are the groups.", nullable=False
    )
    level: pl.String = column("Level", "The group; null for all patients.")
    patients: pl.Int64 = column("Patients", "Of the group, documented or not.", nullable=False)
    documented: pl.Int64 = column(
        "Documented",
        "Patients whose documentation says whether there was such a toxicity: the denominator. No "
        "documentation is not the same as none.",
        nullable=False,
    )
    events: pl.Int64 = column("Patients with it", "Among the documented.", nullable=False)
    unclear: pl.Int64 = column(
        "Unclear",
        "Documented patients who count as without it, and have a toxicity whose grade, kind or window is not "
        "documented and which may be one.",
        nullable=False,
    )
    share: pl.Float64 = column("Share", "Patients with it / documented; null without documentation.")
    ci_low: pl.Float64 = column("95 % CI, low", "Exact limit (Clopper–Pearson; R: binom.test).")
    ci_high: pl.Float64 = column("95 % CI, high", "Exact limit (Clopper–Pearson; R: binom.test).")
    p_value: pl.Float64 = column(
        "p",
        "Fisher's exact test of the groups (R: fisher.test), repeated in every row; null with fewer than two "
        "groups with documentation, or without any event.",
    )
