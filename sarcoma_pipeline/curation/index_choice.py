"""Choose the index tumours of patients from their typed records, and find those that other criteria change.

The module is apart from :mod:`.reconcile`, which imports the rest of curation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import diagnoses, index_tumour, tumours
from sarcoma_pipeline.curation.event_rows import with_patient
from sarcoma_pipeline.curation.index_tumour import Preference
from sarcoma_pipeline.curation.tumour_numbers import RECORDS
from schemas import typed

Frames = Mapping[str, pl.DataFrame]

CHOOSING = (*(contract.table() for contract in RECORDS), typed.TumourAssignment.table())
"""The typed tables that the choice depends on."""


@dataclass(frozen=True)
class Told:
    """What the records tell of tumours.

    Attributes:
        linked: the typed tables, without records in quarantine and of nobody.
        assigned: the records with their tumours.
        reports: the reports on tumours, plus a substitute for each Diagnose that was not delivered.
    """

    linked: Frames
    assigned: tumours.Assigned
    reports: pl.DataFrame

    def chosen(self, precedence: Sequence[str], preference: Preference) -> pl.DataFrame:
        """Return the index tumours as :func:`.index_tumour.choose`.

        Args:
            precedence: kinds of source on diagnoses, the most credible first.
            preference: the study's criteria.
        """
        sketch = diagnoses.sketch(self.reports, precedence)
        return index_tumour.choose(sketch, self.assigned.sound, preference)


def told(typed_frames: Frames, link: pl.DataFrame, quarantined: pl.Series) -> Told:
    """Assign the records of linked patients to their tumours.

    Args:
        typed_frames: the typed tables, at least :data:`CHOOSING`.
        link: ``curated.link``.
        quarantined: ``record_id`` of the records to keep out.
    """
    sound, held = _linked(typed_frames, link, quarantined)
    assigned = tumours.assign(sound, held)
    return Told(sound, assigned, _reports(assigned))


def moved(
    typed_frames: Frames,
    link: pl.DataFrame,
    quarantined: pl.Series,
    precedence: Sequence[str],
    before: Preference,
    after: Preference,
) -> pl.DataFrame:
    """Return the patients for whom other criteria choose another index tumour.

    The criteria take part in nothing else of curation: the curated rows of all other patients are the same.

    Args:
        typed_frames: the tables :data:`CHOOSING`.
        link: ``curated.link``.
        quarantined: ``record_id`` of the records to keep out.
        precedence: kinds of source on diagnoses, the most credible first.
        before: some criteria.
        after: other criteria.

    Returns:
        ``patient_id``, once each.
    """
    known = told(typed_frames, link, quarantined)
    one, other = (known.chosen(precedence, criteria) for criteria in (before, after))
    return (
        one.join(other, on="patient_id", suffix="_after")
        .filter(pl.col("index").ne_missing(pl.col("index_after")))
        .select("patient_id")
    )


def _linked(typed_frames: Frames, link: pl.DataFrame, quarantined: pl.Series) -> tuple[Frames, Frames]:
    """Split the records of linked patients into usable ones and those in quarantine."""
    linked = {table: with_patient(frame, link, "inner") for table, frame in typed_frames.items()}
    if quarantined.is_empty():
        return linked, {t: f.clear() for t, f in linked.items()}
    back = pl.col("record_id").is_in(quarantined.implode())
    held = {t: f.filter(back) for t, f in linked.items()}
    return {t: f.filter(~back) if held[t].height else f for t, f in linked.items()}, held


def _reports(assigned: tumours.Assigned) -> pl.DataFrame:
    """Return the reports on tumours, plus a substitute for each Diagnose that was not delivered."""
    told = assigned.sound[typed.Diagnosis.table()].with_columns(stands_in=pl.lit(False))
    missing = assigned.missing.with_columns(
        complete=pl.lit(True), stands_in=pl.lit(True), origin=pl.lit("diagnosis"),
        of_relapse_report=pl.lit(False),
    )  # fmt: skip
    return pl.concat([told, missing], how="diagonal")
