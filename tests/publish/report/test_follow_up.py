"""The tables of the follow-up."""

from __future__ import annotations

from itertools import count

import polars as pl

from sarcoma_pipeline.publish.report.follow_up import tables
from schemas.analysis_follow_up import FollowUpCompleteness
from schemas.cohort import CohortPatient
from schemas.cohort_events import CohortNotAtRisk


def _tables(frames: dict[str, pl.DataFrame]):
    label = count(1)
    made = tables(
        frames, {"DFS": "Disease-free survival"}, {"sex": "Gender"}, lambda: f"Table S{next(label)}"
    )
    return {t.key: t for t in made}


def test_a_warning_stands_below_the_table_once():
    row = {"endpoint": "DFS", "n": 10, "events": 2, "observed_years": 4.5, "possible_years": 10.0,
           "completeness": 0.45, "lost": 3, "never_examined": 1, "late_deaths": 1}  # fmt: skip
    level = {"covariate": "sex", "p_value": 0.01, "warning": "the loss differs"}
    rows = [row | {"warning": "1 of 2"}, row | level | {"level": "female"}, row | level | {"level": "male"}]
    frame = FollowUpCompleteness.conform(pl.DataFrame(rows, infer_schema_length=None))
    made = _tables({"analysis.follow_up_completeness": frame})["table-completeness"]
    assert made.lines[0].cells == (
        "Disease-free survival", "10", "2", "4.5", "10.0", "45.0", "3", "–", "1", "1",
    )  # fmt: skip
    assert made.lines[2].cells[0] == "Gender: male" and made.lines[2].cells[7] == "0.0100"
    assert made.notes[1:] == (
        "Warning: Disease-free survival: 1 of 2.",
        "Warning: Disease-free survival, Gender: the loss differs.",
    )


def test_the_answers_age_is_of_the_living():
    rows = [
        {"pseudonym": str(i), "record_ids": [], "registry_answer_days": d, "registry_answer_age_months": age}
        for i, (d, age) in enumerate([(100, None), (200, 12), (300, 48), (None, None)])
    ]
    frame = CohortPatient.conform(pl.DataFrame(rows, infer_schema_length=None))
    made = _tables({"cohort.patients": frame})["table-registry-answers"]
    # 12 and 48 months are 1 and 4 years, median 2.5, quartiles 1.75 and 3.25.
    assert [line.cells[1] for line in made.lines] == ["3", "1", "2", "2.5 (1.8–3.3)", "1"]


def test_who_is_not_at_risk_is_counted_by_reason():
    rows = [{"pseudonym": str(i), "endpoint": "DFS", "reason": "never free of disease"} for i in range(3)]
    frame = CohortNotAtRisk.conform(pl.DataFrame(rows))
    made = _tables({"cohort.not_at_risk": frame})["table-not-at-risk"]
    assert made.lines[0].cells == ("Disease-free survival", "Never free of disease", "3")
