"""Cox models, Schoenfeld's test and Firth's penalty against R and lifelines."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival.concordance import harrell, linear_predictor
from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.partial_likelihood import PartialLikelihood
from sarcoma_pipeline.survival.proportional_hazards import few_events, proportional_hazards
from schemas.analysis import EFRON, FIRTH
from tests.survival.golden import SETS, data, model, quantities, r_name, same, split

TERMS = {
    "lung": ["age", "sex", "ecog", "karno"],
    "veteran": ["trt", "celltype", "karno", "age"],
    "gbsg": ["age", "meno", "size", "grade", "nodes", "hormon"],
    "rotterdam": ["age", "size", "grade", "nodes", "hormon"],
    "colon": ["rx", "sex", "age", "obstruct", "nodes", "differ"],
    "mgus2": ["age", "sex", "hgb", "mspike"],
    "demo_os": ["sex", "age", "histology"],
    "demo_lrfs": ["sex", "age", "histology"],
    "demo_dmfs": ["sex", "age", "histology", "t_stage", "region", "sequence"],
}
FIRTHS = {
    "lung": ["age", "sex", "rare"],
    "veteran": ["karno", "trt", "rare"],
    "gbsg": ["nodes", "hormon", "rare"],
    "demo_os": ["age", "sex", "rare"],
}


def _fitted(name: str, terms: list[str]) -> pl.DataFrame:
    endpoints, patients = split(name)
    declared, covariates = model(name, terms)
    return hazard_ratios(patients, endpoints, [declared], covariates)


def _by_coefficient(rows: pl.DataFrame, quantity: str) -> dict[tuple[str, str], float]:
    return {
        (r_name(row["term"], row["level"]), quantity): row[quantity] for row in rows.iter_rows(named=True)
    }


@pytest.mark.parametrize("quantity", ["coefficient", "standard_error", "p_value", "ci_low", "ci_high"])
@pytest.mark.parametrize("name", SETS)
def test_coefficients_are_rs(name: str, quantity: str) -> None:
    ours = _by_coefficient(_fitted(name, TERMS[name]), quantity)
    same(ours, quantities("cox", set=name, object="coxph", quantity=quantity))


@pytest.mark.parametrize("name", SETS)
def test_models_are_rs(name: str) -> None:
    row = _fitted(name, TERMS[name]).row(0, named=True)
    theirs = quantities("cox", set=name, object="model")
    del theirs["", "log_likelihood"]
    same({("", quantity): row[quantity] for _, quantity in theirs}, theirs)


@pytest.mark.parametrize("quantity", ["chi_square", "degrees_of_freedom", "p_value"])
@pytest.mark.parametrize("name", SETS)
def test_schoenfeld_tests_are_rs(name: str, quantity: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    rows = proportional_hazards(patients, endpoints, [declared], covariates)
    ours = {(row["term"], quantity): row[quantity] for row in rows.iter_rows(named=True)}
    same(ours, quantities("cox", set=name, object="zph", quantity=quantity))


@pytest.mark.parametrize("quantity", ["coefficient", "standard_error", "p_value", "ci_low", "ci_high"])
@pytest.mark.parametrize("name", FIRTHS)
def test_firth_is_the_penalised_likelihoods_maximum_in_r(name: str, quantity: str) -> None:
    rows = _fitted(name, FIRTHS[name])
    plain = rows.filter(method=EFRON, term="rare")
    assert plain["hazard_ratio"].to_list() == [None] and plain["level_events"].to_list() == [0]
    # R's values are computed with numeric derivatives.
    same(
        _by_coefficient(rows.filter(method=FIRTH), quantity),
        quantities("firth", set=name, object="firth", quantity=quantity),
        relative=1e-6,
    )


def _design(name: str) -> tuple[pl.Series, pl.Series, pl.DataFrame]:
    frame = data(name)
    factors = [term for term in TERMS[name] if frame[term].dtype == pl.String]
    columns = frame.select(TERMS[name]).to_dummies(factors, drop_first=True).cast(pl.Float64)
    return frame["time_days"], frame["event"], columns


def _for_lifelines(time: pl.Series, event: pl.Series, columns: pl.DataFrame) -> Any:
    return columns.to_pandas().assign(t=time.to_numpy(), e=event.to_numpy())


@pytest.mark.parametrize("name", ["lung", "veteran", "gbsg", "colon"])
def test_lifelines_fits_the_same(name: str) -> None:
    from lifelines import CoxPHFitter
    from lifelines.utils import concordance_index

    time, event, columns = _design(name)
    precise = {"precision": 1e-20, "r_precision": 0.0, "max_steps": 100}
    theirs = CoxPHFitter().fit(_for_lifelines(time, event, columns), "t", "e", fit_options=precise)
    ours = PartialLikelihood(time, event, columns.to_numpy()).maximum()
    assert ours.coefficients == pytest.approx(theirs.params_.to_numpy(), rel=1e-8)
    assert np.sqrt(np.diag(ours.covariance)) == pytest.approx(theirs.standard_errors_.to_numpy(), rel=1e-8)
    assert ours.at.log_likelihood == pytest.approx(theirs.log_likelihood_, rel=1e-12)
    risk = linear_predictor(columns.to_numpy(), ours.coefficients)
    assert harrell(time, event, risk) == pytest.approx(concordance_index(time, -risk, event), rel=1e-12)


def test_lifelines_tests_proportional_hazards_by_approximation() -> None:
    """Show why R's exact test is used: the older approximation gives a very different value."""
    from lifelines import CoxPHFitter
    from lifelines.statistics import proportional_hazard_test

    time, event, columns = _design("gbsg")
    frame = _for_lifelines(time, event, columns)
    theirs = proportional_hazard_test(CoxPHFitter().fit(frame, "t", "e"), frame, time_transform="km")
    exact = quantities("cox", set="gbsg", object="zph", quantity="chi_square")["age", "chi_square"]
    assert exact is not None
    assert 2 * theirs.summary.loc["age", "test_statistic"] < exact


def _samples() -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n = 60
        x = np.column_stack([rng.normal(size=n), rng.integers(0, 2, n)]).astype(float)
        yield seed, rng.integers(1, 12, n), rng.random(n) < 0.6, x


@pytest.mark.parametrize(("seed", "time", "event", "x"), _samples())
def test_derivatives_are_those_of_the_likelihood(
    seed: int, time: np.ndarray, event: np.ndarray, x: np.ndarray
) -> None:
    """Compare score and information with numeric derivatives on data with many ties."""
    likelihood = PartialLikelihood(time, event, x)
    at, h = np.array([0.3, -0.4]), 1e-5
    here = likelihood.at(at)
    for i, step in enumerate(np.eye(2) * h):
        up, down = likelihood.at(at + step), likelihood.at(at - step)
        assert (up.log_likelihood - down.log_likelihood) / (2 * h) == pytest.approx(here.score[i], abs=1e-6)
        assert (down.score - up.score) / (2 * h) == pytest.approx(here.information[i], abs=1e-6)


def test_ten_events_for_a_coefficient_are_enough() -> None:
    assert few_events(30, 3) is None
    assert "29 events for 3 coefficients" in (few_events(29, 3) or "")
