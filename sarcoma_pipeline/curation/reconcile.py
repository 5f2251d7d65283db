"""Typed records of all sources to one row per event of a patient; contradictions resolved by precedence.

The source named first in ``sources.toml`` wins column by column; the loser stays in ``record_ids`` and the
rules of ``sarcoma_pipeline.quality`` report it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation import courses, metastases, vital_statements
from sarcoma_pipeline.curation.reports import RECORD_CORRECTED
from sarcoma_pipeline.curation.typed_records import Result, observation
from schemas import curated, curated_radiotherapy, typed, typed_dicom
from schemas.configuration import Sources
from schemas.contract import Contract
from schemas.quality import Disposition, Observation
from schemas.vocabularies import OTHER_SARCOMA, REGION_BY_TOPOGRAPHY, SARCOMA_MORPHOLOGY

Frames = Mapping[str, pl.DataFrame]


def curate(
    typed_frames: Frames,
    link: pl.DataFrame,
    quarantined: pl.Series,
    sources: Sources,
    pseudonyms: pl.DataFrame,
    decided: Collection[str] = frozenset(),
) -> Result:
    """Reconcile the sound records of linked patients.

    Args:
        typed_frames: the typed tables.
        link: ``curated.link``.
        quarantined: ``record_id`` of the records to keep out.
        sources: for the precedence.
        pseudonyms: ``patient_id``, ``pseudonym``.
        decided: keys of the readings of a course that data stewards chose.

    Returns:
        The curated tables; observations of corrected reports; dispositions of records that no patient's row
        could use.
    """
    sound = {
        table: frame.filter(~pl.col("record_id").is_in(quarantined.implode())).join(
            link.select("person_ref", "patient_id"), on="person_ref", how="inner", maintain_order="left"
        )
        for table, frame in typed_frames.items()
    }
    diagnosis, homeless = _diagnosis(sound, sources)
    zero = diagnosis.filter("index_tumour").select("patient_id", zero="diagnosis_date")
    metastasis = metastases.curate(_at_index(sound, diagnosis), diagnosis, _first_therapy(sound, diagnosis))
    surgery = _events(
        sound[typed.Surgery.table()],
        curated.Surgery,
        ["patient_id", pl.coalesce(["module_id", pl.col("surgery_date").cast(pl.String), "record_id"])],
    )
    index = diagnosis.filter("index_tumour")
    sites = index.select("patient_id", pl.coalesce("icdo3_topography", "icd10_code"))
    radiotherapy = courses.curate(
        sound,
        sources.precedence["radiotherapy"],
        sites=dict(sites.iter_rows()),
        decided=decided,
        known_plans=set(typed_frames[typed_dicom.Plan.table()]["sop_instance_uid"]),
    )
    idle = list(radiotherapy.idle)
    systemic = _events(
        sound[typed.SystemicTherapy.table()],
        curated.SystemicTherapy,
        ["patient_id", "kind", "given", "start_date", "start_day"],
    )
    assessment = _events(
        sound[typed.Assessment.table()],
        curated.Assessment,
        ["patient_id", pl.coalesce(["module_id", pl.col("assessment_date").cast(pl.String), "record_id"])],
    )
    frames = {
        "curated.patient": _patient(sound, diagnosis, pseudonyms),
        "curated.diagnosis": diagnosis,
        "curated.surgery": _with_days(surgery, zero, {"surgery_date": "surgery_day"}),
        "curated.radiotherapy_course": _with_days(
            radiotherapy.courses, zero, {"start_date": "start_day", "end_date": "end_day"}
        ),
        "curated.radiotherapy_phase": radiotherapy.phases,
        "curated.radiotherapy_plan": radiotherapy.plans,
        "curated.radiotherapy_reading": radiotherapy.readings,
        "curated.systemic_therapy": _with_days(systemic, zero, {"start_date": "start_day"}),
        "curated.assessment": _with_days(
            assessment, zero, {"assessment_date": "assessment_day", "distant_date": "distant_day"}
        ),
        "curated.metastasis": _with_days(
            metastasis, zero, {"metastasis_date": "metastasis_day", "reported_date": "reported_day"}
        ),
        "curated.vital_status": _vital_status(sound, zero, sources.precedence["death"]),
        "curated.vital_statement": _with_days(
            vital_statements.curate(sound[typed.VitalStatus.table()]),
            zero,
            {"status_date": "status_day", "told_date": "told_day"},
        ),
    }
    contracts = {c.table(): c for c in (
        curated.Patient, curated.Diagnosis, curated.Surgery, curated.SystemicTherapy,
        curated_radiotherapy.RadiotherapyCourse, curated_radiotherapy.RadiotherapyPhase,
        curated_radiotherapy.RadiotherapyPlan, curated_radiotherapy.RadiotherapyReading,
        curated.Assessment, curated.Metastasis, curated.VitalStatus, curated.VitalStatement,
    )}  # fmt: skip
    frames = {t: contracts[t].conform(f.sort("patient_id", maintain_order=True)) for t, f in frames.items()}
    idle.append(("the patient has no diagnosis that it could add to", homeless))
    used = pl.concat([f["record_ids"].explode() for f in frames.values()])
    unused = pl.concat(
        [Disposition.empty()]
        + [f.select("record_id", disposition=pl.lit("out of scope"), reason=pl.lit(why)) for why, f in idle]
    ).filter(~pl.col("record_id").is_in(used.implode()))
    return Result(frames, pl.concat([_corrections(sound), radiotherapy.observed]), unused)


# --- how rows of several records become one ----------------------------------------------------------


def merged(frame: pl.DataFrame, keys: Sequence[str | pl.Expr], contract: type[Contract]) -> pl.DataFrame:
    """One row per key: column by column the last value that is there; all record ids kept.

    Args:
        frame: typed records in rising order of credibility.
        keys: what makes an event the same event.
        contract: the curated table, for its columns.
    """
    named = {f"_key{i}": key if isinstance(key, pl.Expr) else pl.col(key) for i, key in enumerate(keys)}
    columns = [c.name for c in contract.columns() if c.name in frame.columns and c.name != "record_ids"]
    if frame.is_empty():
        return contract.empty()
    return (
        frame.with_columns(**named)
        .group_by(list(named), maintain_order=True)
        .agg(
            *(pl.col(c).drop_nulls().last() for c in columns),
            record_ids=pl.col("record_id").unique().sort(),
        )
        .drop(list(named))
    )


def _ranked(frame: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Rising credibility: later-named sources first, earlier reports before their corrections.

    Of two statements of one record, the mapping that sources.toml names first is the more credible.
    """
    order = {source: -i for i, source in enumerate(precedence)}
    rank = pl.col("source").replace_strict(order, default=-len(order), return_dtype=pl.Int32)
    return frame.reverse().sort(rank, "reported_on", "record_id", nulls_last=False, maintain_order=True)


