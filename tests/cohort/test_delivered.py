"""What was delivered of the primary course: fractions, overall time and interruptions."""

import pytest

from sarcoma_pipeline.cohort import covariates
from sarcoma_pipeline.cohort.timeline import timeline
from schemas.assumptions import Assumptions
from tests.conftest import Outcome, Records
from tests.curation import rt_files
from tests.curation.conftest import Case, irradiated
from tests.one_curation import OfCase, together

COLUMNS = ("delivered_dose_gy", "delivered_fractions", "overall_days", "longest_gap_days", "interrupted")


def described(outcome: Outcome | OfCase):
    curated = outcome.frames
    happened = timeline(curated, Assumptions())
    return covariates.describe(curated, happened).select(COLUMNS).rows()


# 2015-03-02 is a Monday. Ten weekdays end on 13 March, fifteen from 23 March on 10 April: day 40.
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([("2015-03-02", 25)], (50.0, 25, 33, 3, False)),
        ([("2015-03-02", 10), ("2015-03-23", 15)], (50.0, 25, 40, 10, True)),
        # Friday to Tuesday, as over Easter: a break of three days, which is not more than three.
        ([("2015-03-02", 10), ("2015-03-17", 15)], (50.0, 25, 36, 4, False)),
        ([("2015-03-02", 10), ("2015-03-18", 15)], (50.0, 25, 37, 5, True)),
        # Aborted by the records; the documented end, 3 April, is later and counts.
        ([("2015-03-02", 15)], (30.0, 15, 33, 3, False)),
    ],
)
def test_records_tell_what_was_delivered(tmp_path, parts, expected):
    case = Case(Records(), tmp_path).patient()
    case.course()
    case.files(rt_files.plan("1.1"))
    start = 1
    for first, count in parts:
        case.files(rt_files.records("1.1", first.replace("-", ""), count, start))
        start += count
    assert described(case.run()) == [expected]


@pytest.mark.parametrize(("reason", "interrupted"), [("F", True), ("E", False), ("A", None), (None, None)])
@together(irradiated)
def test_without_records_the_documentation_tells_of_a_break(case, reason, interrupted):
    case.course(Ende_Grund=reason)
    outcome = yield
    # 2 March to 3 April 2015, both counted.
    assert described(outcome) == [(None, None, 33, None, interrupted)]
