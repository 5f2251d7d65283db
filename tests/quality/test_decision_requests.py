"""Requests of data stewards: what is refused, and what is offered."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.quality import decision_requests, ledger
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from schemas.ledger import Decision, LedgerEntry
from schemas.quality import Finding
from tests.quality.ledger_world import RULES, START, content_of, found


@pytest.fixture
def book() -> pl.DataFrame:
    world = dict.fromkeys(RULES, "A")
    return ledger.advance(
        LedgerEntry.empty(), found(world), Decision.empty(), content_of(world), "1", START.date()
    )


TOMORROW = START.date() + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (Request("f9", "waive", "S", "why", TOMORROW), "no such finding"),
        (Request("f1", "waive", "S", " \n", TOMORROW), "the reason is missing"),
        (Request("f1", "waive", "", "why", TOMORROW), "who decides is missing"),
        (Request("f1", "waive", "S", "why"), "needs its last day"),
        (
            Request("f1", "waive", "S", "why", START.date() - dt.timedelta(days=1)),
            "2029-12-31 is in the past",
        ),
        (Request("f1", "waive", "S", "why", "31.02.2031"), "is not a day"),
        (Request("f1", "acknowledge", "S", "why", TOMORROW), "only a waiver has a last day"),
        (Request("f1", "reopen", "S", "why"), "is open already"),
        (Request("f1", "mend", "S", "why"), "known are: acknowledge, waive, reopen"),
        (Request("f1", "waive", "S", "why", TOMORROW, "B"), "changed since it was exported"),
        (Request("f4", "waive", "S", "why", TOMORROW), "file.empty cannot be waived"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason(book, request_, why):
    with pytest.raises(DecisionRefused, match=why):
        decision_requests.decide(book, Decision.empty(), [request_], START)


def test_one_bad_request_stops_all_and_each_is_named(book):
    requests = [
        Request("f1", "acknowledge", "S", "why", place="line 2"),
        Request("f9", "acknowledge", "S", "why", place="line 3"),
        Request("f2", "acknowledge", "S", "", place="line 4"),
    ]
    with pytest.raises(DecisionRefused) as refused:
        decision_requests.decide(book, Decision.empty(), requests, START)
    assert refused.value.problems == (
        "line 3: f9: there is no such finding",
        "line 4: f2: the reason is missing",
    )


def test_two_requests_on_one_finding_are_refused(book):
    twice = [Request("f1", "acknowledge", "S", "why"), Request("f1", "waive", "S", "why", TOMORROW)]
    with pytest.raises(DecisionRefused, match="more than once"):
        decision_requests.decide(book, Decision.empty(), twice, START)


def test_nothing_asked_for_is_refused(book):
    with pytest.raises(DecisionRefused, match="name a finding"):
        decision_requests.decide(book, Decision.empty(), [], START)


def test_a_waiver_holds_on_its_last_day_and_not_on_the_next(book):
    made = decision_requests.decide(
        book, Decision.empty(), [Request("f1", "waive", "S", "why", TOMORROW)], START
    )
    assert ledger.waived(made, book, TOMORROW).to_list() == ["f1"]
    assert ledger.waived(made, book, TOMORROW + dt.timedelta(days=1)).to_list() == []


READINGS = pl.DataFrame(
    {"finding_id": ["f2", "f2"], "reading": [1, 2], "reading_key": ["k1", "k2"]},
    schema={"finding_id": pl.String, "reading": pl.Int64, "reading_key": pl.String},
)


@pytest.mark.parametrize("before", [[], ["acknowledge"], ["waive"], ["waive", "reopen"], ["decide"]])
@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("finding", ["f1", "f2", "f4"])
def test_what_is_offered_is_what_would_not_be_refused(before, stays, finding):
    """Every action is tried: exactly those that are taken are offered."""

    def request(action: str) -> Request:
        kind, _, reading = action.partition(" ")
        until = dt.date(2999, 12, 31) if kind == "waive" else None
        return Request(finding, kind, "S", "seen", until, reading=reading or None)

    world = {finding: "A"}
    made, now = Decision.empty(), START
    book = ledger.advance(LedgerEntry.empty(), found(world), made, content_of(world), "1", START.date())
    for action in before:
        now += dt.timedelta(hours=1)
        try:
            more = decision_requests.decide(
                book, made, [request(action + " 1" * (action == "decide"))], now, READINGS
            )
        except decision_requests.DecisionRefused:
            continue
        made = pl.concat([made, more])
    world = world if stays else {}
    book = ledger.advance(book, found(world), made, content_of(world), "2", START.date())
    taken = []
    for action in ("acknowledge", "waive", "reopen", "decide 1", "decide 2", "decide 3"):
        try:
            decision_requests.decide(book, made, [request(action)], now + dt.timedelta(hours=1), READINGS)
        except decision_requests.DecisionRefused:
            continue
        taken.append(action)
    assert decision_requests.possible(book, made, READINGS)[finding] == taken


@pytest.mark.parametrize(
    ("given", "known", "words"),
    [
        ("abcd", ["abcd1", "xyzz2"], None),
        ("abc", ["abcd1", "xyzz2"], "there is no such finding"),
        ("abcd", ["abcd1", "abcd2"], "2 findings begin with it"),
        ("abcd1", ["abcd1", "abcd12"], None),
    ],
)
def test_the_beginning_of_an_id_stands_for_the_whole(given, known, words):
    one = found({"f1": "A"})
    both = pl.concat([one.with_columns(finding_id=pl.lit(name)) for name in known])
    content, none = content_of({"f1": "A"}), Decision.empty()
    book = ledger.advance(LedgerEntry.empty(), Finding.conform(both), none, content, "1", START.date())
    asked = [Request(given, "acknowledge", "S", "seen")]
    if words is None:
        assert decision_requests.decide(book, none, asked, START)["finding_id"].to_list() == [known[0]]
        return
    with pytest.raises(decision_requests.DecisionRefused, match=words):
        decision_requests.decide(book, none, asked, START)
