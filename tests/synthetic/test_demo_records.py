"""The demo's treatment records fit the documented days, and their faults are where they are said to be."""

import datetime as dt
from itertools import pairwise

import polars as pl
import pytest

from sarcoma_pipeline.synthetic import demo_records
from sarcoma_pipeline.synthetic.demo_records import fractions_between
from sarcoma_pipeline.synthetic.dicom_course import Course, Uids
from sarcoma_pipeline.synthetic.dicom_record import record_objects
from sarcoma_pipeline.synthetic.drop import lay_out
from sarcoma_pipeline.synthetic.people import people
from tests.synthetic.test_render import ROOT

DATA = ROOT / "data" / "demo"


def table(name: str) -> pl.DataFrame:
    return pl.read_csv(DATA / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)


@pytest.mark.parametrize(("days", "count"), [(46, 30), (39, 28), (37, 28), (51, 36), (30, 30)])
def test_a_fraction_a_day_from_the_first_to_the_last(days, count):
    first = dt.date(2015, 3, 2)
    given = fractions_between(first, first + dt.timedelta(days=days - 1), count)
    assert [one.number for one in given] == list(range(1, count + 1))
    on = [one.day for one in given]
    assert on == sorted(set(on))
    assert (on[0], (on[-1] - on[0]).days + 1) == (first, days)
    working = sum((first + dt.timedelta(days=n)).weekday() < 5 for n in range(days))
    at_weekends = sum(day.weekday() > 4 for day in on[1:-1])
    assert at_weekends <= max(0, count - working + 1)


def test_too_few_days_are_an_error():
    with pytest.raises(ValueError, match="fewer days"):
        fractions_between(dt.date(2015, 3, 2), dt.date(2015, 3, 5), 5)


def test_every_course_of_the_cohort_can_have_records():
    for row in table("demo_cohort").iter_rows(named=True):
        given = fractions_between(row["rt_start"], row["rt_end"], row["fractions"])
        gaps = [(b.day - a.day).days for a, b in pairwise(given)]
        assert max(gaps) <= 7, "no interruption that nobody planted"


def test_records_and_their_faults_are_where_they_are_said_to_be():
    persons = sorted(people(table("demo_cohort"), table("ineligible").head(0), 7), key=lambda p: p.patient)
    drop = lay_out(persons, [])
    found = demo_records.add(drop, persons, persons[11:13])
    assert list(found) == list(demo_records.FAULTS)
    assert all(len(drop.courses[p.number][0].course.delivered) >= (p.fractions or 0) - 1 for p in persons)

    left_out, early = (_written(one.course) for one in found.values())
    wanted = [person.fractions or 0 for person in persons[11:13]]
    assert [n for n, _, _ in left_out] == [n for n in range(1, wanted[0] + 1) if n != 7]
    assert {(status, units) for _, status, units in left_out} == {("NORMAL", True)}
    assert len(early) == wanted[1]
    assert [one for one in early if one[1:] != ("NORMAL", True)] == [(7, "MACHINE", False)]


def _written(course: Course) -> list[tuple[int, str, bool]]:
    """Number, status and whether monitor units are known, of every treatment record."""
    sessions = [
        record.TreatmentSessionBeamSequence[0] for record in record_objects(course, Uids("1"), 1).values()
    ]
    return [
        (int(s.CurrentFractionNumber), s.TreatmentTerminationStatus, "DeliveredPrimaryMeterset" in s)
        for s in sessions
    ]
