"""Contract of the endpoints of toxicity of the cohort: per patient, whether there was one, and when."""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, TextList, column


class CohortToxicityEndpoint(Contract, table="cohort.toxicity_endpoints"):
    """One endpoint of toxicity of an eligible patient: documented or not, with it or not, and until when."""

    pseudonym: pl.String = column("Pseudonym", "The patient.", nullable=False, identifying="quasi-identifier")
    endpoint: pl.String = column("Endpoint", "Name in study.toml.", nullable=False)
    documented: pl.Boolean = column(
        "Documented",
        "Whether a record says if there was such a toxicity. Nothing documented is not the same as none.",
        nullable=False,
    )
    treated: pl.Boolean = column(
        "Treated",
        "Whether the patient has the therapy that it is a toxicity of: the primary course of radiotherapy, "
        "or the definitive resection.",
        nullable=False,
    )
    event: pl.Boolean = column("With it", "Whether there was one; missing if not documented.")
    unclear: pl.Boolean = column(
        "Unclear",
        "Whether one of their toxicities may be one, because its grade, kind, version or window is unknown.",
        nullable=False,
    )
    died_in_window: pl.Boolean = column(
        "Died in the window", "Whether the patient died within the window and without it.", nullable=False
    )
    counted: pl.Boolean = column(
        "Counted", "Whether the patient is in the denominator, by the choices of study.toml.", nullable=False
    )
    time_days: pl.Int32 = column(
        "Time",
        "Days from the therapy to what ended the risk. Missing for patients who are not followed, and for "
        "acute toxicity, whose side effects have no date.",
    )
    outcome: pl.String = column(
        "Outcome", "What ended the risk; missing without a time.", vocabulary="toxicity_outcome"
    )
    time_basis: pl.String = column(
        "Basis of the time",
        "Of a toxicity: its date, or the middle of the days on which it may have begun.",
        vocabulary="toxicity_time_basis",
    )
    evidence: TextList = column("Evidence", "Records on the toxicity.", nullable=False)
