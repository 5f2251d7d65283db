"""Choosing reports in groups, from the records between which there is a choice, is choosing among all."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import objections, report_choice, reporting_day, reports
from schemas import received as r
from schemas.observations import observation
from schemas.quality import Observation
from tests.curation.test_reports import Export

DAYS = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2020, 3, 1)]})


@pytest.fixture
def export() -> Export:
    return Export()


def _random_export(seed: int) -> tuple[Export, dict[str, pl.DataFrame]]:
    """Return few reports that meet often: versions, copies, other patients, objections, unreadable days."""
    chosen, export = random.Random(seed), Export()
    # In a third of the exports all are versions of one report, so that old versions come again.
    alike = seed % 3 == 0
    for _ in range(chosen.randrange(1, 14)):
        told: dict[str, Any] = {
            "file": chosen.choice(("a.xml", "b.xml", "c.xml")),
            "on": chosen.choice(("2020-01-01", "2020-02-01", "2020-02-01", "2021-01-01", None, "today")),
            "meldung": chosen.choice(("M1", "M1", "M1", "M2", "M3", None)),
            "patient": chosen.choice(("1", "1", "1", "1", " 1", "2", None)),
            "melder": chosen.choice(("K", "K", "K", "K", "L", None)),
            "at": chosen.randrange(1, 5),
            "within": chosen.choice(("/OP", "/OP", "/Tod")),
            "Meldebegruendung": chosen.choice(("I", "I", "I", "W", "w ", "A", "X", "", None)),
            "Anmerkung": chosen.choice((None, "a", "b")),
        }
        if alike:
            told |= {"meldung": "M1", "patient": "1", "melder": "K", "within": "/OP", "Meldebegruendung": "I"}
        kind: Any = r.ObdsSurgery if alike else chosen.choice((r.ObdsSurgery, r.ObdsFollowUp))
        export.add(kind, **told)
    received = export.received
    masters = [{"record_id": f"p{n}", "file_id": f} for n, f in enumerate(export.files.values()) if n % 2]
    return export, received | {"received.obds_patient": r.ObdsPatient.conform(pl.DataFrame(masters))}


def _among_all(received: dict[str, pl.DataFrame], paths: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return observations and dispositions by the definition, with every record at hand."""
    told = {t: received[t] for t in reports.reported_tables() if t in received}
    dated = reporting_day.sortable(told, DAYS)
    found = reports.sort_out(dated, paths)
    copies = found.disposition.filter(disposition="duplicate")
    masters = received["received.obds_patient"]["file_id"]
    seen = [
        found.observed,
        reports.withdrawals(found, reports.rows_in(received)),
        *(
            observation(frame.join(copies, on="record_id", how="semi"), reports.RECORD_DUPLICATE, table)
            for table, frame in dated.items()
        ),
        reporting_day.observe_exports_without_masters(told, masters, DAYS),
        objections.objections(dated, paths),
    ]
    return pl.concat([Observation.empty(), *seen]), found.disposition


@pytest.mark.parametrize("seed", range(40))
def test_choosing_in_groups_is_choosing_among_all(seed):
    export, received = _random_export(seed)
    observed, aside = _among_all(received, export.paths)
    for at_once in (1, 3, 100):
        made = report_choice.choose(report_choice.reader(received), export.paths, DAYS, at_once=at_once)
        assert made.disposition.rows() == aside.rows()
        assert sorted(made.observed.rows(), key=repr) == sorted(observed.rows(), key=repr)
        # Of one record, in the same order: that is how they are written.
        assert made.observed.sort("record_id", maintain_order=True).equals(
            observed.sort("record_id", maintain_order=True)
        )


def test_the_random_exports_show_every_rule():
    found = pl.concat([_among_all(received, e.paths)[0] for e, received in map(_random_export, range(40))])
    assert set(found["rule_id"]) == {
        "record.corrected", "record.duplicate", "report.same-day-versions", "report.value-withdrawn",
        "report.other-patient", "report.old-version-again", "report.undated", "report.dated-in-future",
        "patient.objection", "report.reason-unknown",
    }  # fmt: skip


def _sizes(export: Export, at_once: int) -> list[tuple[int, int]]:
    """Return the number of columns and rows of every frame that the choice reads."""
    sizes, read = [], report_choice.reader(export.received)

    def counted(table, columns, among):
        frame = read(table, columns, among)
        sizes.append((frame.width, frame.height))
        return frame

    report_choice.choose(counted, export.paths, DAYS, at_once=at_once)
    return sizes


def test_of_reports_delivered_once_only_the_keys_are_read(export):
    for number in range(50):
        export.add(meldung=f"M{number}", at=number, Meldebegruendung="I")
    files = [
        len(reporting_day.COLUMNS)
    ]  # Without master data, the first record of each export is looked for.
    assert {width for width, height in _sizes(export, 100) if height} == {
        2 + len(reports.KEY_COLUMNS),
        *files,
    }


@pytest.mark.parametrize("reports_told", [20, 200])
def test_whole_records_are_read_in_groups_however_many_versions_there_are(export, reports_told):
    for number in range(reports_told):
        for file, note in (("a.xml", "a"), ("b.xml", None)):
            export.add(meldung=f"M{number}", file=file, at=number, Meldebegruendung="I", Anmerkung=note)
    whole = [height for width, height in _sizes(export, 10) if width > 2 + len(reports.KEY_COLUMNS)]
    assert max(whole) == 10
    assert sum(whole) == 2 * 2 * reports_told
