"""Rules that need a whole patient or two sources: the order of dates, contradictions, plan against file.

Each rule is one function named after it; its words stand in ``schemas.rules``. All of them read the typed
records of linked patients and hand back observations on the record at fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import polars as pl

from schemas import rules
from schemas.contract import Rule
from schemas.quality import Observation
from schemas.vocabularies import SARCOMA_MORPHOLOGY

Frames = Mapping[str, pl.DataFrame]

SURGERY_MARGIN_DAYS = 90
"""A resection shortly before the biopsy's report is met; one a quarter earlier is a typing error."""
DOSE_TOLERANCE_GY = 0.1

_RULES: list[tuple[Rule, str, Callable[[Frames], pl.DataFrame]]] = []


def _judges(
    rule: Rule, table: str
) -> Callable[[Callable[[Frames], pl.DataFrame]], Callable[[Frames], pl.DataFrame]]:
    def register(function: Callable[[Frames], pl.DataFrame]) -> Callable[[Frames], pl.DataFrame]:
        _RULES.append((rule, table, function))
        return function

    return register


def observe(typed: Frames, link: pl.DataFrame, set_aside: Iterable[str] = ()) -> pl.DataFrame:
    """Judge every rule that needs more than one record.

    Args:
        typed: the typed tables.
        link: ``curated.link``.
        set_aside: records already quarantined: they must not make others look wrong.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    gone = pl.Series(list(set_aside), dtype=pl.String)
    frames: dict[str, pl.DataFrame] = {}
    for table, frame in typed.items():
        sound = frame.filter(~pl.col("record_id").is_in(gone.implode()))
        frames[table.removeprefix("typed.")] = sound.join(
            link.select("person_ref", "patient_id"), on="person_ref", how="left", maintain_order="left"
        )
    seen = [Observation.empty()]
    for rule, table, judge in _RULES:
        found = judge(frames)
        missing = [c for c in ("column_name", "value", "note") if c not in found.columns]
        found = found.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in missing)
        seen.append(
            Observation.conform(
                found.with_columns(
                    rule_id=pl.lit(rule.id),
                    severity=pl.lit(rule.severity),
                    table_name=pl.lit(f"typed.{table}"),
                )
            ).unique("record_id", keep="first", maintain_order=True)
        )
    return pl.concat(seen)


def _at(column: str) -> list[pl.Expr]:
    return [pl.lit(column).alias("column_name"), pl.col(column).cast(pl.String).alias("value")]


def _diagnoses(frames: Frames) -> pl.DataFrame:
    return frames["diagnosis"].filter(
        "complete", pl.col("patient_id").is_not_null(), pl.col("diagnosis_date").is_not_null()
    )


def _sarcomas(frames: Frames) -> pl.DataFrame:
    """Date and tumour of each patient's first diagnosis that is not a second malignancy."""
    return (
        _diagnoses(frames)
        .sort("diagnosis_date", "record_id")
        .group_by("patient_id", maintain_order=True)
        .agg(zero=pl.col("diagnosis_date").first(), zero_precision=pl.col("diagnosis_date_precision").first())
    )


def _deaths(frames: Frames) -> pl.DataFrame:
    """Last day a patient may have lived: the end of the interval of a partial date.

    A death before the diagnosis is a fault of its own and must not make the whole course look wrong.
    """
    date = pl.col("status_date")
    last = (
        pl.when(pl.col("status_date_precision") == "month")
        .then(date.dt.month_end())
        .when(pl.col("status_date_precision") == "year")
        .then(date.dt.truncate("1y").dt.offset_by("1y").dt.offset_by("-1d"))
        .otherwise(date)
    )
    return (
        frames["vital_status"]
        .filter(pl.col("status") == "deceased", pl.col("patient_id").is_not_null())
        .join(_sarcomas(frames), on="patient_id", how="left")
        .filter((last >= pl.col("zero")).fill_null(True), (pl.col("status_day") >= 0).fill_null(True))
        .group_by("patient_id")
        .agg(died=last.max(), death_day=pl.col("status_day").max(), death_records=pl.col("record_id"))
    )


@_judges(rules.BEFORE_BIRTH, "diagnosis")
def _diagnosis_before_birth(frames: Frames) -> pl.DataFrame:
    born = frames["person"].filter("master").group_by("patient_id").agg(born=pl.col("birth_date").min())
    return (
        _diagnoses(frames)
        .join(born, on="patient_id")
        .filter(pl.col("diagnosis_date") < pl.col("born"))
        .select("record_id", *_at("diagnosis_date"))
    )


