"""Build ``cohort.toxicity``: toxicity of the index tumour's therapies, with its window since the therapy."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import primary, resection
from sarcoma_pipeline.cohort.data_cutoff import rows_until
from sarcoma_pipeline.cohort.primary import Curated
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.cohort_toxicity import CohortToxicity
from schemas.distinct_values import distinct
from schemas.partial_dates import interval
from schemas.toxicity_codes import CODE_FORMATS, SEVERE_WOUND_GRADE, WOUND_DAYS
from schemas.toxicity_window import spread, window


def toxicity(curated: Curated, timeline: Timeline, members: pl.DataFrame) -> pl.DataFrame:
    """Return ``cohort.toxicity`` of the members.

    Args:
        curated: the curated tables.
        timeline: the events of the patients, for the definitive resection and the data cut-off.
        members: ``patient_id``, ``pseudonym``.
    """
    zero = primary.tumour(curated).select("patient_id", zero="diagnosis_date")
    told = primary.of_index_tumour(curated, "curated.toxicity").join(members, on="patient_id")
    told = rows_until(told, "onset_day", zero, timeline.assumptions.data_cutoff)
    course = primary.course(curated).select("patient_id", _course="course_id")
    for part in (zero, course):
        told = told.join(part, on="patient_id", how="left", maintain_order="left")
    within = timeline.assumptions.reresection_days
    resected = resection.parts(curated, timeline.milestones, timeline.events, within)
    told = told.join(resected, on=["patient_id", "therapy_day"], how="left", maintain_order="left")
    first, last = interval(pl.col("onset_date"), pl.col("onset_date_precision"))
    since_zero = {
        "onset_day_earliest": (first - pl.col("zero")).dt.total_days().cast(pl.Int32),
        "onset_day_latest": (last - pl.col("zero")).dt.total_days().cast(pl.Int32),
    }
    radiotherapy = pl.col("therapy") == "radiotherapy"
    present = pl.col("statement") == "present"
    primary_course = radiotherapy & (pl.col("course_id") == pl.col("_course"))
    # A re-resection belongs to the definitive resection, and so do its complications.
    definitive = (pl.col("therapy") == "surgery") & pl.col("part")
    frame = told.with_columns(
        **{name: pl.coalesce([day, "onset_day"]) for name, day in since_zero.items()},
        code=pl.when(_well_formed()).then("code"),
        grade=pl.when(pl.col("grade").is_between(0, 5)).then("grade"),
        of_primary_treatment=(primary_course | definitive).fill_null(False),
        # A dated "none" says that there was none in the window of its day.
        window=pl.when(radiotherapy & (present | (pl.col("statement") == "none"))).then(window()),
        evidence=distinct(pl.col("record_ids")),
    ).with_columns(
        days_since_therapy=pl.col("onset_day") - pl.col("therapy_day"),
        onset_precision=pl.coalesce(
            ["onset_date_precision", pl.when(pl.col("onset_day").is_not_null()).then(pl.lit("day"))]
        ),
        window_basis=pl.when(pl.col("window").is_not_null()).then(
            pl.when(pl.col("onset_day").is_not_null() & pl.col("therapy_day").is_not_null())
            .then(pl.lit("date"))
            .otherwise(pl.lit("statement"))
        ),
        major_wound_complication=_major(),
    )
    return CohortToxicity.conform(
        frame.sort(
            "pseudonym", "therapy", "therapy_day", "kind", "onset_day", "category", "code", "grade",
            pl.col("evidence").list.join(" "), "statement", "ctcae_version", nulls_last=True,
        )
    )  # fmt: skip


def _well_formed() -> pl.Expr:
    """Return whether the code has the format of its list: other texts stay in the warehouse."""
    return pl.any_horizontal(
        (pl.col("code_system") == system) & pl.col("code").str.contains(form)
        for system, form in CODE_FORMATS.items()
    )


def _major() -> pl.Expr:
    """Return whether a row is a major wound complication; null where the data do not tell.

    What an operation's own report documents without a date happened after that operation, and is taken as
    within the window.
    """
    back, forth = spread()
    low = pl.col("onset_day_earliest") - pl.col("therapy_day") - forth
    high = pl.col("onset_day_latest") - pl.col("therapy_day") + back
    grave = pl.col("revision") | (pl.col("grade") >= SEVERE_WOUND_GRADE).fill_null(False)
    undated = pl.col("onset_day").is_null()
    within = (
        pl.when(low > WOUND_DAYS)
        .then(False)
        .when(high < 0)
        .then(None)
        .when(high <= WOUND_DAYS)
        .then(True)
        .when(undated & pl.col("revision") & (pl.col("attribution") == "record"))
        .then(True)
    )
    return (
        pl.when(pl.col("therapy").ne_missing("surgery") | pl.col("attribution").is_null())
        .then(None)
        .when(pl.col("statement") == "none")
        .then(False)
        .when(pl.col("statement") == "unknown")
        .then(None)
        .when(pl.col("category").ne_missing("wound"))
        .then(pl.when(pl.col("category").is_not_null()).then(False))
        .when(grave)
        .then(within)
        # Below grade 3 no operation or admission was indicated; without a grade this is not known.
        .when(pl.col("grade").is_not_null())
        .then(False)
    )
