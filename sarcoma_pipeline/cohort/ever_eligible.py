"""Find the patients who can be eligible under some assumption, and the curated rows of their cohort.

Under every assumption, what is derived of a patient rests on this patient's curated rows, on the study, and
on the cut-off of follow-up, which is the last answer of a registry office to anybody. The curated rows of
the patients found here therefore give the same cohort, and the same runs under other assumptions, as those
of all patients; a record of anybody else changes neither.

Nothing is derived here: the criteria are judged by the facts of records, and whatever needs a timeline counts
in the patient's favour. Patients too many cost time; a patient too few would be a wrong number. The tests
derive every run for all patients and compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl

from sarcoma_pipeline.cohort import baseline_choice, covariates, eligibility, primary, within_bounds
from sarcoma_pipeline.cohort.derived_once import CuratedOnce, Derive, DerivedOnce
from sarcoma_pipeline.cohort.primary import Curated
from schemas.assumptions import Assumptions, alternatives, declared
from schemas.configuration import Criterion, Study

FROM_RECORDS = ("histology", "site", "no_metastasis", "curative", "radiotherapy", "window", "observed")
"""Rules of criteria that are judged here; under any other rule, every patient may be eligible."""


OfPatients = Callable[[str, pl.Series], pl.DataFrame]
"""Function that returns the rows of a curated table with one of some ``patient_id``, in the table's order."""


class EligibleLeftOut(Exception):
    """A fault of this module: it does not find a patient who is eligible."""


def rows(
    curated: Curated, study: Study, eligible: pl.Series, of_patients: OfPatients | None = None
) -> dict[str, pl.DataFrame]:
    """Return the curated rows of everybody who can be in the cohort under some assumption.

    Args:
        curated: the curated tables, each with ``patient_id``; those that are read on demand are in memory one
            after the other.
        study: criteria and assumptions.
        eligible: pseudonyms of the cohort under the study's own assumptions.
        of_patients: reads the rows of some patients; if given, no table is read as a whole for them. Rows
            chosen from a table keep the texts of all of its rows in memory.

    Raises:
        EligibleLeftOut: one of the cohort would be missing.
    """
    known = CuratedOnce(curated)
    theirs = patients(known, study)
    found: dict[str, pl.DataFrame] = {}
    if of_patients is not None:
        known.read.clear()
        found = {table: of_patients(table, theirs) for table in curated}
    else:
        for table in sorted(curated, key=lambda table: table not in known.read):
            found[table] = known[table].filter(pl.col("patient_id").is_in(theirs.implode()))
            del known.read[table]  # before the next one is read
    missing = eligible.filter(~eligible.is_in(found["curated.patient"]["pseudonym"].implode()))
    if missing.len():
        raise EligibleLeftOut(f"{missing.len()} patients of the cohort cannot be eligible by their records")
    return found


def patients(curated: Curated, study: Study) -> pl.Series:
    """Return ``patient_id`` of everybody who can be eligible under some assumption, or who dates the cut-off.

    Args:
        curated: the curated tables.
        study: criteria and assumptions.
    """
    curated = CuratedOnce(curated)
    everybody = curated["curated.patient"]["patient_id"].unique().sort()
    last = covariates.last_answered(curated)
    if last.is_empty() and study.assumptions.data_cutoff is None:
        # Any event of anybody may be the last one, which then is the cut-off.
        return everybody
    facts = eligibility.facts_of_records(curated)
    once = DerivedOnce()
    found = [_eligible(curated, study, facts, one, once) for one in _different(study.assumptions)]
    return pl.concat([last, *found]).unique().sort()


def _different(own: Assumptions) -> list[Assumptions]:
    """Return the assumptions that differ in what chooses the cohort from records."""
    names = [s.name for s in declared() if s.switch.acts == "cohort"]
    found = {tuple(getattr(a, name) for name in names): a for _, _, a in alternatives(own)}
    return [own, *found.values()]


def _eligible(
    curated: Curated, study: Study, facts: pl.DataFrame, assumptions: Assumptions, derive: Derive
) -> pl.Series:
    """Return ``patient_id`` of those who meet every criterion unless a fact of the timeline is against it."""
    tumour = derive(_of_tumour, curated, assumptions)
    course = derive(_of_course, curated, assumptions)
    return derive(_meeting, derive(_together, facts, tumour, course), study.criteria, assumptions)


def _of_tumour(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    """Return what criteria read of the index tumours: neither stage nor grade."""
    return baseline_choice.grouped(primary.tumour(curated), assumptions).select(
        "patient_id",
        "histology_group",
        "icdo3_morphology",
        "region",
        icd10_site=pl.coalesce(["icdo3_topography", "icd10_code"]),
    )


def _of_course(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    """Return what criteria read of the primary courses: no dose."""
    related = covariates.related(primary.course(curated), assumptions)
    return related.select("patient_id", "radiation_sequence", "technique")


def _together(facts: pl.DataFrame, tumour: pl.DataFrame, course: pl.DataFrame) -> pl.DataFrame:
    frame = facts.join(tumour, on="patient_id", how="left").join(course, on="patient_id", how="left")
    return frame.with_columns(within_bounds.well_formed("icd10_site"), found_at_diagnosis=pl.lit(False))


def _meeting(frame: pl.DataFrame, criteria: Sequence[Criterion], assumptions: Assumptions) -> pl.Series:
    met = [
        eligibility.RULES[criterion.rule](criterion, assumptions).met.fill_null(False)
        for criterion in criteria
        if criterion.rule in FROM_RECORDS
    ]
    return frame.filter("has_tumour", *met)["patient_id"]
