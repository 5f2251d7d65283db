"""Derive the tables of the cohort, of all its patients or of some of them, and put those of some together.

Whatever these tables say of a patient rests on this patient's curated rows, on the study, and on the data
cut-off. Nothing is compared with other patients here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from sarcoma_pipeline.cohort import released_events, structure_doses, toxicity, toxicity_endpoints
from sarcoma_pipeline.cohort.derivation import Cohort
from schemas import row_hashes
from schemas.cohort import CohortDerivability, CohortEndpoint, CohortPatient
from schemas.cohort_dose import CohortDoseVolume
from schemas.cohort_events import CohortEvent, CohortNotAtRisk
from schemas.cohort_toxicity import CohortToxicity
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.configuration import Study

Frames = Mapping[str, pl.DataFrame]


def derive(made: Cohort, centre: str) -> dict[str, pl.DataFrame]:
    """Return the tables of the eligible patients.

    Args:
        made: the cohort, or some patients of it.
        centre: the centre of the patients; empty in a study without centres.
    """
    study, derived = made.study, made.derived
    toxic = toxicity.toxicity(made.curated, made.happened, made.members)
    with_times = toxicity_endpoints.derive(
        made.curated, made.happened, made.members, toxic, study.toxicity, study.gate
    )
    return {
        CohortPatient.table(): made.patients.with_columns(centre=pl.lit(centre or None, dtype=pl.String)),
        CohortEvent.table(): released_events.events(made.happened, made.members),
        CohortEndpoint.table(): derived.endpoints,
        CohortNotAtRisk.table(): derived.not_at_risk,
        CohortDerivability.table(): derived.derivability,
        CohortToxicity.table(): toxic,
        CohortToxicityEndpoint.table(): with_times,
        CohortDoseVolume.table(): structure_doses.structure_doses(made.curated, made.members, study.gate),
    }


def inputs(curated: Frames) -> pl.DataFrame:
    """Return a hash of the curated rows of each patient, with their order: ``patient_id``, ``inputs``.

    Args:
        curated: every table that the cohort is derived from.
    """
    numbered = {
        table: frame.with_columns(_row=pl.int_range(pl.len()).over("patient_id"))
        for table, frame in curated.items()
        if frame.height
    }
    empty = pl.DataFrame(schema={"patient_id": pl.String, "_0": pl.UInt64, "_1": pl.UInt64})
    hashes = [row_hashes.hashed(table, frame) for table, frame in numbered.items()]
    return row_hashes.by_patient([empty, *hashes])


def of_patients(tables: Frames, pseudonyms: pl.Series) -> dict[str, pl.DataFrame]:
    """Return the rows of some patients, and the rows that are of no patient.

    Args:
        tables: from :func:`derive`.
        pseudonyms: of these patients.
    """
    theirs = pl.col("pseudonym").is_in(pseudonyms.implode())
    return {
        table: frame.filter(theirs) if "pseudonym" in frame.columns else frame
        for table, frame in tables.items()
    }


def combined(parts: Sequence[Frames], study: Study) -> dict[str, pl.DataFrame]:
    """Return the tables of all patients, in the order of those that are derived at once.

    Args:
        parts: the tables of one or more patients each; no patient is in two of them.
        study: the order of its endpoints.
    """
    ranks = {
        table: {name: rank for rank, name in enumerate(names)}
        for table, names in (
            (CohortEndpoint.table(), [rule.name for rule in study.endpoints]),
            (CohortNotAtRisk.table(), [rule.name for rule in study.endpoints]),
            (CohortToxicityEndpoint.table(), [endpoint.name for endpoint in study.toxicity]),
        )
    }
    found = {}
    for table, frame in parts[-1].items():
        if table == CohortDerivability.table():
            found[table] = frame
            continue
        order = [pl.col("pseudonym")]
        if of := ranks.get(table):
            order.insert(0, pl.col("endpoint").replace_strict(of, return_dtype=pl.Int32))
        found[table] = pl.concat([part[table] for part in parts]).sort(order, maintain_order=True)
    return found
