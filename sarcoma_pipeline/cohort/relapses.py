"""Find relapses of the index tumour: site, day, and whether it is only progression under treatment.

- **local**, **regional**: the status of the site is relapse; or progression after the definitive resection,
  even if it is resected later. Progression before or on the day of the definitive resection is progression
  under treatment (switch); without a definitive resection it is a relapse.
- **distant**: the status is relapse or progression, or residual or unchanged metastases, or a metastasis is
  documented that was not present at diagnosis. Its day is the earlier of its own date and the report's; if
  its own date is before time zero, the day of the report.
- **of unknown site**: the overall status is relapse or progression, and nothing on that day names a site.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort.partial_dates import dated
from schemas.assumptions import Assumptions
from schemas.vocabularies import RELAPSES

FOUND = ("relapse", "progression")
METASTATIC = (*FOUND, "residual", "stable")
"""Distant states that say that there are metastases (oBDS R, P, T, N)."""
COLUMNS = ("patient_id", "kind", "detail", "day", "day_earliest", "day_latest", "precision", "record_ids")

LOCAL, REGIONAL, DISTANT, UNKNOWN = RELAPSES
UNDER_TREATMENT = "progression under treatment"
AT_DIAGNOSIS = "metastasis at diagnosis"


def first_relapse(events: pl.DataFrame) -> pl.DataFrame:
    """Return the day of each patient's first relapse of any site: ``patient_id``, ``relapsed_on``."""
    of_any_site = events.filter(pl.col("kind").is_in(RELAPSES))
    return of_any_site.group_by("patient_id").agg(relapsed_on=pl.col("day").min())


def relapses(
    assessed: pl.DataFrame, metastases: pl.DataFrame, milestones: pl.DataFrame, assumptions: Assumptions
) -> pl.DataFrame:
    """Find every relapse after time zero.

    Args:
        assessed: examinations of the index tumour, rows of ``curated.assessment``.
        metastases: from :func:`placed`.
        milestones: ``patient_id``, ``resected_on``, ``resected`` and ``window_closes``.
        assumptions: the switches.

    Returns:
        The columns :data:`COLUMNS`.
    """
    exams = assessed.join(milestones, on="patient_id", how="left").with_columns(
        day="assessment_day", day_earliest="assessment_day_earliest", day_latest="assessment_day_latest",
        precision=pl.col("assessment_date_precision").fill_null("day"),
    )  # fmt: skip
    parts = [_of_site(exams, "local", LOCAL, assumptions), _of_site(exams, "regional", REGIONAL, assumptions)]
    parts += [_by_distant_status(exams), _by_metastasis(metastases), _without_site(exams, metastases)]
    happened = pl.concat([p.select(COLUMNS) for p in parts]).filter(
        (pl.col("day") > 0) | (pl.col("kind") == AT_DIAGNOSIS)
    )
    # Another report of that day may name the site.
    named = happened.filter(pl.col("kind").is_in([LOCAL, REGIONAL, DISTANT])).select("patient_id", "day")
    lone = happened.filter(pl.col("kind") == UNKNOWN).join(named, on=["patient_id", "day"], how="anti")
    return pl.concat([happened.filter(pl.col("kind") != UNKNOWN), lone])