@_judges(rules.TWO_TUMOUR_IDS, "diagnosis")
def _tumour_under_two_ids(frames: Frames) -> pl.DataFrame:
    same = ["patient_id", "icd10_code", "icdo3_morphology", "diagnosis_date"]
    several = pl.col("tumour_id").n_unique().over(same) > 1
    first = pl.col("tumour_id").min().over(same)
    return (
        _diagnoses(frames)
        .filter(pl.all_horizontal(pl.col(same).is_not_null()))
        .filter(several & (pl.col("tumour_id") != first))
        .select("record_id", *_at("tumour_id"))
    )


@_judges(rules.T_AGAINST_SIZE, "diagnosis")
def _t_against_size(frames: Frames) -> pl.DataFrame:
    sizes = (
        frames["diagnosis"]
        .filter(pl.col("tumour_size_cm").is_between(0.1, 60))
        .group_by("patient_id")
        .agg(size=pl.col("tumour_size_cm").last())
    )
    limit = {7: {"T1": (0.0, 5.0), "T2": (5.0, 60.0)},
             8: {"T1": (0.0, 5.0), "T2": (5.0, 10.0), "T3": (10.0, 15.0), "T4": (15.0, 60.0)}}  # fmt: skip
    fits = pl.lit(True)
    for edition, classes in limit.items():
        for t, (over, up_to) in classes.items():
            here = (pl.col("tnm_edition") == edition) & (pl.col("t_stage") == t)
            inside = (pl.col("size") > over) & (pl.col("size") <= up_to)
            fits = pl.when(here).then(inside).otherwise(fits)
    return _diagnoses(frames).join(sizes, on="patient_id").filter(~fits).select("record_id", *_at("t_stage"))


@_judges(rules.GRADE_AGAINST_HISTOLOGY, "diagnosis")
def _grade_against_histology(frames: Frames) -> pl.DataFrame:
    ups = pl.col("icdo3_morphology").str.slice(0, 4).is_in(list(SARCOMA_MORPHOLOGY["UPS"]))
    return (
        frames["diagnosis"]
        .filter(ups & (pl.col("fnclcc_grade") == "G1"))
        .select("record_id", *_at("fnclcc_grade"))
    )


@_judges(rules.SURGERY_BEFORE_DIAGNOSIS, "surgery")
def _surgery_before_diagnosis(frames: Frames) -> pl.DataFrame:
    early = pl.col("surgery_date") < pl.col("zero").dt.offset_by(f"-{SURGERY_MARGIN_DAYS}d")
    return (
        frames["surgery"]
        .join(_sarcomas(frames), on="patient_id")
        .filter(early, pl.col("zero_precision") == "day")
        .select("record_id", *_at("surgery_date"))
    )


@_judges(rules.SEQUENCE_AGAINST_DATES, "radiotherapy")
def _sequence_against_dates(frames: Frames) -> pl.DataFrame:
    surgery = (
        frames["surgery"]
        .filter(pl.col("intent").is_null() | (pl.col("intent") == "curative"))
        .group_by("patient_id")
        .agg(first=pl.col("surgery_date").min(), last=pl.col("surgery_date").max())
    )
    before, after = pl.col("start_date") < pl.col("last"), pl.col("start_date") >= pl.col("first")
    sequence = pl.col("radiation_sequence")
    wrong = ((sequence == "preoperative") & ~before) | (sequence.str.starts_with("postoperative") & ~after)
    return (
        frames["radiotherapy"]
        .join(surgery, on="patient_id")
        .filter(wrong)
        .select("record_id", *_at("radiation_sequence"))
    )


@_judges(rules.PROGRESSION_UNDER_TREATMENT, "assessment")
def _progression_under_treatment(frames: Frames) -> pl.DataFrame:
    status = pl.any_horizontal(
        pl.col("local_status", "regional_status", "distant_status").is_in(["relapse", "progression"])
    )
    courses = frames["radiotherapy"].select("patient_id", "start_date", "end_date").drop_nulls()
    first = (
        frames["assessment"]
        .filter(status, pl.col("patient_id").is_not_null())
        .sort("assessment_date", "record_id")
        .unique("patient_id", keep="first", maintain_order=True)
    )
    return (
        first.join(courses, on="patient_id")
        .filter(pl.col("assessment_date").is_between(pl.col("start_date"), pl.col("end_date")))
        .select("record_id", *_at("assessment_date"))
    )


@_judges(rules.AFTER_DEATH, "assessment")
def _assessment_after_death(frames: Frames) -> pl.DataFrame:
    return (
        frames["assessment"]
        .join(_deaths(frames), on="patient_id")
        .filter(
            (pl.col("assessment_date") > pl.col("died")) | (pl.col("assessment_day") > pl.col("death_day"))
        )
        .select("record_id", *_at("assessment_date"))
    )


