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

from sarcoma_pipeline.quality import decision_log, ledger
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from schemas.ledger import LedgerEntry, Trend
from tests.quality.ledger_world import RULES, START, content_of, found


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


def nights(of: int) -> type:
    """The machine as a test case of some examples."""
    made = type("Nights", (Nights,), {}).TestCase
    made.settings = settings(max_examples=of, stateful_step_count=20, deadline=None)
    return made


TestSomeNights = nights(8)
TestNights = pytest.mark.slow(nights(30))
