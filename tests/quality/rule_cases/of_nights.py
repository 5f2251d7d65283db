"""Cases of the rules that compare reports, or what was delivered and released before with what is now.

Each case is a function that returns the rules that are broken.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from sarcoma_pipeline.curation import identity
from sarcoma_pipeline.curation.required_elements import missing_elements
from sarcoma_pipeline.quality import lost_records, movement, movement_findings, record_changes
from sarcoma_pipeline.quality.moved_values import OF_PATIENTS, moved
from sarcoma_pipeline.quality.movement import Circumstances
from schemas import received as r
from schemas.cohort import CohortEligibility
from schemas.contract import CONTRACTS
from tests.conftest import Records
from tests.curation.test_reports import Export
from tests.quality import movement_evidence as ev
from tests.quality.rule_cases.computed import Broken
from tests.quality.rule_cases.four import THE_FAULT, Four

# --- versions of reports ------------------------------------------------------------------------------


def reports(*versions: dict[str, Any]) -> Broken:
    """Return the rules that reports break, each from a file of its own."""

    def judge() -> set[str]:
        export = Export()
        for number, version in enumerate(versions):
            export.add(version.get("contract", r.ObdsSurgery), file=f"{number}.xml",
                       **{k: v for k, v in version.items() if k != "contract"})  # fmt: skip
        return {rule for rule, _ in export.found()}

    return judge


def _said(on: str | None, said: str, **more: Any) -> dict[str, Any]:
    return {"on": on, "Intention": said} | more


def _examined(on: str, said: str) -> dict[str, Any]:
    return {"contract": r.ObdsFollowUp, "on": on, "within": "/Verlauf", "Gesamtbeurteilung_Tumorstatus": said}


JAN, FEB, MAR, APR = (f"2020-0{month}-01" for month in (1, 2, 3, 4))
IKNR = {"Melder_IKNR": "260000001"}

REPORTS: dict[str, Four[Broken]] = {
    "report.old-version-again": Four(
        reports(_said(JAN, "K"), _said(FEB, "P"), _said(MAR, "K")),
        reports(_said(JAN, "K"), _said(FEB, "K"), _said(MAR, "P")),
        reports(_said(JAN, "K"), _said(FEB, "P"), _said(None, "K")),
        reports(_examined(JAN, "V"), _examined(FEB, "T"), _examined(MAR, "Y"), _examined(APR, "T")),
    ),
    "report.other-patient": Four(
        reports(_said(JAN, "K"), _said(FEB, "P", patient="2")),
        reports(_said(JAN, "K"), _said(FEB, "P", patient="2", melder="L")),
        reports(_said(JAN, "K", meldung=None), _said(FEB, "P", patient="2", meldung=None)),
        reports(_said(JAN, "K", melder="1", **IKNR), _said(FEB, "K", patient="2", melder="2", **IKNR)),
    ),
}  # fmt: skip

# --- what oBDS requires -------------------------------------------------------------------------------


def report_of(table: str, **said: str | None) -> Broken:
    """Return the rules that a report breaks which says what oBDS requires of every one, and this."""
    every = {
        "record_id": "r", "Tumor_ID": "1", "Melder_ID": "M", "Meldung_ID": "R", "Primaertumor_ICD": "C49.2",
        "Diagnosedatum": "2012-01-01", "Diagnosedatum_Datumsgenauigkeit": "E",
    }  # fmt: skip
    contract = CONTRACTS[f"received.obds_{table}"]
    frame = contract.conform(pl.DataFrame([every | said], infer_schema_length=None))
    return lambda: set(missing_elements(frame, contract.table())["rule_id"])


REQUIRED: dict[str, Four[Broken]] = {
    "obds.element-missing": Four(
        report_of("surgery", Menge_OPS='["5-782.b"]'),  # without Intention
        report_of("surgery", Intention="K", Menge_OPS='["5-782.b"]'),
        THE_FAULT,
        report_of("diagnosis", Diagnosedatum_Datumsgenauigkeit=None),
    ),
}

# --- patients of a number, before and now -------------------------------------------------------------


def renamed(before: dict[str, Any], **now: Any) -> Broken:
    """Return the rules that two deliveries of one number break, of which only the later one is there."""

    def judge() -> set[str]:
        past, tonight = Records(), Records()
        past.patient(Meldedatum="2019-01-01", **before)
        tonight.patient(Meldedatum="2020-01-01", **now)
        found = identity.link(tonight.typed(), frozenset(), past.typed()["typed.person"])
        return set(found.observed["rule_id"])

    return judge


IDENTITY: dict[str, Four[Broken]] = {
    "identity.name-changed": Four(
        renamed({"family": "Schmidt"}),
        renamed({"family": "MÜLLER"}),
        renamed({"family": None}),
        renamed({"given": "Johanna", "number": "7", "sex": "M"}, given="Peter", number="7", sex="M"),
    ),
}

# --- records and released values, before and now ------------------------------------------------------

_EXAM = "received.obds_follow_up"


def _row(record: str, file: str, key: str, at: int, until: str | None) -> dict[str, Any]:
    return {
        "table_name": _EXAM, "record_id": record, "record_key": key, "content_hash": f"text of {record}",
        "file_id": file, "position": f"line {at}", "ordinal": at,
        "first_refresh": "R1" if until else "R2", "last_refresh": until,
    }  # fmt: skip


def delivered(now: list[tuple[str, str]], *, file: bool = True, patient: str | None = "P") -> Broken:
    """Return the rules that a delivery breaks whose file contained two examinations before.

    Args:
        now: record and number of the examinations that its file contains now, each at a line of its own.
        file: whether the file is there.
        patient: whose examinations they were, if known.
    """
    versions = [_row("1", "old", "V1", 1, "R1"), _row("2", "old", "V2", 2, "R1")]
    versions += [_row(record, "new", key, 7 + n, None) for n, (record, key) in enumerate(now)]
    rows = [("old", "a.xml", "bytes 1", "R1"), *([("new", "a.xml", "bytes 2", None)] if file else [])]
    names = ["file_id", "path", "content_hash", "last_refresh"]
    files = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")

    def judge() -> set[str]:
        lost = lost_records.lost(pl.DataFrame(versions, infer_schema_length=None), files, "R1")
        whose = pl.lit(patient, dtype=pl.String)
        told = lost.with_columns(source=pl.lit("obds"), patient=whose, pseudonym=whose)
        counts = pl.DataFrame({"path": ["a.xml"], "before": [2], "now": [len(now)]})
        return set(lost_records.observe(told, files, counts)["rule_id"])

    return judge


_ENDPOINT = {
    "pseudonym": ev.WHO, "endpoint": "OS", "time_days": 100, "event_kind": "censored", "evidence": ["r1"],
}  # fmt: skip


def released(evidence: record_changes.Evidence, **now: Any) -> Broken:
    """Return the rules that a night breaks in which the overall survival of a patient moved.

    Args:
        evidence: the records behind it, before and now.
        now: what is released now instead of 100 days, censored.
    """

    def judge() -> set[str]:
        before, after = ({"cohort.endpoints": pl.DataFrame([_ENDPOINT | values])} for values in ({}, now))
        moves = moved(before, after, OF_PATIENTS)
        made = movement.account(
            moves, record_changes.changes(evidence), CohortEligibility.empty(),
            Circumstances(ev.NIGHT, ev.BASE),
            lambda _, ids: pl.DataFrame({"record_id": ids}).with_columns(
                Untersuchungsdatum_Verlauf="record_id"),
        )  # fmt: skip
        return set(movement_findings.observe(made.values, evidence.now)["rule_id"])

    return judge


NIGHTS: dict[str, Four[Broken]] = {
    "delivery.records-lost": Four(
        delivered([("2", "V2")]),
        delivered([("2", "V2"), ("9", "V1")]),  # a newer report under its number
        delivered([("2", "V2")], patient=None),
        delivered([], file=False),
        null_fires=True,
    ),
    "release.moved-unexplained": Four(
        released(ev.CHANGED, time_days=130),
        released(ev.ADDED, time_days=130),
        released(ev.CHANGED, time_days=None),
        released(ev.SET_ASIDE, time_days=70),
        null_fires=True,  # a value that is gone has moved
    ),
}  # fmt: skip

OF_NIGHTS = REPORTS | REQUIRED | IDENTITY | NIGHTS
