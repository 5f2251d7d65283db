"""Values of a course that come from its phases: planned dose, boost, main plan, delivered dose, readings."""

import datetime as dt
from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.course_parts import (
    Given,
    all_phases,
    boost_of,
    by_dose,
    kind_of,
    main_phases,
    planned_dose,
    technique,
)
from sarcoma_pipeline.curation.course_phases import Combination, CoursePlan, Phase, Reading, distinct
from sarcoma_pipeline.curation.delivery import Delivered
from sarcoma_pipeline.curation.documented_courses import DocumentedCourse, Irradiation
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Group, GroupBeam, Plan
from sarcoma_pipeline.curation.technique import Technique

PHOTONS = Technique(("VMAT",), ("photons",), (6.0,), 6.0)
ELECTRONS = Technique(("electron",), ("electrons",), (12.0,), None)
FIFTEEN = Technique(("3D conformal",), ("photons",), (15.0,), 15.0)


def part(
    key: str, dose: float | None = 50.0, fractions: int | None = 25, beam: float | None = 2.0,
    n: int | None = None, label: str | None = None, how: Technique = PHOTONS, **read,
) -> CoursePlan:  # fmt: skip
    group = Group("1", fractions, (), (GroupBeam("1", beam, 100.0),), (), 0)
    given = None
    if n is not None:
        given = Delivered(n, float(n), (dt.date(2015, 3, 2),), "records", (f"given {key}",))
    plan = Plan(f"record {key}", key, label=label, groups=(group,))
    return CoursePlan(plan, Prescription(dose, fractions, **read), how, given)


def phase(
    *plans: CoursePlan, dose: float | None = 50.0, fractions: int | None = 25, kind="external beam"
) -> Phase:
    return Phase(plans, kind, dose, fractions, (), "D0", "label")


BOOST = phase(part("z", 16.0, 8), dose=16.0, fractions=8)


def test_the_planned_dose_is_that_of_the_plans_whose_prescription_counts():
    """Beam dose times fractions: 25 times 2 Gy and 8 times 2 Gy."""
    assert planned_dose([phase(part("a"))]) == 50
    assert planned_dose([phase(part("a")), BOOST]) == 66
    assert planned_dose([phase(part("a"), part("b"))]) == 50, "a replan is not planned twice"
    assert planned_dose([phase(part("a"), part("b", 34.0, 17))]) == 50, "a plan for the rest is not added"
    assert planned_dose([phase(part("a", 5.0, 1, 5.0), part("b", 5.0, 1, 5.0), dose=10.0, fractions=2)]) == 10
    assert planned_dose([phase(part("a", beam=None))]) is None
    assert planned_dose([phase(part("a", None))]) is None
    assert planned_dose([phase(part("a"), dose=None)]) is None
    assert planned_dose([phase(part("a", 30.0, 15), dose=66.0)]) is None
    assert planned_dose([]) is None
    # A part of the course is not its dose.
    unknown = phase(part("b"), dose=None), phase(part("b", None)), phase(part("b", 30.0, 15), dose=66.0)
    assert [planned_dose([phase(part("a")), one]) for one in unknown] == [None, None, None]


def _documented(boost: str | None) -> DocumentedCourse:
    return DocumentedCourse("c", "r", ("r",), boost=boost)


def _labelled(*labels: str | None) -> list[Phase]:
    return [phase(part(str(at), label=label)) for at, label in enumerate(labels)]


@pytest.mark.parametrize(
    ("main", "boost"),
    [
        ([phase(part("a")), BOOST], "sequential"),
        (_labelled(None, None), "unspecified"),
        (_labelled(None, "Boost"), "sequential"),
        (_labelled("Boost", None), "sequential"),
        ([phase(part("a", levels=(60.0, 50.0)))], "simultaneous integrated"),
        ([phase(part("a", levels=(66.0, 50.0), sequential=True))], "sequential"),
        ([phase(part("a", levels=(50.0,)))], "unspecified"),
        ([phase(part("a", levels=(60.0, 50.0)), part("b"))], "unspecified"),
    ],
)
def test_the_kind_of_boost_that_the_plans_show_unless_one_is_documented(main, boost):
    combined = Combination(tuple(main), 50.0)
    assert boost_of(None, combined, main) == boost_of(_documented("unspecified"), combined, main) == boost
    assert boost_of(_documented(None), combined, main) == boost
    assert boost_of(_documented("none"), combined, main) == "none"
    asked = replace(combined, readings=(Reading("one", 50.0, 25),))
    assert boost_of(None, asked, main) is None
    assert boost_of(_documented("unspecified"), None, []) == "unspecified"
    assert boost_of(None, combined, []) is None


