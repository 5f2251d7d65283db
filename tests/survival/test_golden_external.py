"""External validation of a given linear predictor against R's survival."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.external_validation import RATIO, external_validation
from schemas.configuration import PredictorTerm, Validation
from tests.survival.golden import quantities, split

AGE = PredictorTerm(column="age", coefficient=0.02, centre=60)
MODELS = {
    "lung": ((AGE, PredictorTerm(column="sex", levels={"male": 0.4, "female": 0})), {"6": 0.8, "12": 0.5}),
    "gbsg": (
        (
            PredictorTerm(column="size", coefficient=0.3, transformation="log", centre=3),
            PredictorTerm(column="grade", levels={"grade1": 0, "grade2": 0.5, "grade3": 0.8}),
        ),
        {"24": 0.9, "60": 0.6},
    ),
    "demo_dmfs": (
        (
            PredictorTerm(column="age", coefficient=0.03, centre=60),
            PredictorTerm(column="sex", levels={"male": 0.3, "female": 0}),
        ),
        {"12": 0.9, "24": 0.8},
    ),
}


def _asked(name: str) -> Validation:
    terms, baseline = MODELS[name]
    return Validation(
        name="v", title="V", endpoint="DFS", source="invented", terms=terms, baseline=baseline
    )  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_the_measures_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    made = external_validation(patients, endpoints, [_asked(name)])
    for kind, theirs in (
        ("measure", quantities("external", set=name, object="measure")),
        ("ratio", quantities("external", set=name, object="ratio")),
    ):
        compared = 0
        for row in made.measures.rows(named=True):
            key = row["quantity"] if kind == "measure" else f"{row['horizon_months'] or 0:g}"
            for quantity in ("value", "standard_error", "ci_low", "ci_high"):
                if (key, quantity) in theirs and (kind == "measure" or row["horizon_months"]):
                    assert row[quantity] == pytest.approx(theirs[key, quantity], rel=1e-7), (key, quantity)
                    compared += 1
        assert compared == len(theirs)


@pytest.mark.parametrize("name", MODELS)
def test_calibration_and_net_benefit_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    made = external_validation(patients, endpoints, [_asked(name)])
    theirs = quantities("external", set=name, object="group")
    for row in made.calibration.rows(named=True):
        key = f"{row['horizon_months']:g} {row['risk_group']}"
        for quantity in ("n", "predicted", "observed"):
            if row[quantity] is not None:
                assert row[quantity] == pytest.approx(theirs[key, quantity], rel=1e-9), (key, quantity)
    assert made.calibration.height == len({key for key, _ in theirs})
    theirs = quantities("external", set=name, object="benefit")
    for row in made.net_benefit.rows(named=True):
        key = f"{row['horizon_months']:g} {row['threshold']:g}"
        for quantity in ("model", "everybody", "flagged"):
            if row[quantity] is not None:
                assert row[quantity] == pytest.approx(theirs[key, quantity], abs=1e-10), (key, quantity)
    assert made.net_benefit.height == len({key for key, _ in theirs})


def test_patients_without_a_predictor_or_with_another_level_are_left_out() -> None:
    endpoints, patients = split("lung")
    row = pl.int_range(pl.len())
    lacking = patients.with_columns(
        age=pl.when(row >= 3).then("age"), sex=pl.when(row == 5).then(pl.lit("unknown")).otherwise("sex")
    )
    made = external_validation(lacking, endpoints, [_asked("lung")]).measures
    assert set(made["missing"]) == {4} and set(made["n"]) == {patients.height - 4}
    nobody = lacking.with_columns(sex=pl.lit(None, pl.String))
    assert external_validation(nobody, endpoints, [_asked("lung")]).measures.is_empty()
    assert external_validation(patients, endpoints, []).net_benefit.is_empty()


@pytest.mark.parametrize("of", [2, 50])
def test_without_any_event_nothing_can_be_compared(of: int) -> None:
    endpoints, patients = split("lung")
    few = endpoints.head(of).with_columns(event=pl.lit(False))
    made = external_validation(patients, few, [_asked("lung")]).measures
    assert set(made["events"]) == {0}
    assert made.filter(pl.col("quantity") != RATIO)["value"].to_list() == [None] * 3


def test_the_order_of_the_patients_decides_nothing() -> None:
    endpoints, patients = split("demo_dmfs")
    one = external_validation(patients, endpoints, [_asked("demo_dmfs")])
    other = external_validation(patients.reverse(), endpoints.reverse(), [_asked("demo_dmfs")])
    assert one.measures.equals(other.measures) and one.calibration.equals(other.calibration)
    assert one.net_benefit.equals(other.net_benefit)
