"""Predicted and observed survival by groups of risk, against R's `survfit`."""

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import calibration
from schemas.analysis_groups import Calibration
from schemas.configuration import Covariate, Model
from schemas.statistics import Statistics, Ties
from tests.survival.golden import model, quantities, split

TERMS = {"lung": ["age", "sex", "karno"], "demo_dmfs": ["sex", "age"], "veteran": ["trt", "karno", "age"]}
MONTHS = [3, 6, 12, 24]


def _calibrated(
    name: str, ties: Ties = "efron", *, turned: bool = False, **more: tuple[str, ...]
) -> pl.DataFrame:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    if turned:
        endpoints, patients = endpoints.reverse(), patients.sample(fraction=1, shuffle=True, seed=1)
    declared = declared.model_copy(update=more)
    return calibration.calibration(patients, endpoints, [declared], covariates, MONTHS, Statistics(ties=ties))


@pytest.mark.parametrize("name", TERMS)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_predictions_and_observations_are_rs(name: str, ties: Ties) -> None:
    theirs = quantities("calibration", set=name, object=ties)
    ours = _calibrated(name, ties)
    last = max(t for t in split(name)[0]["time_days"].to_list()) / 30.4375
    compared = 0
    for row in ours.rows(named=True):
        key = f"{row['horizon_months']:g} {row['risk_group']}"
        assert row["n"] == theirs[key, "n"]
        assert row["predicted"] == pytest.approx(theirs[key, "predicted"], abs=1e-8)
        if row["observed"] is None:
            # R carries a curve on beyond its last time; here nothing is known there.
            assert row["at_risk"] == theirs[key, "at_risk"] == 0 and row["horizon_months"] <= last
            continue
        compared += 1
        assert row["at_risk"] == theirs[key, "at_risk"]
        for part in ("observed", "ci_low", "ci_high"):
            if row[part] is not None:
                assert row[part] == pytest.approx(theirs[key, part], abs=1e-10)
    assert ours.height == len({key for key, _ in theirs}) and compared >= ours.height / 2


def test_the_order_of_the_patients_decides_nothing() -> None:
    one, other = _calibrated("demo_dmfs"), _calibrated("demo_dmfs", turned=True)
    numbers = ["predicted", "observed", "ci_low", "ci_high"]
    assert one.drop(numbers).equals(other.drop(numbers))
    for column in numbers:
        assert one[column].to_list() == pytest.approx(other[column].to_list(), abs=1e-9, nan_ok=True)


def test_equal_risks_are_one_group_and_events_decide_their_number() -> None:
    assert calibration.groups(np.array([1.0, 1, 1, 1, 2, 2]), 100).tolist() == [1, 1, 1, 1, 2, 2]
    risk = np.arange(10.0)
    assert calibration.groups(risk, 9).tolist() == [1] * 5 + [2] * 5
    assert calibration.groups(risk, 30).max() == 3
    assert calibration.groups(risk, 500).max() == 5
    assert calibration.groups(np.zeros(4), 50).tolist() == [1] * 4


def test_models_with_strata_or_without_an_estimate_are_left_out() -> None:
    assert _calibrated("lung", strata=("sex",), covariates=("age",)).is_empty()
    endpoints, patients = split("lung")
    declared, covariates = model("lung", ["age"])
    none = endpoints.with_columns(event=pl.lit(False))
    made = calibration.calibration(patients, none, [declared], covariates, MONTHS)
    assert made.equals(Calibration.empty())


def test_no_model_no_table() -> None:
    endpoints, patients = split("lung")
    models: list[Model] = []
    covariates: list[Covariate] = []
    assert calibration.calibration(patients, endpoints, models, covariates, MONTHS).is_empty()
