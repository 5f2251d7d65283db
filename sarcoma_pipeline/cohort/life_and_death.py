"""Find deaths, and the days on which a patient is known to be alive."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.derived_once import once
from sarcoma_pipeline.cohort.partial_dates import dated, day_columns, reach
from sarcoma_pipeline.cohort.primary import Curated, of_index_tumour, tumour
from schemas.assumptions import Assumptions

_EXACT = pl.lit("day")

REGISTRY, MOVED, CONTACT, CUT_OFF = "registry answer", "moved away", "contact", "alive at the cut-off"
"""Values of ``detail`` for ``alive`` rows: the evidence of the statement."""

BY_TUMOUR, OTHER_CAUSE, CAUSE_UNKNOWN = "by the tumour", "other cause", "cause unknown"


def died(curated: Curated, zero: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return deaths.

    The interval of a partial date starts at the last contact; an unknown date leaves the day null.
    """
    seen = (
        pl.concat(
            [
                _contacts(curated).select("patient_id", "day_earliest"),
                _stated_alive(curated).select("patient_id", day_earliest="day"),
            ]
        )
        .group_by("patient_id")
        .agg(_seen=pl.max_horizontal(pl.col("day_earliest").max(), 0))
    )
    told = (
        curated["curated.vital_statement"]
        .filter(pl.col("status").str.starts_with("deceased"))
        .group_by("patient_id")
        .agg(_told=pl.col("told_day").min())
    )
    cause = pl.col("tumour_related").replace_strict(
        {"yes": BY_TUMOUR, "no": OTHER_CAUSE}, default=CAUSE_UNKNOWN, return_dtype=pl.String
    )
    frame = (
        curated["curated.vital_status"]
        .filter(pl.col("status").str.starts_with("deceased"))
        .join(seen, on="patient_id", how="left")
        .join(told, on="patient_id", how="left")
        .with_columns(
            day="death_day", date="death_date", precision="death_date_precision", kind=pl.lit("death"),
            detail=cause, record_ids=pl.coalesce(["death_record_ids", "record_ids"]),
        )
    )  # fmt: skip
    frame = dated(frame, zero, not_before="_seen").with_columns(
        # A month of death that began before the diagnosis cannot mean a day before it.
        pl.when(pl.col(c).is_not_null()).then(pl.max_horizontal(c, 0)).alias(c)
        for c in ("day", "day_earliest", "day_latest")
    )
    if assumptions.undated_death == "last known alive":
        return frame
    between = pl.col("day").is_null() & (pl.col("_told") >= pl.col("_seen"))
    ends = {"day": (pl.col("_told") + pl.col("_seen")) // 2, "day_earliest": "_seen", "day_latest": "_told"}
    return frame.with_columns(pl.when(between).then(value).otherwise(c).alias(c) for c, value in ends.items())


@once
def _contacts(curated: Curated) -> pl.DataFrame:
    """Return days on which the hospital saw the patient, for any tumour."""
    given = curated["curated.systemic_therapy"].filter(pl.col("given") == "yes")
    exact = curated["curated.diagnosis"].filter(pl.col("diagnosis_date_precision").fill_null("day") == "day")
    days = [
        (curated["curated.assessment"], day_columns("assessment")),
        (curated["curated.surgery"], day_columns("surgery")),
        (curated["curated.radiotherapy_course"], day_columns("start")),
        (curated["curated.radiotherapy_course"], day_columns("end")),
        (given, day_columns("start")),
        (exact, {c: pl.col("day") for c in ("day", "day_earliest", "day_latest")} | {"precision": _EXACT}),
    ]
    seen = [frame.select("patient_id", "record_ids", **placed) for frame, placed in days]
    return pl.concat(seen).filter(pl.col("day") >= 0)


@once
def _stated_alive(curated: Curated) -> pl.DataFrame:
    """Return statements that the patient is alive; a statement for a month holds for its first day."""
    stated = curated["curated.vital_statement"].filter(pl.col("status").is_in(["alive", "moved"]))
    back, _ = reach(pl.col("status_date"), pl.col("status_date_precision").fill_null("day"))
    office = pl.col("source") == "registry office"
    return stated.select(
        "patient_id", "record_ids", kind=pl.lit("alive"), day=pl.col("status_day") - back,
        detail=pl.when(pl.col("status") == "moved")
        .then(pl.lit(MOVED))
        .when(office)
        .then(pl.lit(REGISTRY))
        .otherwise(pl.lit(CONTACT)),
        day_earliest=pl.col("status_day") - back, day_latest=pl.col("status_day") - back,
        precision=_EXACT,
    ).filter(pl.col("day").is_not_null())  # fmt: skip


@once
def alive(curated: Curated) -> pl.DataFrame:
    """Return statements that the patient is alive, and contacts that are no event of the index tumour."""
    own = [
        of_index_tumour(curated, table).select("patient_id", "record_ids")
        for table in (
            "curated.assessment", "curated.surgery", "curated.radiotherapy_course",
            "curated.systemic_therapy",
        )
    ]  # fmt: skip
    own.append(tumour(curated).select("patient_id", "record_ids"))
    further = _contacts(curated).join(pl.concat(own), on=["patient_id", "record_ids"], how="anti")
    contacts = further.with_columns(kind=pl.lit("alive"), detail=pl.lit(CONTACT))
    return pl.concat([_stated_alive(curated), contacts], how="diagonal")
