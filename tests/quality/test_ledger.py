"""The findings ledger over many nights, against a model of it in plain Python."""

import datetime as dt
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sarcoma_pipeline.quality import decision_log, decision_requests, ledger
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from schemas.ledger import Decision, LedgerEntry, Trend
from schemas.quality import Finding

RULES = {
    "f1": ("assessment.after-death", "error"),
    "f2": ("assessment.after-death", "error"),
    "f3": ("diagnosis.t-against-size", "warning"),
    "f4": ("file.empty", "error"),
}
"""Findings of the simulated world; the last has no record that a waiver could let through."""

START = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


def found(world: dict[str, str]) -> pl.DataFrame:
    rows = [
        {
            "finding_id": f, "rule_id": RULES[f][0], "severity": RULES[f][1], "path": "a.csv",
            "position": "line 2", "table_name": "typed.assessment", "what": "w", "remedy": "r",
            "record_id": f"{f} {content}",
        }
        for f, content in world.items()
    ]  # fmt: skip
    return Finding.conform(pl.DataFrame(rows))


def content_of(world: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"record_id": [f"{f} {c}" for f, c in world.items()], "content_hash": list(world.values())},
        schema={"record_id": pl.String, "content_hash": pl.String},
    )


# --- the model: every finding remembers what it was last told ---------------------------------------


@dataclass
class Entry:
    """One finding: what it was told last (`mode`), and its history."""

    first: str
    mode: str = "new"
    mode_content: str = ""
    mode_until: dt.date = dt.date.min
    there: bool = True
    content: str = ""
    last: str = ""
    times: int = 0
    resolved: str | None = None
    reopened: int = 0
    shown: str = ""

    def told(self, action: str, content: str, until: dt.date | None) -> None:
        self.mode = {"acknowledge": "acknowledged", "waive": "waiver", "reopen": "again"}[action]
        self.mode_content, self.mode_until = content, until or dt.date.min

    def status(self, today: dt.date) -> str:
        if not self.there:
            return "resolved"
        if self.mode == "waiver":
            holds = today <= self.mode_until and self.content == self.mode_content
            return "waived" if holds else "reopened"
        return {"new": "open", "acknowledged": "acknowledged", "again": "reopened"}[self.mode]

    def night(self, refresh: str, today: dt.date, content: str | None) -> None:
        self.there = content is not None
        if content is None:
            self.resolved = self.resolved or refresh
            if self.mode != "waiver":
                self.mode = "again"
        else:
            self.content, self.last, self.times, self.resolved = content, refresh, self.times + 1, None
        now = self.status(today)
        self.reopened += now == "reopened" and self.shown != "reopened"
        self.shown = now


def model_refuses(f: str, entry: Entry | None, action: str, until: dt.date | None, today: dt.date) -> bool:
    if entry is None or (action == "waive") != (until is not None):
        return True
    if until is not None and until < today:
        return True
    allowed = {
        "open": {"acknowledge", "waive"},
        "reopened": {"acknowledge", "waive"},
        "acknowledged": {"waive", "reopen"},
        "waived": {"waive", "reopen"},
        "resolved": set(),
    }[entry.status(today)]
    return action not in allowed or (action == "waive" and f == "f4")


FINDINGS = st.sampled_from(sorted(RULES))


