"""Habits of planning systems and clinics that no example names, each a patient of its own, all in one run.

The expected courses were written down from the tables of docs/radiotherapy.md before anything ran.
"""

from __future__ import annotations

import pytest

from tests.curation.clinic import Clinic, Situation, check, check_accounts, clinic_of
from tests.curation.habits_of_delivery import DELIVERY
from tests.curation.rt_files import (
    ION_PLAN,
    ION_RECORD,
    Field,
    FractionGroup,
    electrons,
    hdr,
    level,
    plan,
    records,
)
from tests.curation.rt_habits import (
    GIVEN,
    PREDECESSOR,
    no_groups,
    own_number,
    sum_plan,
    untyped,
)
from tests.curation.test_situations import (
    BOOST,
    DOSE,
    STANDS,
    TECHNIQUE,
    arcs,
    documented,
    files,
    several,
    st,
    two,
)

HABITS: dict[str, Situation] = {
    # --- prescriptions
    "a reference without a type": Situation(
        documented(45, 1.8, untyped(plan("1.1", 45, 25))), [(45, 25)],
    ),
    "a reference without a type above that of the target": Situation(
        documented(45, 1.8, untyped(plan("1.1", 45, 25, references=[level(45), level(60, "Max")]), 0)),
        [(45, 25, "unspecified")], BOOST,
    ),
    "beam doses alone": Situation(documented(50.4, 1.8, plan("1.1", None, 28, beams=two(1.8))), [(50.4, 28)]),
    "beam doses in centigray alone": Situation(
        documented(50.4, 1.8, plan("1.1", None, 28, beams=two(180.0))),
        [(50.4, 28)], findings="plan.prescription-in-cgy",
    ),
    "prescription and beam doses in centigray": Situation(
        documented(45, 1.8, plan("1.1", 4500, 25, beams=two(180.0))),
        [(45, 25)], findings="plan.prescription-in-cgy",
    ),
    "a reference and no fraction group": Situation(
        documented(60, 2, no_groups(plan("1.1", 60, 30))), [(60, None)], findings="plan.fractions-missing",
    ),
    "no beam dose in the group": Situation(
        documented(54, 1.8, plan("1.1", 54, 30, beams=[Field(None), Field(None, turns="CC")])), [(54, 30)],
    ),
    "a point alone": Situation(
        documented(50.4, 1.8, plan("1.1", references=[level(52.1, "ISO", "POINT")],
                                   groups=[FractionGroup(28, two(1.8))])),
        [(50.4, 28, "unspecified")], BOOST,
    ),
    "the limit of an organ above the target": Situation(
        documented(50.4, 1.8, plan("1.1", 50.4, 28, references=[
            level(50.4), level(54, "Knochen", "VOLUME", "ORGAN_AT_RISK")])),
        [(50.4, 28, "unspecified")], BOOST,
    ),
    "a link to a reference that is not there": Situation(
        documented(50.4, 1.8, plan("1.1", 50.4, 28, groups=[FractionGroup(28, two(1.8), links=[9])])),
        [(50.4, 28)],
    ),
    "three levels": Situation(
        documented(55, 2.2, plan("1.1", 55, 25, references=[level(45, "A"), level(50, "B"), level(55, "C")]),
                   Boost="SIB"),
        [(55, 25, "simultaneous integrated", [55, 50, 45])], f"{BOOST} levels_gy",
    ),
    "levels that differ by one percent": Situation(
        documented(50.4, 1.8, plan("1.1", 50.4, 28, references=[level(50, "A"), level(50.4, "B")])),
        [(50.4, 28, "unspecified")], BOOST,
    ),
    "two groups of one reference without links": Situation(
        documented(60, 2, plan("1.1", references=[level(60)],
                               groups=[FractionGroup(25, two(2)), FractionGroup(5, two(2))])),
        [(60, 30)],
    ),
    "two groups of two references that nobody documented": Situation(
        files(plan("1.1", references=[level(45, "A"), level(30, "B")], groups=[
            FractionGroup(25, two(1.8), links=[1]), FractionGroup(10, two(3), links=[2])])),
        [(None, None)], findings="course.undecided plan.without-course",
    ),
    "a boost in German": Situation(
        files(plan("1.1", 50, 25),
              plan("1.2", 10, 5, date="20150325", label="Aufsättigung", beams=arcs(2, 310))),
        [(60, 30, "sequential")], BOOST, findings="plan.without-course",
    ),
    "two groups linked to one reference": Situation(
        documented(60, 2, plan("1.1", references=[level(60)], groups=[
            FractionGroup(25, two(2), links=[1]), FractionGroup(5, two(2), links=[1])])),
        [(60, 30)],
    ),
    "0 fractions and no documentation": Situation(
        files(plan("1.1", 45, 0, beams=two(1.8))),
        [(45, None, None)], f"{DOSE} single_dose_gy", findings="plan.fractions-missing plan.without-course",
    ),
    # --- plans beside each other
    "a sum plan beside its parts": Situation(
        documented(66, 2, plan("1.1"), plan("1.2", 16, 8, date="20150401", label="BOOST"),
                   sum_plan("1.3", 66, 33), end="2015-04-15"),
        [(66, 33)], findings="plan.no-meterset",
    ),
    "a boost with the label of the first plan, documented": Situation(
        documented(60, 2, plan("1.1"), plan("1.2", 10, 5, date="20150401", beams=arcs(2, 310)),
                   end="2015-04-10"),
        [(60, 30, "sequential")], BOOST,
    ),
    "a boost with the label of the first plan, not documented": Situation(
        files(plan("1.1"), plan("1.2", 10, 5, date="20150325", beams=arcs(2, 310))),
        [(None, None)], findings="course.undecided",
    ),
    "a replan of more fractions": Situation(
        files(plan("1.1", 45, 25), plan("1.2", 54, 30, date="20150312", beams=arcs(1.8, 310),
                                        relations=PREDECESSOR)),
        [(None, None)], findings="course.undecided",
    ),
    "adaptive plans of one fraction a day apart, documented": Situation(
        documented(10, 2, *(plan(f"1.{n}", 2, 1, date=f"201503{n + 1:02}", beams=arcs(2, 300 + n))
                            for n in range(1, 6)), end="2015-03-06"),
        [(10, 5)],
    ),
    "adaptive plans of one fraction a day apart, not documented": Situation(
        files(*(plan(f"1.{n}", 6, 1, date=f"201503{n + 1:02}", beams=arcs(6, 300 + n)) for n in range(1, 6))),
        [(None, None)], findings="course.undecided",
    ),
    "a new CT, the same prescription in another frame three weeks later": Situation(
        documented(50, 2, plan("1.1"), plan("1.2", date="20150313", beams=arcs(2, 310), frame="1.8")),
        [(50, 25)], findings="course.replan-unlinked",
    ),
    "more than 80 Gy that nobody documented": Situation(
        files(plan("1.1"), plan("1.2", 36, 18, date="20150401", label="BOOST",
                                references=[level(36, "PTV boost")])),
        [(None, None)], findings="course.undecided",
    ),
    "two plans that call each other predecessor": Situation(
        documented(50, 2, plan("1.1", relations=[("1.2", "PREDECESSOR")]),
                   plan("1.2", date="20150312", beams=arcs(2, 310), relations=PREDECESSOR)),
        [(50, 25)],
    ),
    "parts of one plan that differ": Situation(
        files(plan("1.1"), plan("1.2", 30, 25, beams=arcs(1.2, 200), relations=[("1.1", "CONCURRENT")])),
        [(None, None)], findings="course.undecided",
    ),
    "parts of one plan that are alike": Situation(
        documented(50, 2, plan("1.1", beams=two(2)),
                   plan("1.2", beams=arcs(2, 200), relations=[("1.1", "CONCURRENT")])),
        [(50, 25)],
    ),
    "one UID with two contents": Situation(
        documented(50, 2, plan("1.1"), plan("1.1", 60, 30, beams=arcs(2, 310))),
        [(50, None)], findings="plan.uid-reused",
    ),
    "a rejected plan beside the treated one": Situation(
        documented(50, 2, plan("1.1", 66, 33, approval="REJECTED"), plan("1.2")),
        [(50, 25)], findings="plan.unapproved",
    ),
    "one UID, approved again": Situation(
        documented(50, 2, plan("1.1", approval="UNAPPROVED"), plan("1.1")), [(50, 25)],
    ),
    "one UID with two contents, of which one is approved": Situation(
        documented(50, 2, plan("1.1"), plan("1.1", 60, 30, approval="UNAPPROVED", beams=arcs(2, 310))),
        [(50, 25)], findings="plan.uid-reused",
    ),
    "a draft alone": Situation(
        documented(50, 2, plan("1.1", approval="UNAPPROVED")), [(50, None)], findings="plan.unapproved",
    ),
    "a draft that was treated": Situation(
        documented(50, 2, plan("1.1", approval="UNAPPROVED"), records("1.1", "20150302", 25)),
        [(50, 25, 50)], GIVEN, findings="plan.treated-unapproved",
    ),
    # --- quality assurance
    "a verification plan without an intent": Situation(
        documented(50, 2, plan("1.1"), plan("1.2", intent="CURATIVE", beams=arcs(2, 290),
                                            relations=[("1.1", "VERIFIED_PLAN")])),
        [(50, 25)], findings="plan.qa-with-fractions",
    ),
    "a verification plan with records": Situation(
        documented(50, 2, plan("1.1", intent="VERIFICATION"), records("1.1", "20150302", 25)),
        [(50, None)], findings="plan.qa-with-fractions",
    ),
    "a research plan that was treated": Situation(
        documented(50, 2, plan("1.1", intent="RESEARCH"), records("1.1", "20150302", 25)),
        [(50, 25, 50)], GIVEN,
    ),
    "a research plan that was not": Situation(
        documented(50, 2, plan("1.1", intent="RESEARCH")), [(50, None)], findings="course.research-plan",
    ),
    "a plan on a phantom in another frame": Situation(
        documented(50, 2, plan("1.1"), plan("1.2", 2, 1, frame="8.8", beams=arcs(2, 290))),
        [(50, 25)], findings="plan.looks-like-qa",
    ),
    "a plan for a treatment device that is no quality assurance": Situation(
        documented(50, 2, plan("1.1", geometry="TREATMENT_DEVICE")), [(50, 25, "VMAT")], TECHNIQUE,
    ),
    **DELIVERY,
    # --- radiation, sites, courses
    "brachytherapy after the beams": Situation(
        documented(50, 2, plan("1.1"), hdr("1.2", 10, 2, date="20150402")),
        [(50, 25, "VMAT")], TECHNIQUE,
    ),
    "brachytherapy a week after the beams, not documented": Situation(
        documented(50, 2, plan("1.1"), hdr("1.2", 10, 2, date="20150410")),
        [(50, 25), (10, 2)], findings="plan.outside-courses",
    ),
    "an electron boost of several fractions": Situation(
        documented(60, 2, plan("1.1"), electrons("1.2", 10, 5, date="20150401", label="BOOST"),
                   end="2015-04-10"),
        [(60, 30, "VMAT", "photons")], f"{TECHNIQUE} radiation",
    ),
    "carbon ions": Situation(
        documented(64, 4, plan("1.1", 64, 16, sop_class=ION_PLAN, beams=[
            Field(4.0, **STANDS | {"radiation": "ION", "mass_number": 12, "shapes": None})]),
            records("1.1", "20150302", 16, sop_class=ION_RECORD), end="2015-03-23", Strahlenart="C12"),
        [(64, 16, 64, "Gy(RBE)")], f"{GIVEN} dose_unit",
    ),
    "both sides on the same days": Situation(
        several(st(50, 2, "2015-03-02", "2015-04-03", "ST1", Seite_Zielgebiet="L"),
                st(50, 2, "2015-03-02", "2015-04-03", "ST2", Seite_Zielgebiet="R"),
                files(plan("1.1", label="LI"), plan("1.2", label="RE", isocentre=(300.0, 0.0, 0.0)))),
        [(50, 25), (50, 25)], findings="plan.course-ambiguous",
    ),
    "another course within six weeks, after the operation": Situation(
        documented(50, 2, plan("1.1"), plan("1.2", 20, 5, date="20150529", intent="PALLIATIVE")),
        [(50, 25), (20, 5)], findings="plan.outside-courses",
    ),
    "a plan with the year of last winter": Situation(
        documented(50, 2, plan("1.1", date="20140220")),
        [(50, None), (50, 25)], findings="plan.outside-courses",
    ),
    "no date, but in the name of the file": Situation(
        documented(50, 2, plan("1.1", date=None)), [(50, 25)],
    ),
    "no date and no documentation": Situation(
        files(plan("1.1", date=None)), [(50, 25)], findings="plan.without-course",
    ),
    "the documentation gives no dose": Situation(
        documented(None, None, plan("1.1")), [(50, 25)],
    ),
    "documented in centigray": Situation(
        documented(5000, 200, plan("1.1")), [(50, 25)],
    ),
    "a number with blanks around it": Situation(own_number("  {} "), [(60, 30)]),
    "a number with leading zeros": Situation(
        own_number("000{}"), [(60, None)], findings="identity.near-match",
    ),
}  # fmt: skip
"""Habit to what a careful reader makes of it."""


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return clinic_of(tmp_path_factory.mktemp("clinic"), HABITS)


@pytest.mark.parametrize("name", HABITS)
def test_habit(clinic: Clinic, name: str) -> None:
    check(clinic, name, HABITS[name])


def test_every_record_of_all_patients_is_accounted_for(clinic: Clinic) -> None:
    check_accounts(clinic)
