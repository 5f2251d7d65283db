"""The asset of the steward's page: replaced in one step, without identifying data."""

import dagster as dg
import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets import steward_page
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality.rule_catalogue import catalogue
from sarcoma_pipeline.study.project import Project
from schemas.configuration import Sources, Study
from schemas.contract import CONTRACTS
from schemas.curated import Patient
from schemas.meta import MetaFile, MetaRefresh
from schemas.quality import Accounting, Finding
from tests.refreshed import with_empty_tables

NAME, NUMBER = "Wagenknecht", "40100417"


def row(contract, **values) -> pl.DataFrame:
    """Build one row; columns that are not given get a placeholder value."""
    plain = {"String": "x", "Int64": 1, "Int32": 1, "Boolean": True, "Float64": 1.0, "List(String)": ["x"]}
    made = {c.name: plain.get(c.dtype) for c in contract.columns()}
    return contract.conform(pl.DataFrame([{**made, "received_on": 1, **values}], strict=False))


@pytest.fixture
def project(tmp_path) -> Project:
    study = Study(
        name="s", title="A study", description="S", drop="drop", criteria=(), endpoints=(),
        time_zone="Europe/Berlin",
    )  # fmt: skip
    return Project(tmp_path, study, Sources(source=()))


@pytest.fixture
def warehouse(project) -> Warehouse:
    found = row(Finding, finding_id="f1", rule_id="date.in-future", severity="error", path=f"{NUMBER}/RP.dcm")
    made = Warehouse(path=str(with_empty_tables(project.warehouse)))
    frames = {
        Patient.table(): row(Patient, hospital_number=NUMBER, family_name=NAME),
        MetaFile.table(): row(MetaFile, file_id="a", path=f"dicom/{NUMBER}/{NAME}.dcm", last_refresh=None),
        MetaRefresh.table(): row(
            MetaRefresh, refresh_id="20300102T233000Z-aa", started_at="2030-01-02T23:30:00+00:00"
        ),
        Accounting.table(): row(Accounting, file_id="a"),
        Finding.table(): found.with_columns(path=pl.lit("dicom/•••/•••.dcm")),
        "quality.rules": catalogue(),
    }
    if "quality.ledger" in CONTRACTS:
        ledger = CONTRACTS["quality.ledger"]
        frames["quality.ledger"] = row(
            ledger, finding_id="f1", rule_id="date.in-future", severity="error", status="open",
            path="dicom/•••/•••.dcm", first_seen="20300102T013000Z-aa",
        )  # fmt: skip
    made.replace(frames)
    made.close()
    return made


def test_the_page_is_replaced_and_has_no_identifying_data(project, warehouse):
    project.published.mkdir(parents=True)
    target = project.published / "steward.html"
    target.write_text("yesterday's")
    done = dg.materialize(steward_page.assets(project), resources={"warehouse": warehouse})
    text = target.read_text("utf-8")
    assert done.success
    # 23:30 UTC is 00:30 of the next day in Berlin.
    assert "refresh 20300102T233000Z-aa, 2030-01-03, 00:30" in text
    assert '"f1"' in text
    assert "\\u2022\\u2022\\u2022.dcm" in text
    for name in (NAME, NUMBER):
        assert name not in text
    assert [p.name for p in project.published.iterdir()] == ["steward.html"]
    assert target.stat().st_mode & 0o777 == 0o640


def test_of_very_many_resolved_findings_the_last_ones_are_on_the_page(project, warehouse, monkeypatch):
    """A folder that is away for a night leaves a finding for each of its files."""
    monkeypatch.setattr(steward_page, "_RESOLVED", 2)
    ledger = CONTRACTS["quality.ledger"]
    entries = [
        row(
            ledger,
            finding_id=name,
            rule_id="date.in-future",
            severity="error",
            status=status,
            first_seen=seen,
            last_seen=seen,
        )
        for name, status, seen in [
            ("early", "resolved", "20300101T013000Z-aa"),
            ("open", "open", "20291231T013000Z-aa"),
            ("late", "resolved", "20300103T013000Z-aa"),
            ("tied2", "resolved", "20300102T013000Z-aa"),
            ("tied1", "resolved", "20300102T013000Z-aa"),
        ]
    ]
    whole = pl.concat(entries)
    assert steward_page.to_list(whole)["finding_id"].to_list() == ["open", "late", "tied1"]
    assert steward_page.to_list(whole.reverse())["finding_id"].to_list() == ["tied1", "late", "open"]
    warehouse.replace({"quality.ledger": whole})
    warehouse.close()
    path, findings = steward_page.steward_page(project, warehouse)
    text = path.read_text("utf-8")
    assert findings == 3 and '"tied1"' in text and '"early"' not in text and '"tied2"' not in text
    assert "2 findings that were resolved earlier are not on this page: quality.ledger has them." in text
