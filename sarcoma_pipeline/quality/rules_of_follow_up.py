"""Rules on the length of follow-up, and on impossible results of examinations."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality.linked_records import deaths, diagnoses, sarcomas
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.assumptions import Assumptions
from schemas.sides import DIAGNOSES, EXAMINATIONS, peers
from schemas.typed import STATES, stated
from schemas.vocabularies import SOURCE

LATE_DEATH_DAYS = Assumptions().late_death_days
"""Default of the switch; findings on a patient do not depend on the study."""


@rule(
    "follow-up.late-death",
    "warning",
    on="typed.vital_status",
    scope="patient",
    what=f"The patient died more than {LATE_DEATH_DAYS} days after the last examination, or was never "
    "examined: it is not known whether there was a relapse before.",
    remedy="Look for follow-up in letters and in other hospitals, and add each examination as a Verlauf in "
    "the tumour documentation. The report shows how late deaths change the results.",
    source="Lesko 2018, 2019: deaths without assessment in composite endpoints",
    sides=(EXAMINATIONS.at_times(),),
)
def _late_death(frames: Frames) -> pl.DataFrame:
    documented = diagnoses(frames).filter(pl.col("source") == "oBDS").select("patient_id").unique()
    seen = (
        frames["every assessment"]
        .filter(pl.col("patient_id").is_not_null())
        .group_by("patient_id")
        .agg(seen=pl.col("assessment_date").max())
    )
    late = (pl.col("died") - pl.col("seen")).dt.total_days() > LATE_DEATH_DAYS
    decided = (
        deaths(frames)
        .join(documented, on="patient_id", how="semi")
        .join(seen, on="patient_id", how="left")
        .filter(pl.col("died").is_not_null(), pl.col("seen").is_null() | late)
    )
    source = pl.col("source").replace_strict({s: i for i, s in enumerate(SOURCE)}, return_dtype=pl.Int32)
    told = frames["vital_status"].join(
        decided.select(record_id="death_records").explode("record_id"), on="record_id", how="semi"
    )
    # One finding per patient, on the record that a steward should open first.
    first = told.sort(source, "status_date", "record_id").unique(
        "patient_id", keep="first", maintain_order=True
    )
    return first.select("record_id", *at("status_date"))


SYNCHRONOUS_MARGIN_DAYS = 90
"""Maximum days before the primary's diagnosis for a metastasis known at diagnosis."""


@rule(
    "metastasis.before-diagnosis",
    "warning",
    on="typed.metastasis",
    scope="patient",
    what="A metastasis is dated before the diagnosis of the tumour: by an examination, operation or "
    "histology (then it counts from the day of that report), or "
    f"more than {SYNCHRONOUS_MARGIN_DAYS} days before it by a Diagnose.",
    remedy="Compare Fernmetastase/Diagnosedatum with the report of the imaging. A metastasis known at the "
    "diagnosis belongs to the Diagnose, with M1.",
    sides=(DIAGNOSES,),
)
def _metastasis_before_diagnosis(frames: Frames) -> pl.DataFrame:
    date = pl.col("metastasis_date")
    last = (
        pl.when(pl.col("metastasis_date_precision") == "month")
        .then(date.dt.month_end())
        .when(pl.col("metastasis_date_precision") == "year")
        .then(pl.date(date.dt.year(), 12, 31))
        .otherwise(date)
    )
    # A Diagnose may document a metastasis that led to the diagnosis of its primary.
    margin = pl.when(pl.col("origin") == "diagnosis").then(SYNCHRONOUS_MARGIN_DAYS).otherwise(0)
    return (
        frames["metastasis"]
        .join(sarcomas(frames), on="patient_id")
        .filter((pl.col("zero") - last).dt.total_days() > margin)
        .select("record_id", *at("metastasis_date"))
    )


_FOUND = ("relapse", "progression")


@rule(
    "assessment.relapse-at-diagnosis",
    "warning",
    on="typed.assessment",
    scope="patient",
    what="A relapse or progression is documented on the day of the diagnosis. It is no event.",
    remedy="In the tumour documentation, compare Untersuchungsdatum_Verlauf with Diagnosedatum. If the "
    "tumour of that day is the relapse of an older one, document the older one with its own date of "
    "diagnosis.",
    source="an event is after time zero",
    missing="kept",
    sides=(DIAGNOSES,),
)
def _relapse_at_diagnosis(frames: Frames) -> pl.DataFrame:
    found = pl.any_horizontal(pl.col(STATES).is_in(_FOUND))
    exact = sarcomas(frames).filter(pl.col("zero_precision").fill_null("day") == "day")
    of_day = pl.col("assessment_date_precision").fill_null("day") == "day"
    judged = frames["assessment"].filter(found.fill_null(False), of_day).join(exact, on="patient_id")
    return verdicts(judged, pl.col("assessment_date") == pl.col("zero"), "assessment_date")


