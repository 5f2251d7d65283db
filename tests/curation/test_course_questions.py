"""What a person decides: the readings, the choice, and when it lapses."""

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from sarcoma_pipeline.curation import course_questions
from sarcoma_pipeline.curation.course_phases import Reading
from sarcoma_pipeline.quality import decision_log, ledger
from sarcoma_pipeline.quality.decision_requests import DecisionRefused, Request
from schemas.ledger import Decision, LedgerEntry
from schemas.quality import Finding
from tests.conftest import Outcome, Records
from tests.curation.conftest import Case, courses, findings, plans
from tests.curation.rt_files import Field, plan, records

NOON = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)
REST = [Field(1.0, 310.0), Field(1.0, 310.0, turns="CC")]


def _undecided(tmp_path, **more) -> Case:
    case = Case(Records(), tmp_path).patient()
    case.files(plan("1.1"), plan("1.2", 34, 17, date="20150312", beams=REST, **more))
    return case


def _readings(outcome: Outcome) -> dict[int, list]:
    frame = outcome["radiotherapy_reading"]
    return {n: rest for n, *rest in frame.select("reading", "prescribed_dose_gy", "fractions", "text").rows()}


def _key(outcome: Outcome, number: int) -> str:
    return outcome["radiotherapy_reading"].filter(pl.col("reading") == number)["reading_key"].item()


def test_the_finding_shows_the_candidate_readings(tmp_path):
    outcome = _undecided(tmp_path).run()
    seen = outcome.observed.filter(pl.col("rule_id") == "course.undecided")
    assert seen["value"].to_list() == [
        "1: 84 Gy in 42 (one after the other, the doses add) | 2: 50 Gy in 25 (phase 1 alone gives the "
        "prescription) | 3: 34 Gy in 17 (phase 2 alone gives the prescription)"
    ]
    assert courses(outcome, "prescribed_dose_gy", "fractions", "single_dose_gy") == [(None, None, None)]


def test_a_choice_counts_and_leaves_a_notice(tmp_path):
    case = _undecided(tmp_path)
    key = _key(case.run(), 2)
    outcome = case.run(frozenset({key}))
    assert courses(outcome, "prescribed_dose_gy", "fractions", "origin", "dose_origin") == [
        (50.0, 25, "decision", "decision")
    ]
    assert "course.undecided" not in findings(outcome)
    notice = outcome.observed.filter(pl.col("rule_id") == "course.decided")
    assert notice["value"].to_list() == ["2: 50 Gy in 25 (phase 1 alone gives the prescription)"]
    assert outcome["radiotherapy_reading"]["chosen"].to_list() == [False, True, False]


@pytest.mark.parametrize(
    "change",
    [
        lambda case: case.files(plan("1.3", 10, 5, date="20150320", beams=REST)),
        lambda case: case.files(records("1.1", "20150302", 3)),
        lambda case: case.course(60, 2),
    ],
)
def test_it_lapses_when_plans_records_or_documentation_change(tmp_path, change):
    case = _undecided(tmp_path)
    key = _key(case.run(), 2)
    change(case)
    outcome = case.run(frozenset({key}))
    assert courses(outcome, "dose_origin")[0] != ("decision",)
    assert "course.decided" not in outcome.rules()


def test_it_lapses_when_a_plan_is_delivered_with_another_content(tmp_path):
    key = _key(_undecided(tmp_path).run(), 2)
    other = _undecided(tmp_path, frame="1.9")
    assert _key(other.run(), 2) == key, "the same plans, delivered again"
    changed = Case(Records(), tmp_path).patient()
    changed.files(plan("1.1"), plan("1.2", 34, 17, date="20150312", beams=[Field(2.0, 305.0)]))
    assert courses(changed.run(frozenset({key})), "prescribed_dose_gy") == [(None,)]


def test_adding_a_copy_or_a_verification_plan_does_not_touch_it(tmp_path):
    case = _undecided(tmp_path)
    key = _key(case.run(), 2)
    case.files(plan("1.4", 2, 1, intent="VERIFICATION", relations=[("1.1", "VERIFIED_PLAN")]))
    assert courses(case.run(frozenset({key})), "prescribed_dose_gy") == [(50.0,)]


def test_a_research_plan_is_used_only_if_somebody_says_so(case: Case):
    case.course(50, 2)
    case.files(plan("1.1", intent="RESEARCH"))
    outcome = case.run()
    assert courses(outcome, "prescribed_dose_gy", "fractions", "technique") == [(50.0, None, None)]
    assert plans(outcome, "role") == {"1.1": "research"}
    assert "course.research-plan" in findings(outcome)
    assert [r[:2] for r in _readings(outcome).values()] == [[50.0, None], [50.0, 25]]
    treated = case.run(frozenset({_key(outcome, 2)}))
    assert courses(treated, "prescribed_dose_gy", "fractions", "technique") == [(50.0, 25, "VMAT")]
    assert "course.research-plan" not in findings(treated)
    not_treated = case.run(frozenset({_key(outcome, 1)}))
    assert courses(not_treated, "fractions") == [(None,)] and "course.decided" in not_treated.rules()