def _events(frame: pl.DataFrame, contract: type[Contract], keys: Sequence[str | pl.Expr]) -> pl.DataFrame:
    return merged(frame.sort("reported_on", "record_id", nulls_last=False), keys, contract)


def _with_days(frame: pl.DataFrame, zero: pl.DataFrame, days: Mapping[str, str]) -> pl.DataFrame:
    """Fill ``*_day`` from calendar dates and time zero; a day that a source counts itself stays."""
    joined = frame.join(zero, on="patient_id", how="left", maintain_order="left")
    filled = []
    for date, day in days.items():
        counted = (pl.col(date) - pl.col("zero")).dt.total_days().cast(pl.Int32)
        own = [pl.col(day)] if day in frame.columns else []
        filled.append(pl.coalesce([*own, counted]).alias(day))
    return joined.with_columns(filled).drop("zero")


# --- entities -----------------------------------------------------------------------------------------


def _patient(sound: Frames, diagnosis: pl.DataFrame, pseudonyms: pl.DataFrame) -> pl.DataFrame:
    persons = sound[typed.Person.table()].sort("master", "reported_on", "record_id", nulls_last=False)
    patients = merged(persons, ["patient_id"], curated.Patient)
    masters = persons.filter("master").select("patient_id").unique()
    return patients.join(masters, on="patient_id", how="semi").join(
        pseudonyms.unique("patient_id"), on="patient_id", how="left"
    )


