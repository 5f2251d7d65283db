"""Rules on documented courses: against operations, plans and each other, and what is missing."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.quality.rule_registry import Frames, at, rule, verdicts
from schemas.partial_dates import interval
from schemas.sides import OPERATIONS, peers


@rule(
    "radiotherapy.sequence-against-dates",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="Stellung_OP contradicts the dates of radiotherapy and surgery.",
    remedy=(
        "In the tumour documentation, compare Stellung_OP with Bestrahlung/Beginn and OP/Datum. Correct"
        " the wrong one."
    ),
    source="oBDS Stellung_OP",
    missing="kept",
    sides=(OPERATIONS,),
)
def _sequence_against_dates(frames: Frames) -> pl.DataFrame:
    operated = interval(pl.col("surgery_date"), pl.col("surgery_date_precision"))
    surgery = (
        frames["surgery"]
        .filter(~pl.col("intent").is_in(["palliative", "diagnostic", "revision"]).fill_null(False))
        .group_by("patient_id")
        .agg(first=operated[0].min(), last=operated[1].max())
    )
    begun = interval(pl.col("start_date"), pl.col("start_date_precision"))
    before, after = begun[0] < pl.col("last"), begun[1] >= pl.col("first")
    sequence = pl.col("radiation_sequence")
    wrong = ((sequence == "preoperative") & ~before) | (sequence.str.starts_with("postoperative") & ~after)
    return frames["radiotherapy"].join(surgery, on="patient_id").pipe(verdicts, wrong, "radiation_sequence")


def _courses(frames: Frames) -> pl.DataFrame:
    """Return documented irradiations of linked patients."""
    return frames["radiotherapy"].filter("irradiated", pl.col("patient_id").is_not_null())


@rule(
    "radiotherapy.overlapping",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="Two courses of one patient irradiate one target region on the same days.",
    remedy=(
        "In the tumour documentation, check whether one course was documented under two ST_IDs. A boost"
        " belongs to its course."
    ),
    source="oBDS ST_ID",
    missing="kept",
    sides=peers(columns=("start_date", "end_date")),
)
def _courses_overlap(frames: Frames) -> pl.DataFrame:
    dated = _courses(frames).filter(
        pl.all_horizontal(pl.col("start_date", "end_date", "module_id").is_not_null())
    )
    # The last report of a course has all its irradiations; each is compared with those of other courses.
    report = pl.struct("reported_on", pl.coalesce("report_id", "record_id"))
    latest = dated.sort("reported_on", "record_id", nulls_last=False).filter(
        report == report.last().over("patient_id", "module_id")
    )
    latest = latest.sort("patient_id", "start_date", "end_date", "record_id").with_row_index("nth")
    facts = ("nth", "end_date", "end_date_precision", "module_id", "target_region", "target_side")
    _, begun = interval(pl.col("start_date"), pl.col("start_date_precision"))
    ended, _ = interval(pl.col("end_date_other"), pl.col("end_date_precision_other"))
    pairs = latest.join(latest.select("patient_id", *facts), on="patient_id", suffix="_other").filter(
        pl.col("nth") > pl.col("nth_other"),
        pl.col("module_id") != pl.col("module_id_other"),
        begun <= ended,
        *(
            # Two target regions on the same days are two courses, not a fault.
            (pl.col(column) == pl.col(f"{column}_other")).fill_null(True)
            for column in ("target_region", "target_side")
        ),
    )
    return verdicts(latest, pl.col("record_id").is_in(pairs["record_id"].implode()), "start_date")


@rule(
    "radiotherapy.postoperative-without-surgery",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="The course is documented as postoperative, but the patient has no operation.",
    remedy="In the tumour documentation, add the OP, or correct Stellung_OP.",
    source="oBDS Stellung_OP",
    alone="the operation is not documented",
)
def _postoperative_without_surgery(frames: Frames) -> pl.DataFrame:
    return (
        _courses(frames)
        .filter(pl.col("radiation_sequence").str.starts_with("postoperative"))
        .join(frames["every surgery"].drop_nulls("patient_id"), on="patient_id", how="anti")
        .select("record_id", *at("radiation_sequence"))
    )


@rule(
    "radiotherapy.chemotherapy-missing",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="The irradiation is documented as given with chemotherapy (Radiochemo), but the patient has no "
    "chemotherapy. None counts.",
    remedy="In the tumour documentation, add the SYST, or correct Radiochemo.",
    source="oBDS 3.0.4 Perkutan/Radiochemo",
    alone="the chemotherapy is not documented",
)
def _chemotherapy_missing(frames: Frames) -> pl.DataFrame:
    given = frames["systemic_therapy"].filter(pl.col("chemotherapy"), pl.col("patient_id").is_not_null())
    return (
        _courses(frames)
        .filter("with_chemotherapy")
        .join(given, on="patient_id", how="anti")
        .select("record_id", *at("with_chemotherapy"))
    )


@rule(
    "radiotherapy.preoperative-without-surgery",
    "notice",
    on="typed.radiotherapy",
    scope="patient",
    what="The course is documented as preoperative, but the patient has no operation: it was not done, or "
    "its report is missing. The patient counts as not resected.",
    remedy="In the tumour documentation, add the OP. If there was none, nothing needs to be done.",
    source="oBDS Stellung_OP",
    alone="the operation is not documented",
)
def _preoperative_without_surgery(frames: Frames) -> pl.DataFrame:
    return (
        _courses(frames)
        .filter(pl.col("radiation_sequence") == "preoperative")
        .join(frames["every surgery"].drop_nulls("patient_id"), on="patient_id", how="anti")
        .select("record_id", *at("radiation_sequence"))
    )


UNDER_WAY_DAYS = 100
"""How long a course may have no end because it goes on: as long as no course is overlong."""


def _told_once(records: pl.DataFrame, keys: list[str], column: pl.Expr) -> pl.DataFrame:
    """Return the newest report of each irradiation of which no report fills a column.

    Begin and end of one irradiation are two reports: what one of them says is known.
    """
    course = pl.coalesce("module_id", "record_id")
    of = ["patient_id", "tumour_id", "_course", *keys]
    lacking = records.with_columns(_course=course, _part=pl.col("part").fill_null(1)).filter(
        column.is_null().all().over(of)
    )
    return lacking.sort(*NEWEST_LAST, nulls_last=False).unique(of, keep="last", maintain_order=True)


@rule(
    "radiotherapy.end-missing",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="No report gives the last day of the course, and there are no treatment records. Nothing is counted "
    "from its end, and it is no contact on that day.",
    remedy="In the tumour documentation, add Bestrahlung/Ende, or report the end of the treatment.",
    source="oBDS 3.0.4 ST/Bestrahlung/Ende",
    alone="the last day is missing",
)
def _end_missing(frames: Frames) -> pl.DataFrame:
    treated = frames["every treatment"].drop_nulls("patient_id")
    lacking = _told_once(
        _courses(frames),
        [],
        pl.coalesce(pl.col("end_date").cast(pl.String), pl.col("end_day").cast(pl.String)),
    )
    under_way = (pl.col("received_on") - pl.col("start_date")).dt.total_days() <= UNDER_WAY_DAYS
    return (
        lacking.join(treated, on="patient_id", how="anti", maintain_order="left")
        .filter(~under_way.fill_null(False))
        .select("record_id", *at("end_date"))
    )


@rule(
    "radiotherapy.dose-missing",
    "warning",
    on="typed.radiotherapy",
    scope="patient",
    what="No report gives the total dose or the single dose of the irradiation, and the patient has no plan. "
    "The value is unknown.",
    remedy="In the tumour documentation, add Gesamtdosis and Einzeldosis, or export the plan.",
    source="oBDS 3.0.4 ST/Gesamtdosis, Einzeldosis",
    alone="the dose is missing",
)
def _dose_missing(frames: Frames) -> pl.DataFrame:
    planned = frames["every plan"].drop_nulls("patient_id")
    irradiated = (
        _courses(frames)
        .filter(pl.col("activity_gbq").is_null(), pl.col("application").ne_missing("radionuclide"))
        .join(planned, on="patient_id", how="anti", maintain_order="left")
    )
    return pl.concat(
        _told_once(irradiated, ["_part"], pl.col(dose)).select("record_id", *at(dose))
        for dose in ("prescribed_dose_gy", "single_dose_gy")
    )