def placed(
    metastases: pl.DataFrame, milestones: pl.DataFrame, zero: pl.DataFrame, assumptions: Assumptions
) -> pl.DataFrame:
    """Return every metastasis with its day and whether it was present at diagnosis, without nodes known then.

    Args:
        metastases: of the index tumour, rows of ``curated.metastasis``.
        milestones: ``patient_id``, ``window_closes``, ``died_on``.
        zero: ``patient_id, zero``.
        assumptions: the switches.

    Returns:
        The columns of an event (``day`` null if nothing dates it), ``extent``, ``at_diagnosis``.
    """
    frame = metastases.join(milestones, on="patient_id", how="left").with_columns(
        day="metastasis_day", date="metastasis_date", precision="metastasis_date_precision",
        _bound=pl.min_horizontal("reported_day_latest", "died_on"),
    )  # fmt: skip
    frame = dated(frame, zero, not_after="_bound")
    reported = pl.col("reported_day")
    in_diagnosis = (pl.col("origin") == "diagnosis").fill_null(False)
    # Only a Diagnose record may date a metastasis before time zero; otherwise the day of the report is used.
    usable = (pl.col("day_latest") >= 0).fill_null(False)
    own = pl.when(usable).then(pl.max_horizontal("day", pl.lit(0)))
    if assumptions.metastasis_date == "examination":
        own = pl.when(in_diagnosis | reported.is_null()).then(own)
    # A report that is exact to the month says nothing against a day of this month.
    by_report = reported.is_not_null() & (pl.col("reported_day_latest") < own).fill_null(own.is_null())
    day = pl.when(by_report).then(reported).otherwise(own)
    known = pl.coalesce(day, pl.when(in_diagnosis & pl.col("day").is_not_null()).then(0))
    undated = pl.col("day").is_null() & in_diagnosis & (pl.col("own_m").ne_missing("M0"))
    window = (known <= pl.col("window_closes")).fill_null(False) | undated
    regional = (pl.col("extent") == "regional").fill_null(False)
    # Lymph nodes that were known before the first therapy are no relapse, and no M1.
    return frame.filter(~(window & regional)).with_columns(
        at_diagnosis=window & ~regional,
        day=known.cast(pl.Int32),
        day_earliest=pl.max_horizontal(
            pl.when(by_report).then("reported_day_earliest").otherwise("day_earliest"), pl.lit(0)
        ),
        day_latest=pl.when(by_report).then("reported_day_latest").otherwise("day_latest"),
        precision=pl.when(by_report)
        .then(pl.col("reported_date_precision").fill_null("day"))
        .otherwise("precision"),
        detail=pl.format("metastasis {}", pl.col("site").fill_null("of unknown organ")),
    )


def _of_site(exams: pl.DataFrame, site: str, kind: str, assumptions: Assumptions) -> pl.DataFrame:
    status, day = pl.col(f"{site}_status"), pl.col("day")
    found = exams.filter(status.is_in(FOUND))
    # If the day of the resection is unknown, the progression counts as a relapse.
    before = (day <= pl.col("resected_on")) & (status == "progression")
    if assumptions.progression_before_resection == "event":
        before = before & False
    return found.with_columns(
        kind=pl.when(before).then(pl.lit(UNDER_TREATMENT)).otherwise(pl.lit(kind)),
        detail=pl.format("{} {}", pl.lit(site), status),
    )


def _by_distant_status(exams: pl.DataFrame) -> pl.DataFrame:
    status = pl.col("distant_status")
    known = pl.col("day") <= pl.col("window_closes")
    return exams.filter(status.is_in(METASTATIC)).with_columns(
        kind=pl.when(known).then(pl.lit(AT_DIAGNOSIS)).otherwise(pl.lit(DISTANT)),
        detail=pl.format("distant {}", status),
    )


def _by_metastasis(metastases: pl.DataFrame) -> pl.DataFrame:
    return metastases.filter(pl.col("day").is_not_null() | pl.col("at_diagnosis")).with_columns(
        kind=pl.when("at_diagnosis")
        .then(pl.lit(AT_DIAGNOSIS))
        .when(pl.col("extent") == "regional")
        .then(pl.lit(REGIONAL))
        .otherwise(pl.lit(DISTANT))
    )


def _without_site(exams: pl.DataFrame, metastases: pl.DataFrame) -> pl.DataFrame:
    named = pl.any_horizontal(
        pl.col(f"{site}_status").is_in(FOUND) for site in ("local", "regional", "distant")
    )
    distant = pl.col("distant_status").is_in(METASTATIC).fill_null(False)
    documented = metastases.select("patient_id", day="reported_day").drop_nulls()
    found = exams.filter(
        pl.col("overall_status").is_in(FOUND), ~named.fill_null(False), ~distant
    ).join(documented, on=["patient_id", "day"], how="anti")  # fmt: skip
    treated = (pl.col("day") <= pl.col("resected_on")) & (pl.col("overall_status") == "progression")
    return found.with_columns(
        kind=pl.when(treated).then(pl.lit(UNDER_TREATMENT)).otherwise(pl.lit(UNKNOWN)),
        detail=pl.format("overall {}", pl.col("overall_status")),
    )
