"""The decision log: on disk before it is confirmed, whole or not at all, not lost with the warehouse."""

import datetime as dt
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.quality.decision_log import DecisionLogDamaged
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from schemas.ledger import LedgerEntry

NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def book() -> pl.DataFrame:
    rows = [
        {
            "finding_id": f, "rule_id": "assessment.after-death", "severity": "error", "status": "open",
            "first_seen": "1", "last_seen": "1", "times_seen": 1, "reopened_count": 0, "content_hash": "A",
            "path": "a", "position": "1", "table_name": "t", "what": "w", "remedy": "r",
        }
        for f in ("f1", "f2")
    ]  # fmt: skip
    return LedgerEntry.conform(pl.DataFrame(rows))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "decisions" / "study.csv"


def acknowledge(log: Path, book: pl.DataFrame, *ids: str, minutes: int = 0) -> pl.DataFrame:
    requests = [Request(f, "acknowledge", "S", 'asked, "Dr. Weiß"') for f in ids]
    return decision_log.record(log, book, requests, NOON + dt.timedelta(minutes=minutes))


def test_what_was_decided_is_read_again_as_it_was(log, book):
    made = acknowledge(log, book, "f1", "f2")
    assert decision_log.read(log).equals(made)
    assert made["reason"].to_list() == ['asked, "Dr. Weiß"'] * 2


def test_only_its_owner_reads_the_log(log, book):
    acknowledge(log, book, "f1")
    assert log.stat().st_mode & 0o077 == 0
    assert log.parent.stat().st_mode & 0o077 == 0


def test_a_log_that_is_not_there_holds_nothing_and_is_not_made(log):
    assert decision_log.read(log).is_empty()
    assert decision_log.restore(log, decision_log.read(log)).is_empty()
    assert not log.exists()


def test_a_refused_decision_writes_nothing(log, book):
    acknowledge(log, book, "f1")
    before = log.read_bytes()
    with pytest.raises(DecisionRefused):
        acknowledge(log, book, "f2", "f1", minutes=1)
    assert log.read_bytes() == before


def test_a_line_cut_off_by_a_crash_is_no_decision_and_harms_none(log, book):
    first = acknowledge(log, book, "f1")
    with log.open("ab") as stream:
        stream.write(b"0123,f2,ackno")
    assert decision_log.read(log).equals(first)
    second = acknowledge(log, book, "f2", minutes=1)
    assert decision_log.read(log).equals(pl.concat([first, second]))


def test_the_warehouse_brings_back_a_lost_log_and_the_log_a_lost_warehouse(log, book):
    made = pl.concat([acknowledge(log, book, "f1"), acknowledge(log, book, "f2", minutes=1)])
    assert decision_log.restore(log, made.clear()).equals(made)
    log.unlink()
    assert decision_log.restore(log, made).equals(made)
    assert decision_log.read(log).equals(made)
    assert decision_log.restore(log, made.head(1)).equals(made)


@pytest.mark.parametrize(
    "content",
    [
        b"something,else\n1,2\n",
        b"decision_id,finding_id,action,who,at,reason,until,content_hash\n1,f1,waive,S,2030,why,soon,A\n",
        b"decision_id,finding_id,action,who,at,reason,until,content_hash\n1,f1,waive,,2030,why,,A\n",
        b"decision_id,finding_id\n\xff,1,2,3\n",
    ],
)
def test_a_damaged_log_stops_everything_and_stays_as_it_is(log, book, content):
    log.parent.mkdir()
    log.write_bytes(content)
    with pytest.raises(DecisionLogDamaged, match=r"study\.csv"):
        acknowledge(log, book, "f1")
    assert log.read_bytes() == content


DECIDES = """
import datetime as dt, sys
from pathlib import Path
import polars as pl
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.quality.decision_requests import Request
from schemas.ledger import LedgerEntry
log, entries = Path(sys.argv[1]), LedgerEntry.conform(pl.read_parquet(sys.argv[2]))
findings = entries["finding_id"].to_list()[int(sys.argv[3]) :: 5]
noon = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
for pair in zip(findings[::2], findings[1::2]):
    requests = [Request(f, "acknowledge", "S", "x" * 2000) for f in pair]
    print(*decision_log.record(log, entries, requests, noon)["decision_id"], flush=True)
"""
"""Acknowledges findings, two by two, and tells of each pair."""


@pytest.mark.slow
def test_a_killed_process_loses_no_decision_that_it_told_of_and_leaves_no_half_of_one(log, book, tmp_path):
    many = [book.head(1).with_columns(finding_id=pl.lit(f"f{n}")) for n in range(2_000)]
    pl.concat(many).write_parquet(tmp_path / "book.parquet")
    told: list[str] = []
    for number in range(5):
        arguments = [str(log), str(tmp_path / "book.parquet"), str(number)]
        with subprocess.Popen(
            [sys.executable, "-c", DECIDES, *arguments], stdout=subprocess.PIPE, text=True
        ) as steward:
            assert steward.stdout
            told += steward.stdout.readline().split()
            time.sleep(0.05 + 0.0377 * number)
            steward.kill()
            told += [d for line in steward.stdout if line.endswith("\n") for d in line.split()]
        logged = decision_log.read(log)["decision_id"].to_list()
        assert [d for d in logged if d in set(told)] == told
        assert len(logged) - len(told) <= 2 * (number + 1), "one request at most was cut off before it told"
    assert len(told) >= 10
