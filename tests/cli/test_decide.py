"""A data steward chooses between the readings of a course: from the finding through the command line back."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import decision_log, findings, ledger
from schemas.curated_radiotherapy import RadiotherapyReading
from schemas.ledger import LedgerEntry
from schemas.quality import Finding
from tests.conftest import FILES, Outcome, Records
from tests.curation.conftest import Case, courses
from tests.curation.rt_files import Field, plan
from tests.refreshed import with_empty_tables

ROOT = Path(__file__).parents[2]
REST = [Field(1.0, 310.0), Field(1.0, 310.0, turns="CC")]
TODAY = dt.date(2030, 1, 1)


class Nights:
    """Curates a patient night after night and keeps ledger and warehouse as a refresh does."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "data").mkdir()
        (root / "data/studies").symlink_to(ROOT / "data/studies")
        self.log = root / "data/decisions/sts_imrt.csv"
        self.case = Case(Records(), root).patient()
        self.ledger = LedgerEntry.empty()
        self.count = 0

    def refresh(self) -> Outcome:
        self.count += 1
        decisions = decision_log.read(self.log)
        outcome = self.case.run(ledger.chosen_readings(decisions))
        received = self.case.records.frames
        found = findings.findings(
            outcome.observed, findings.places(received, FILES), findings.persons_of(outcome.typed),
            outcome["patient"], outcome.link,
        )  # fmt: skip
        content = pl.concat([f.select("record_id", "content_hash") for f in received.values()])
        self.ledger = ledger.advance(self.ledger, found, decisions, content, f"R{self.count}", TODAY)
        store = Warehouse(path=str(with_empty_tables(self.root / "data/warehouse/sts_imrt.duckdb")))
        store.replace(
            {
                LedgerEntry.table(): self.ledger,
                Finding.table(): Finding.conform(found),
                RadiotherapyReading.table(): outcome["radiotherapy_reading"],
            }
        )
        store.close()
        return outcome

    def __call__(self, *args: object, code: int = 0) -> str:
        result = CliRunner().invoke(main, ["findings", *map(str, args)], catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result.output

    def entry(self) -> dict[str, str]:
        (row,) = self.ledger.filter(pl.col("rule_id") == "course.undecided").iter_rows(named=True)
        return row


@pytest.fixture
def nights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    monkeypatch.setenv("SARCOMA_ROOT", str(tmp_path))
    nights = Nights(tmp_path)
    nights.case.files(plan("1.1"), plan("1.2", 34, 17, date="20150312", beams=REST))
    return nights


def test_a_choice_is_made_kept_taken_back_and_lapses(nights):
    dose = ("prescribed_dose_gy", "fractions", "origin")
    assert courses(nights.refresh(), "prescribed_dose_gy") == [(None,)]
    finding = nights.entry()["finding_id"]
    shown = [line for line in nights("show", finding).splitlines() if line.startswith("reading ")]
    assert [line.split()[:6] for line in shown] == [
        ["reading", "1", "84", "Gy", "in", "42"],
        ["reading", "2", "50", "Gy", "in", "25"],
        ["reading", "3", "34", "Gy", "in", "17"],
    ]
    assert "(one after the other, the doses add)" in shown[0]
    refused = nights("decide", finding, "--reading", 9, "--by", "S", "--reason", "r", code=2)
    assert "choose one of its readings: 1, 2, 3" in refused and not nights.log.exists()

    nights("decide", finding, "--reading", 2, "--by", "S", "--reason", "treatment sheet")
    assert f"[{finding}]" in nights("--status", "acknowledged")
    for _ in range(2):
        assert courses(nights.refresh(), *dose) == [(50.0, 25, "decision")]
        assert nights.entry()["status"] == "resolved"

    nights("reopen", finding, "--by", "S", "--reason", "a mistake")
    assert courses(nights.refresh(), "prescribed_dose_gy") == [(None,)]
    assert nights.entry()["status"] == "reopened"

    nights("decide", finding, "--reading", 3, "--by", "S", "--reason", "the other sheet")
    assert courses(nights.refresh(), *dose) == [(34.0, 17, "decision")]
    nights.case.files(plan("1.3", 10, 5, date="20150320", beams=REST))
    assert courses(nights.refresh(), "prescribed_dose_gy") == [(None,)]
    assert nights.entry()["status"] == "reopened"
    assert decision_log.read(nights.log)["action"].to_list() == ["decide", "reopen", "decide"]
