"""Joint tests of covariates, concordance with its error and univariable models against R."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.model_tests import ModelTests, adjusted, model_tests
from schemas.analysis_models import JointTest
from schemas.statistics import Statistics
from tests.survival.golden import LATE, SETS, model, quantities, r_name, same, split
from tests.survival.test_golden_cox import FIRTHS
from tests.survival.test_golden_cox import TERMS as ALL_THERE
from tests.survival.test_golden_delayed_entry import TERMS as ENTERING

TERMS = {**ALL_THERE, **ENTERING}

NEAR = 1e-6
"""A likelihood ratio is a small difference of large numbers."""


@pytest.fixture(scope="module", params=[*SETS, *LATE])
def tested(request: pytest.FixtureRequest) -> tuple[str, ModelTests]:
    endpoints, patients = split(request.param)
    declared, covariates = model(request.param, TERMS[request.param])
    return request.param, model_tests(patients, endpoints, [declared], covariates)


def test_joint_tests_are_rs(tested: tuple[str, ModelTests]) -> None:
    name, found = tested
    theirs = quantities("joint_tests", set=name, object="joint")
    theirs |= quantities("joint_tests", set=name, object="univariable joint")
    rows = found.joint.rows(named=True)
    same({(row["term"], quantity): row[quantity] for row in rows for _, quantity in theirs}, theirs, NEAR)
    assert all(row["wald_degrees_of_freedom"] == row["degrees_of_freedom"] for row in rows)


def test_models_as_a_whole_are_rs(tested: tuple[str, ModelTests]) -> None:
    name, found = tested
    theirs = quantities("joint_tests", set=name, object="model")
    (row,) = found.fits.rows(named=True)
    same({("", quantity): row[quantity] for _, quantity in theirs}, theirs, NEAR)


def test_univariable_models_are_rs(tested: tuple[str, ModelTests]) -> None:
    name, found = tested
    theirs = quantities("joint_tests", set=name, object="univariable")
    ours = {
        (r_name(row["term"], row["level"]), quantity): row[quantity]
        for row in found.univariable.rows(named=True)
        for _, quantity in theirs
    }
    same(ours, theirs)


@pytest.mark.parametrize(("method", "theirs"), [("holm", "holm"), ("false discovery rate", "fdr")])
@pytest.mark.parametrize("name", SETS)
def test_adjusted_p_values_are_rs(name: str, method: str, theirs: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    rows = model_tests(
        patients, endpoints, [declared], covariates, Statistics.model_validate({"p_adjustment": method})
    ).joint
    ours = {(row["term"], "adjusted_p_value"): row["adjusted_p_value"] for row in rows.rows(named=True)}
    same(ours, quantities("joint_tests", set=name, object=theirs))


@pytest.mark.parametrize("name", FIRTHS)
def test_likelihood_ratios_beside_a_level_without_events_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, FIRTHS[name])
    rows = model_tests(patients, endpoints, [declared], covariates).joint.rows(named=True)
    theirs = quantities("joint_tests", set=name, object="eventless")
    same({(row["term"], quantity): row[quantity] for row in rows for _, quantity in theirs}, theirs, NEAR)
    assert [row["wald"] is None for row in rows] == [False, False, True]


@pytest.mark.parametrize("name", ["lung", "veteran", "colon", "demo_lrfs"])
def test_breslows_ties_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    rows = model_tests(patients, endpoints, [declared], covariates, Statistics(ties="breslow")).joint
    ours = {(row["term"], "likelihood_ratio"): row["likelihood_ratio"] for row in rows.rows(named=True)}
    same(ours, quantities("joint_tests", set=name, object="breslow"), NEAR)
    ratios = hazard_ratios(patients, endpoints, [declared], covariates, ties="breslow")
    assert ratios["method"].unique().to_list() == ["Cox, Breslow"]
    theirs = quantities("joint_tests", set=name, object="breslow coxph")
    same(
        {
            (r_name(row["term"], row["level"]), quantity): row[quantity]
            for row in ratios.rows(named=True)
            for _, quantity in theirs
        },
        theirs,
    )


def test_a_missing_test_is_not_counted_among_the_adjusted() -> None:
    assert adjusted([0.01, None, 0.04], "holm") == [0.02, None, 0.04]
    assert adjusted([], "holm") == []


def test_nothing_is_adjusted_by_default(tested: tuple[str, ModelTests]) -> None:
    assert tested[1].joint["adjusted_p_value"].is_null().all()


def test_without_a_model_there_is_no_test() -> None:
    endpoints, patients = split("lung")
    assert model_tests(patients, endpoints, [], []).joint.equals(JointTest.empty())
    assert isinstance(model_tests(patients, endpoints, [], []).fits, pl.DataFrame)