@_judges(rules.DEATH_BEFORE_DIAGNOSIS, "vital_status")
def _death_before_diagnosis(frames: Frames) -> pl.DataFrame:
    early = (pl.col("status_date") < pl.col("zero")) & (pl.col("status_date_precision") == "day")
    return (
        frames["vital_status"]
        .filter(pl.col("status") == "deceased")
        .join(_sarcomas(frames), on="patient_id", how="left")
        .filter(early.fill_null(False) | (pl.col("status_day") < 0).fill_null(False))
        .select("record_id", *_at("status_date"))
    )


@_judges(rules.ALIVE_AFTER_DEATH, "vital_status")
def _alive_after_death(frames: Frames) -> pl.DataFrame:
    later = (pl.col("status_date") > pl.col("died")) | (pl.col("status_day") > pl.col("death_day"))
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in(["alive", "moved"]))
        .join(_deaths(frames), on="patient_id")
        .filter(later.fill_null(False), ~pl.col("record_id").is_in(pl.col("death_records")))
        .select("record_id", *_at("status_date"))
    )


@_judges(rules.STATUS_CONTRADICTION, "vital_status")
def _status_contradiction(frames: Frames) -> pl.DataFrame:
    dead = pl.col("status").str.starts_with("deceased")
    return (
        frames["vital_status"]
        .filter(pl.col("status").is_in(["alive", "deceased", "deceased, date unknown"]))
        .filter(dead.any().over("record_id"), (~dead).any().over("record_id"))
        .select("record_id", *_at("status"))
    )


@_judges(rules.DEATH_DATE_CONFLICT, "vital_status")
def _death_date_conflict(frames: Frames) -> pl.DataFrame:
    deaths = frames["vital_status"].filter(
        pl.col("status") == "deceased",
        pl.col("status_date_precision") == "day",
        pl.col("patient_id").is_not_null(),
    )
    order = {"registry office": 0, "oBDS": 1, "table": 2}
    ranked = deaths.with_columns(
        rank=pl.col("source").replace_strict(order, default=9, return_dtype=pl.Int32)
    ).sort("patient_id", "rank", "record_id")
    winner = pl.col("status_date").first().over("patient_id")
    return ranked.filter(pl.col("status_date") != winner).select("record_id", *_at("status_date"))


@_judges(rules.DOSE_CONFLICT, "radiotherapy")
def _dose_conflict(frames: Frames) -> pl.DataFrame:
    plans = (
        frames["plan"]
        .filter(pl.col("approval") == "APPROVED", ~pl.col("phantom"), pl.col("patient_id").is_not_null())
        .unique("sop_instance_uid", keep="first", maintain_order=True)
        .group_by("patient_id")
        .agg(total=pl.col("prescribed_dose_gy").sum(), single=pl.col("prescribed_dose_gy"))
    )
    documented = pl.col("prescribed_dose_gy")
    as_sum = (documented - pl.col("total")).abs() <= DOSE_TOLERANCE_GY
    as_one = pl.col("nearest") <= DOSE_TOLERANCE_GY
    return (
        frames["radiotherapy"]
        .join(plans, on="patient_id")
        .with_columns(nearest=(pl.col("single") - documented).list.eval(pl.element().abs()).list.min())
        .filter(documented.is_not_null(), pl.col("total") > 0, ~(as_sum | as_one.fill_null(False)))
        .select("record_id", *_at("prescribed_dose_gy"))
    )


@_judges(rules.PATIENT_ID_MISMATCH, "structure_set")
def _patient_id_mismatch(frames: Frames) -> pl.DataFrame:
    plans = frames["plan"].filter("has_patient_id").select(uid="refers_to", plan_ref="person_ref")
    pairs = (
        frames["structure_set"]
        .filter("has_patient_id")
        .join(plans, left_on="sop_instance_uid", right_on="uid")
        .group_by("record_id")
        .agg(fits=(pl.col("person_ref") == pl.col("plan_ref")).any(), value=pl.col("person_ref").first())
    )
    return pairs.filter(~pl.col("fits")).select(
        "record_id", column_name=pl.lit("person_ref"), value=pl.col("value")
    )


@_judges(rules.SLICE_THICKNESS_VARIES, "image")
def _slice_thickness_varies(frames: Frames) -> pl.DataFrame:
    images = frames["image"].filter(pl.col("series_uid").is_not_null())
    usual = pl.col("slice_thickness_mm").mode().min().over("series_uid")
    varies = pl.col("slice_thickness_mm").n_unique().over("series_uid") > 1
    odd = images.filter(varies, pl.col("slice_thickness_mm") != usual)
    return odd.unique("series_uid", keep="first", maintain_order=True).select(
        "record_id", *_at("slice_thickness_mm")
    )