def test_the_plan_with_most_of_the_dose_comes_first_and_of_equal_ones_the_first():
    assert by_dose(Combination((BOOST, phase(part("a"))))) == ["a", "z"]
    assert by_dose(Combination((phase(part("b")), phase(part("a"))))) == ["b", "a"]
    revised = phase(part("a", n=8), part("b", n=17))
    assert by_dose(Combination((revised, BOOST))) == ["b", "a", "z"]
    assert by_dose(None) == []
    mixed = [replace(BOOST, plans=(part("z", 16.0, 8, how=ELECTRONS),)), phase(part("a")),
             phase(part("f", how=FIFTEEN), dose=None)]  # fmt: skip
    assert technique(mixed) == Technique(
        ("VMAT", "electron", "3D conformal"), ("photons", "electrons"), (6.0, 15.0), 6.0
    )
    assert technique([]) == Technique((), (), (), None)


def test_the_kind_of_a_course_is_that_of_its_main_phases():
    sources = phase(part("h", 15.0, 5), dose=15.0, fractions=5, kind="brachytherapy")
    alone, both = Combination((sources,), 15.0), Combination((phase(part("a")), sources), 50.0)
    external, inside = _documented(None), replace(_documented(None), kind="brachytherapy")
    assert main_phases(alone, external) == [], "sources are not the dose of a documented external course"
    assert main_phases(alone, inside) == main_phases(alone, None) == [sources]
    assert main_phases(both, external) == main_phases(both, inside) == [both.phases[0]]
    assert main_phases(None, external) == []
    assert (kind_of([sources], external), kind_of([], inside), kind_of([], None)) == (
        "brachytherapy", "brachytherapy", "external beam",
    )  # fmt: skip


def test_the_main_plan_is_the_delivered_one_with_most_fractions_else_the_last():
    assert phase(part("a", n=17), part("b", n=8), part("c")).main.key == "a"
    assert phase(part("a", n=8), part("b", n=8)).main.key == "b"
    assert phase(part("a"), part("b")).main.key == "b"


def test_the_delivered_dose_of_a_phase():
    """8 and 17 fractions of 2 Gy; a plan without a dose has the dose per fraction of its phase."""
    assert phase(part("a", n=8), part("b", n=17), part("c")).delivered_dose == 50
    assert phase(part("a", n=8), part("b", None, None, n=17)).delivered_dose == 50
    assert phase(part("b", None, None, n=17), dose=None).delivered_dose is None
    assert phase(part("a")).delivered_dose is None
    told = part("a", n=8)
    assert told.delivered is not None
    assert phase(replace(told, delivered=replace(told.delivered, dose=14.5))).delivered_dose == 14.5


def test_the_delivered_dose_of_successive_phases_is_their_sum_if_each_is_known():
    """25 and 8 fractions of 2 Gy."""
    treated, boost = phase(part("a", n=25)), replace(BOOST, plans=(part("z", 16.0, 8, n=8),))
    assert Given.of([treated]).dose == 50
    assert (Given.of([treated, boost]).dose, Given.of([treated, boost]).fractions) == (66, 33)
    assert Given.of([treated, BOOST]).dose == 50, "without records a phase is not delivered"
    unknown = phase(part("b", None, None, n=17), dose=None)
    assert Given.of([treated, unknown]).dose is None
    assert (Given.of([BOOST]).dose, Given.of([]).dose) == (None, None)


def test_documented_irradiations_of_kinds_without_a_plan_are_phases_too():
    beams, sources = Irradiation(("r",), dose=50.0), Irradiation(("r",), kind="brachytherapy", dose=15.0)
    documented = replace(_documented(None), parts=(beams,), apart=(sources,))
    planned = phase(part("a"))
    inserted = phase(part("h", 15.0, 5), dose=15.0, fractions=5, kind="brachytherapy")
    assert all_phases(None, documented) == [beams, sources]
    assert all_phases(Combination((planned,)), documented) == [planned, sources]
    assert all_phases(Combination((inserted,)), documented) == [inserted, beams]
    assert all_phases(Combination((planned, inserted)), documented) == [planned, inserted]
    assert all_phases(Combination((planned,)), None) == [planned]


@pytest.mark.parametrize(("n", "complete"), [(None, False), (24, False), (25, True), (26, True)])
def test_a_phase_is_complete_if_every_planned_fraction_was_given(n, complete):
    assert phase(part("a", n=n)).is_complete == complete
    assert not phase(part("a", n=n), fractions=None).is_complete


def test_readings_of_one_dose_to_a_hundredth_and_as_many_fractions_are_one():
    readings = [
        Reading("a", 50.001, 25),
        Reading("b", 50.004, 25),
        Reading("c", 50.01, 25),
        Reading("d", 50, 20),
    ]
    assert [(one.text, one.fractions) for one in distinct(readings)] == [("a; b", 25), ("c", 25), ("d", 20)]
