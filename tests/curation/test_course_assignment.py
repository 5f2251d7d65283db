"""Which course a plan belongs to: rules A1 to A7."""

import datetime as dt
from dataclasses import replace

from sarcoma_pipeline.curation.course_assignment import Placeable, assign
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse, Irradiation
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Group, Plan


def _date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y-%m-%d").date()


def _course(
    key="c1",
    start: str | None = "2015-03-02",
    end: str | None = "2015-04-03",
    dose: float | None = 50.0,
    fractions: int | None = 25,
    **more,
) -> DocumentedCourse:
    return DocumentedCourse(
        key, f"record {key}", (f"record {key}",), start=_date(start) if start else None,
        end=_date(end) if end else None, dose=dose, fractions=fractions, **more,
    )  # fmt: skip


def _plan(
    key, day: str | None = "2015-02-20", dose: float | None = 50.0, n=25, frame="9", related=(), last=None
) -> Placeable:
    first = _date(day) if day else None
    return Placeable(
        Plan(key, key, frame=frame), (Prescription(dose, n, (), "P1", "target prescription"),), first,
        _date(last) if last else first, last is not None, frozenset(related),
    )  # fmt: skip


def _said(plans, courses=(), surgeries=()):
    found = assign(plans, courses, [_date(s) for s in surgeries])
    return {k: (a.course, a.rule) for k, a in found.items()}


def _notes(plans, courses=(), surgeries=()):
    found = assign(plans, courses, [_date(s) for s in surgeries])
    return {k: [r.id for r in a.notes] for k, a in found.items()}


TWO = (_course(), _course("c2", "2015-06-01", "2015-07-03", 66.0, 33))


def test_a1_days_of_treatment_within_one_course():
    treated = _plan("a", "2015-06-01", last="2015-07-03", dose=48.0)
    assert _said([treated], TWO) == {"a": ("c2", "A1")}
    assert assign([treated], TWO)["a"].origin == "records"
    beyond = _plan("a", "2015-06-01", last="2015-07-20", dose=48.0)
    assert _said([beyond], TWO)["a"][1] != "A1"


def test_a2_a_unique_match_of_dose_and_fractions():
    assert _said([_plan("a", dose=66.0, n=33)], TWO) == {"a": ("c2", "A2")}
    assert _said([_plan("a", dose=66.5, n=33)], TWO) == {"a": ("c2", "A2")}, "within 2 %"
    assert _said([_plan("a", dose=66.0, n=30)], TWO)["a"] == ("c1", "A3"), "other fractions are no match"
    assert _said([_plan("a", day=None, dose=66.0, n=33)], TWO) == {"a": ("c2", "A2")}


def test_a2_a_match_far_away_is_none():
    late = [_plan("a"), _plan("b", "2019-03-05")]
    assert _said(late, [_course()]) == {"a": ("c1", "A2"), "b": ("plans 1", "A7")}
    assert _notes(late, [_course()])["b"] == ["plan.outside-courses"]
    assert _said([_plan("a", "2014-01-05")], [_course()])["a"] == ("plans 1", "A7")


def test_a2_says_when_the_date_is_odd():
    assert _notes([_plan("a", "2015-04-20")], [_course()]) == {"a": ["plan.after-course"]}
    assert _notes([_plan("a", "2014-10-01")], [_course()]) == {"a": ["plan.long-before-course"]}
    assert _notes([_plan("a", "2015-04-05")], [_course()]) == {"a": []}


def test_a2_an_operation_between_the_course_and_a_later_plan_speaks_against_a_match():
    later = [_plan("a", "2015-06-10")]
    assert _said(later, [_course()]) == {"a": ("c1", "A2")}
    assert _said(later, [_course()], ["2015-05-20"]) == {"a": ("plans 1", "A7")}
    before = _plan("a", "2015-04-02", dose=16.0, n=8)
    boost = _course("c2", "2015-06-22", "2015-07-01", 16.0, 8)
    assert _said([before], [_course(), boost], ["2015-05-20"]) == {"a": ("c2", "A2")}


