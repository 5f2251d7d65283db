"""Nights that touch few patients compute only these, and give the same tables as computing all."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import replace

import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.curation import touched_patients
from tests.curation.rt_files import content, record
from tests.refresh.nights import Nights, counting_derivations, from_all_steps
from tests.refreshed import Place
from tests.sources import exports

pytestmark = pytest.mark.slow

MELDUNG = re.compile(rb"<Meldung .*?</Meldung>", re.S)
MASTER = re.compile(rb"<Patienten_Stammdaten>.*?</Patienten_Stammdaten>", re.S)


@pytest.fixture
def kept(monkeypatch) -> list[int]:
    """The number of patients whose rows were kept, of each night that kept any."""
    found: list[int] = []
    combined = touched_patients.combined

    def counted(new, old, owned, patients):
        found.append(patients.height)
        return combined(new, old, owned, patients)

    monkeypatch.setattr(touched_patients, "combined", counted)
    return found


@pytest.fixture
def derived(monkeypatch) -> list[int]:
    """The number of patients of whom the cohort was derived, of each night that derived any."""
    return counting_derivations(monkeypatch)


def _number(patient: bytes) -> bytes:
    found = re.search(rb'Patient_ID="([^"]*)"', patient)
    assert found
    return found[1]


def _asked(nights: Nights, sql: str) -> pl.DataFrame:
    with duckdb.connect(str(nights.project.warehouse), read_only=True) as c:
        return c.execute(sql).pl()


def _decided(nights: Nights, *words: str) -> None:
    said = Place(nights.root).sarcoma("findings", *words, "--by", "S", "--reason", "tested")
    assert said.exit_code == 0, said.output


def _deliver(nights: Nights, patients: tuple[bytes, ...]) -> None:
    """Deliver a cumulative export of these patients in place of the last one."""
    assert nights.export
    nights.export = replace(nights.export, patients=patients)
    (nights.project.drop / "obds/cumulative.xml").write_bytes(nights.export.content)


def test_reports_plans_and_decisions_that_touch_few_patients(nightly, tmp_path, kept, derived):
    drop, everybody = nightly.project.drop, nightly.derived()["curated.patient"].height
    nightly.export = exports.joined(drop)
    for single in (drop / "obds").glob("*.xml"):
        single.unlink()
    _deliver(nightly, nightly.export.patients)
    waived = _asked(nightly, "SELECT finding_id FROM quality.findings WHERE rule_id = 'date.in-future'")[0, 0]
    _decided(nightly, "waive", waived, "--until", "2999-12-31")
    plans = _asked(
        nightly,
        "SELECT sop_instance_uid, patient_id, path FROM typed.plan JOIN curated.link USING (person_ref) "
        "JOIN received.dicom_plan USING (record_id) JOIN meta.files USING (file_id) ORDER BY 1",
    )
    of, owner, path = plans.row(0)
    other = plans.filter(pl.col("patient_id") != owner)["patient_id"][-1]
    refers = record(of, dt.date(2016, 3, 1), 1, patient=other.removeprefix("number:"))
    (drop / "dicom/foreign.dcm").write_bytes(content(refers))
    nightly.refresh()
    assert kept and kept[-1] > everybody // 2

    # A report is withdrawn, a patient's reports move to another one, and two numbers get the same person.
    patients = list(nightly.export.patients)
    several = [i for i, patient in enumerate(patients) if len(MELDUNG.findall(patient)) > 1]
    withdrawn, moves, to, one, same = several[:5]
    last = MELDUNG.findall(patients[withdrawn])[-1]
    patients[withdrawn] = patients[withdrawn].replace(last, b"")
    patients[moves] = patients[moves].replace(_number(patients[moves]), _number(patients[to]))
    patients[one] = MASTER.sub(MASTER.findall(patients[same])[0].replace(b"\\", b""), patients[one])
    _deliver(nightly, tuple(patients))
    nightly.refresh()
    assert everybody - 20 < kept[-1] < everybody - 3
    assert 0 < derived[-1] < 20

    # The plan of the other patient is gone: the one whose record refers to it has a new finding.
    gone = "SELECT count(*) FROM quality.findings WHERE rule_id = 'records.plan-missing'"
    before = _asked(nightly, gone)[0, 0]
    (drop / path).unlink()
    again = next(p for p in sorted((drop / "dicom").rglob("*.dcm")) if p.name != "foreign.dcm")
    shutil.copy(again, again.with_name("again.dcm"))
    reading = _asked(
        nightly,
        "SELECT finding_id FROM quality.findings JOIN curated.identity_reading USING (rule_id, record_id)",
    )[0, 0]
    _decided(nightly, "decide", reading, "--reading", "2")
    del kept[:], derived[:]
    _decided(nightly, "reopen", waived)
    _deliver(nightly, tuple(reversed(patients)))
    nightly.refresh()
    assert _asked(nightly, gone)[0, 0] == before + 1
    _decided(nightly, "reopen", reading)
    nightly.refresh()
    assert len(kept) == 2 and min(kept) > everybody - 20
    assert sum(derived) < 20
    assert from_all_steps(nightly, tmp_path / "all") == []