@rule(
    "assessment.residual-after-remission",
    "warning",
    on="typed.assessment",
    scope="patient",
    what="Residual tumour is documented at a site where an earlier examination found none, without a "
    "relapse or progression in between. It is no event.",
    remedy="Read the letters of both examinations. If the tumour came back, document R or P in "
    "Verlauf_Lokaler_Tumorstatus or Verlauf_Tumorstatus_Lymphknoten on the day on which it was "
    "found. If it was always present, correct the earlier examination.",
    source="oBDS 3.0.4 Verlauf: T residual tumour, R relapse",
    sides=peers(where=pl.col("assessment_date") < pl.col("own_assessment_date")),
)
def _residual_after_remission(frames: Frames) -> pl.DataFrame:
    tumour = ["patient_id", "tumour_id"]
    dated = frames["assessment"].filter(
        pl.col("patient_id").is_not_null(), pl.col("assessment_date").is_not_null()
    )
    dated = dated.select(
        "record_id", *tumour, "assessment_date", "overall_status", "local_status", "regional_status"
    )
    at_fault = []
    for site in ("local", "regional"):
        status = pl.col(f"{site}_status")
        clear = (status == "no tumour").fill_null(pl.col("overall_status") == "complete remission")
        said = dated.with_columns(_clear=clear.fill_null(False)).filter(
            pl.col("_clear") | status.is_in([*_FOUND, "residual"]).fill_null(False)
        )
        # Most patients have no residual tumour after a remission.
        for needed in (status == "residual", pl.col("_clear")):
            said = said.join(said.filter(needed).select("patient_id").unique(), on="patient_id", how="semi")
        # Statements of the same day do not contradict earlier ones.
        days = said.group_by(*tumour, "assessment_date").agg(
            _all_clear=pl.col("_clear").all(), _found=status.is_in(_FOUND).fill_null(False).any()
        )
        before = days.sort("assessment_date").with_columns(
            _was_clear=pl.col("_all_clear").shift(1).over(tumour)
        )
        judged = said.join(before, on=[*tumour, "assessment_date"], nulls_equal=True, maintain_order="left")
        wrong = (status == "residual") & pl.col("_was_clear") & ~pl.col("_found")
        at_fault.append(judged.filter(wrong.fill_null(False)).select("record_id", *at(f"{site}_status")))
    return pl.concat(at_fault).unique("record_id", keep="first", maintain_order=True)


COMPONENTS = {"local_status": "local", "regional_status": "regional", "distant_status": "distant"}


@rule(
    "assessment.component-missing",
    "notice",
    on="typed.assessment",
    scope="record",
    what="The examination states the disease, but not of every site, and not a complete remission of all. It "
    "is no look at the sites that the note names: their endpoints are not extended by it.",
    remedy="In the tumour documentation, add Verlauf_Lokaler_Tumorstatus, Verlauf_Tumorstatus_Lymphknoten "
    "and Verlauf_Tumorstatus_Fernmetastasen from the letter.",
    source="oBDS 3.0.4 Verlauf",
)
def _component_missing(frames: Frames) -> pl.DataFrame:
    said = pl.any_horizontal(stated(pl.col(STATES)))
    whole = (pl.col("overall_status") == "complete remission").fill_null(False)
    lacks = [pl.when(~stated(pl.col(column))).then(pl.lit(name)) for column, name in COMPONENTS.items()]
    first = [pl.when(~stated(pl.col(column))).then(pl.lit(column)) for column in COMPONENTS]
    told = frames["assessment"].with_columns(
        column_name=pl.coalesce(first), _lacks=pl.concat_str(lacks, separator=", ", ignore_nulls=True)
    )
    return told.filter(pl.col("source") == "oBDS", said, ~whole, pl.col("column_name").is_not_null()).select(
        "record_id", "column_name", value=pl.lit(None, pl.String), note=pl.format("not stated: {}", "_lacks")
    )