# --- the ledger and the log -----------------------------------------------------------------------------


def _book(status: str = "open", **more) -> pl.DataFrame:
    row = {
        "finding_id": "f1", "rule_id": "course.undecided", "severity": "warning", "status": status,
        "first_seen": "1", "last_seen": "1", "times_seen": 1, "reopened_count": 0, "content_hash": "A",
        "path": "a", "position": "1", "table_name": "t", "what": "w", "remedy": "r", **more,
    }  # fmt: skip
    return LedgerEntry.conform(pl.DataFrame([row]))


OFFERED = pl.DataFrame(
    {"finding_id": ["f1", "f1"], "reading": [1, 2], "reading_key": ["k1", "k2"]},
    schema_overrides={"reading": pl.Int32},
)


def _ask(reading: int | str | None = 2, action="decide") -> Request:
    return Request("f1", action, "S", "treatment sheet", reading=reading)


def test_a_choice_is_kept_in_the_log_and_its_key_is_read_from_there(tmp_path):
    log = tmp_path / "log.csv"
    made = decision_log.record(log, _book(), [_ask()], NOON, OFFERED)
    assert made["reading_key"].to_list() == ["k2"]
    assert ledger.chosen_readings(decision_log.read(log)) == {"k2"}
    stands = ledger.standing(_book(), made, NOON.date())
    assert stands["status"].to_list() == ["acknowledged"], "it counts from the next refresh on"


@pytest.mark.parametrize(
    ("request_", "readings", "said"),
    [
        (_ask(7), OFFERED, "choose one of its readings: 1, 2"),
        (_ask(None), OFFERED, "choose one of its readings: 1, 2"),
        (_ask("2"), OFFERED.clear(), "needs no choice of a reading"),
        (_ask(2, "acknowledge"), OFFERED, "only a decision chooses a reading"),
    ],
)
def test_what_cannot_be_chosen_is_refused(tmp_path, request_, readings, said):
    with pytest.raises(DecisionRefused, match=said):
        decision_log.record(tmp_path / "log.csv", _book(), [request_], NOON, readings)


def test_a_choice_is_taken_back_and_then_counts_no_more(tmp_path):
    log = tmp_path / "log.csv"
    decision_log.record(log, _book(), [_ask()], NOON, OFFERED)
    gone = _book("resolved", resolved_at="2")
    later = NOON + dt.timedelta(hours=1)
    with pytest.raises(DecisionRefused, match="is resolved"):
        decision_log.record(log, gone, [_ask()], later, OFFERED)
    decision_log.record(log, gone, [Request("f1", "reopen", "S", "a mistake")], later)
    assert ledger.chosen_readings(decision_log.read(log)) == frozenset()


def test_a_choice_that_has_lapsed_reopens_the_finding(tmp_path):
    log = tmp_path / "log.csv"
    made = decision_log.record(log, _book(), [_ask()], NOON, OFFERED)
    told = _book().select(pl.lit("r").alias("record_id"), pl.exclude("content_hash"))
    tonight = Finding.conform(told)
    content = pl.DataFrame({"record_id": ["r"], "content_hash": ["A"]})
    moved = ledger.advance(_book(), tonight, made, content, "2", NOON.date())
    assert moved["status"].to_list() == ["reopened"]
    resolved = ledger.advance(_book(), tonight.clear(), made, content, "2", NOON.date())
    assert resolved["status"].to_list() == ["resolved"]


def test_a_log_from_before_readings_is_read_and_gets_a_header_of_its_own(tmp_path):
    log = tmp_path / "log.csv"
    before = ["decision_id", "finding_id", "action", "who", "at", "reason", "until", "content_hash"]
    log.write_text(",".join(before) + "\nd1,f0,acknowledge,S,2029-01-01T12:00:00.000000+00:00,why,,A\n")
    assert decision_log.read(log)["finding_id"].to_list() == ["f0"]
    decision_log.record(log, _book(), [_ask()], NOON, OFFERED)
    decision_log.record(log, _book(), [_ask(1)], NOON + dt.timedelta(hours=1), OFFERED)
    lines = log.read_text().splitlines()
    assert lines[1].startswith("d1,f0") and lines[2] == ",".join(Decision.polars_schema())
    assert sum(line.startswith("decision_id,") for line in lines) == 2
    assert decision_log.read(log)["reading_key"].to_list() == [None, "k2", "k1"]
    assert ledger.chosen_readings(decision_log.read(log)) == {"k1"}


def test_a_choice_is_of_one_dose_number_of_fractions_and_text():
    one = Reading("one after the other", 50.0, 25)
    others = [
        replace(one, dose=52.0),
        replace(one, dose=None),
        replace(one, fractions=26),
        replace(one, text="x"),
    ]
    assert len({course_questions._key(["c"], reading) for reading in [one, *others]}) == 5
    assert course_questions._key(["d"], one) != course_questions._key(["c"], one)
    assert course_questions._key(["c"], replace(one, dose=50.0 + 1e-9)) == course_questions._key(["c"], one)
