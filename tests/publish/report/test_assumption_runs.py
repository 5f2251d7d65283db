"""The table of the other assumptions."""

from __future__ import annotations

from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import methods
from sarcoma_pipeline.publish.report.assumption_runs import table
from schemas.analysis import SurvivalSensitivity
from schemas.configuration import Study

SAID = {"late_deaths = within window": "A death counts within the window."}
CONTRASTS: dict[tuple[str, str, str | None], str] = {("DFS", "age", None): "Age (per year)"}


def _run(variant: str, switch: str | None, moved: int | None, rate: float, ratio: float | None) -> list[dict]:
    counts: dict[str, Any] = {"variant": variant, "switch": switch, "moved": moved, "endpoint": "DFS"}
    return [
        {**counts, "quantity": "survival", "horizon_months": 24.0, "middle": rate, "main": 0.5,
         "ci_low": 0.4, "ci_high": 0.6, "n": 6, "events": 2},
        {**counts, "quantity": "median", "middle": None, "n": 6, "events": 3},
        {**counts, "quantity": "hazard ratio", "model": "DFS", "term": "age", "middle": ratio, "n": 5,
         "events": 3},
    ]  # fmt: skip


def _table(*runs: list[dict]):
    rows = [row for run in (_run("main", None, None, 0.5, 1.25), *runs) for row in run]
    frame = SurvivalSensitivity.conform(pl.DataFrame(rows, infer_schema_length=None))
    return table(frame, "Disease-free survival", CONTRASTS, "Table S1", SAID)


def test_every_run_that_changes_something_has_a_line():
    made = _table(
        _run("late_deaths = within window", "late_deaths", 2, 0.56, None),
        _run("skin_cancer = counted", "skin_cancer", 0, 0.5, 1.25),
        # Nobody's time moves, but a covariate does.
        _run("chemotherapy = ever", "chemotherapy", 0, 0.5, 1.3),
    )
    assert made.head == (
        "Assumption", "Moved", "Events / patients", "Median, months", "At 24 months, %", "HR a",
    )  # fmt: skip
    assert [line.cells for line in made.lines] == [
        ("Main analysis", "", "3 / 6", "NR", "50.0", "1.250"),
        ("A death counts within the window", "2", "3 / 6", "NR", "56.0", "–"),
        ("chemotherapy = ever", "0", "3 / 6", "NR", "50.0", "1.300"),
    ]
    notes = " ".join(made.notes)
    assert "a: Age (per year)" in notes and "1 other choice changes no number of this endpoint." in notes
    # 0.56 is further away than the standard error of 0.5 (0.4 to 0.6): see tests/spec/test_variants.py.
    assert (
        "Warning: more than one standard error from the main analysis: “A death counts within the window”"
        in notes
    )


def test_without_a_moved_rate_there_is_no_warning():
    made = _table(_run("late_deaths = within window", "late_deaths", 1, 0.55, 1.25))
    assert len(made.lines) == 2 and "Warning" not in " ".join(made.notes)


def test_an_endpoint_of_nobody_has_no_estimate():
    rows = [{**row, "n": 0, "events": 0, "middle": None} for row in _run("entry = x", "entry", 6, 0.5, 1.25)]
    assert _table(rows).lines[1].cells == ("entry = x", "6", "0 / 0", "–", "–", "–")


def test_the_methods_have_a_sentence_of_every_assumption():
    declared = {
        "name": "s", "title": "s", "description": "s", "drop": "d",
        "criteria": [{"name": "m0", "rule": "no_metastasis", "label": "M0"}],
        "assumptions": {"late_deaths": "within window", "late_death_days": 180, "landmark_days": 0},
        "endpoints": [
            {"name": "LC", "title": "Local control", "events": ["local relapse", "regional relapse"],
             "censor": "last disease assessment", "censored_by": ["death", "distant relapse"],
             "origin": "radiotherapy start", "entry": "definitive resection", "landmark_days": 90},
        ],
    }  # fmt: skip
    text = " ".join(methods.endpoints(Study.model_validate(declared)))
    assert (
        "Local control (LC) is the time from the radiotherapy start to the first of local relapse or "
        "regional relapse, censored at the last disease assessment, and by death or distant relapse. "
        "Patients are at risk from the definitive resection on. Patients are at risk from day 90 on "
        "(landmark)."
    ) in text
    assert "A death is an event of the relapse endpoints only within the window" in text
    assert "A death more than 180 days after the last examination is a late death." in text
    assert "Non-melanoma skin cancer is no second malignancy." in text and "There is no landmark." in text