def _diagnosis(sound: Frames, sources: Sources) -> tuple[pl.DataFrame, pl.DataFrame]:
    records = _ranked(sound[typed.Diagnosis.table()], sources.precedence["diagnosis"])
    # An implausible size is a finding; as a covariate it would be a lie.
    records = records.with_columns(
        tumour_size_cm=pl.when(pl.col("tumour_size_cm").is_between(0.1, 60)).then("tumour_size_cm")
    )
    full = records.filter("complete")
    # The same tumour under two numbers is one tumour: the smaller number stands for both.
    same = ["patient_id", "icd10_code", "icdo3_morphology", "diagnosis_date"]
    known = pl.all_horizontal(pl.col(same[1:]).is_not_null())
    lowest = pl.col("tumour_id").min().over(same)
    full = full.with_columns(
        _tumour=pl.when(known).then(pl.coalesce([lowest, "tumour_id"])).otherwise("tumour_id").fill_null("")
    ).with_columns(_own_id="tumour_id", tumour_id=pl.col("_tumour").replace("", None))
    aliases = full.group_by("patient_id", "_tumour").agg(_aliases=pl.col("_own_id").unique())
    tumours = (
        merged(full, ["patient_id", "_tumour"], curated.Diagnosis)
        .with_columns(_tumour=pl.col("tumour_id").fill_null(""))
        .join(aliases, on=["patient_id", "_tumour"], how="left")
    )
    tumours = _classified(tumours)
    index = (
        tumours.sort(
            pl.col("histology_group").is_null(),
            "diagnosis_date",
            "diagnosis_day",
            "tumour_id",
            nulls_last=True,
        )
        .unique("patient_id", keep="first", maintain_order=True)
        .select("patient_id", _index="tumour_id")
    )
    tumours = tumours.join(index, on="patient_id", how="left").with_columns(
        index_tumour=pl.col("tumour_id").eq_missing(pl.col("_index"))
    )
    additions = records.filter(~pl.col("complete"))
    tumours = _supplemented(tumours, additions)
    zero = tumours.filter("index_tumour").select("patient_id", zero="diagnosis_date")
    done = (
        _classified(tumours)
        .with_columns(day=pl.col("diagnosis_day"))
        .pipe(_with_days, zero, {"diagnosis_date": "day"})
        .sort("patient_id", "day", "tumour_id")
    )
    return done, additions.join(done, on="patient_id", how="anti").select("record_id")


def _classified(tumours: pl.DataFrame) -> pl.DataFrame:
    code = pl.col("icdo3_morphology").str.slice(0, 4)
    malignant = pl.col("icdo3_morphology").str.ends_with("/3")
    groups = {m: g for g, codes in SARCOMA_MORPHOLOGY.items() for m in codes} | dict.fromkeys(
        OTHER_SARCOMA, "others"
    )
    site = pl.coalesce(["icdo3_topography", "icd10_code"])
    region = pl.lit("other")
    for prefix, name in sorted(REGION_BY_TOPOGRAPHY.items(), key=lambda item: len(item[0])):
        region = pl.when(site.str.starts_with(prefix)).then(pl.lit(name)).otherwise(region)
    return tumours.with_columns(
        histology_group=pl.when(malignant).then(
            code.replace_strict(groups, default=None, return_dtype=pl.String)
        ),
        region=pl.when(site.is_not_null()).then(region),
    )


