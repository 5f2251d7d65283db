"""The day on which records count as received, and waivers are judged, is the day at the site."""

import dataclasses
import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.orchestration import schedules
from sarcoma_pipeline.quality import decision_requests, ledger
from sarcoma_pipeline.quality.curate import curate
from sarcoma_pipeline.study import local_time, project, provenance
from schemas.configuration import load_study
from schemas.configuration_faults import ConfigurationWrong
from schemas.ledger import Decision
from tests.conftest import FILES, SOURCES
from tests.quality.ledger_world import content_of, found

# The clock changes on 29 March and 25 October 2026: one hour ahead of UTC in winter, two in summer.
NIGHTS = [
    ("2026-01-14T22:59:59", "Europe/Berlin", "2026-01-14"),
    ("2026-01-14T23:00:00", "Europe/Berlin", "2026-01-15"),
    ("2026-03-28T22:59:59", "Europe/Berlin", "2026-03-28"),
    ("2026-03-28T23:30:00", "Europe/Berlin", "2026-03-29"),
    ("2026-03-29T22:30:00", "Europe/Berlin", "2026-03-30"),
    ("2026-10-24T22:30:00", "Europe/Berlin", "2026-10-25"),
    ("2026-10-25T22:30:00", "Europe/Berlin", "2026-10-25"),
    ("2026-07-01T03:59:59", "America/New_York", "2026-06-30"),
    ("2026-07-01T04:00:00", "America/New_York", "2026-07-01"),
    ("2026-07-01T10:00:00", "Pacific/Kiritimati", "2026-07-02"),
]


@pytest.fixture
def at(monkeypatch):
    """Return a function that sets the clock of the machine (in UTC) and its time zone."""

    def set_clock(utc: str, zone: str | None) -> None:
        moment = dt.datetime.fromisoformat(utc).replace(tzinfo=dt.UTC)

        class Clock(dt.datetime):
            @classmethod
            def now(cls, tz=None):
                assert tz is not None, "the zone of the machine decides nothing"
                return moment.astimezone(tz)

        for module in (project, provenance):
            monkeypatch.setattr(module.dt, "datetime", Clock)
        if zone is None:
            monkeypatch.delenv("TZ", raising=False)
        else:
            monkeypatch.setenv("TZ", zone)

    return set_clock


def declared(zone: str | None) -> project.Project:
    study = project.load("sts_imrt")
    return dataclasses.replace(study, study=study.study.model_copy(update={"time_zone": zone}))


@pytest.mark.parametrize(("utc", "zone", "day"), NIGHTS)
@pytest.mark.parametrize("door", ["declared on a machine in UTC", "of the machine"])
def test_a_refresh_is_received_on_the_day_at_the_site(at, utc, zone, day, door):
    of_study = door != "of the machine"
    at(utc, "UTC" if of_study else zone)
    row = provenance.refresh(declared(zone if of_study else None), "0123456789")
    assert row["received_on"].isoformat() == day
    # Ids and times stay in UTC: they sort, and an hour that comes twice is two hours.
    assert row["started_at"] == f"{utc}+00:00"
    assert row["refresh_id"].startswith(f"{utc.replace('-', '').replace(':', '')}Z-")


@pytest.mark.parametrize("said", [None, "", "UTC", "Etc/UTC", "CET-1CEST", "Nowhere/Else", "../etc/passwd"])
def test_a_machine_that_names_no_place_is_taken_for_one_in_germany(at, said):
    at("2026-01-14T23:30:00", said)
    assert declared(None).now().date() == dt.date(2026, 1, 15)


def test_a_declared_zone_is_that_of_all_machines():
    assert local_time.zone("Europe/Vienna", {"TZ": "Asia/Tokyo"}).key == "Europe/Vienna"
    assert local_time.zone(None, {"TZ": ":Asia/Tokyo"}).key == "Asia/Tokyo"
    assert schedules.nightly(declared("Asia/Tokyo")).execution_timezone == "Asia/Tokyo"


@pytest.mark.parametrize(("answered", "future"), [("15.01.2026", False), ("16.01.2026", True)])
def test_a_reply_of_today_is_not_from_the_future_after_midnight(at, records, answered, future):
    at("2026-01-14T23:30:00", "UTC")
    records.patient()
    records.diagnosis()
    records.reply(answer="Person lebt", answered_on=answered)
    row = provenance.refresh(declared(None), "0123456789")
    days = pl.DataFrame({"refresh_id": ["R1"], "received_on": [row["received_on"]]})
    observed = curate(records.frames, SOURCES, days, FILES).observed
    assert ("date.in-future" in set(observed["rule_id"])) is future


@pytest.mark.parametrize(("until", "taken"), [("2026-01-15", True), ("2026-01-14", False)])
def test_a_waiver_ends_with_a_day_at_the_site(at, until, taken):
    at("2026-01-14T23:30:00", "UTC")
    now = declared(None).now()
    world = {"f1": "a"}
    none = Decision.empty()
    empty = ledger.LedgerEntry.empty()
    entries = ledger.advance(empty, found(world), none, content_of(world), "R1", now.date())
    request = decision_requests.Request("f1", "waive", "K. Demir", "seen", until)
    if not taken:
        with pytest.raises(decision_requests.DecisionRefused, match="is in the past"):
            decision_requests.decide(entries, none, [request], now)
        return
    made = decision_requests.decide(entries, none, [request], now)
    assert made["at"].item() == "2026-01-14T23:30:00.000000+00:00"
    assert ledger.standing(entries, made, now.date())["status"].item() == "waived"


def test_a_misspelt_zone_is_refused_with_the_one_that_was_meant(tmp_path):
    for path in (Path(__file__).parents[2] / "data/studies/sts_imrt").iterdir():
        if path.is_file():
            text = path.read_bytes()
            if path.name == "study.toml":
                text = b'time_zone = "Europe/Berln"\n' + text
            (tmp_path / path.name).write_bytes(text)
    with pytest.raises(ConfigurationWrong, match=r'study\.toml.*time_zone.*did you mean "Europe/Berlin"'):
        load_study(tmp_path)