class Nights(RuleBasedStateMachine):
    """Faults come, change and go; stewards decide; nights pass; the warehouse is lost now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.log = Path(self.folder.name) / "decisions" / "study.csv"
        self.world: dict[str, str] = {}
        self.model: dict[str, Entry] = {}
        self.decided: list[tuple[str, str, str, dt.date | None]] = []
        self.now = START
        self.nights = 0
        self.ledger = LedgerEntry.empty()

    def teardown(self) -> None:
        self.folder.cleanup()

    @property
    def today(self) -> dt.date:
        return self.now.date()

    @rule(
        asked=st.dictionaries(
            FINDINGS,
            st.tuples(
                st.sampled_from(["acknowledge", "waive", "waive", "reopen"]),
                st.integers(-1, 6),
                st.sampled_from([True, True, True, False]),
            ),
            min_size=1,
        )
    )
    def stewards_decide(self, asked: dict[str, tuple[str, int, bool]]) -> None:
        for f, (action, days, proper) in asked.items():
            until = self.today + dt.timedelta(days=days) if (action == "waive") == proper else None
            self.decide(f, action, until)

    def decide(self, f: str, action: str, until: dt.date | None) -> None:
        self.now += dt.timedelta(seconds=1)
        entry = self.model.get(f)
        before = self.log.read_bytes() if self.log.exists() else None
        request = Request(f, action, "Dr. Weiß", 'seen, "checked"\n', until)
        if model_refuses(f, entry, action, until, self.today):
            with pytest.raises(DecisionRefused):
                decision_log.record(self.log, self.ledger, [request], self.now)
            assert (self.log.read_bytes() if self.log.exists() else None) == before
            return
        assert entry is not None
        decision_log.record(self.log, self.ledger, [request], self.now)
        assert self.log.read_bytes().startswith(before or b"")
        self.decided.append((f, action, entry.content, until))
        entry.told(action, entry.content, until)

    @rule(
        days=st.integers(1, 2),
        become=st.fixed_dictionaries(
            dict.fromkeys(sorted(RULES), st.sampled_from(["as before", "as before", "A", "B", "mended"]))
        ),
    )
    def night(self, days: int, become: dict[str, str]) -> None:
        for f, change in become.items():
            if change == "mended":
                self.world.pop(f, None)
            elif change != "as before":
                self.world[f] = change
        self.now += dt.timedelta(days=days)
        self.nights += 1
        refresh = f"R{self.nights:03}"
        for f in {*self.model, *self.world}:
            if f not in self.model:
                self.model[f] = Entry(first=refresh)
                for told, action, content, until in self.decided:
                    if told == f:
                        self.model[f].told(action, content, until)
            self.model[f].night(refresh, self.today, self.world.get(f))
        decisions = decision_log.read(self.log)
        self.ledger = self.advanced(refresh, decisions)
        self.agrees(refresh, decisions)

    def advanced(self, refresh: str, decisions: pl.DataFrame) -> pl.DataFrame:
        made = ledger.advance(
            self.ledger, found(self.world), decisions, content_of(self.world), refresh, self.today
        )
        return LedgerEntry.enforce(made)

    @precondition(lambda self: self.nights > 4)
    @rule()
    def the_warehouse_is_lost(self) -> None:
        self.ledger = LedgerEntry.empty()
        self.model = {}

    def agrees(self, refresh: str, decisions: pl.DataFrame) -> None:
        rows = {row["finding_id"]: row for row in self.ledger.iter_rows(named=True)}
        assert {
            f: (r["status"], r["first_seen"], r["last_seen"], r["times_seen"], r["resolved_at"],
                r["reopened_count"], r["content_hash"])
            for f, r in rows.items()
        } == {
            f: (e.status(self.today), e.first, e.last, e.times, e.resolved, e.reopened, e.content)
            for f, e in self.model.items()
        }  # fmt: skip
        held = ledger.waived(
            decisions, self.ledger.filter(pl.col("resolved_at").is_null()), self.today
        ).to_list()
        assert held == sorted(f for f, e in self.model.items() if e.status(self.today) == "waived")
        counts = Counter((RULES[f][0], e.status(self.today)) for f, e in self.model.items() if e.there)
        trend = Trend.enforce(ledger.trend(self.ledger, refresh))
        for row in trend.iter_rows(named=True):
            for status in ("open", "acknowledged", "waived", "reopened"):
                assert row[status] == counts.pop((row["rule_id"], status), 0)
        assert not counts
        assert trend["new"].sum() == sum(e.first == refresh for e in self.model.values())
        assert trend["resolved"].sum() == sum(e.resolved == refresh for e in self.model.values())
        assert self.advanced(refresh, decisions).equals(self.ledger)

    @invariant()
    def by_day_the_ledger_stands_as_it_was_told(self) -> None:
        stands = ledger.standing(self.ledger, decision_log.read(self.log), self.today)
        assert dict(stands.select("finding_id", "status").iter_rows()) == {
            f: e.status(self.today) for f, e in self.model.items()
        }

    @invariant()
    def every_decision_is_kept_in_order(self) -> None:
        kept = decision_log.read(self.log).select("finding_id", "action", "content_hash", "until").rows()
        assert [(f, a, c, u) for f, a, c, u in kept] == self.decided


TestNights = Nights.TestCase
TestNights.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


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