def _supplemented(tumours: pl.DataFrame, additions: pl.DataFrame) -> pl.DataFrame:
    """Fill what a diagnosis lacks from pathology reports and tables; a table row means the index tumour."""
    if additions.is_empty() or tumours.is_empty():
        return tumours.drop("_aliases", "_index", "_tumour")
    named = tumours.select("patient_id", "tumour_id", _alias="_aliases").explode("_alias")
    by_number = additions.filter(pl.col("tumour_id").is_not_null()).join(
        named,
        left_on=["patient_id", "tumour_id"],
        right_on=["patient_id", "_alias"],
        how="left",
        suffix="_of",
    )
    by_number = by_number.with_columns(tumour_id=pl.coalesce(["tumour_id_of", "tumour_id"])).drop(
        "tumour_id_of"
    )
    index = tumours.filter("index_tumour").select("patient_id", _of="tumour_id")
    whole = by_number.join(
        tumours.select("patient_id", "tumour_id"), on=["patient_id", "tumour_id"], how="semi"
    )
    rest = pl.concat(
        [
            additions.filter(pl.col("tumour_id").is_null()),
            by_number.join(whole.select("record_id"), on="record_id", how="anti").select(additions.columns),
        ]
    )
    rest = (
        rest.join(index, on="patient_id", how="inner").with_columns(tumour_id="_of").select(additions.columns)
    )
    own = tumours.drop("_aliases", "_index")
    final = [c for c in own.columns if c != "_tumour"]
    columns = [
        c.name
        for c in curated.Diagnosis.columns()
        if c.name in additions.columns and c.name not in ("patient_id", "tumour_id", "record_ids")
    ]
    key = [pl.col("patient_id"), pl.col("tumour_id").fill_null("").alias("_tumour")]
    extra = (
        pl.concat([whole.select(additions.columns), rest])
        .group_by(key, maintain_order=True)
        .agg(*(pl.col(c).drop_nulls().last() for c in columns), _more=pl.col("record_id").unique())
    )
    return (
        own.join(extra, on=["patient_id", "_tumour"], how="left", suffix="_extra")
        .with_columns(
            *(pl.coalesce([c, f"{c}_extra"]).alias(c) for c in columns),
            record_ids=pl.concat_list("record_ids", pl.col("_more").fill_null([])).list.unique().list.sort(),
        )
        .select(final)
    )