def test_a2_a_part_of_a_course_is_a_match_too():
    parts = (Irradiation(("x",), dose=50.0, single=2.0), Irradiation(("y",), dose=16.0, single=2.0))
    course = replace(_course(dose=66.0, fractions=33), parts=parts)
    plans = [_plan("a", None), _plan("b", None, 16.0, 8)]
    assert _said(plans, [course]) == {"a": ("c1", "A2"), "b": ("c1", "A2")}


def test_a2_as_many_plans_as_courses_of_one_dose_and_the_same_days():
    courses = [_course("c1"), _course("c2")]
    plans = [_plan("b"), _plan("a")]
    assert _said(plans, courses) == {"a": ("c1", "A2"), "b": ("c2", "A2")}
    assert set(map(tuple, _notes(plans, courses).values())) == {("plan.course-ambiguous",)}
    # The earlier plan has the first course, whatever its name; a plan without a day comes last.
    earlier = [_plan("b", "2015-02-10"), _plan("a")]
    assert _said(earlier, courses) == {"b": ("c1", "A2"), "a": ("c2", "A2")}
    more = [*plans, _plan("c")]
    assert {rule for _, rule in _said(more, courses).values()} == {"A4"}, "three plans, two courses"
    later = [courses[0], _course("c2", "2015-03-09")]
    assert _said(plans, later) == {"a": ("c2", "A4"), "b": ("c2", "A4")}, "of other days"
    # Only one of two courses of one dose fits the day of the plan: its days decide.
    eras = [courses[0], _course("c2", "2015-06-01", "2015-07-03")]
    assert _said(plans, eras) == {"a": ("c1", "A3"), "b": ("c1", "A3")}
    assert set(map(tuple, _notes(plans, eras).values())) == {()}
    # Courses without days have no days in common with a plan.
    assert {
        rule for _, rule in _said(plans, [_course("c1", None, None), _course("c2", None, None)]).values()
    } == {"A7"}
    undated = [_plan("b"), _plan("a", None)]
    assert _said(undated, courses) == {"b": ("c1", "A2"), "a": ("c2", "A2")}


def test_a3_the_documented_interval():
    for day, course in (("2015-01-01", "c1"), ("2015-04-06", None), ("2014-12-31", "plans 1")):
        said = _said([_plan("a", day, 48.0, 24)], [_course()])["a"][0]
        assert said == (course or "c1")
    assert _said([_plan("a", "2015-04-07", 48.0, 24)], [_course()])["a"] == ("plans 1", "A7")


def test_a3_without_a_documented_end_five_fractions_a_week_are_given():
    # 30 fractions from 2 March are six weeks: 13 April, and three days more.
    six_weeks = _course(end=None, dose=60.0, fractions=30)
    for day, course in (("2015-04-16", "c1"), ("2015-04-17", "plans 1")):
        assert _said([_plan("a", day, 48.0, 24)], [six_weeks])["a"][0] == course
    # A part of a week counts as one: 26 fractions, as 30.
    more = _course(end=None, dose=52.0, fractions=26)
    assert _said([_plan("a", "2015-04-16", 48.0, 24)], [more])["a"][0] == "c1"


def test_a3_a_course_of_one_day_ends_on_it():
    one_day = _course(end="2015-03-02", dose=8.0, fractions=8)
    for day, course in (("2015-03-05", "c1"), ("2015-03-06", "plans 1")):
        assert _said([_plan("a", day, 6.0, 1)], [one_day])["a"][0] == course
    # An end before the start is none: 8 fractions are two weeks, to 16 March, and three days more.
    wrong = replace(one_day, end=_date("2015-03-01"))
    for day, course in (("2015-03-19", "c1"), ("2015-03-20", "plans 1")):
        assert _said([_plan("a", day, 6.0, 1)], [wrong])["a"][0] == course


def test_a4_several_fit_the_later_start_that_the_plan_precedes():
    courses = [_course("c1", end="2015-04-15"), _course("c2", "2015-06-01", "2015-07-03", 54.0, 27)]
    plan = _plan("a", "2015-04-13", 48.0, 24)
    assert _said([plan], courses) == {"a": ("c2", "A4")}
    assert _notes([plan], courses) == {"a": ["plan.course-ambiguous"]}


