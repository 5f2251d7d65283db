"""Joint tests in cases of which R's own functions say nothing, or too much."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.model_tests import model_tests
from schemas.configuration import Covariate, Model
from schemas.statistics import ENOUGH, FEW, TOO_FEW, Statistics

AGE = Covariate(name="age", column="age", kind="continuous")
TWICE = Covariate(name="twice", column="twice", kind="continuous")
GROUP = Covariate(name="group", column="group", kind="factor", reference="a", levels=("a", "b", "c"))
ROWS = [
    # days, event, age, group
    (5, True, 61, "a"), (8, True, 70, "b"), (9, False, 55, "a"), (12, True, 48, "a"), (14, True, 66, "b"),
    (15, False, 71, "c"), (20, True, 59, "b"), (21, False, 62, "c"), (30, True, 44, "a"),
    (31, False, 50, "b"),
]  # fmt: skip


def _frames(rows: list = ROWS) -> tuple[pl.DataFrame, pl.DataFrame]:
    frame = pl.DataFrame(rows, schema=["time_days", "event", "age", "group"], orient="row")
    frame = frame.with_row_index("pseudonym").with_columns(
        pl.col("pseudonym").cast(pl.String), endpoint=pl.lit("OS"), twice=2 * pl.col("age")
    )
    return frame.select("pseudonym", "age", "twice", "group"), frame.drop("age", "twice", "group")


def _model(*names: str) -> list[Model]:
    return [Model(name="OS", endpoint="OS", title="", covariates=names)]


def test_a_level_without_events_has_no_wald_test_and_a_note() -> None:
    patients, ends = _frames([*ROWS, (33, True, 40, "a"), (35, False, 58, "b"), (36, True, 61, "b")])
    group = model_tests(patients, ends, _model("age", "group"), [AGE, GROUP]).joint.row(1, named=True)
    assert (group["degrees_of_freedom"], group["wald_degrees_of_freedom"]) == (2, 1)
    assert group["note"] == "Wald's test leaves out levels without events: c"


def test_a_covariate_that_others_tell_has_no_test() -> None:
    patients, ends = _frames()
    found = model_tests(patients, ends, _model("age", "twice"), [AGE, TWICE]).joint
    assert found["likelihood_ratio"].to_list() == [None, None]
    # Alone, each of them has its test, and it is the same.
    alone = found["univariable_likelihood_ratio"]
    assert alone[0] == pytest.approx(alone[1]) and alone[0] > 0


def test_a_model_without_events_says_so() -> None:
    patients, ends = _frames([(t, False, a, g) for t, _, a, g in ROWS])
    found = model_tests(patients, ends, _model("age", "group"), [AGE, GROUP])
    assert found.fits.select("events", "coefficients", "concordance", "verdict", "note").row(0) == (
        0, 0, None, None, "no event in the model",
    )  # fmt: skip
    assert found.joint["p_value"].to_list() == [None, None]
    assert set(found.joint["note"]) == {"no event in the model"}


def test_univariable_models_take_every_patient_if_the_study_says_so() -> None:
    rows = [*ROWS[:-1], (31, True, None, "b")]
    patients, ends = _frames(rows)
    n = {}
    for way in ("same patients", "every patient"):
        declared = Statistics.model_validate({"univariable": way})
        found = model_tests(patients, ends, _model("age", "group"), [AGE, GROUP], declared)
        assert found.fits["missing"][0] == 1
        n[way] = found.univariable.filter(term="group")["n"].unique().to_list()
    assert n == {"same patients": [9], "every patient": [10]}


@pytest.mark.parametrize(("events", "verdict"), [(29, TOO_FEW), (30, FEW), (59, FEW), (60, ENOUGH)])
def test_thresholds_are_the_least_that_is_enough(events: int, verdict: str) -> None:
    assert Statistics().verdict(events, 6) == verdict
    assert Statistics(few_events_per_coefficient=1, too_few_events_per_coefficient=0).verdict(6, 6) == ENOUGH
