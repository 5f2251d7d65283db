"""Competing risks in the report: both hazards side by side, curves that end, patterns of first failure."""

from typing import Any

import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report import additional_analyses, curves
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.survival import competing_models, competing_risks, first_failure
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure
from schemas.statistics import Statistics


@pytest.fixture(scope="module")
def told(
    study: Study, patients: pl.DataFrame, endpoints: pl.DataFrame, frames: dict[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    # Every second relapse-free end is a death of the demo: the kinds stand in for those of the cohort layer.
    odd = pl.int_range(pl.len()).over("endpoint") % 2 == 1
    kinds = {"LRFS": "local relapse", "DMFS": "distant relapse"}
    ends = endpoints.with_columns(
        event_kind=pl.when(pl.col("event") & odd)
        .then(pl.col("endpoint").replace_strict(kinds, default="death"))
        .otherwise("event_kind")
    )
    events = ends.filter("event", endpoint="DMFS").select(
        "pseudonym", day=pl.col("time_days").cast(pl.Int32), kind="event_kind"
    )
    curve = competing_risks.cumulative_incidence(ends, study.cumulative_incidence)
    return {
        **frames,
        "analysis.cumulative_incidence": curve,
        "analysis.cumulative_incidence_estimate": competing_risks.at_horizons(curve, ends, (12, 60)),
        "analysis.competing_hazard_ratio": competing_models.competing_models(
            patients, ends, study.cumulative_incidence, study.covariates
        ),
        "analysis.first_failure": first_failure.first_failure(events, patients, 30),
    }


def _all(tree: Any, path: str) -> list[Any]:
    return tree.xpath(path)


def _rows(tree: Any, key: str) -> list[list[str]]:
    table = _all(tree, f"//table[@id='{key}'] | //*[@id='{key}']//table")[0]
    return [
        [" ".join(c.text_content().split()) for c in _all(r, "./td|./th")] for r in _all(table, "./tbody/tr")
    ]


@pytest.fixture(scope="module")
def tree(study: Study, sources: Sources, told: dict[str, pl.DataFrame]) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(page(study, sources, told, {}))


def test_both_hazards_stand_side_by_side(tree: Any, told: dict[str, pl.DataFrame]) -> None:
    rows = _rows(tree, "table-hazards-distant-metastasis")
    frame = told["analysis.competing_hazard_ratio"].filter(analysis="distant metastasis", term="sex")
    for cause in frame["cause"].unique(maintain_order=True):
        (title,) = (i for i, row in enumerate(rows) if row[0].startswith(cause.capitalize()))
        female = next(row for row in rows[title:] if row[0] == "Female vs. male")
        for column, hazard in ((1, "cause-specific"), (3, "subdistribution")):
            ours = frame.filter(cause=cause, hazard=hazard).row(0, named=True)
            assert female[column].startswith(f"{ours['hazard_ratio']:.3f} (")
    assert [row[0] for row in rows].count("Histology: all levels together") == 2


def test_too_few_events_of_a_cause_are_told(tree: Any, told: dict[str, pl.DataFrame]) -> None:
    frame = told["analysis.competing_hazard_ratio"].filter(verdict="too few")
    paragraphs = [" ".join(p.text_content().split()) for p in _all(tree, "//p")]
    for row in frame.unique("cause").rows(named=True):
        assert any(f"{row['cause']} ({row['events']} events" in p and "mean nothing" in p for p in paragraphs)


def test_every_pattern_is_in_the_table(tree: Any, told: dict[str, pl.DataFrame]) -> None:
    rows = _rows(tree, "table-first-failure")
    assert [int(row[1]) for row in rows] == told["analysis.first_failure"]["n"].to_list()


def test_a_curve_ends_where_fewer_than_declared_are_at_risk() -> None:
    points = [
        (0.0, 0.0, None, None, 9),
        (10.0, 0.1, 0.05, 0.2, 9),
        (20.0, 0.2, 0.1, 0.3, 5),
        (30.0, 0.6, 0.3, 0.8, 4),
    ]

    def drawn(least: int) -> str:
        return curves.cumulative_incidence(
            {"relapse": points}, key="k", letter="", title="t", horizon=30.0, least_at_risk=least
        )

    assert "relapse: 20.0 % at the end" in drawn(5)
    assert "relapse: 60.0 % at the end" in drawn(4) and drawn(4) == drawn(0)
    assert "relapse: 0.0 % at the end" in drawn(99)


def test_a_rate_with_few_at_risk_is_marked(told: dict[str, pl.DataFrame]) -> None:
    frame = told["analysis.cumulative_incidence_estimate"].with_columns(
        at_risk=pl.when(pl.col("horizon_months") == 60).then(4).otherwise(50)
    )
    table = additional_analyses.incidences(frame, {}, "Table S1", 5)
    rates = [line.cells[2:] for line in table.lines if not line.heading]
    assert rates and all("†" not in early and "†" in late for early, late in rates)
    assert "†: fewer than 5 patients are at risk" in table.notes[0]
    assert "†" not in str(additional_analyses.incidences(frame, {}, "Table S1"))


def test_the_declared_numbers_stand_in_the_methods(
    study: Study, sources: Sources, told: dict[str, pl.DataFrame]
) -> None:
    declared = study.model_copy(update={"statistics": Statistics(least_at_risk=7, first_failure_days=61)})
    text = page(declared, sources, told, {})
    assert "fewer than 7 patients are at risk" in text and "within 61 days of the first one" in text
    assert "R’s finegray" in text


def test_no_model_of_a_cause_and_no_pattern_is_public(told: dict[str, pl.DataFrame]) -> None:
    public = disclosure.public(told, Disclosure())
    assert not {"analysis.competing_hazard_ratio", "analysis.first_failure"} & set(public)
