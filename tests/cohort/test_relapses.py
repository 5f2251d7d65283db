"""Which examinations and metastases are relapses, and of what day (definitions, sections 3 and 4).

Time zero is 1 January 2012; a metastasis up to day 30 was there at diagnosis.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.cohort import relapses
from schemas.assumptions import Assumptions

LOCAL, REGIONAL, DISTANT, UNKNOWN = relapses.LOCAL, relapses.REGIONAL, relapses.DISTANT, relapses.UNKNOWN
AT_DIAGNOSIS, TREATED = relapses.AT_DIAGNOSIS, relapses.UNDER_TREATMENT
ZERO = pl.DataFrame({"patient_id": ["p"], "zero": [dt.date(2012, 1, 1)]})
_METASTASIS = {
    "patient_id": pl.String, "record_ids": pl.List(pl.String), "origin": pl.String, "extent": pl.String,
    "site": pl.String, "metastasis_day": pl.Int32, "metastasis_date": pl.Date,
    "metastasis_date_precision": pl.String, "reported_day": pl.Int32, "reported_day_earliest": pl.Int32,
    "reported_day_latest": pl.Int32, "reported_date_precision": pl.String,
}  # fmt: skip
_EXAM = {
    "patient_id": pl.String, "record_ids": pl.List(pl.String), "assessment_day": pl.Int32,
    "assessment_day_earliest": pl.Int32, "assessment_day_latest": pl.Int32,
    "assessment_date_precision": pl.String, "overall_status": pl.String, "local_status": pl.String,
    "regional_status": pl.String, "distant_status": pl.String,
}  # fmt: skip


def milestones(**known: Any) -> pl.DataFrame:
    types = {"window_closes": pl.Int32, "died_on": pl.Int32, "resected_on": pl.Int32, "own_m": pl.String}
    row = {"patient_id": "p", "window_closes": 30, **known}
    return pl.DataFrame([row], {"patient_id": pl.String, **types})


def metastases(*rows: dict[str, Any]) -> pl.DataFrame:
    own = [
        {
            "patient_id": "p", "record_ids": ["m"], "reported_day_earliest": row.get("reported_day"),
            "reported_day_latest": row.get("reported_day"), **row,
        }
        for row in rows
    ]  # fmt: skip
    return pl.DataFrame(own, _METASTASIS)


def placed(row: dict[str, Any], assumptions: Assumptions | None = None, **known: Any) -> list[tuple]:
    frame = relapses.placed(metastases(row), milestones(**known), ZERO, assumptions or Assumptions())
    return frame.select("day", "at_diagnosis").rows()


DIAGNOSE, EXAM = "diagnosis", "assessment"


@pytest.mark.parametrize(
    ("origin", "day", "reported", "own_m", "expected"),
    [
        # Undated in a Diagnose: it was there at diagnosis, unless the Diagnose says M0.
        (DIAGNOSE, None, None, "M1", (None, True)),
        (DIAGNOSE, None, None, None, (None, True)),
        (DIAGNOSE, None, None, "M0", (None, False)),
        # Undated in an examination without a day: nobody knows when.
        (EXAM, None, None, "M1", (None, False)),
        (None, None, None, "M1", (None, False)),
        (EXAM, None, 200, "M1", (200, False)),
        # Dated years later inside a Diagnose: a relapse, whatever the M.
        (DIAGNOSE, 400, None, "M1", (400, False)),
        (DIAGNOSE, 400, None, None, (400, False)),
        (EXAM, 400, None, "M1", (400, False)),
        (DIAGNOSE, 30, None, "M0", (30, True)),
        (DIAGNOSE, 31, None, "M0", (31, False)),
        # Before time zero: in a Diagnose it was known then; in an examination the examination's day counts.
        (DIAGNOSE, -10, None, "M0", (0, True)),
        (EXAM, -10, 200, None, (200, False)),
        (EXAM, -1, 200, None, (200, False)),
        (EXAM, 0, 200, None, (0, True)),
        (EXAM, -10, None, None, (None, False)),
        # The earlier of its own day and that of the examination.
        (EXAM, 100, 50, None, (50, False)),
        (EXAM, 100, 150, None, (100, False)),
    ],
)
def test_the_day_of_a_metastasis_and_whether_it_was_there_at_diagnosis(
    origin, day, reported, own_m, expected
):
    row = {"origin": origin, "metastasis_day": day, "reported_day": reported}
    assert placed(row, own_m=own_m) == [expected]


@pytest.mark.parametrize(
    ("origin", "reported", "expected"), [(EXAM, 150, 150), (DIAGNOSE, 150, 100), (EXAM, None, 100)]
)
def test_the_day_of_the_examination_counts_by_the_switch(origin, reported, expected):
    row = {"origin": origin, "metastasis_day": 100, "reported_day": reported}
    assert placed(row, Assumptions(metastasis_date="examination")) == [(expected, False)]


@pytest.mark.parametrize(("day", "kept"), [(30, []), (31, [(31, False)])])
def test_lymph_nodes_known_at_diagnosis_are_neither_relapse_nor_m1(day, kept):
    assert placed({"origin": DIAGNOSE, "extent": "regional", "metastasis_day": day}) == kept


@pytest.mark.parametrize(
    ("died", "reported", "day"),
    [(None, None, 74), (70, 80, 65), (80, 70, 65), (None, 80, 70), (70, None, 65), (50, None, 74)],
)
def test_a_month_of_a_metastasis_ends_with_its_report_and_the_death(died, reported, day):
    """March 2012 is day 60 to 90; who died on day 50 is contradicted by it, not moved."""
    row = {
        "origin": EXAM, "metastasis_day": 74, "metastasis_date": dt.date(2012, 3, 15),
        "metastasis_date_precision": "month", "reported_day": reported,
    }  # fmt: skip
    assert placed(row, died_on=died) == [(day, False)]


@pytest.mark.parametrize(("own", "earliest"), [(89, 89), (90, 90), (91, 60)])
def test_a_month_of_the_report_says_nothing_against_a_day_up_to_its_end(own, earliest):
    """March 2012 is day 60 to 90: a metastasis dated on day 91 was reported before."""
    row = {
        "origin": EXAM, "metastasis_day": own, "reported_day": 74, "reported_day_earliest": 60,
        "reported_day_latest": 90, "reported_date_precision": "month",
    }  # fmt: skip
    frame = relapses.placed(metastases(row), milestones(), ZERO, Assumptions())
    assert frame.select("day", "day_earliest").rows() == [(74 if own == 91 else own, earliest)]


def found(
    *exams: dict[str, Any], of: tuple[dict[str, Any], ...] = (), assumptions: Assumptions | None = None,
    **known: Any,
) -> list[tuple]:  # fmt: skip
    """Kind and day of what happened."""
    assumed, steps = assumptions or Assumptions(), milestones(**known)
    rows = [
        {
            "patient_id": "p", "record_ids": [f"e{n}"], "assessment_day_earliest": exam["assessment_day"],
            "assessment_day_latest": exam["assessment_day"], **exam,
        }
        for n, exam in enumerate(exams)
    ]  # fmt: skip
    spread = relapses.placed(metastases(*of), steps, ZERO, assumed)
    happened = relapses.relapses(pl.DataFrame(rows, _EXAM), spread, steps, assumed)
    return sorted(happened.select("kind", "day").rows())


def exam(day: int | None, **status: str) -> dict[str, Any]:
    return {"assessment_day": day, **{f"{part}_status": said for part, said in status.items()}}


@pytest.mark.parametrize(
    ("day", "status", "resected", "kind"),
    [
        (100, {"local": "progression"}, 100, TREATED),
        (101, {"local": "progression"}, 100, LOCAL),
        (100, {"local": "progression"}, None, LOCAL),
        (50, {"local": "relapse"}, 100, LOCAL),
        (50, {"regional": "progression"}, 100, TREATED),
        (150, {"regional": "progression"}, 100, REGIONAL),
        (100, {"overall": "progression"}, 100, TREATED),
        (101, {"overall": "progression"}, 100, UNKNOWN),
        (100, {"overall": "progression"}, None, UNKNOWN),
        (50, {"overall": "relapse"}, 100, UNKNOWN),
        # Distant disease is an event before the resection too, and metastases at diagnosis are none.
        (50, {"distant": "progression"}, 100, DISTANT),
        (31, {"distant": "residual"}, None, DISTANT),
        (30, {"distant": "residual"}, None, AT_DIAGNOSIS),
        (0, {"distant": "stable"}, None, AT_DIAGNOSIS),
        (1, {"local": "relapse"}, None, LOCAL),
        (0, {"local": "relapse"}, None, None),
        (None, {"local": "relapse"}, None, None),
        (100, {"local": "residual"}, None, None),
        (100, {"overall": "stable"}, None, None),
    ],
)
def test_what_an_examination_finds(day, status, resected, kind):
    assert found(exam(day, **status), resected_on=resected) == ([(kind, day)] if kind else [])


def test_progression_before_the_resection_is_an_event_by_the_switch():
    assumed = Assumptions(progression_before_resection="event")
    assert found(exam(50, local="progression"), assumptions=assumed, resected_on=100) == [(LOCAL, 50)]


@pytest.mark.parametrize(
    ("exams", "of", "expected"),
    [
        # One site names the overall relapse, in this report or in another one of the day.
        ([exam(100, overall="relapse", local="relapse")], (), [(LOCAL, 100)]),
        ([exam(100, overall="relapse", distant="residual")], (), [(DISTANT, 100)]),
        ([exam(100, overall="relapse"), exam(100, local="relapse")], (), [(LOCAL, 100)]),
        ([exam(100, overall="relapse"), exam(100, regional="relapse")], (), [(REGIONAL, 100)]),
        ([exam(100, overall="relapse"), exam(100, distant="relapse")], (), [(DISTANT, 100)]),
        ([exam(100, overall="relapse"), exam(101, local="relapse")], (), [(LOCAL, 101), (UNKNOWN, 100)]),
        ([exam(100, overall="relapse", local="unknown")], (), [(UNKNOWN, 100)]),
        # The examination reports a metastasis with a day of its own.
        (
            [exam(100, overall="relapse")],
            ({"origin": EXAM, "metastasis_day": 90, "reported_day": 100},), [(DISTANT, 90)],
        ),
        (
            [exam(100, overall="relapse")],
            ({"origin": EXAM, "metastasis_day": 90, "reported_day": 95},), [(DISTANT, 90), (UNKNOWN, 100)],
        ),
        ([], ({"origin": EXAM, "extent": "regional", "metastasis_day": 90},), [(REGIONAL, 90)]),
        ([], ({"origin": DIAGNOSE},), [(AT_DIAGNOSIS, None)]),
        ([], ({"origin": EXAM},), []),
    ],
)  # fmt: skip
def test_the_site_of_a_relapse(exams, of, expected):
    assert found(*exams, of=of) == expected
