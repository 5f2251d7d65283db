"""What a person decides: the readings, the choice, and when it lapses."""

import datetime as dt
from dataclasses import replace

import polars as pl
import pytest

from sarcoma_pipeline.curation import course_questions
from sarcoma_pipeline.curation.course_phases import Combination, CoursePlan, Phase, Reading
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse, Irradiation
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Plan
from sarcoma_pipeline.curation.technique import Technique
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


def _plan(key: str, day: int | None = 1, label: str = "x") -> Plan:
    return Plan(f"record {key}", key, date=dt.date(2015, 2, day) if day else None, label=label)


def test_a_question_points_to_the_earliest_plan_and_rests_on_all_records():
    documented = DocumentedCourse("c", "o9", ("o1", "o9"), dose=50.0)
    plans = [(_plan("c", 3), 0), (_plan("b", 2), 5), (_plan("a", 2), 5), (_plan("z", None), 0)]
    found = [
        course_questions.ask(course_questions.UNDECIDED, "c", given, documented, [Reading("x", 50.0, 25)])
        for given in (plans, plans[::-1])
    ]
    assert found[0] == found[1]
    one = found[0]
    # "2015…" comes before "None": a plan without a day is the last.
    assert (one.record_id, one.table) == ("record a", "plan")
    assert one.record_ids == ("o1", "o9", "record a", "record b", "record c", "record z")
    about = course_questions.ask(course_questions.UNDECIDED, "c", plans[:1], None, [], _plan("q"))
    assert (about.record_id, about.record_ids) == ("record q", ("record c", "record q"))
    alone = course_questions.ask(course_questions.UNDECIDED, "c", [], documented, [])
    assert (alone.record_id, alone.table, alone.record_ids) == ("o9", "radiotherapy", ("o1", "o9"))


def _key_of(plans, documented=None, about=None) -> str:
    asked = course_questions.ask(
        course_questions.UNDECIDED, "c", plans, documented, [Reading("x", 50.0, 25)], about
    )
    return asked.readings[0].key


def test_the_key_of_a_choice_rests_on_plans_fractions_documentation_and_the_plan_in_question():
    plans = [(_plan("a"), 5), (_plan("b"), 0)]
    course = DocumentedCourse("c", "o", ("o",), dose=50.0, start=dt.date(2015, 3, 2), end=dt.date(2015, 4, 2))
    keys = {
        _key_of(plans), _key_of(plans[:1]), _key_of([(_plan("a"), 6), plans[1]]), _key_of(plans, course),
        _key_of(plans, replace(course, dose=51.0)), _key_of(plans, replace(course, end=None)),
        _key_of(plans, replace(course, start=dt.date(2015, 3, 3))), _key_of(plans, about=_plan("a")),
        _key_of(plans, about=_plan("b")),
    }  # fmt: skip
    assert len(keys) == 9
    assert _key_of(plans[::-1]) == _key_of(plans) == _key_of([(_plan("a", 9, "y"), 5), plans[1]])


@pytest.mark.parametrize(
    ("parts", "readings"),
    [
        ([(50.0, 2.0), (16.0, 2.0)], [(66.0, 33), (50.0, 25), (16.0, 8)]),
        ([(50.0, None), (16.0, 2.0)], [(66.0, None), (50.0, None), (16.0, 8)]),
        ([(None, None), (50.0, 2.0), (16.0, 2.0)], [(66.0, 33), (50.0, 25), (16.0, 8)]),
    ],
)
def test_several_irradiations_are_added_or_one_of_them_counts(parts, readings):
    told = tuple(Irradiation(("o",), dose=dose, single=single) for dose, single in parts)
    course = DocumentedCourse("c", "o", ("o",), parts=told, undecided=True)
    asked = course_questions.of_documentation(course)
    assert asked is not None
    assert [(one.dose, one.fractions) for one in asked.readings] == readings
    assert [one.number for one in asked.readings] == [1, 2, 3]
    assert course_questions.of_documentation(replace(course, undecided=False)) is None


def test_the_first_reading_that_was_chosen_counts_and_how_a_reading_is_shown():
    asked = course_questions.ask(
        course_questions.UNDECIDED, "c", [(_plan("a"), 0)], None,
        [Reading("x", 50.0, 25), Reading("y", 66.5, None), Reading("z", None, 3)],
    )  # fmt: skip
    assert [str(one) for one in asked.readings] == [
        "1: 50 Gy in 25 (x)",
        "2: 66.5 Gy (y)",
        "3: no dose in 3 (z)",
    ]
    keys = [one.key for one in asked.readings]
    assert course_questions.chosen(asked, {keys[1], "another"}) == asked.readings[1]
    assert course_questions.chosen(asked, set()) is course_questions.chosen(None, set(keys)) is None


RESEARCHED = CoursePlan(_plan("q"), Prescription(10.0, 5), Technique((), (), (), None))
OTHER = replace(RESEARCHED, plan=_plan("a"))


def _course(*parts: CoursePlan, dose: float | None = 50.0, documented: DocumentedCourse | None = None):
    combined = None
    if parts:
        combined = Combination((Phase(parts, "external beam", dose, 25, (), "D0", "label"),), dose, 25)
    return course_questions.Course("c", documented, combined)


SAID = DocumentedCourse("c", "o", ("o",), dose=44.0)


@pytest.mark.parametrize(
    ("without", "within", "course", "values", "records"),
    [
        (None, _course(RESEARCHED, dose=10.0), "c", [(None, None), (10, 25)], ("record q",)),
        (
            _course(OTHER), _course(OTHER, RESEARCHED, dose=60.0), "c", [(50, 25), (60, 25)],
            ("record a", "record q"),
        ),
        # Without a dose of the plans that of the documentation counts, whose fractions nobody said.
        (
            _course(OTHER, dose=None, documented=SAID), _course(OTHER, RESEARCHED, documented=SAID), "c",
            [(44, None), (50, 25)], ("o", "record a", "record q"),
        ),
        (_course(documented=SAID), None, "c", [(44, None), (None, None)], ("o", "record q")),
        (None, None, "", [(None, None), (None, None)], ("record q",)),
    ],
)  # fmt: skip
def test_whether_a_research_plan_was_treated(without, within, course, values, records):
    asked = course_questions.of_research(RESEARCHED.plan, without, within)
    assert (asked.course, asked.record_id, asked.record_ids) == (course, "record q", records)
    assert [(one.dose, one.fractions) for one in asked.readings] == values


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
