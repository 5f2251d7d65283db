"""Report patients who are excluded or included because a fact is not known.

One finding covers everything with the same cause: a fact that no patient has is one finding of the study; a
fact for which none of a patient's tables has a column is one finding per table. All others are findings of
the patient, on the record that a data steward would open first; the choice depends on no hash.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import get_args

import polars as pl

from sarcoma_pipeline.cohort import eligibility as e
from sarcoma_pipeline.cohort import primary
from sarcoma_pipeline.cohort.eligibility import Eligibility, Verdicts
from sarcoma_pipeline.cohort.finding_place import in_order
from sarcoma_pipeline.cohort.primary import Curated
from schemas.cohort import CohortEligibility, CohortPatient
from schemas.column_lineage import declared_origins, upstream
from schemas.configuration import Entity, MappedSource, Sources
from schemas.contract import CONTRACTS
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.volumes import ALL, DATASET

NOT_KNOWN = Rule(
    "eligibility.not-known",
    "warning",
    on=CohortEligibility.table(),
    scope="patient",
    what="The patient is excluded because a value is missing or contradictory, not because the criterion is"
    " known to be unfulfilled. If the value is missing for all patients, or a source has no column for"
    " it, there is one finding for all.",
    remedy="The note says what is missing. Look it up in the letters and add it in the tumour "
    "documentation: Morphologie_ICD_O and Diagnosesicherung, Primaertumor_ICD, Intention, "
    "Stellung_OP, or the dates of death and last contact; for a technique, export the plan from the "
    "planning system. If it is missing for all patients, map its column in sources.toml, or leave "
    "the criterion out of study.toml.",
    source="STROBE, item 13: not fulfilled is not the same as not known",
    alone="a value is missing",
)
ASSUMED = Rule(
    "eligibility.assumed",
    "notice",
    on=CohortEligibility.table(),
    scope="patient",
    what="The patient is included although it is not documented that the criterion is fulfilled: an unknown"
    " value counts as none. If the value is missing for all patients, or a source has no column for "
    "it, there is one finding for all.",
    remedy="Look it up in the letters and add it in the tumour documentation, as TNM/M or Menge_FM. If it "
    "is missing for all patients, map its column in sources.toml.",
    source="STROBE, item 13",
    alone="a value is missing",
)

_TREATED = frozenset({e.INTENT, e.SEQUENCE, e.TECHNIQUE})
"""Facts that belong to the record of the treatment, if there is one."""

_TYPED: Mapping[str, frozenset[str]] = {
    e.MORPHOLOGY: frozenset({"diagnosis.icdo3_morphology"}),
    e.CERTAINTY: frozenset({"diagnosis.histologically_confirmed"}),
    e.SITE: frozenset({"diagnosis.icd10_code", "diagnosis.icdo3_topography"}),
    e.METASTASIS: frozenset({"diagnosis.m_stage", "diagnosis.distant_metastasis"}),
    e.INTENT: frozenset({"surgery.intent", "radiotherapy.intent"}),
    e.SEQUENCE: frozenset({"radiotherapy.radiation_sequence", "radiotherapy.start_date"}),
    e.TECHNIQUE: frozenset(),
    e.TUMOUR: frozenset(),
    e.LAST_DAY: frozenset({"vital_status.status_date", "vital_status.status_day"}),
    "age_at_diagnosis_years": frozenset({"person.birth_date", "diagnosis.age_at_diagnosis_years"}),
    "histology_group": frozenset({"diagnosis.icdo3_morphology"}),
    "icd10_site": frozenset({"diagnosis.icd10_code", "diagnosis.icdo3_topography"}),
    "region": frozenset({"diagnosis.icd10_code", "diagnosis.icdo3_topography"}),
}
"""For each fact, the columns that give it when a table is mapped to them; no table gives a technique."""


def unknown(made: Eligibility | Verdicts) -> pl.DataFrame:
    """Return the verdicts that exclude or include a patient because of an unknown fact.

    A patient is excluded once.

    Args:
        made: the verdicts on all patients, or on some of them.

    Returns:
        The verdicts with ``rule_id`` and ``fact``, which is null for a contradiction.
    """
    judged = made.eligibility
    included = judged.group_by("pseudonym").agg(_all=pl.col("met").all()).filter("_all")
    open_ = judged.filter(~pl.col("known")).join(
        made.missing, on=["pseudonym", "criterion"], how="left", maintain_order="left"
    )
    taken = open_.join(included, on="pseudonym", how="semi", maintain_order="left")
    return pl.concat(
        frame.with_columns(rule_id=pl.lit(rule.id))
        for frame, rule in ((open_.filter("excluded_here"), NOT_KNOWN), (taken, ASSUMED))
    )


def candidates(curated: Curated, found: pl.DataFrame) -> pl.DataFrame:
    """Return the records to which a finding could point.

    Args:
        curated: the curated tables.
        found: ``pseudonym`` and ``fact`` of the findings.

    Returns:
        ``pseudonym``, ``fact``, ``record_id``: of the treatment for its facts, else of the index tumour; for
        a patient without a tumour those of the person.
    """
    persons = curated["curated.patient"].select("patient_id", "pseudonym", _person="record_ids")
    course = primary.course(curated).select("patient_id", _course="record_ids")
    surgery = primary.surgeries(curated).group_by("patient_id").agg(_surgery=pl.col("record_ids").explode())
    tumour = primary.tumour(curated).select("patient_id", _tumour="record_ids")
    frame = found.select("pseudonym", "fact").unique().sort("pseudonym", "fact")
    frame = frame.join(persons, on="pseudonym", maintain_order="left")
    for part in (course, surgery, tumour):
        frame = frame.join(part, on="patient_id", how="left", maintain_order="left")
    treated = [pl.when(pl.col("fact").is_in(_TREATED)).then(pl.col(c)) for c in ("_course", "_surgery")]
    ids = pl.coalesce(
        pl.when(column.list.len() > 0).then(column)
        for column in (*treated, pl.col("_tumour"), pl.col("_person"))
    )
    return frame.select("pseudonym", "fact", record_id=ids).explode("record_id").drop_nulls("record_id")


def observe(
    made: Eligibility, found: pl.DataFrame, records: pl.DataFrame, places: pl.DataFrame, sources: Sources
) -> pl.DataFrame:
    """Return the findings, one per cause: study, table or patient.

    Args:
        made: the verdicts.
        found: from :func:`unknown`.
        records: from :func:`candidates`.
        places: ``record_id``, ``path``, ``position``, ``source`` of these records.
        sources: the tables with their mapped columns.
    """
    everybody = found.filter(pl.col("fact").is_in(made.nowhere))
    others = found.filter(~pl.col("fact").is_in(made.nowhere).fill_null(False))
    facts = [fact for fact in others["fact"].unique().sort() if fact is not None]
    mute = pl.DataFrame(
        [(fact, name) for fact in facts for name in _mute(sources, fact)],
        schema={"fact": pl.String, "source": pl.String},
        orient="row",
    ).with_columns(_mute=pl.lit(True))
    of_source = records.join(places.select("record_id", "source").unique(), on="record_id", how="left")
    told = of_source.join(mute, on=["fact", "source"], how="left").with_columns(
        pl.col("_mute").fill_null(False)
    )
    placed = in_order(told.drop("source"), places, sources, "_mute")
    keys = ["pseudonym", "fact"]
    of_patient = placed.group_by(keys, maintain_order=True).agg(
        pl.col("record_id").first(), _mute=pl.col("_mute").all()
    )
    others = others.join(of_patient, on=keys, how="left", nulls_equal=True, maintain_order="left")
    alone = others.filter(~pl.col("_mute")).drop_nulls("record_id")
    of_source = others.filter("_mute").join(
        placed.select(*keys, "source").unique(), on=keys, nulls_equal=True
    )
    none = "nobody has it in any source"
    return pl.concat(
        [
            _of_patients(alone),
            _together(everybody.with_columns(source=pl.lit(ALL)), none),
            _together(of_source, "the source has no column for it"),
        ]
    )


def _mute(sources: Sources, fact: str) -> list[str]:
    """Return the tables that map no column of a fact."""
    needed = _columns(fact)
    return [
        source.name
        for source in sources.source
        if needed
        and isinstance(source, MappedSource)
        and not any(f"{of.entity}.{column}" in needed for of in source.entities for column in of.columns)
    ]


def _columns(fact: str) -> Collection[str]:
    """Return the typed columns that give a fact, as ``entity.column``."""
    if fact in _TYPED:
        return _TYPED[fact]
    if fact.startswith("date of "):
        return {"diagnosis.diagnosis_date", "radiotherapy.start_date", "radiotherapy.end_date"}
    named = {f"{entity}.{fact}" for entity in get_args(Entity) if fact in _of_entity(entity)}
    if named:
        return named
    edges = upstream(declared_origins(), (CohortPatient.table(), fact))
    read = {f"{table}.{column}" for _, (table, column) in edges if table.startswith("typed.")}
    return {column.removeprefix("typed.") for column in read}


def _of_entity(entity: str) -> Collection[str]:
    return CONTRACTS[f"typed.{entity}"].polars_schema()


def _of_patients(found: pl.DataFrame) -> pl.DataFrame:
    note = pl.concat_str(pl.lit("criterion "), "criterion", (pl.lit(": ") + pl.col("reason")).fill_null(""))
    # The criterion goes in the column field, so that two criteria of one patient are two findings.
    return _observed(found, pl.col("criterion"), pl.col("value"), note)


def _together(found: pl.DataFrame, why: str) -> pl.DataFrame:
    """Return one observation per rule, source and criterion, with the number of patients by fact."""
    by = ["rule_id", "source", "criterion"]
    patients = found.group_by(*by, "fact").agg(pl.col("pseudonym").n_unique()).sort(*by, "fact")
    plural = pl.when(pl.col("pseudonym") == 1).then(pl.lit("patient")).otherwise(pl.lit("patients"))
    words = pl.format("{}: {} {}", "fact", "pseudonym", plural)
    frame = patients.group_by(by, maintain_order=True).agg(_said=words.str.join(", "))
    frame = frame.with_columns(record_id=pl.format(DATASET + "{}", "source"))
    note = pl.format("criterion {}: {}", "criterion", pl.lit(why))
    return _observed(frame, pl.col("criterion"), pl.col("_said"), note)


def _observed(found: pl.DataFrame, column: pl.Expr, value: pl.Expr, note: pl.Expr) -> pl.DataFrame:
    table = CohortEligibility.table()
    return pl.concat(
        [Observation.empty()]
        + [
            observation(found.filter(pl.col("rule_id") == rule.id), rule, table, column, value, note)
            for rule in (NOT_KNOWN, ASSUMED)
        ]
    )
