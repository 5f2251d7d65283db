"""Find the patients whose records differ from those they were curated from, and keep the rows of the others.

Curation (:func:`.reconcile.curate`) is local to a patient: a row depends on the typed records of its patient,
on which of them are in quarantine, on the patient's id and pseudonym, on the readings of a course that data
stewards chose, and on what holds for all (program, configuration, key). Which treatment records refer to a
delivered plan is asked across patients: it is part of the hash of the patient who has the record. Of the
place of a record only the order within the patient matters, and the day of receipt not at all: a cumulative
export gives every record another place.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from sarcoma_pipeline.curation.event_rows import with_patient
from sarcoma_pipeline.curation.typed_records import Result
from schemas import row_hashes, typed_dicom

Frames = Mapping[str, pl.DataFrame]

_WITHOUT = ("place", "received_on")


def inputs(
    typed: Frames,
    link: pl.DataFrame,
    quarantined: pl.Series,
    pseudonyms: pl.DataFrame,
    known_plans: Collection[str],
) -> pl.DataFrame:
    """Return a hash of everything that the curation of each patient depends on, except what holds for all.

    Args:
        typed: the typed tables.
        link: ``curated.link``.
        quarantined: ``record_id`` of the records in quarantine.
        pseudonyms: ``patient_id``, ``pseudonym``.
        known_plans: SOP instance UIDs of all delivered plans.

    Returns:
        ``patient_id``, ``inputs``: one row per patient with a record.
    """
    linked = {
        table: with_patient(frame, link, "inner") for table, frame in sorted(typed.items()) if frame.height
    }
    linked = {table: frame for table, frame in linked.items() if frame.height}
    if not linked:
        return pl.DataFrame(schema=row_hashes.INPUTS)
    orders = _orders(linked)
    hashes = [row_hashes.hashed("pseudonym", pseudonyms.unique("patient_id", maintain_order=True))]
    for table, frame in linked.items():
        facts = frame.drop(_WITHOUT).with_columns(
            _order=orders[table],
            _row=pl.int_range(pl.len()).over("patient_id"),
            _held=pl.col("record_id").is_in(quarantined.implode()),
        )
        if table == typed_dicom.Treatment.table():
            known = pl.Series(list(known_plans), dtype=pl.String)
            facts = facts.with_columns(_known=pl.col("refers_to").is_in(known.implode()))
        hashes.append(row_hashes.hashed(table, facts))
    there = pl.concat([frame.select("patient_id") for frame in linked.values()]).unique()
    return row_hashes.by_patient(hashes).join(there, on="patient_id", how="semi", maintain_order="left")


def _orders(linked: Frames) -> dict[str, pl.Series]:
    """Number the places of each patient's records, of all tables together."""
    placed = pl.concat(
        frame.select("patient_id", "place", _table=pl.lit(table)) for table, frame in linked.items()
    )
    counted = placed.with_columns(_order=pl.col("place").rank("dense").over("patient_id"))
    return {str(t): of["_order"] for (t,), of in counted.partition_by("_table", as_dict=True).items()}


def decided_otherwise(readings: pl.DataFrame, decided: Collection[str]) -> pl.DataFrame:
    """Return ``patient_id`` of patients for whom another reading is chosen now, or one no longer is.

    Args:
        readings: the former ``curated.radiotherapy_reading``: every reading that curation asked about.
        decided: keys of the readings that data stewards chose.
    """
    chosen = pl.col("reading_key").is_in(sorted(decided))
    return readings.filter(pl.col("chosen") != chosen).select("patient_id").unique()


def of_patients(
    typed: Frames, link: pl.DataFrame, patients: pl.DataFrame
) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the typed records and the links of some patients.

    Args:
        typed: the typed tables.
        link: ``curated.link``.
        patients: ``patient_id``.
    """
    some = link.join(patients, on="patient_id", how="semi", maintain_order="left")
    return {
        table: frame.join(some, on="person_ref", how="semi", maintain_order="left")
        for table, frame in typed.items()
    }, some


def owners(typed: Frames, link: pl.DataFrame) -> pl.DataFrame:
    """Return ``record_id``, ``patient_id`` of the records of linked patients."""
    persons = pl.concat(frame.select("record_id", "person_ref") for frame in typed.values()).unique()
    return with_patient(persons, link, "inner").select("record_id", "patient_id").unique()


def is_local(made: Result, owned: pl.DataFrame) -> bool:
    """Return whether everything said of records is said of records of exactly one patient.

    Args:
        made: the result of curation.
        owned: from :func:`owners`.
    """
    said = pl.concat([made.observed.select("record_id"), made.disposition.select("record_id")])
    return (
        not owned["record_id"].is_duplicated().any()
        and said.join(owned, on="record_id", how="anti").is_empty()
    )


def combined(new: Result, old: Result, owned: pl.DataFrame, patients: pl.DataFrame) -> Result:
    """Add the rows of untouched patients to the result for the others.

    Args:
        new: the result for the patients who were curated anew.
        old: the former result, of all patients.
        owned: from :func:`owners`, of tonight's records.
        patients: ``patient_id`` of the untouched ones.

    Returns:
        The result as if all patients had been curated, in the same order.
    """
    records = owned.join(patients, on="patient_id", how="semi")
    frames = {table: _with_kept(frame, old.frames[table], patients) for table, frame in new.frames.items()}
    observed, disposition = (
        pl.concat(
            [
                before.join(records, on="record_id", how="semi", maintain_order="left"),
                now.select(before.columns),
            ]
        )
        for before, now in ((old.observed, new.observed), (old.disposition, new.disposition))
    )
    return by_record(Result(frames, observed, disposition))


def replaced(old: pl.DataFrame, new: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Replace the rows of some patients in a curated table.

    Args:
        old: the rows of all patients.
        new: the new rows of some.
        patients: ``patient_id`` of these.
    """
    rest = old.select("patient_id").join(patients, on="patient_id", how="anti").unique()
    return _with_kept(new, old, rest)


def _with_kept(new: pl.DataFrame, old: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Add the old rows of some patients, in the order in which all are curated."""
    kept = old.join(patients, on="patient_id", how="semi", maintain_order="left")
    return pl.concat([kept, new]).sort("patient_id", maintain_order=True)


def by_record(made: Result) -> Result:
    """Sort what is said of records by record; what is said of one record stays in its order."""
    return Result(
        made.frames,
        made.observed.sort("record_id", maintain_order=True),
        made.disposition.sort("record_id", maintain_order=True),
    )
