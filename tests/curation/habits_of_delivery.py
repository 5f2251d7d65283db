"""Habits of treatment records: what was delivered, in which order and under which plan."""

from __future__ import annotations

from tests.curation.clinic import Situation
from tests.curation.rt_files import (
    BRACHY_RECORD,
    days,
    electrons,
    hdr,
    level,
    plan,
    record,
    records,
    summary,
)
from tests.curation.rt_habits import (
    GIVEN,
    halves,
    of_group,
    one_after_the_other,
    side_by_side,
    without,
)
from tests.curation.test_situations import (
    arcs,
    documented,
    files,
    reviewed,
    several,
    st,
)

DELIVERY: dict[str, Situation] = {
    "records without the UID of the plan": Situation(
        documented(50, 2, plan("1.1"),
                   [without(one, "ReferencedRTPlanSequence") for one in records("1.1", "20150302", 25)]),
        [(50, 25, None)], GIVEN, findings="records.plan-missing",
    ),
    "a summary alone": Situation(
        documented(60, 2, plan("1.1", 60, 30), summary("1.1", 30, "20150302", "20150410", planned=30),
                   end="2015-04-10"),
        [(60, 30, 60, "2015-03-02", "2015-04-10")], f"{GIVEN} start_date end_date",
    ),
    "a summary that contradicts the records": Situation(
        documented(50, 2, plan("1.1"), records("1.1", "20150302", 25),
                   summary("1.1", 20, "20150302", "20150403")),
        [(50, 25, 50)], GIVEN, findings="records.summary-differs",
    ),
    "each fraction in two halves": Situation(
        documented(50, 2, plan("1.1"), halves("1.1", 25)), [(50, 25, 50)], GIVEN,
    ),
    "verification films among the records": Situation(
        documented(50, 2, plan("1.1"), records("1.1", "20150302", 25),
                   records("1.1", "20150302", 25, delivery="OPEN_PORTFILM")),
        [(50, 25, 50)], GIVEN,
    ),
    "a fraction is missing in the middle": Situation(
        documented(50, 2, plan("1.1"), records("1.1", "20150302", 10),
                   records("1.1", "20150317", 14, start=12)),
        [(50, 25, 48)], GIVEN, findings="records.incomplete",
    ),
    "more records than fractions": Situation(
        documented(50, 2, plan("1.1"), records("1.1", "20150302", 27), end="2015-04-07"),
        [(50, 25, 54)], GIVEN, findings="course.delivered-more",
    ),
    "every record exported twice": Situation(
        documented(50, 2, plan("1.1"), records("1.1", "20150302", 25), records("1.1", "20150302", 25)),
        [(50, 25, 50)], GIVEN,
    ),
    "approved after the delivery": Situation(
        documented(50, 2, reviewed(plan("1.1"), "20150601"), records("1.1", "20150302", 25)),
        [(50, 25, 50)], GIVEN,
    ),
    "aborted and planned anew": Situation(
        documented(50, 2, plan("1.1"), records("1.1", "20150302", 15),
                   plan("1.2", 20, 10, date="20150320", beams=arcs(2, 320)),
                   records("1.2", "20150324", 10), end="2015-04-06"),
        [(50, 25, 50)], GIVEN,
    ),
    "records of the plan and of its copy": Situation(
        documented(50, 2, plan("1.1"), plan("1.2", date="20150224"), records("1.1", "20150302", 10),
                   records("1.2", "20150316", 15, start=11)),
        [(50, 25, 50)], GIVEN,
    ),
    "two plans on the same days, no boost, six centimetres apart": Situation(
        documented(30, 3, plan("1.1", 30, 10), records("1.1", "20150302", 10),
                   plan("1.2", 30, 10, beams=arcs(3, 310), isocentre=(0.0, 0.0, 60.0)),
                   records("1.2", "20150302", 10), end="2015-03-13"),
        [(None, None)], findings="course.undecided",
    ),
    "two plans on the same days, six centimetres apart, not documented": Situation(
        files(plan("1.1", 30, 10), records("1.1", "20150302", 10),
              plan("1.2", 20, 10, beams=arcs(2, 310), isocentre=(0.0, 0.0, 60.0)),
              records("1.2", "20150302", 10)),
        [(None, None)], findings="course.undecided",
    ),
    "two plans aborted on the same days, six centimetres apart": Situation(
        files(plan("1.1"), records("1.1", "20150302", 12),
              plan("1.2", beams=arcs(2, 310), isocentre=(0.0, 0.0, 60.0)), records("1.2", "20150302", 12)),
        [(None, None)], findings="course.undecided",
    ),
    "plans of a library, each on other days": Situation(
        documented(50, 2, plan("1.1"), plan("1.2", beams=arcs(2, 310)),
                   [record(f"1.{1 + n % 2}", day, n + 1) for n, day in enumerate(days("20150302", 25))]),
        [(50, 25, 50)], GIVEN,
    ),
    "a concomitant boost on the last days": Situation(
        documented(60, 1.8, plan("1.1", 45, 25), records("1.1", "20150302", 25),
                   plan("1.2", 15, 10, date="20150318", label="BOOST", references=[level(15, "PTV boost")]),
                   records("1.2", "20150323", 10)),
        [(60, 35, 60)], GIVEN,
    ),
    "a second phase on the day after the first": Situation(
        documented(60, 2, plan("1.1"), records("1.1", "20150302", 25),
                   plan("1.2", 10, 5, date="20150401", beams=arcs(2, 310)),
                   records("1.2", "20150406", 5), end="2015-04-10"),
        [(60, 30, 60)], GIVEN,
    ),
    "a second phase from the last day of the first, not documented": Situation(
        files(plan("1.1"), records("1.1", "20150302", 25),
              plan("1.2", 10, 5, date="20150401", beams=arcs(2, 310)), records("1.2", "20150403", 5)),
        [(60, 30, 60)], GIVEN, findings="plan.without-course",
    ),
    "a second phase from the day before the last of the first, not documented": Situation(
        files(plan("1.1"), records("1.1", "20150302", 25),
              plan("1.2", 10, 5, date="20150401", beams=arcs(2, 310)), records("1.2", "20150402", 5)),
        [(None, None, None)], GIVEN, findings="course.undecided",
    ),
    "aborted and planned anew with another dose per fraction": Situation(
        documented(55, 2.2, plan("1.1", 60, 30), records("1.1", "20150302", 15),
                   plan("1.2", 25, 10, date="20150322", beams=arcs(2.5, 310)),
                   records("1.2", "20150325", 10, start=16), end="2015-04-07"),
        [(None, None, None)], GIVEN, findings="course.undecided",
    ),
    "records of two groups side by side": Situation(
        documented(45, 1.8, side_by_side(), of_group(1, "20150302", 25), of_group(2, "20150302", 25)),
        [(45, 25, 45)], GIVEN,
    ),
    "two groups side by side, broken off, the documented dose fits no reading": Situation(
        documented(27, 1.8, side_by_side(), of_group(1, "20150302", 15), of_group(2, "20150302", 15),
                   end="2015-03-20", Ende_Grund="A"),
        [(None, None, None)], GIVEN, findings="course.undecided",
    ),
    "the first of two groups one after the other": Situation(
        documented(59, 2, one_after_the_other(), of_group(1, "20150302", 25), end="2015-04-08"),
        [(59, 28, 50)], GIVEN, findings="course.delivered-less",
    ),
    "both groups one after the other": Situation(
        documented(59, 2, one_after_the_other(), of_group(1, "20150302", 25), of_group(2, "20150406", 3),
                   end="2015-04-08"),
        [(59, 28, 59)], GIVEN,
    ),
    "brachytherapy with records before the beams": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, date="20150225"), records("1.1", "20150302", 25),
                   hdr("1.2", 21, 3, date="20150216"),
                   records("1.2", "20150216", 3, sop_class=BRACHY_RECORD)),
        [(45, 25, 45)], GIVEN,
    ),
    "broken off, and another course half a year later": Situation(
        several(st(20, 2, "2015-03-02", "2015-03-13", "ST1", Ende_Grund="A"),
                files(plan("1.1"), records("1.1", "20150302", 10),
                      plan("1.2", 30, 10, date="20150910", beams=arcs(3, 310)),
                      records("1.2", "20150914", 10))),
        [(50, 25, 20), (30, 10, 30)], GIVEN, findings="course.delivered-less plan.outside-courses",
    ),
    "electrons on the days of the photons, no boost, not documented": Situation(
        files(plan("1.1"), electrons("1.2", 10, 5)), [(None, None)], findings="course.undecided",
    ),
}  # fmt: skip
"""Habit to what a careful reader makes of it; `tests/curation/test_habits.py` checks it."""
