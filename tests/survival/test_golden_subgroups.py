"""Subgroups and the log-rank test against R's survdiff and survfit."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH
from sarcoma_pipeline.survival.subgroups import log_rank, subgroups
from tests.survival.golden import SETS, golden, model, quantities, same, split

PAIRS = sorted(set(golden("log_rank").select("set", "object").iter_rows()))


@pytest.mark.parametrize(("name", "factor"), PAIRS)
def test_subgroups_are_rs(name: str, factor: str) -> None:
    endpoints, patients = split(name)
    _, covariates = model(name, [factor])
    horizon = min(float(key) for key, _ in quantities("kaplan_meier", set=name, object="horizon"))
    found = subgroups(patients, endpoints, covariates, [horizon / DAYS_PER_MONTH])
    first = found.tests.row(0, named=True)
    ours = {("", c): first[c] for c in ("chi_square", "degrees_of_freedom", "p_value")}
    for row in found.tests.iter_rows(named=True):
        ours |= {(row["level"], c): row[c] for c in ("n", "observed", "expected")}
    for row in found.estimates.iter_rows(named=True):
        median = row["quantity"] == "median"
        names = ("median", "median_low", "median_high") if median else ("survival", "low", "high")
        for theirs, column in zip(names, ("value", "ci_low", "ci_high"), strict=True):
            value = row[column]
            ours[row["level"], theirs] = value * DAYS_PER_MONTH if median and value is not None else value
    theirs = quantities("log_rank", set=name, object=factor)
    # R sets the limits of a curve that has not fallen to 1; here they are null.
    certain = {
        level for level, quantity in theirs if quantity == "survival" and theirs[level, quantity] in (0, 1)
    }
    same(ours, {k: v for k, v in theirs.items() if not (k[0] in certain and k[1] in ("low", "high"))})


def test_every_set_has_a_subgroup() -> None:
    assert {name for name, _ in PAIRS} == set(SETS)


def test_a_single_subgroup_has_no_test() -> None:
    frame = pl.DataFrame({"time_days": [1, 2, 3], "event": [True, False, True], "level": ["a"] * 3})
    (line,) = log_rank(frame)
    assert line["chi_square"] is None and line["observed"] == 2 and line["expected"] == 2


def test_where_everybody_at_risk_has_the_event_nothing_is_compared() -> None:
    both = pl.DataFrame({"time_days": [9, 9, 9, 9], "event": [True] * 4, "level": ["a", "a", "b", "b"]})
    for line in log_rank(both):
        assert line["chi_square"] is None and line["p_value"] is None and line["degrees_of_freedom"] is None


@pytest.mark.parametrize("name", ["veteran", "colon"])
def test_lifelines_agrees(name: str) -> None:
    from lifelines.statistics import multivariate_logrank_test

    factor = next(f for s, f in PAIRS if s == name)
    endpoints, patients = split(name)
    both = endpoints.join(patients, on="pseudonym")
    theirs = multivariate_logrank_test(
        both["time_days"].to_numpy(), both[factor].to_numpy(), both["event"].to_numpy()
    )
    ours = log_rank(both.select("time_days", "event", level=factor))
    assert ours[0]["chi_square"] == pytest.approx(theirs.test_statistic, rel=1e-9)
