"""Curate primary tumours, one row each: date and site from the Diagnose, the rest from the chosen reports."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation import baseline, best_of, diagnosis_findings, metastases
from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, cut, merged, ranked, with_days
from schemas import curated, sarcoma_codes, site_codes, typed
from schemas.assumptions import Assumptions
from schemas.contract import Contract
from schemas.distinct_values import distinct
from schemas.partial_dates import interval
from schemas.ranks import place_in


def sketch(reports: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Return one row per tumour with the columns needed to choose the index tumour.

    Args:
        reports: rows of ``typed.diagnosis`` with their tumours.
        precedence: kinds of source, the most credible first.
    """
    own = reports.filter(~pl.col("of_relapse_report"), pl.col("origin") != "follow-up")
    rows = merged(ranked(own.filter("complete"), precedence), TUMOUR, curated.Diagnosis)
    morphology = pl.col("icdo3_morphology")
    best = (
        own.filter(morphology.is_not_null())
        .sort(
            *TUMOUR,
            sarcoma_codes.behaviour(morphology) != "3",
            sarcoma_codes.specificity(morphology),
            *NEWEST_LAST,
            descending=[False] * 4 + [True] * len(NEWEST_LAST),
            nulls_last=True,
        )
        .unique(TUMOUR, keep="first", maintain_order=True)
        .select(*TUMOUR, "icdo3_morphology", "morphology_version")
    )
    rows = rows.drop("icdo3_morphology", "morphology_version").join(
        best, on=TUMOUR, how="left", nulls_equal=True
    )
    return _classified(rows)


