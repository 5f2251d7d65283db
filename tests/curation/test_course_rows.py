"""The row of a course and of its phases: what is left empty, and what is counted."""

from dataclasses import replace

import pytest

from sarcoma_pipeline.curation import course_rows
from sarcoma_pipeline.curation.course_phases import Combination, Reading
from sarcoma_pipeline.curation.course_questions import Course
from sarcoma_pipeline.curation.course_rows import CourseRows
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse, Irradiation
from sarcoma_pipeline.curation.technique import Technique
from tests.curation.test_course_parts import day
from tests.curation.test_phases_of_courses import part, phase

TREATED = Combination((replace(phase(part("a", n=25)), levels=(50.0, 45.0)),), 50.0, 25, (50.0, 45.0))
DOCUMENTED = DocumentedCourse("c", "r", ("r",), start=day(3, 2), end=day(4, 3), dose=50.0)


def rows(documented=None, combined=None, decided=(), plan_first: bool = True) -> CourseRows:
    course = Course("c", documented, combined)
    return course_rows.rows("P", course, plan_first, decided, {"a": ["record a"]}, {})


def shown(made: CourseRows, *columns: str) -> tuple:
    return tuple(made.course[column] for column in columns)


def test_a_treated_course_has_its_delivered_dose_and_its_days_from_first_to_last():
    """25 fractions of 2 Gy, all told on one day."""
    made = rows(combined=TREATED)
    assert shown(made, "delivered_dose_gy", "delivered_fractions", "overall_days", "plans") == (
        50.0,
        25,
        1,
        1,
    )
    assert shown(made, "prescribed_dose_gy", "single_dose_gy", "levels_gy") == (50.0, 2.0, [50.0, 45.0])


def test_a_documented_course_has_no_plans_and_counts_its_first_and_last_day():
    """From 2 March to 3 April: 30 days in March and 3 in April."""
    made = rows(DOCUMENTED)
    assert shown(made, "plans", "overall_days", "levels_gy") == (0, 33, [50.0])
    assert shown(rows(replace(DOCUMENTED, end=None)), "plans", "overall_days") == (0, None)


@pytest.mark.parametrize(
    ("readings", "single"), [([Reading("one", 60.0, 30)], 2.0), ([Reading("one", 60.0, None)], None)]
)
def test_an_open_question_leaves_doses_empty_until_it_is_decided(readings, single):
    asked = replace(TREATED, dose=None, readings=tuple(readings))
    columns = "prescribed_dose_gy", "single_dose_gy", "levels_gy", "delivered_dose_gy"
    made = rows(combined=asked)
    assert shown(made, *columns) == (None, None, None, None)
    ((question,),) = ([one.key for one in q.readings] for q in made.asked)
    assert shown(rows(combined=asked, decided={question}), *columns) == (60.0, single, [60.0], 50.0)


def test_the_levels_of_a_documented_dose_are_those_of_the_plans_else_the_dose():
    unknown = replace(TREATED, dose=None, levels=())
    assert shown(rows(DOCUMENTED, unknown), "prescribed_dose_gy", "levels_gy") == (50.0, [50.0])
    assert shown(rows(DOCUMENTED, TREATED, plan_first=False), "levels_gy") == ([50.0, 45.0],)
    without = replace(DOCUMENTED, dose=None)
    assert shown(rows(without, unknown), "prescribed_dose_gy", "levels_gy") == (None, None)


@pytest.mark.parametrize(
    ("radiation", "dose", "unit"),
    [("photons", 15.0, "Gy"), ("protons", 15.0, "Gy(RBE)"), ("photons", None, None), ("protons", None, None)],
)
def test_a_documented_phase_has_a_unit_if_it_has_a_dose(radiation, dose, unit):
    apart = Irradiation(("r",), kind="other", radiation=radiation, dose=dose)
    (row,) = rows(replace(DOCUMENTED, apart=(apart,))).phases
    assert (row["dose_unit"], row["levels_gy"]) == (unit, [dose] if dose else None)


def test_the_levels_and_radiations_of_a_phase():
    (row,) = rows(combined=TREATED).phases
    assert (row["levels_gy"], row["radiations"], row["technique"]) == ([50.0, 45.0], ["photons"], "VMAT")
    nothing = Technique((), (), (), None)
    (row,) = rows(combined=Combination((phase(part("a", how=nothing)),))).phases
    assert (row["levels_gy"], row["radiations"], row["technique"]) == (None, None, None)
