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
    key, day: str | None = "2015-02-20", dose: float | None = 50.0, n=25, frame: str | None = "9", related=(),
    last=None, label=None,
) -> Placeable:  # fmt: skip
    first = _date(day) if day else None
    return Placeable(
        Plan(key, key, frame=frame, label=label),
        (Prescription(dose, n, (), "P1", "target prescription"),), first,
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


def test_a1_of_overlapping_courses_the_one_of_the_dose_and_none_without_days():
    # Three days before the start and after the end: 27 February to 6 April.
    for day, last, rule in (
        ("2015-02-27", "2015-04-06", "A1"), ("2015-02-26", "2015-04-06", "A3"),
        ("2015-02-27", "2015-04-07", "A3"),
    ):  # fmt: skip
        assert _said([_plan("a", day, 48.0, 24, last=last)], [_course()]) == {"a": ("c1", rule)}
    other = _course("c2", dose=66.0, fractions=33)
    treated = _plan("a", "2015-03-02", 66.0, 33, last="2015-04-03")
    assert _said([treated], [_course(), other]) == {"a": ("c2", "A1")}
    undated = _course("c0", None, None, 66.0, 33)
    assert _said([treated], [undated, _course()]) == {"a": ("c1", "A1")}


def test_a2_to_the_day():
    # 180 days before 2 March, 90 days after 3 April.
    for day, course in (
        ("2014-09-03", "c1"), ("2014-09-02", "plans 1"), ("2015-07-02", "c1"), ("2015-07-03", "plans 1"),
    ):  # fmt: skip
        assert _said([_plan("a", day)], [_course()])["a"][0] == course
    # More than 120 days before the start or three days after the end is a finding.
    for day, notes in (
        ("2014-11-01", ["plan.long-before-course"]), ("2014-11-02", []),
        ("2015-04-06", []), ("2015-04-07", ["plan.after-course"]), (None, []),
    ):  # fmt: skip
        assert _notes([_plan("a", day)], [_course()]) == {"a": notes}
    assert _notes([_plan("a")], [_course(start=None, end=None)]) == {"a": []}
    # An operation on the last day of the course or on the day of the plan is not between them.
    for surgery, course in (("2015-04-03", "c1"), ("2015-04-04", "plans 1"), ("2015-06-10", "c1")):
        assert _said([_plan("a", "2015-06-10")], [_course()], [surgery])["a"][0] == course


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


def test_a2_plans_of_one_day_are_told_apart_by_their_labels():
    courses = [_course("c1"), _course("c2")]
    labelled = [_plan("b", label="1"), _plan("a", label="2")]
    for plans in (labelled, labelled[::-1]):
        assert _said(plans, courses) == {"b": ("c1", "A2"), "a": ("c2", "A2")}
    without = [_plan("b"), _plan("a", label="1")]
    assert _said(without, courses) == {"b": ("c1", "A2"), "a": ("c2", "A2")}
    # One plan that has the dose of two courses and the days of one.
    eras = [_course("c1"), _course("c2", "2015-06-01", "2015-07-03")]
    assert _said([_plan("a")], eras) == {"a": ("c1", "A3")} and _notes([_plan("a")], eras) == {"a": []}


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


def test_a3_without_an_end_and_fractions_a_course_is_assumed_to_take_60_days():
    # 60 days from 2 March are 1 May, and three days more.
    for day, course in (("2015-05-04", "c1"), ("2015-05-05", "plans 1")):
        assert _said([_plan("a", day, 48.0, 24)], [_course(end=None, fractions=None)])["a"][0] == course


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


def test_a4_courses_of_the_dose_go_first_and_of_one_day_the_first_documented():
    courses = [
        _course("c1"),
        _course("c2", "2015-03-09"),
        _course("c3", "2015-03-16", "2015-04-10", 30.0, 10),
    ]
    assert _said([_plan("a")], courses) == {"a": ("c2", "A4")}
    assert _said([_plan("a", dose=48.0, n=24)], courses) == {"a": ("c3", "A4")}
    # None of them begins after the plan: the latest all the same.
    assert _said([_plan("a", "2015-03-20", 48.0, 24)], courses) == {"a": ("c3", "A4")}
    alike = [_course("c1"), _course("c2")]
    assert _said([_plan("a", dose=48.0, n=24)], alike) == {"a": ("c1", "A4")}


def test_a5_a_relation_is_followed_from_plan_to_plan_in_any_order():
    plans = [
        _plan("a"), _plan("b", "2015-04-20", 16.0, 8, frame="8", related=["a"]),
        _plan("c", "2015-05-20", 10.0, 5, frame="7", related=["b"]),
    ]  # fmt: skip
    for order in (plans, plans[::-1]):
        assert _said(order, [_course()]) == {"a": ("c1", "A2"), "b": ("c1", "A5"), "c": ("c1", "A5")}
        assert {one.origin for key, one in assign(order, [_course()]).items() if key != "a"} == {"relation"}


def test_a5_a_plan_that_is_related_to_two_courses_stays_alone_in_any_order():
    second = _plan("e", "2015-06-20", 66.0, 33, frame="5")
    plans = [
        _plan("a"), second, _plan("b", "2015-05-11", 16.0, 8, frame="8", related=["a", "e"]),
    ]  # fmt: skip
    courses = [_course(), _course("c2", "2015-07-20", "2015-08-28", 66.0, 33)]
    for order in (plans, plans[::-1]):
        assert _said(order, courses) == {"a": ("c1", "A2"), "e": ("c2", "A2"), "b": ("plans 1", "A7")}


def test_a5_the_cut_does_not_depend_on_the_names_of_the_plans():
    for early, late in (("a", "b"), ("b", "a")):
        plans = [_plan(early), _plan(late, "2015-05-01", 16.0, 8, frame="8", related=[early])]
        assert _said(plans, [_course()], ["2015-04-20"])[late] == ("plans 1", "A7")
        # On a day of treatment or planning it is no cut.
        assert _said(plans, [_course()], ["2015-02-20", "2015-05-01"])[late] == ("c1", "A5")


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


def test_a7_courses_are_numbered_by_their_first_day_and_have_the_best_origin():
    eras = [_plan("a", "2019-03-05", 30.0, 10), _plan("b")]
    assert _said(eras) == {"b": ("plans 1", "A7"), "a": ("plans 2", "A7")}
    # Without a frame of reference nothing links two plans.
    frames = [_plan("a", frame=None), _plan("b", "2015-03-27", 16.0, 8, frame=None)]
    assert len({course for course, _ in _said(frames).values()}) == 2
    same_frame = [_plan("a"), _plan("b", "2015-03-27", 16.0, 8)]
    assert {one.origin for one in assign(same_frame, ()).values()} == {"label"}
    related = [_plan("a"), _plan("b", "2015-03-27", 16.0, 8, related=["a"]), _plan("c")]
    assert {key: one.origin for key, one in assign(related, ()).items()} == {
        "a": "relation", "b": "relation", "c": "label",
    }  # fmt: skip
    # A plan between two others, later in the list, joins them.
    three = [_plan("a", frame="1"), _plan("b", "2015-03-01", frame="2"),
             _plan("c", "2015-03-09", related=["a", "b"], frame="3")]  # fmt: skip
    assert {course for course, _ in _said(three).values()} == {"plans 1"}


def test_a7_an_undated_plan_that_is_related_to_a_plan_without_a_course_joins_it():
    assert _said([_plan("a"), _plan("b", None, related=["a"])]) == dict.fromkeys("ab", ("plans 1", "A7"))


def test_a7_an_undated_plan():
    assert _said([_plan("a", None)]) == {"a": ("plans 1", "A7")}
    beside = [_plan("a"), _plan("b", None, 30.0, 10)]
    assert _said(beside)["b"] == (None, "A7") and _notes(beside)["b"] == ["plan.course-unknown"]
    assert _said([_plan("b", None, 30.0, 10)], [_course()])["b"] == (None, "A7")


def test_sources_and_beams_go_to_courses_of_their_kind():
    sources = Placeable(
        Plan("h", "h", brachy_type="HDR", groups=(Group("1", 5, (), (), (), 1),)),
        (Prescription(15.0, 5),), _date("2015-06-01"), _date("2015-06-01"), False, frozenset(),
    )  # fmt: skip
    brachytherapy = _course("b", "2015-06-10", "2015-06-14", 15.0, 5, kind="brachytherapy",
                            parts=(Irradiation(("x",), "brachytherapy", dose=15.0, single=3.0),))  # fmt: skip
    external = _course("e", "2015-06-20", "2015-07-24")
    assert _said([sources], [brachytherapy, external]) == {"h": ("b", "A2")}
    assert _said([_plan("a", "2015-06-01", 15.0, 5)], [brachytherapy])["a"][0] == "plans 1"
    nuclide = _course("n", kind="radionuclide", dose=None, fractions=None)
    assert _said([_plan("a", dose=48.0)], [nuclide])["a"][0] == "plans 1"