def _at_index(sound: Frames, diagnosis: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Metastases and examinations with the tumour's own number; without one they are the index tumour's."""
    index = diagnosis.filter("index_tumour").select("patient_id", _of="tumour_id")
    return {
        c.table(): sound[c.table()]
        .join(index, on="patient_id", how="left", maintain_order="left")
        .with_columns(tumour_id=pl.coalesce(["tumour_id", "_of"]))
        for c in (typed.Metastasis, typed.Assessment)
    }


def _first_therapy(sound: Frames, diagnosis: pl.DataFrame) -> pl.DataFrame:
    """First day of the first therapy of each tumour: operation (no biopsy), irradiation or a drug."""
    index = diagnosis.filter("index_tumour").select("patient_id", _of="tumour_id")
    none = pl.lit(None, dtype=pl.String)
    parts = [
        sound[typed.Surgery.table()]
        .filter(pl.col("intent").ne_missing("diagnostic"))
        .select("patient_id", "tumour_id", first_therapy="surgery_date"),
        sound[typed.Radiotherapy.table()].select("patient_id", "tumour_id", first_therapy="start_date"),
        sound[typed.SystemicTherapy.table()]
        .filter(pl.col("given") == "yes")
        .select("patient_id", tumour_id=none, first_therapy="start_date"),
    ]
    return (
        pl.concat(parts)
        .join(index, on="patient_id", how="left")
        .group_by("patient_id", tumour_id=pl.coalesce(["tumour_id", "_of"]))
        .agg(pl.col("first_therapy").min())
    )


def _vital_status(sound: Frames, zero: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    records = _ranked(sound[typed.VitalStatus.table()], precedence)
    records = _with_days(records, zero, {"status_date": "status_day"})
    died = pl.col("status") == "deceased"
    dated = died & (pl.col("status_date").is_not_null() | pl.col("status_day").is_not_null())
    # A date exact to the day beats a better source's month: the earlier source still names the death.
    exact = (pl.col("status_date_precision") == "day") | pl.col("status_date_precision").is_null()
    same = pl.any_horizontal(
        (pl.col(c) == pl.col(c).last()).fill_null(False) for c in ("status_date", "status_day")
    )
    deaths = (
        records.filter(dated)
        .sort(exact, maintain_order=True)
        .group_by("patient_id", maintain_order=True)
        .agg(
            death_date=pl.col("status_date").last(),
            death_date_precision=pl.col("status_date_precision").last(),
            death_day=pl.col("status_day").last(),
            # Who names another day did not decide this one; who names its month does not contradict it.
            death_record_ids=pl.col("record_id").filter(~exact | same).unique().sort(),
            tumour_related=pl.col("tumour_related").drop_nulls().last(),
        )
    )
    living = (
        records.filter(
            pl.col("status").is_in(["alive", "moved"]),
            pl.any_horizontal(pl.col("status_date", "status_day").is_not_null()),
        )
        .sort("status_date", "status_day", nulls_last=False)
        .group_by("patient_id", maintain_order=True)
        .agg(
            last_alive_date=pl.col("status_date").last(),
            last_alive_day=pl.col("status_day").last(),
            last_alive_record_ids=pl.col("record_id").last(),
        )
        .with_columns(last_alive_record_ids=pl.concat_list("last_alive_record_ids"))
    )
    seen = _last_seen(sound, zero)
    everyone = pl.concat([records.select("patient_id"), seen.select("patient_id")]).unique()
    claimed = records.group_by("patient_id").agg(
        record_ids=pl.col("record_id").unique().sort(),
        _dead=pl.col("status").str.starts_with("deceased").any(),
    )
    frame = (
        everyone.join(claimed, on="patient_id", how="left")
        .join(deaths, on="patient_id", how="left")
        .join(living, on="patient_id", how="left")
        .join(seen, on="patient_id", how="left")
    )
    better = pl.col("seen_day") > pl.col("last_alive_day").fill_null(-1_000_000)
    frame = frame.with_columns(
        last_alive_date=pl.when(better).then("seen_date").otherwise("last_alive_date"),
        last_alive_record_ids=pl.when(better).then("seen_record_ids").otherwise("last_alive_record_ids"),
        last_alive_day=pl.when(better).then("seen_day").otherwise("last_alive_day"),
        record_ids=pl.col("record_ids").fill_null([]),
        status=pl.when(pl.col("death_day").is_not_null() | pl.col("death_date").is_not_null())
        .then(pl.lit("deceased"))
        .when(pl.col("_dead").fill_null(False))
        .then(pl.lit("deceased, date unknown"))
        .otherwise(pl.lit("alive")),
    )
    # Nobody is alive after death: what says so otherwise is an error that has been kept out.
    after = pl.col("last_alive_day") > pl.col("death_day")
    return frame.with_columns(
        last_alive_day=pl.when(after).then("death_day").otherwise("last_alive_day"),
        last_alive_date=pl.when(after).then("death_date").otherwise("last_alive_date"),
    )


def _last_seen(sound: Frames, zero: pl.DataFrame) -> pl.DataFrame:
    """The last day on which the hospital itself documented the patient alive."""
    events = [
        (typed.Assessment, "assessment_date", "assessment_day"),
        (typed.Surgery, "surgery_date", "surgery_day"),
        (typed.Radiotherapy, "end_date", "end_day"),
        (typed.SystemicTherapy, "start_date", "start_day"),
        (typed.Diagnosis, "diagnosis_date", "diagnosis_day"),
    ]
    parts = []
    for contract, date, day in events:
        frame = _with_days(sound[contract.table()], zero, {date: day})
        parts.append(
            frame.select(
                "patient_id", seen_date=pl.col(date), seen_day=pl.col(day), seen_record_ids="record_id"
            )
        )
    return (
        pl.concat(parts)
        .filter(pl.col("seen_day").is_not_null())
        .sort("seen_day", "seen_record_ids")
        .group_by("patient_id", maintain_order=True)
        .last()
        .with_columns(seen_record_ids=pl.concat_list("seen_record_ids"))
    )


def _corrections(sound: Frames) -> pl.DataFrame:
    """Reports that a later one of the same module corrects in at least one value."""
    seen = [Observation.empty()]
    for contract in (typed.Surgery, typed.Radiotherapy, typed.Assessment, typed.Diagnosis):
        frame = sound[contract.table()].filter(pl.col("source") == "oBDS")
        if contract is typed.Diagnosis:
            frame = frame.filter("complete").with_columns(module_id="tumour_id")
        frame = frame.filter(pl.col("module_id").is_not_null())
        fixed = {"record_id", "source", "person_ref", "received_on", "reported_on", "patient_id", "module_id"}
        values = [c for c in frame.columns if c not in fixed]
        key = ["patient_id", "module_id"]
        later = frame.sort(*key, "reported_on", "record_id")
        changed = pl.any_horizontal(
            (pl.col(c) != pl.col(c).shift(-1).over(key)).fill_null(False) for c in values
        )
        seen.append(observation(later.filter(changed), RECORD_CORRECTED, contract.table()))
    return pl.concat(seen)
