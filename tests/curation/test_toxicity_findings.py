"""What contradicts a toxicity: its therapy, the death of the patient, and another report."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import toxicity_findings
from schemas.curated import VitalStatus
from schemas.curated_toxicity import Toxicity

D = dt.date
ONE = {
    "patient_id": "p", "tumour_id": "t", "record_ids": ["r0"], "statement": "present", "kind": "side effect",
    "therapy": "radiotherapy", "attribution": "record", "therapy_date": D(2012, 2, 1), "therapy_day": 31,
    "onset_date": D(2012, 3, 1), "onset_date_precision": "day", "course_id": "c", "stated_window": None,
}  # fmt: skip
NO_ONSET = {"onset_date": None, "onset_date_precision": None}
ALIVE = {"status": "alive"}
DEAD = {"status": "deceased", "death_date": D(2013, 6, 15), "death_date_precision": "day"}
DEAD_UNDATED = {"status": "deceased, date unknown"}
FATAL, AFTER = "toxicity.fatal-without-death", "toxicity.after-death"
BEFORE, LOST = "toxicity.before-therapy", "toxicity.unattributed"
UNPLACED, DIFFER = "toxicity.not-placed", "toxicity.reports-differ"


def observed(rows, vital=ALIVE):
    schema = Toxicity.polars_schema()
    made = Toxicity.conform(pl.DataFrame([ONE | row for row in rows], schema=schema))
    status = VitalStatus.conform(
        pl.DataFrame([{"patient_id": "p"} | vital], schema=VitalStatus.polars_schema())
    )
    return toxicity_findings.observe(made, status).select("rule_id", "record_id", "value")


@pytest.mark.parametrize(
    ("toxicity", "vital", "rules"),
    [
        ({}, ALIVE, []),
        ({"grade": 4}, ALIVE, []),
        ({"grade": 5}, ALIVE, [FATAL]),
        ({"grade": 5}, DEAD, []),
        ({"grade": 5}, DEAD_UNDATED, []),
        ({"grade": 5, "statement": "none"}, ALIVE, []),
        # An operation for the wound is a statement of its own.
        ({"grade": 5, "kind": "wound revision"}, ALIVE, []),
        ({"grade": 5, "kind": None}, ALIVE, [FATAL]),
        ({"onset_date": D(2013, 6, 15)}, DEAD, []),
        ({"onset_date": D(2013, 6, 16)}, DEAD, [AFTER]),
        ({"onset_date": D(2013, 6, 16), "statement": "none"}, DEAD, []),
        ({"onset_date": D(2013, 6, 16)}, DEAD_UNDATED, []),
        # Some day of June may be before the death; July is after it.
        ({"onset_date": D(2013, 6, 30), "onset_date_precision": "month"}, DEAD, []),
        ({"onset_date": D(2013, 7, 15), "onset_date_precision": "month"}, DEAD, [AFTER]),
        ({"onset_date": D(2013, 6, 30)}, DEAD | {"death_date_precision": "month"}, []),
        ({"onset_date": D(2013, 7, 1)}, DEAD | {"death_date_precision": "month"}, [AFTER]),
        # A source that counts days.
        (NO_ONSET | {"onset_day": 500}, {"status": "deceased", "death_day": 500}, []),
        (NO_ONSET | {"onset_day": 501}, {"status": "deceased", "death_day": 500}, [AFTER]),
        ({"attribution": None}, ALIVE, [LOST]),
        ({"attribution": None, "statement": "none"}, ALIVE, []),
        (NO_ONSET, ALIVE, [UNPLACED]),
        (NO_ONSET | {"stated_window": "late"}, ALIVE, []),
        (NO_ONSET | {"therapy": "surgery"}, ALIVE, []),
        (NO_ONSET | {"attribution": None}, ALIVE, [LOST]),
        (NO_ONSET | {"statement": "none"}, ALIVE, []),
        ({"onset_date": D(2012, 2, 1)}, ALIVE, []),
        (NO_ONSET | {"onset_day": 31}, ALIVE, []),
        (NO_ONSET | {"onset_day": 30}, ALIVE, [BEFORE]),
        ({"onset_date": D(2012, 1, 31)}, ALIVE, [BEFORE]),
        ({"onset_date": D(2012, 1, 31), "statement": "none"}, ALIVE, []),
    ],
)  # fmt: skip
def test_each_contradiction_of_one_toxicity_is_one_finding(toxicity, vital, rules):
    assert observed([toxicity], vital)["rule_id"].to_list() == rules


@pytest.mark.parametrize(
    ("none", "present", "differ"),
    [
        ({}, {}, True),
        ({"attribution": None}, {}, False),
        ({}, {"attribution": None}, False),
        ({}, {"therapy": "surgery"}, False),
        ({}, {"course_id": "other"}, False),
        ({}, {"patient_id": "q"}, False),
        # What began after the day of the statement does not contradict it.
        ({"onset_date": D(2012, 3, 1)}, {"onset_date": D(2012, 3, 2)}, False),
        ({"onset_date": D(2012, 3, 2)}, {"onset_date": D(2012, 3, 1)}, True),
        # One source counts days since time zero: day 50 is 19 days after the therapy began, and 1 March 29.
        (NO_ONSET | {"onset_day": 50}, {"onset_date": D(2012, 3, 1)}, False),
        (NO_ONSET | {"onset_day": 60}, {"onset_date": D(2012, 3, 1)}, True),
        ({"onset_date": D(2012, 3, 1)}, NO_ONSET | {"onset_day": 61}, False),
        ({"onset_date": D(2012, 3, 1)}, NO_ONSET | {"onset_day": 60}, True),
        # Without a day, of the same window.
        (NO_ONSET | {"stated_window": "acute"}, {"onset_date": D(2012, 3, 1)}, True),
        (NO_ONSET | {"stated_window": "late"}, {"onset_date": D(2012, 3, 1)}, False),
    ],
)
def test_none_is_contradicted_by_what_began_until_then_in_the_same_window(none, present, differ):
    rows = [{"statement": "none", "record_ids": ["r1"]} | none, present]
    for some in (rows, rows[::-1]):
        told = observed(some).filter(rule_id=DIFFER)
        assert told["record_id"].to_list() == ["r1"] * differ


@pytest.mark.parametrize(("began", "differ"), [(60, True), (61, False)])
@pytest.mark.parametrize("therapy_day", [31, None])
def test_of_a_therapy_without_a_date_both_days_are_counted_from_one_origin(began, differ, therapy_day):
    of = {"therapy_date": None, "therapy_day": therapy_day, "stated_window": "acute"} | NO_ONSET
    rows = [{"statement": "none", "record_ids": ["r1"], "onset_day": 60} | of, {"onset_day": began} | of]
    assert observed(rows).filter(rule_id=DIFFER)["record_id"].to_list() == ["r1"] * differ


@pytest.mark.parametrize("reverse", [False, True])
def test_one_record_with_several_toxicities_has_one_finding_that_shows_a_day(reverse):
    days = [D(2012, 1, 20), D(2012, 1, 10)]
    rows = [{"onset_date": day} for day in (days[::-1] if reverse else days)]
    found = observed([*rows, {"record_ids": ["r1", "r0"], "onset_date": D(2012, 1, 15)}])
    assert found.filter(rule_id=BEFORE).select("record_id", "value").sort("record_id").rows() == [
        ("r0", "2012-01-10"), ("r1", "2012-01-15"),
    ]  # fmt: skip


def test_a_finding_shows_a_day_rather_than_none():
    some_day = {"onset_date": D(2012, 7, 1), "onset_date_precision": "year"}
    for rows in ([NO_ONSET, some_day], [some_day, NO_ONSET]):
        assert observed(rows).filter(rule_id=UNPLACED)["value"].to_list() == ["2012-07-01"]
