"""Reconcile the typed records of all sources into one row per event of a patient.

Contradictions are resolved by precedence. Each entity has its own module; this module calls them in order:
first every record gets its tumour, then the index tumour is chosen, whose diagnosis is time zero, then the
events are merged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from sarcoma_pipeline.curation import (
    assessments,
    courses,
    diagnoses,
    event_dates,
    event_numbers,
    index_choice,
    index_tumour,
    metastases,
    surgery,
    systemic_therapy,
    toxicity,
    toxicity_findings,
    tumours,
    vital_statements,
    vital_status,
)
from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, merged, with_days
from sarcoma_pipeline.curation.tumour_numbers import RECORDS
from sarcoma_pipeline.curation.typed_records import Result
from schemas import curated, curated_radiotherapy, curated_toxicity, typed, typed_dicom
from schemas.assumptions import Assumptions
from schemas.configuration import Sources, Study
from schemas.observations import observation
from schemas.quality import Disposition, Observation

Frames = Mapping[str, pl.DataFrame]

CONTRACTS = {
    c.table(): c
    for c in (
        curated.Patient, curated.Diagnosis, curated.DiagnosisReport, curated.Surgery,
        curated_radiotherapy.RadiotherapyCourse, curated_radiotherapy.RadiotherapyPhase,
        curated_radiotherapy.RadiotherapyPlan, curated_radiotherapy.RadiotherapyReading,
        curated.SystemicTherapy, curated.Assessment, curated.Metastasis,
        curated.VitalStatus, curated.VitalStatement, curated_toxicity.Toxicity,
    )
}  # fmt: skip


def curate(
    typed_frames: Frames,
    link: pl.DataFrame,
    quarantined: pl.Series,
    sources: Sources,
    pseudonyms: pl.DataFrame,
    study: Study | None = None,
    *,
    decided: Collection[str] = frozenset(),
    known_plans: Collection[str] | None = None,
) -> Result:
    """Reconcile the records of linked patients that are not in quarantine.

    Args:
        typed_frames: the typed tables.
        link: ``curated.link``.
        quarantined: ``record_id`` of the records to keep out.
        sources: the precedence of sources.
        pseudonyms: ``patient_id``, ``pseudonym``.
        study: used to choose the index tumour and for the assumptions; defaults if None.
        decided: keys of the readings of a course that data stewards chose.
        known_plans: SOP instance UIDs of all delivered plans; those of ``typed_frames`` if None.

    Returns:
        The curated tables, observations, and dispositions of records that no curated row uses.
    """
    assumptions = study.assumptions if study else Assumptions()
    known = index_choice.told(typed_frames, link, quarantined)
    sound, assigned, reports = known.linked, known.assigned, known.reports
    precedence = sources.precedence["diagnosis"]
    chosen = known.chosen(precedence, index_tumour.preference(study) if study else index_tumour.Preference())
    homes = reports.filter("complete", ~pl.col("of_relapse_report")).select(TUMOUR).unique()
    homed = {
        table: _at_home(frame, chosen, homes) if "tumour_id" in frame.columns else frame
        for table, frame in assigned.sound.items()
    }
    plans = typed_dicom.Plan.table()
    homed[plans] = index_tumour.of_index(
        homed[plans].with_columns(tumour_id=pl.lit(None, dtype=pl.String)), chosen
    )
    reports = _at_home(reports, chosen, homes)
    diagnosis, told, seen = diagnoses.curate(reports, homed, chosen, precedence, assumptions)
    index = diagnosis.filter("index_tumour")
    zero = index.select("patient_id", zero="diagnosis_date")
    sites = index.select("patient_id", pl.coalesce("icdo3_topography", "icd10_code"))
    radiotherapy = courses.curate(
        homed,
        sources.precedence["radiotherapy"],
        sites=dict(sites.iter_rows()),
        decided=decided,
        known_plans=set(typed_frames[plans]["sop_instance_uid"]) if known_plans is None else known_plans,
    )
    idle = list(radiotherapy.idle)
    staged_m1 = diagnosis.filter(pl.col("m_stage") == "M1").select(TUMOUR)
    operations = surgery.curate(homed, precedence)
    therapies, examinations = systemic_therapy.curate(homed), assessments.curate(homed)
    alive = vital_status.curate(sound, zero, sources.precedence["death"])

    def dated(rows: pl.DataFrame, days: Mapping[str, str]) -> pl.DataFrame:
        return event_dates.placed(rows, days, zero, diagnosis, alive)

    operations = dated(operations, {"surgery_date": "surgery_day"})
    therapies = dated(therapies, {"start_date": "start_day"})
    irradiated = dated(radiotherapy.courses, {"start_date": "start_day", "end_date": "end_day"})
    found = metastases.curate(homed, staged_m1)
    frames = {
        "curated.patient": _patient(sound, pseudonyms),
        "curated.diagnosis": diagnosis,
        "curated.diagnosis_report": with_days(told, zero, {"report_date": "report_day"}),
        "curated.surgery": operations,
        "curated.radiotherapy_course": irradiated,
        "curated.radiotherapy_phase": radiotherapy.phases,
        "curated.radiotherapy_plan": radiotherapy.plans,
        "curated.radiotherapy_reading": radiotherapy.readings,
        "curated.systemic_therapy": therapies,
        "curated.assessment": with_days(
            dated(examinations, {"assessment_date": "assessment_day"}), zero, {"distant_date": "distant_day"}
        ),
        "curated.metastasis": with_days(
            dated(found, {"reported_date": "reported_day"}), zero, {"metastasis_date": "metastasis_day"}
        ),
        "curated.toxicity": with_days(
            toxicity.curate(homed, irradiated, operations, therapies),
            zero,
            {"onset_date": "onset_day", "therapy_date": "therapy_day"},
        ),
        "curated.vital_status": alive,
        "curated.vital_statement": with_days(
            vital_statements.curate(sound[typed.VitalStatus.table()]),
            zero,
            {"status_date": "status_day", "told_date": "told_day"},
        ),
    }
    frames = {
        t: CONTRACTS[t].conform(f.sort("patient_id", maintain_order=True) if f.height > 1 else f)
        for t, f in frames.items()
    }
    homeless = reports.join(diagnosis, on=TUMOUR, how="anti", nulls_equal=True).select("record_id").unique()
    idle.append(("its tumour has no diagnosis that it could add to", homeless))
    idle.append(("documented, not used by a study", tumours.naming(assigned.sound)))
    observed = [
        event_numbers.observe(assigned.sound), assigned.observed, seen,
        surgery.observe(operations, homed, diagnosis), systemic_therapy.observe(therapies, homed),
        assessments.observe(examinations, homed), _unknown_numbers(assigned.sound, homes),
        radiotherapy.observed,
        toxicity_findings.observe(frames["curated.toxicity"], frames["curated.vital_status"]),
        vital_status.observe(sound, zero, sources.precedence["death"]),
    ]  # fmt: skip
    return Result(frames, pl.concat(observed), _unused(frames, idle))


def _at_home(frame: pl.DataFrame, chosen: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    """Assign the index tumour to records without a tumour, or with a number that only their table has."""
    if frame.is_empty():
        return frame
    known = homes.with_columns(_known=pl.lit(True))
    joined = frame.join(known, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left")
    own = pl.col("_known").fill_null(False) | (pl.col("source") == "oBDS")
    return index_tumour.of_index(
        joined.with_columns(tumour_id=pl.when(own).then("tumour_id")).drop("_known"), chosen
    )


def _unknown_numbers(sound: Frames, homes: pl.DataFrame) -> pl.DataFrame:
    """Return rows of tables with a tumour number that no other source has."""
    seen = [Observation.empty()]
    for contract in RECORDS:
        table = contract.table()
        if sound[table].is_empty():
            continue
        lone = (
            sound[table]
            .filter(pl.col("source") != "oBDS", pl.col("tumour_id").is_not_null())
            .join(homes, on=TUMOUR, how="anti", nulls_equal=True)
        )
        seen.append(observation(lone, tumours.NUMBER_UNKNOWN, table, "tumour_id", pl.col("tumour_id")))
    return pl.concat(seen)


def _patient(sound: Frames, pseudonyms: pl.DataFrame) -> pl.DataFrame:
    persons = sound[typed.Person.table()].sort("master", *NEWEST_LAST, nulls_last=False)
    patients = merged(persons, ["patient_id"], curated.Patient)
    masters = persons.filter("master").select("patient_id").unique()
    return patients.join(masters, on="patient_id", how="semi").join(
        pseudonyms.unique("patient_id"), on="patient_id", how="left"
    )


def _unused(frames: Frames, idle: list[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    """Return dispositions of the records that are in no curated row."""
    idle = [(why, frame) for why, frame in idle if frame.height]
    if not idle:
        return Disposition.empty()
    used = pl.concat([f["record_ids"].explode() for f in frames.values()])
    return pl.concat(
        [Disposition.empty()]
        + [f.select("record_id", disposition=pl.lit("out of scope"), reason=pl.lit(why)) for why, f in idle]
    ).filter(~pl.col("record_id").is_in(used.implode()))
