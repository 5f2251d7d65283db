"""Summarise queries to registry offices: persons asked about, persons answered, days of the answers."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from schemas.curated import Link, Patient
from schemas.language import day
from schemas.language import gettext as _
from schemas.received import RegistryReply
from schemas.typed import VitalStatus
from schemas.vocabularies import NO_INFORMATION

NEEDED = {
    VitalStatus.table(): ("record_id", "person_ref", "status", "reported_on", "source"),
    RegistryReply.table(): ("record_id", "file_id"),
    Link.table(): ("person_ref", "patient_id"),
    Patient.table(): ("patient_id",),
}
"""Tables needed for the coverage, with their needed columns."""

COLUMNS = {
    "path": pl.String, "asked": pl.Int64, "answered": pl.Int64, "linked": pl.Int64,
    "first": pl.String, "last": pl.String,
}  # fmt: skip


def coverage(
    statements: pl.DataFrame, replies: pl.DataFrame, files: pl.DataFrame, link: pl.DataFrame
) -> pl.DataFrame:
    """Count the persons of every file of replies.

    Args:
        statements: ``typed.vital_status``.
        replies: ``record_id``, ``file_id`` of ``received.registry_reply``.
        files: ``file_id``, ``path``, after the identity gate.
        link: ``curated.link``.

    Returns:
        Per file the persons asked about, those with an answer about life or death, those who are a known
        patient, and the first and last day of the answers (``YYYY-MM-DD``).
    """
    told = (
        replies.unique("record_id")
        .join(files.unique("file_id"), on="file_id", how="left")
        .join(statements.unique("record_id"), on="record_id", how="left")
        .join(link.select("person_ref", "patient_id"), on="person_ref", how="left")
    )
    answered = pl.col("status").is_not_null() & (pl.col("status") != NO_INFORMATION)
    return (
        told.group_by("path")
        .agg(
            asked=pl.len().cast(pl.Int64),
            answered=answered.sum().cast(pl.Int64),
            linked=pl.col("patient_id").is_not_null().sum().cast(pl.Int64),
            first=pl.col("reported_on").min().cast(pl.String),
            last=pl.col("reported_on").max().cast(pl.String),
        )
        .sort("path", nulls_last=True)
        .select(list(COLUMNS))
    )


def never_asked(patients: pl.DataFrame, statements: pl.DataFrame, link: pl.DataFrame) -> int:
    """Return the number of patients without any reply of an office.

    Args:
        patients: ``curated.patient``.
        statements: ``typed.vital_status``.
        link: ``curated.link``.
    """
    of_offices = statements.filter(pl.col("source") == "registry office")
    asked = link.join(of_offices.select("person_ref"), on="person_ref", how="semi")
    return patients.join(asked, on="patient_id", how="anti").height


def described(tables: Mapping[str, pl.DataFrame], files: pl.DataFrame) -> list[str]:
    """Return one sentence per file of replies, and one on patients without any reply.

    Args:
        tables: the tables :data:`NEEDED`.
        files: ``file_id``, ``path``, after the identity gate.
    """
    statements, replies, link, patients = (tables[table] for table in NEEDED)
    lines = []
    for row in coverage(statements, replies, files, link).iter_rows(named=True):
        known = dict.fromkeys(day(d) for d in (row["first"], row["last"]) if d)
        lines.append(
            _("{path}: {asked} asked, {answered} answered, {linked} known patients; as of {days}").format(
                path=row["path"] or "?",
                asked=row["asked"],
                answered=row["answered"],
                linked=row["linked"],
                days=_(" to ").join(known) or _("an unknown day"),
            )
        )
    missing = never_asked(patients, statements, link)
    told = _("no reply about {missing} of {patients} patients")
    return [*lines, told.format(missing=missing, patients=patients.height)] if lines else []