def test_a5_a_relation_to_a_plan_of_a_course():
    plans = [_plan("a"), _plan("b", "2015-05-01", 16.0, 8, frame="8", related=["a"])]
    assert _said(plans, [_course()]) == {"a": ("c1", "A2"), "b": ("c1", "A5")}
    assert _said(plans, [_course()], ["2015-04-20"])["b"] == ("plans 1", "A7"), "an operation lies between"
    far = [plans[0], replace(plans[1], first=_date("2015-06-30"), last=_date("2015-06-30"))]
    assert _said(far, [_course()])["b"] == ("plans 1", "A7")
    for day, rule in (("2015-05-21", "A5"), ("2015-05-22", "A7")):
        within = [plans[0], _plan("b", day, 16.0, 8, frame="8", related=["a"])]
        assert _said(within, [_course()])["b"][1] == rule, "90 days, and a day more"
    undated = [plans[0], replace(plans[1], first=None, last=None)]
    assert _said(undated, [_course()])["b"] == ("c1", "A5")


def test_a6_the_same_frame_of_reference():
    near = [_plan("a"), _plan("b", "2015-04-03", 16.0, 8)]
    late = [_plan("a", "2015-03-20"), _plan("b", "2015-04-20", 16.0, 8)]
    assert _said(near, [_course()])["b"] == ("c1", "A3")
    assert _said(late, [_course()])["b"] == ("c1", "A6")
    assert _said([late[0], replace(late[1], plan=Plan("b", "b", frame="8"))], [_course()])["b"][1] == "A7"
    far = [_plan("a"), _plan("b", "2015-04-20", 16.0, 8)]
    assert _said(far, [_course()])["b"] == ("plans 1", "A7"), "59 days"
    for day, rule in (("2015-05-01", "A6"), ("2015-05-02", "A7")):
        within = [late[0], _plan("b", day, 16.0, 8)]
        assert _said(within, [_course()])["b"][1] == rule, "42 days, and a day more"


def test_a7_without_documentation_plans_make_courses():
    eras = [_plan("a"), _plan("b", "2019-03-05", 30.0, 10)]
    assert _said(eras) == {"a": ("plans 1", "A7"), "b": ("plans 2", "A7")}
    assert _notes(eras)["a"] == ["plan.without-course"]
    phases = [_plan("a"), _plan("b", "2015-03-27", 16.0, 8)]
    assert {c for c, _ in _said(phases).values()} == {"plans 1"}
    assert len({c for c, _ in _said(phases, (), ["2015-03-10"]).values()}) == 2, "an operation lies between"
    frames = [_plan("a"), _plan("b", "2015-03-27", 16.0, 8, frame="8")]
    assert len({c for c, _ in _said(frames).values()}) == 2, "another frame without a link"


def test_a7_an_undated_plan():
    assert _said([_plan("a", None)]) == {"a": ("plans 1", "A7")}
    beside = [_plan("a"), _plan("b", None, 30.0, 10)]
    assert _said(beside)["b"] == (None, "A7") and _notes(beside)["b"] == ["plan.course-unknown"]
    assert _said([_plan("b", None, 30.0, 10)], [_course()])["b"] == (None, "A7")


def test_sources_and_beams_go_to_courses_of_their_kind():
    sources = Placeable(
        Plan("h", "h", brachy_type="HDR", groups=(Group("1", 5, (), (), (), 1),)),
        (Prescription(15.0, 5),), _date("2015-06-01"), _date("2015-06-01"),
    )  # fmt: skip
    brachytherapy = _course("b", "2015-06-10", "2015-06-14", 15.0, 5, kind="brachytherapy",
                            parts=(Irradiation(("x",), "brachytherapy", dose=15.0, single=3.0),))  # fmt: skip
    external = _course("e", "2015-06-20", "2015-07-24")
    assert _said([sources], [brachytherapy, external]) == {"h": ("b", "A2")}
    assert _said([_plan("a", "2015-06-01", 15.0, 5)], [brachytherapy])["a"][0] == "plans 1"
    nuclide = _course("n", kind="radionuclide", dose=None, fractions=None)
    assert _said([_plan("a", dose=48.0)], [nuclide])["a"][0] == "plans 1"
