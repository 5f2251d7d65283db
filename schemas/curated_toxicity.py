"""Contract of curated toxicity: each side effect and complication with the therapy that it belongs to."""

from __future__ import annotations

import polars as pl

from schemas.contract import column
from schemas.curated import Curated, earliest, latest
from schemas.typed_toxicity import ToxicityColumns


class Toxicity(ToxicityColumns, Curated, table="curated.toxicity"):
    """One side effect, complication or wound revision of a patient, or the statement that there was none."""

    therapy_date: pl.Date = column(
        "First day of the therapy", "Day of the operation, or first day.", identifying="quasi-identifier"
    )
    therapy_day: pl.Int32 = column("Day of the therapy", "Days since time zero.", unit="d")
    therapy_day_earliest: pl.Int32 = earliest("day of the therapy")
    therapy_day_latest: pl.Int32 = latest("day of the therapy")
    course_id: pl.String = column("Course", "Key of the course of radiotherapy.", identifying="identifier")
    attribution: pl.String = column(
        "Attribution",
        "Why it belongs to the therapy: the same record documents both, the patient had no other such "
        "therapy before, or for a wound revision it is the last operation before; missing where it "
        "belongs to none.",
        vocabulary="toxicity_attribution",
    )
    revision: pl.Boolean = column(
        "Operation for the wound",
        "Whether it was a second operation for the wound, or is documented to have needed one.",
        nullable=False,
    )
