"""Natural cubic splines against R's ns(): the curve at the knots, not the coefficients of R's basis."""

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.model_tests import model_tests
from sarcoma_pipeline.survival.spline import basis
from schemas.configuration import Covariate, Model
from tests.survival.golden import model, quantities, same, split

SPLINES = {
    "lung": ("age", (45.0, 55.0, 65.0, 75.0), "65", ["sex", "karno"]),
    "gbsg": ("age", (35.0, 45.0, 55.0, 65.0, 75.0), "55", ["nodes", "hormon"]),
    "rotterdam": ("age", (40.0, 60.0, 80.0), "60", ["size", "nodes"]),
    "demo_dmfs": ("age", (40.0, 55.0, 65.0, 80.0), "65", ["sex"]),
    "mgus": ("hgb", (9.0, 12.0, 14.0), "12", ["sex"]),
}


def _declared(name: str) -> tuple[Model, list[Covariate]]:
    x, knots, reference, rest = SPLINES[name]
    whole, covariates = model(name, rest)
    bent = Covariate(name=x, column=x, kind="spline", knots=knots, reference=reference)
    return whole.model_copy(update={"covariates": (x, *rest)}), [bent, *covariates]


@pytest.mark.parametrize("name", SPLINES)
def test_the_curve_is_that_of_ns(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = _declared(name)
    rows = hazard_ratios(patients, endpoints, [declared], covariates).filter(term=SPLINES[name][0])
    theirs = quantities("splines", set=name, object="contrast")
    ours = {
        (f"{r['term']}{r['level']}", quantity): r[quantity]
        for r in rows.rows(named=True)
        for quantity in ("coefficient", "standard_error")
    }
    same(ours, theirs, 1e-7)
    assert len(ours) == len(theirs) and rows["level_n"].is_null().all()


@pytest.mark.parametrize("name", SPLINES)
def test_tests_and_concordance_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = _declared(name)
    found = model_tests(patients, endpoints, [declared], covariates)
    (fit,) = found.fits.rows(named=True)
    theirs = quantities("splines", set=name, object="model")
    same({("", quantity): fit[quantity] for _, quantity in theirs}, theirs, 1e-7)
    theirs = quantities("splines", set=name, object="joint")
    rows = found.joint.rows(named=True)
    same({(r["term"], quantity): r[quantity] for r in rows for _, quantity in theirs}, theirs, 1e-6)
    assert [r["nonlinearity_p_value"] is None for r in rows] == [False] + [True] * (len(rows) - 1)


def test_the_basis_is_cardinal_holds_a_constant_and_a_line_and_is_straight_outside() -> None:
    knots = (10.0, 20.0, 25.0, 60.0)
    assert basis(knots, knots) == pytest.approx(np.eye(4))
    x = np.linspace(-20, 100, 41)
    made = basis(x, knots)
    assert made.sum(axis=1) == pytest.approx(np.ones(41))
    assert made @ np.array(knots) == pytest.approx(x)
    for outside in (x[x < 10], x[x > 60]):
        assert np.diff(basis(outside, knots), n=2, axis=0) == pytest.approx(0, abs=1e-12)


def test_a_number_with_fewer_values_than_knots_says_so() -> None:
    endpoints, patients = split("lung")
    few = patients.with_columns(age=pl.when(pl.col("age") > 60).then(70.0).otherwise(50.0))
    declared, covariates = _declared("lung")
    rows = hazard_ratios(few, endpoints, [declared], covariates).filter(term="age")
    assert rows["hazard_ratio"].is_not_null().sum() == 1
    assert rows["note"].drop_nulls().len() == 2
