"""Leave out patients who objected to the storage of their data (Meldebegruendung W)."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.reports import (
    DELIVERY_ORDER,
    Frames,
    RowsOf,
    delivered_records,
    observed_reports,
)
from schemas.quality import Disposition, Observation
from schemas.rule import Rule

OBJECTION = Rule(
    "patient.objection",
    "warning",
    on="quality.accounting",
    scope="patient",
    what="The patient objected to the personal storage of their data (Meldebegruendung W). None of their "
    "data are analysed or released.",
    remedy="If the objection is valid, nothing needs to be done. If it was withdrawn, the Melder reports "
    "again with Meldebegruendung I.",
    source="oBDS 3.0.4 schema, Meldebegruendung",
    waivable=False,
    alone="the objection is in the record itself",
)


REASON_UNKNOWN = Rule(
    "report.reason-unknown",
    "warning",
    on="quality.accounting",
    scope="source",
    what="Meldebegruendung has a code that oBDS does not know (it knows I, A, D, V and W). An objection "
    "cannot be told from it: the report counts like any other.",
    remedy="In the tumour documentation, correct the Meldebegruendung. If the patient objected, it is W.",
    source="oBDS 3.0.4 schema, Meldebegruendung",
    alone="the code is in the record itself",
)


OBJECTED = "the patient objected to the storage of their data"


_REASON = pl.col("Meldebegruendung").str.strip_chars().str.to_uppercase()
IS_ORDINARY = _REASON.is_in(["I", "A", "D", "V", ""])
"""Whether the Meldebegruendung is a known one that is no objection."""


def objections(received: Frames, paths: pl.DataFrame) -> pl.DataFrame:
    """Return objections in force: the last statement of one of the patient's Melder is W.

    Args:
        received: the tables of :func:`reported_tables` with at least :data:`PLACES`.
        paths: ``file_id``, ``path``.

    Returns:
        Observations of :data:`OBJECTION`, one per patient and Melder, on the record with W; the note has the
        date. An objection of an unknown day stands until its report is replaced. Observations of
        :data:`REASON_UNKNOWN`.
    """
    told = {
        # An objection needs no number of its report.
        t: f.filter(pl.col("Meldebegruendung").is_not_null()).with_columns(
            pl.col("Meldung_ID").fill_null(""), pl.col("Patient_ID").str.strip_chars()
        )
        for t, f in received.items()
    }
    records = delivered_records(told, paths)
    if records.is_empty():
        return Observation.empty()
    who = ["Patient_ID", "reporter"]
    unknown = records.filter(~IS_ORDINARY, _REASON != "W")
    doubtful = observed_reports(unknown, REASON_UNKNOWN, column=pl.lit("Meldebegruendung"))
    # Other reasons (A, D, V) only explain why a patient was not asked: they withdraw no objection.
    spoken = records.filter(_REASON.is_in(["I", "W"])).with_columns(objects=_REASON == "W")
    # Within one export the order of the Meldungen is no order in time: only a later export takes an objection
    # back.
    # No consent is known to be later than an objection of an unknown day: such an objection stands.
    undated = pl.col("objects") & pl.col("reported_on").is_null()
    state = spoken.with_columns(undated=undated).sort(
        *who, "undated", "reported_on", "objects", *DELIVERY_ORDER, "file_id", "within", "record_id",
        nulls_last=False,
    )  # fmt: skip
    # The objection holds from the first W after the last I.
    standing = state.filter(pl.col("objects").cum_min(reverse=True).over(who))
    since = standing.unique(who, keep="first", maintain_order=True)
    objected = observed_reports(
        since,
        OBJECTION,
        column=pl.lit("Meldebegruendung"),
        note=pl.concat_str(
            pl.lit("since "), pl.col("reported_on").cast(pl.String).fill_null("an unknown day")
        ),
    )
    return pl.concat([objected, doubtful])


def objecting(observed: pl.DataFrame, rows_of: RowsOf) -> pl.Series:
    """Return the person references of the patients whose objection is in force.

    Args:
        observed: observations that include those of :func:`objections`.
        rows_of: reads records of a received table.
    """
    found = observed.filter(pl.col("rule_id") == OBJECTION.id)
    if found.is_empty():
        return pl.Series("person_ref", [], dtype=pl.String)
    parts = [pl.Series("person_ref", [], dtype=pl.String)]
    for table in sorted(found["table_name"].unique()):
        records = found.filter(pl.col("table_name") == table)["record_id"]
        numbers = rows_of(table, records)["Patient_ID"].str.strip_chars()
        parts.append(("number:" + numbers).alias("person_ref"))
    return pl.concat(parts).unique().sort()


def without_objecting(
    link: pl.DataFrame, typed: Frames, persons: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Remove all records of patients who object from the links, for every source.

    Args:
        link: ``curated.link``.
        typed: the typed tables.
        persons: person references of the patients who object.

    Returns:
        The links of all other patients; dispositions of the records left out.
    """
    if persons.is_empty():
        return link, Disposition.empty()
    patients = link.filter(pl.col("person_ref").is_in(persons.implode()))["patient_id"].unique()
    out = pl.col("patient_id").is_in(patients.implode())
    references = link.filter(out)["person_ref"]
    records = pl.concat(
        [
            frame.filter(pl.col("person_ref").is_in(references.implode())).select("record_id")
            for frame in typed.values()
        ]
    )
    left_out = (
        records.unique()
        .sort("record_id")
        .select("record_id", disposition=pl.lit("out of scope"), reason=pl.lit(OBJECTED))
    )
    return link.filter(~out), left_out
