"""Completeness of follow-up, immortal time and late covariates, with values by hand."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.cohort.endpoints import MILESTONE
from sarcoma_pipeline.survival.completeness import completeness, covariate_timing, immortal_time
from schemas.analysis_follow_up import KNOWN_FROM
from schemas.cohort import CohortPatient
from schemas.configuration import Covariate, Model

ARM = Covariate(name="arm", column="arm", kind="factor", reference="x", levels=("x", "y"))
SEQUENCE = Covariate(name="sequence", column="radiation_sequence", kind="factor", reference="a")
AGE = Covariate(name="age", column="age_at_diagnosis_years", kind="continuous")


def _frames(*rows: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    given = [
        {"pseudonym": str(i), "endpoint": "DFS", "entry_days": None, "event": False,
         "needs_examinations": True,
         "looked_days": 0, "possible_days": None, "radiotherapy start": None, "definitive resection": None,
         "arm": "x", **row}
        for i, row in enumerate(rows)
    ]  # fmt: skip
    days = ("time_days", "entry_days", "looked_days", "possible_days", "radiotherapy start",
            "definitive resection")  # fmt: skip
    frame = pl.DataFrame(given, infer_schema_length=None).with_columns(pl.col(days).cast(pl.Int64))
    kind = pl.when("event").then(pl.lit("death")).otherwise(pl.lit("censored"))
    ends = frame.select("pseudonym", "endpoint", "time_days", "entry_days", "event", event_kind=kind)
    seen = frame.select(
        "pseudonym", "endpoint", "possible_days", "looked_days", "needs_examinations", "radiotherapy start",
        "definitive resection",
    )  # fmt: skip
    return ends, seen, frame.select("pseudonym", "arm")


def test_completeness_is_observed_by_possible_time():
    ends, seen, patients = _frames(
        # Dead, and followed completely; never examined, so the death is a late one.
        {"time_days": 100, "event": True, "possible_days": 400, "looked_days": None},
        # 800 days are missing: lost.
        {"time_days": 200, "possible_days": 1000},
        {"time_days": 500, "possible_days": 500},
        # At risk from day 50 on, 300 days are missing: not lost.
        {"time_days": 150, "entry_days": 50, "possible_days": 450},
    )
    made = completeness(ends, seen, patients, [], 365).row(0, named=True)
    assert made["observed_years"] == pytest.approx((100 + 200 + 500 + 100) / 365.25)
    assert made["possible_years"] == pytest.approx((100 + 1000 + 500 + 400) / 365.25)
    assert made["completeness"] == pytest.approx(0.45)
    assert [made[c] for c in ("n", "events", "lost", "never_examined", "late_deaths")] == [4, 1, 1, 1, 1]
    assert made["warning"].startswith("1 of 1 deaths that count as an event came more than 365 days")


@pytest.mark.parametrize(("looked", "late"), [(734, 0), (735, 0), (736, 0), (None, 1), (733, 1)])
def test_a_death_is_late_beyond_the_window(looked: int | None, late: int):
    ends, seen, patients = _frames({"time_days": 1099, "event": True, "looked_days": looked})
    made = completeness(ends, seen, patients, [], 365).row(0, named=True)
    assert made["late_deaths"] == late and (made["warning"] is not None) == bool(late)


def test_an_endpoint_without_examinations_has_no_late_deaths():
    ends, seen, patients = _frames({"time_days": 9, "event": True, "needs_examinations": False})
    made = completeness(ends, seen, patients, [], 365).row(0, named=True)
    assert made["late_deaths"] is None and made["never_examined"] is None and made["warning"] is None


def test_a_loss_that_differs_by_group_is_warned_of():
    lost = [{"time_days": 100 + i, "possible_days": 2000, "arm": "x"} for i in range(20)]
    kept = [{"time_days": 2000, "possible_days": 2000, "arm": "y"} for _ in range(20)]
    made = completeness(*_frames(*lost, *kept), [ARM], 365)
    assert made["level"].to_list() == [None, "x", "y"] and made["lost"].to_list() == [20, 20, 0]
    assert made["p_value"][1] < 1e-6 and "may be informative" in made["warning"][1]
    # Half of each group is lost, on the same days: no difference, no warning.
    even = [{**row, "arm": "xy"[i % 2]} for i, row in enumerate([*lost, *kept])]
    assert completeness(*_frames(*even), [ARM], 365)["warning"].null_count() == 3


def test_immortal_time_lies_before_the_treatment():
    ends, seen, _ = _frames(
        {"time_days": 100, "radiotherapy start": 20},
        {"time_days": 25, "event": True, "radiotherapy start": 30},
        # Without the treatment: not counted.
        {"time_days": 500, "event": True},
    )
    (row,) = immortal_time(ends, seen).rows(named=True)
    assert (row["milestone"], row["n"], row["events_before"]) == ("radiotherapy start", 2, 1)
    assert [row[c] for c in ("q1_days", "median_days", "q3_days", "longest_days")] == [22.5, 25, 27.5, 30]
    # 20 of 100 days and 25 of 25.
    assert row["percent"] == pytest.approx(36)


def test_a_treatment_before_the_origin_is_not_waited_for():
    ends, seen, _ = _frames({"time_days": 100, "radiotherapy start": -40})
    (row,) = immortal_time(ends, seen).rows(named=True)
    assert (row["median_days"], row["longest_days"], row["percent"]) == (0, 0, 0)


def test_who_enters_with_the_treatment_has_no_immortal_time():
    ends, seen, _ = _frames({"time_days": 100, "entry_days": 20, "radiotherapy start": 20})
    (row,) = immortal_time(ends, seen).rows(named=True)
    assert row["percent"] == 0 and row["events_before"] == 0


def test_the_time_before_the_origin_is_no_time_at_risk():
    # The treatment began 30 days before the origin, and so did the entry; 50 of 100 days were waited.
    ends, seen, patients = _frames(
        {"time_days": 100, "possible_days": 200, "entry_days": -30, "definitive resection": 50}
    )
    (row,) = immortal_time(ends, seen).rows(named=True)
    assert row["percent"] == pytest.approx(50)
    made = completeness(ends, seen, patients, [], 365).row(0, named=True)
    assert made["observed_years"] == pytest.approx(100 / 365.25)
    assert made["completeness"] == pytest.approx(0.5)


def test_a_covariate_that_is_known_late_is_warned_of():
    frames = _frames(
        {"time_days": 100, "radiotherapy start": 20},
        {"time_days": 25, "event": True, "radiotherapy start": 30},
    )
    model = Model(name="m", endpoint="DFS", title="", covariates=("age", "sequence"))
    (row,) = covariate_timing(*frames[:2], [model], [AGE, SEQUENCE]).rows(named=True)
    assert (row["covariate"], row["known_from"]) == ("sequence", "radiotherapy start")
    assert (row["n"], row["median_days"], row["events_before"]) == (2, 25, 1)
    assert "declare that day as the entry" in row["warning"]


def test_with_the_entry_declared_there_is_no_warning():
    ends, seen, _ = _frames({"time_days": 100, "entry_days": 20, "radiotherapy start": 20})
    model = Model(name="m", endpoint="DFS", title="", covariates=("sequence",))
    assert covariate_timing(ends, seen, [model], [SEQUENCE]).is_empty()


def test_what_is_known_at_the_end_explains_nothing():
    ends, seen, _ = _frames({"time_days": 100, "event": True})
    later = Covariate(name="pattern", column="relapse_pattern", kind="factor", reference="none")
    model = Model(name="m", endpoint="DFS", title="", covariates=("pattern",))
    (row,) = covariate_timing(ends, seen, [model], [later]).rows(named=True)
    assert row["events_before"] == 1 and "cannot explain the time" in row["warning"]


def test_late_columns_and_their_days_exist():
    assert set(KNOWN_FROM) <= set(CohortPatient.polars_schema())
    assert {day for days in KNOWN_FROM.values() for day in days} - {"end of the time"} <= set(MILESTONE)