def curate(
    reports: pl.DataFrame,
    sound: Frames,
    chosen: pl.DataFrame,
    precedence: Sequence[str],
    assumptions: Assumptions,
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return every tumour as it was at diagnosis.

    Args:
        reports: rows of ``typed.diagnosis`` with their tumours, and those that stand in for a Diagnose.
        sound: the typed tables with their tumours.
        chosen: the index tumours.
        precedence: kinds of source, the most credible first.
        assumptions: the synchronous window.

    Returns:
        ``curated.diagnosis``, ``curated.diagnosis_report`` (both without days except the day of diagnosis),
        and observations.
    """
    # An implausible size is set to null; it has a finding.
    size = pl.when(pl.col("tumour_size_cm").is_between(0.1, 60)).then("tumour_size_cm")
    reports = reports.with_columns(tumour_size_cm=size)
    own = reports.filter(~pl.col("of_relapse_report"))
    tumour = _of_diagnose(own, precedence)
    treated = baseline.treatment(sound)
    tumour = tumour.join(treated, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    tumour = _dated(tumour, sound)
    known = reports.join(
        tumour.select(*TUMOUR, diagnosed="diagnosis_date"), on=TUMOUR, nulls_equal=True, maintain_order="left"
    )
    told = baseline.roles(known, sound, treated)
    best = baseline.choose(told, precedence)
    replaced = [c for c in best.columns if c in tumour.columns and c not in TUMOUR]
    tumour = tumour.drop(replaced).join(best, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    tumour = _supplemented(tumour, told, precedence)
    early = metastases.at_diagnosis(
        sound[typed.Metastasis.table()].filter(~pl.col("of_relapse_report")), tumour,
        assumptions.synchronous_metastasis_days,
    )  # fmt: skip
    tumour = _classified(_with_m(tumour, early))
    tumour = tumour.join(chosen, on="patient_id", how="left", maintain_order="left").with_columns(
        index_tumour=pl.col("tumour_id").eq_missing(pl.col("index"))
    )
    zero = tumour.filter("index_tumour").select("patient_id", zero="diagnosis_date")
    tumour = (
        tumour.with_columns(day=pl.col("diagnosis_day"))
        .pipe(with_days, zero, {"diagnosis_date": "day"})
        .sort("patient_id", "day", "tumour_id", nulls_last=True)
    )
    return (
        tumour,
        _reports(told, best),
        diagnosis_findings.observe(tumour, told, best, early, sound, precedence),
    )


def _of_diagnose(own: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Return one row per tumour from its Diagnoses; of several dates the earliest counts."""
    complete = ranked(own.filter("complete"), precedence)
    rows = merged(complete, TUMOUR, curated.Diagnosis)
    # A newer report corrects the date of an older one with the same number; another number has another date.
    latest = complete.group_by([*TUMOUR, "source", "reporter", "reported_tumour"], maintain_order=True).agg(
        pl.col("diagnosis_date", "diagnosis_date_precision", "diagnosis_day")
        .filter(pl.col("diagnosis_date").is_not_null() | pl.col("diagnosis_day").is_not_null())
        .last()
    )
    source = place_in(precedence, "source")
    _, last = interval(pl.col("diagnosis_date"), pl.col("diagnosis_date_precision"))
    exact = pl.col("diagnosis_date_precision").ne_missing("day")
    # An exact day within another report's month or year is the same date, known better.
    first = latest.sort(
        *TUMOUR, source, last, exact, "diagnosis_date", "diagnosis_day", "reporter", "reported_tumour",
        nulls_last=True,
    ).unique(TUMOUR, keep="first", maintain_order=True)  # fmt: skip
    dates = ["diagnosis_date", "diagnosis_date_precision", "diagnosis_day"]
    documented = complete.group_by(TUMOUR).agg(documented=(~pl.col("stands_in")).any())
    best = best_of.values(complete, precedence)
    return (
        rows.drop(*dates, *best_of.FIELDS)
        .join(best, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
        .join(first.select(*TUMOUR, *dates), on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
        .join(documented, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    )


def _dated(tumour: pl.DataFrame, sound: Frames) -> pl.DataFrame:
    """Narrow a partial date of diagnosis by birth, first therapy and death."""
    born = (
        sound[typed.Person.table()]
        .filter("master", pl.col("birth_date_precision").ne_missing("year"))
        .group_by("patient_id")
        .agg(_born=pl.col("birth_date").min())
    )
    _, last = interval(pl.col("status_date"), pl.col("status_date_precision"))
    died = (
        sound[typed.VitalStatus.table()]
        .filter(pl.col("status") == "deceased")
        .group_by("patient_id")
        .agg(_died=last.max())
    )
    frame = tumour
    for part in (born, died):
        frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
    narrowed = cut(
        frame,
        "diagnosis_date",
        "diagnosis_date_precision",
        pl.col("_born"),
        pl.min_horizontal("begun_until", "_died"),
    )
    return narrowed.rename({"_low": "diagnosis_date_earliest", "_high": "diagnosis_date_latest"}).drop(
        "_born", "_died"
    )


def _supplemented(tumour: pl.DataFrame, told: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Fill values that the Diagnose lacks from other reports and list all morphologies.

    A morphology from tissue proves the diagnosis.
    """
    usable = told.filter(~pl.col("role").is_in([baseline.RELAPSE, baseline.FOLLOW_UP]))
    columns = [
        "age_at_diagnosis_years", "icd10_code", "icdo3_topography", "laterality", "histologically_confirmed",
        "tumour_size_cm", "tumour_depth",
    ]  # fmt: skip
    added = (
        ranked(usable.filter(~pl.col("complete")), precedence)
        .group_by(TUMOUR, maintain_order=True)
        .agg(pl.col(c).drop_nulls().last().alias(f"{c}_added") for c in columns)
    )
    every = told.group_by(TUMOUR).agg(
        _records=pl.col("record_id").unique(),
        _morphologies=pl.concat([pl.col("morphologies").explode(), pl.col("icdo3_morphology")])
        .drop_nulls()
        .unique()
        .sort(),
        _tissue=(
            pl.col("origin").is_in(["pathology", "surgery"]) & pl.col("icdo3_morphology").is_not_null()
        ).any(),
        _by_table=pl.col("distant_metastasis").filter(pl.col("origin") == "table").drop_nulls().max(),
    )
    frame = tumour
    for part in (added, every):
        frame = frame.join(part, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    proven = pl.coalesce("histologically_confirmed", "histologically_confirmed_added")
    frame = frame.with_columns(
        *(pl.coalesce(c, f"{c}_added").alias(c) for c in columns),
        morphologies="_morphologies",
        record_ids=distinct(pl.concat_list("record_ids", pl.col("_records").fill_null([]))),
    ).with_columns(histologically_confirmed=pl.when("_tissue").then(pl.lit("yes")).otherwise(proven))
    return frame.drop([*(f"{c}_added" for c in columns), "_records", "_morphologies", "_tissue"])


def _with_m(tumour: pl.DataFrame, early: pl.DataFrame) -> pl.DataFrame:
    """Set whether there was a metastasis at diagnosis: from M, a metastasis of the Diagnose, or a table."""
    found = early.filter("at_diagnosis").select(*TUMOUR, _found=pl.lit(True)).unique(TUMOUR)
    frame = tumour.join(found, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    yes = pl.any_horizontal("_found", pl.col("m_stage") == "M1", "_by_table")
    return frame.with_columns(
        distant_metastasis=pl.when(yes)
        .then(pl.lit(True))
        .when((pl.col("m_stage") == "M0") | pl.col("_by_table").is_not_null())
        .then(pl.lit(False))
    ).drop("_found", "_by_table")


def _classified(tumour: pl.DataFrame) -> pl.DataFrame:
    site = pl.coalesce("icdo3_topography", "icd10_code")
    return tumour.with_columns(
        histology_group=sarcoma_codes.histology_group(
            pl.col("icdo3_morphology"), pl.col("morphology_version"), site
        ),
        region=site_codes.region(site),
    )


_CHOSEN = ("histology", "fnclcc", "grade", "t", "n", "m")


def _reports(told: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    """Return every report of a tumour, with the names of the values taken from it."""
    evidence = best.select(*TUMOUR, *(f"{name}_record_ids" for name in _CHOSEN))
    frame = told.join(evidence, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    has = {
        "histology": "icdo3_morphology", "fnclcc": "fnclcc_grade", "grade": "grade", "t": "t_stage",
        "n": "n_stage", "m": "m_stage",
    }  # fmt: skip
    chosen = [
        pl.when(
            pl.col(f"{name}_record_ids").list.contains(pl.col("record_id")) & pl.col(column).is_not_null()
        ).then(pl.lit(name))
        for name, column in has.items()
    ]
    return frame.with_columns(
        chosen_for=pl.concat_list(chosen).list.drop_nulls(), record_ids=pl.concat_list("record_id")
    ).sort("patient_id", "tumour_id", "report_date", "record_id", "tnm_kind", nulls_last=True)


CONTRACTS: tuple[type[Contract], ...] = (curated.Diagnosis, curated.DiagnosisReport)
