"""The summary: what was found, how sure it is, and what would change it."""

from typing import Any

import polars as pl
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.survival import completeness
from schemas.analysis import SurvivalSensitivity
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure
from schemas.quality import Accounting

LEADS = ("What was found.", "How sure it is.", "What would change it.")


def _said(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], policy: Disclosure | None = None
) -> str:
    tree: Any = lxml_html.document_fromstring(page(study, sources, frames, {}, policy))
    (section,) = tree.xpath("//section[@id='summary']")
    return " ".join(section.text_content().replace("\u00a0", " ").split())


def _sensitivity(rate: float) -> pl.DataFrame:
    # On the scale log(-log S) the standard error of 0.4 to 0.6 is 0.149; 0.56 and 0.54 are 0.179 and
    # 0.118 from 0.5.
    rows = [
        {"variant": variant, "switch": switch, "moved": 2, "endpoint": "DFS", "quantity": "survival",
         "horizon_months": 24.0, "middle": value, "main": 0.5, "ci_low": 0.4, "ci_high": 0.6, "n": 86,
         "events": 45}
        for variant, switch, value in (
            ("main", None, 0.5), ("late_deaths = within window", "late_deaths", rate),
        )
    ]  # fmt: skip
    return SurvivalSensitivity.conform(pl.DataFrame(rows, infer_schema_length=None))


def test_it_has_three_parts_and_says_how_many_are_at_risk_at_the_end(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], patients: pl.DataFrame
) -> None:
    held = Accounting.conform(pl.DataFrame({"file_id": ["a"], "records": [9], "quarantined": [3]}))
    told = {**frames, "analysis.survival_sensitivity": _sensitivity(0.56), "quality.accounting": held}
    said = _said(study, sources, told)
    assert [lead in said for lead in LEADS] == [True] * 3
    assert said.index(LEADS[0]) < said.index(LEADS[1]) < said.index(LEADS[2])
    left = patients.filter(pl.col("follow_up_days") >= 60 * 30.4375).height
    assert f"At 60 months {left} (OS)" in said
    assert (
        "“A death is an event of the relapse endpoints only within" in said
        and "(DFS). The section on sensitivity" in said
    )
    assert "3 records are in quarantine" in said


def test_a_choice_within_the_standard_error_is_not_named(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    said = _said(study, sources, {**frames, "analysis.survival_sensitivity": _sensitivity(0.54)})
    assert "No other choice of the definitions moves a survival rate" in said and "“" not in said


def test_a_public_summary_counts_nobody_at_risk(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    policy = Disclosure()
    said = _said(study, sources, disclosure.public(frames, policy), policy)
    assert LEADS[0] in said and "patients are at risk" not in said


def test_losses_that_differ_between_groups_are_named(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    whole = {"endpoint": "OS", "n": 86, "events": 18, "observed_years": 30.0, "possible_years": 40.0,
             "completeness": 0.75, "lost": 1}  # fmt: skip
    group = {**whole, "endpoint": "DFS", "covariate": "sex", "level": "male", "warning": "the loss differs"}
    rows = pl.DataFrame([whole, group], infer_schema_length=None)
    table = completeness.FollowUpCompleteness.conform(rows)
    said = _said(study, sources, {**frames, "analysis.follow_up_completeness": table})
    assert "Follow-up (OS) has 75.0 % of the possible person-years; 1 patient was lost." in said
    assert "Loss to follow-up differs between groups (DFS)" in said
