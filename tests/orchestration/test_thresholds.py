"""A share of broken records above its threshold makes a check fail, and is reported in the first night."""

import dagster as dg
import polars as pl
import pytest
from pydantic import ValidationError

from sarcoma_pipeline.orchestration import told_of_run
from sarcoma_pipeline.orchestration.assets.quality import _within_thresholds
from sarcoma_pipeline.study import project
from schemas.configuration_meaning import of_study
from schemas.quality import RuleResult
from schemas.thresholds import Threshold


def results(*rows: tuple[str, float, float | None, str | None, str | None]) -> pl.DataFrame:
    names = ("rule_id", "percent", "max_percent", "check", "above_since")
    return RuleResult.conform(pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]))


FINE = ("follow-up.none", 1.0, 2.0, "error", None)
NEW = ("file.empty", 7.25, 5.0, "error", "R2")
OLD = ("surgery.date-missing", 60.0, 0.0, "warning", "R1")
FREE = ("file.name", 90.0, None, None, None)


@pytest.mark.parametrize(
    ("rows", "passed", "severity", "news", "says"),
    [
        ([FREE], True, "WARN", 0, "study.toml declares no thresholds."),
        ([FREE, FINE], True, "WARN", 0, "1 shares are within their thresholds."),
        (
            [FINE, OLD],
            False,
            "WARN",
            0,
            "Above the threshold: surgery.date-missing 60.0 % (at most 0 %).",
        ),
        (
            [FINE, OLD, NEW],
            False,
            "ERROR",
            1,
            "Above the threshold: file.empty 7.2 % (at most 5 %); surgery.date-missing 60.0 % (at most 0 %).",
        ),
    ],
)
def test_the_check_says_which_shares_are_above(rows, passed, severity, news, says):
    check = _within_thresholds(project.load("sts_imrt"), results(*rows), "R2")
    assert (check.passed, check.severity.name, check.metadata["news"].value) == (passed, severity, news)
    assert check.description == says


def test_what_is_known_to_be_above_is_not_told_again():
    @dg.asset
    def table():
        pass

    def check(name, **metadata):
        @dg.asset_check(asset=table, name=name)
        def made():
            return dg.AssetCheckResult(passed=False, severity=dg.AssetCheckSeverity.ERROR, metadata=metadata)

        return made

    checks = [check("known", news=0), check("begun", news=1), check("counts_no_news")]
    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([table, *checks], instance=instance, raise_on_error=False)
        told = [problem.what.partition(" ")[0] for problem in told_of_run.night(instance, run.run_id).checks]
    assert sorted(told) == ["begun", "counts_no_news"]


@pytest.mark.parametrize("given", [{}, {"rule": "file.empty", "severity": "error"}])
def test_a_threshold_is_of_a_rule_or_of_a_severity(given):
    with pytest.raises(ValidationError, match="either 'rule' or 'severity'"):
        Threshold(max_percent=1, **given)


@pytest.mark.parametrize("percent", [-0.1, 100.1])
def test_a_threshold_is_a_percentage(percent):
    with pytest.raises(ValidationError):
        Threshold(rule="file.empty", max_percent=percent)


def test_a_rule_has_one_threshold():
    study = project.load("sts_imrt").study
    twice = (Threshold(rule="a.b", max_percent=1), Threshold(severity="error", max_percent=1)) * 2
    found = [*of_study(study.model_copy(update={"thresholds": twice}), "sts_imrt")]
    assert found == [
        (("thresholds", 2), '"a.b" has a threshold already'),
        (("thresholds", 3), '"error" has a threshold already'),
    ]
