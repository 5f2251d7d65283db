"""The findings ledger over many nights, against a model of it in plain Python."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.quality import decision_log, decision_requests, ledger
from sarcoma_pipeline.quality.decision_requests import Request
from schemas.ledger import Decision, LedgerEntry
from schemas.quality import Finding
from tests.quality.ledger_world import START, content_of, found

# --- the model: every finding remembers what it was last told ---------------------------------------


# --- seven nights, told ---------------------------------------------------------------------------------


def test_seven_nights_of_one_fault(tmp_path: Path):
    """Appears, is waived, its record changes, is waived again, expires, is mended, comes back."""
    log = tmp_path / "study.csv"
    book = LedgerEntry.empty()
    told: list[tuple[object, ...]] = []
    news: list[str] = []

    def night(number: int, world: dict[str, str]) -> None:
        nonlocal book
        day = dt.date(2030, 1, number)
        book = ledger.advance(
            book, found(world), decision_log.read(log), content_of(world), f"night {number}", day
        )
        row = book.row(0, named=True)
        told.append((row["status"], row["last_seen"], row["resolved_at"], row["reopened_count"]))
        news.append(row["news_in"])

    def waive(day: int, until: int) -> None:
        noon = dt.datetime(2030, 1, day, 12, tzinfo=dt.UTC)
        decision_log.record(
            log, book, [Request("f1", "waive", "S", "meant so", dt.date(2030, 1, until))], noon
        )

    night(1, {"f1": "A"})
    waive(1, 10)
    night(2, {"f1": "A"})
    night(3, {"f1": "B"})
    waive(3, 4)
    night(4, {"f1": "B"})
    night(5, {"f1": "B"})
    night(6, {})
    night(7, {"f1": "B"})
    assert told == [
        ("open", "night 1", None, 0),
        ("waived", "night 2", None, 0),
        ("reopened", "night 3", None, 1),
        ("waived", "night 4", None, 1),
        ("reopened", "night 5", None, 2),
        ("resolved", "night 5", "night 6", 2),
        ("reopened", "night 7", None, 3),
    ]
    assert [int(name.removeprefix("night ")) for name in news] == [1, 1, 3, 3, 5, 5, 7]
    assert book["first_seen"].to_list() == ["night 1"]
    assert book["times_seen"].to_list() == [6]


@pytest.mark.parametrize(
    ("later", "is_news"),
    [
        ({"records": 60}, False),
        ({"records": 59}, False),
        ({"records": 61}, True),
        ({"records": None}, False),
        ({"severity": "error"}, True),
        ({"value": "other"}, False),
    ],
)
def test_a_known_finding_is_news_again_if_it_grows(later, is_news):
    one, content = found({"f3": "A"}), content_of({"f3": "A"})
    book, none = LedgerEntry.empty(), Decision.empty()
    first = one.with_columns(records=pl.lit(60))
    for night, tonight in (
        ("1", first),
        ("2", first),
        ("3", first.with_columns(**{k: pl.lit(v) for k, v in later.items()})),
    ):
        for _ in range(2):  # a retried step changes nothing
            book = ledger.advance(book, Finding.conform(tonight), none, content, night, START.date())
    assert book["news_in"].item() == ("3" if is_news else "1")
    # Then it is known again.
    after = ledger.advance(book, Finding.conform(tonight), none, content, "4", START.date())
    assert after["news_in"].item() == book["news_in"].item()


def test_a_ledger_of_before_has_news_of_the_first_refresh_only():
    one, content = found({"f1": "A"}), content_of({"f1": "A"})
    book = ledger.advance(LedgerEntry.empty(), one, Decision.empty(), content, "1", START.date())
    old = book.with_columns(news_in=pl.lit(None, pl.String))
    again = ledger.advance(old, one, Decision.empty(), content, "2", START.date())
    assert again["news_in"].item() == "1"


def test_an_acknowledgement_outlives_a_change_of_content_but_not_the_fault():
    book = ledger.advance(
        LedgerEntry.empty(), found({"f1": "A"}), Decision.empty(), content_of({"f1": "A"}), "1", START.date()
    )
    made = decision_requests.decide(
        book, Decision.empty(), [Request("f1", "acknowledge", "S", "asked")], START
    )
    states = []
    for number, world in enumerate([{"f1": "B"}, {}, {"f1": "A"}], start=2):
        book = ledger.advance(book, found(world), made, content_of(world), str(number), START.date())
        states += book["status"].to_list()
    assert states == ["acknowledged", "resolved", "reopened"]


# --- what is refused -------------------------------------------------------------------------------------
