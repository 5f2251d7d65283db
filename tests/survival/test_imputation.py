"""Multiple imputation: Rubin's rules against mice on its own imputations, our draws beside its draws."""

from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import chained_equations, imputation, rubin
from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.design import of_values
from schemas.configuration import Covariate, Imputation, Model
from tests.survival.golden import data, golden, model, quantities, r_name, split

TERMS = {
    "lung": ["age", "sex", "karno"],
    "demo_dmfs": ["age", "sex", "sequence"],
    "veteran": ["trt", "celltype", "karno", "age"],
}


def _asked(name: str, **how: Any) -> tuple[Model, list[Covariate]]:
    declared, covariates = model(name, TERMS[name])
    asked = declared.model_copy(update={"missing": "impute", "imputation": Imputation(**how)})
    return asked, covariates


@cache
def _with_gaps(name: str) -> pl.DataFrame:
    """Return a set with the missing values that the golden script made."""
    frame = data(name)
    rows = golden("imputation").filter(set=name, object="missing")
    for variable in rows["key"].str.split(" ").list.first().unique().sort():
        gone = rows.filter(pl.col("key").str.starts_with(f"{variable} "))["value"].cast(pl.Int64) - 1
        index = pl.Series(range(frame.height)).is_in(gone.to_list())
        frame = frame.with_columns(pl.when(~pl.lit(index)).then(pl.col(variable)).alias(variable))
    return frame


@cache
def _of_mice(name: str) -> tuple[pl.DataFrame, ...]:
    """Return the data sets that mice imputed."""
    rows = golden("imputation").filter(set=name, object="imputed")
    parts = rows["key"].str.split(" ")
    cells = rows.select(
        number=parts.list.get(0).cast(pl.Int64), variable=parts.list.get(1),
        row=parts.list.get(2).cast(pl.Int64) - 1, value="value",
    )  # fmt: skip
    sets = []
    for number in cells["number"].unique().sort():
        frame = _with_gaps(name)
        for variable in cells["variable"].unique().sort():
            mine = cells.filter(number=number, variable=variable)
            filled = frame[variable].to_list()
            levels = sorted(data(name)[variable].unique()) if frame[variable].dtype == pl.String else None
            for row, value in mine.select("row", "value").iter_rows():
                assert filled[row] is None
                filled[row] = levels[int(value) - 1] if levels else value
            frame = frame.with_columns(pl.Series(variable, filled, strict=False))
        sets.append(frame)
    return tuple(sets)


def _gaps(name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    times = ["endpoint", "time_days", "time_months", "event", "event_kind", "entry_days"]
    frame = _with_gaps(name)
    return frame.select("pseudonym", *times), frame.drop(*times)


@pytest.mark.parametrize("name", TERMS)
def test_the_pooled_coefficients_are_mices(name: str) -> None:
    declared, covariates = model(name, TERMS[name])
    fits = [imputation.fitted(of_values(frame, declared, tuple(covariates), ())) for frame in _of_mice(name)]
    theirs = quantities("imputation", set=name, object="pooled")
    tests = quantities("imputation", set=name, object="joint")
    events = int(data(name)["event"].sum())
    compared = 0
    for covariate in covariates:
        names = [n for n in fits[0].names if n.split("\x1f")[0] == covariate.name]
        single, joint = imputation.pooled(fits, events, names)
        for key, pooled in single.items():
            term, _, level = key.partition("\x1f")
            of = r_name(term, level or None)
            ours = {
                "coefficient": pooled.coefficient, "standard_error": pooled.standard_error,
                "degrees_of_freedom": pooled.degrees_of_freedom, "p_value": pooled.p_value,
                "ci_low": np.exp(pooled.low), "ci_high": np.exp(pooled.high),
                "missing_information": pooled.missing_information,
            }  # fmt: skip
            for quantity, value in ours.items():
                assert value == pytest.approx(theirs[of, quantity], rel=1e-6), (of, quantity)
                compared += 1
        assert joint is not None
        for quantity, value in {
            "joint_f": joint.f, "joint_degrees_of_freedom": joint.degrees_of_freedom,
            "joint_denominator": joint.denominator, "joint_p_value": joint.p_value,
        }.items():  # fmt: skip
            assert value == pytest.approx(tests[covariate.name, quantity], rel=1e-6), (
                covariate.name,
                quantity,
            )
    assert compared == len(theirs)


@pytest.mark.parametrize("name", TERMS)
def test_a_joint_test_without_known_degrees_of_freedom_is_that_of_li_and_others(name: str) -> None:
    declared, covariates = model(name, TERMS[name])
    fits = [imputation.fitted(of_values(frame, declared, tuple(covariates), ())) for frame in _of_mice(name)]
    tests = quantities("imputation", set=name, object="joint large")
    for covariate in covariates:
        names = [n for n in fits[0].names if n.split("\x1f")[0] == covariate.name]
        parts = [fit.part(names) for fit in fits]
        # Reiter's degrees of freedom tend to those of Li, Raghunathan and Rubin only roughly; with few
        # complete degrees of freedom the former do not exist, and the latter are used.
        joint = rubin.pool_jointly([q for q, _ in parts], [u for _, u in parts], 1.0)
        assert joint is not None
        assert joint.denominator == pytest.approx(tests[covariate.name, "joint_denominator"], rel=1e-6)
        assert joint.p_value == pytest.approx(tests[covariate.name, "joint_p_value"], rel=1e-6)


@pytest.mark.parametrize("name", TERMS)
def test_the_exposure_is_the_nelson_aalen_estimate(name: str) -> None:
    frame = data(name)
    ours = chained_equations.nelson_aalen(frame["time_days"].to_numpy(), frame["event"].to_numpy(), None)
    theirs = quantities("imputation", set=name, object="nelson-aalen")
    assert ours.tolist() == pytest.approx(
        [theirs[str(i), "hazard"] for i in range(1, len(ours) + 1)], rel=1e-9
    )


def test_with_late_entry_the_exposure_begins_there() -> None:
    # Hazards: day 2: 1 of 2 (the third enters on day 2, later), day 3: 1 of 2, day 5: 1 of 1.
    time, event = np.array([2.0, 3, 5]), np.array([True, True, True])
    made = chained_equations.nelson_aalen(time, event, np.array([np.nan, np.nan, 2]))
    assert made.tolist() == pytest.approx([1 / 2, 1 / 2 + 1 / 2, 1 / 2 + 1])


@pytest.mark.parametrize("name", TERMS)
def test_our_draws_lead_to_mices_results(name: str) -> None:
    """Many imputations of two programs differ by the noise of the draws: less than half an error."""
    endpoints, patients = _gaps(name)
    asked, covariates = _asked(name, imputations=40, iterations=5)
    made = imputation.imputed_models(patients, endpoints, [asked], covariates).ratios
    theirs = quantities("imputation", set=name, object="many")
    assert made.height == len({key for key, _ in theirs})
    for row in made.rows(named=True):
        of = r_name(row["term"], row["level"])
        error = theirs[of, "standard_error"]
        assert error is not None and row["note"] is None
        assert row["coefficient"] == pytest.approx(theirs[of, "coefficient"], abs=error / 2), of
        # mice draws levels without the uncertainty of their coefficients, so that its errors are smaller.
        assert row["standard_error"] == pytest.approx(error, rel=0.2), of
        assert -0.15 < row["missing_information"] - (theirs[of, "missing_information"] or 0) < 0.25, of


def test_the_order_of_the_patients_decides_nothing_and_the_seed_everything() -> None:
    endpoints, patients = _gaps("demo_dmfs")
    asked, covariates = _asked("demo_dmfs", imputations=3, iterations=3)
    one = imputation.imputed_models(patients, endpoints, [asked], covariates)
    turned = patients.sample(fraction=1, shuffle=True, seed=1), endpoints.reverse()
    other = imputation.imputed_models(*turned, [asked], covariates)
    assert one.covariates.equals(other.covariates)
    for column in ("coefficient", "standard_error", "joint_p_value"):
        assert one.ratios[column].to_list() == pytest.approx(other.ratios[column].to_list(), rel=1e-9)
    seeded, _ = _asked("demo_dmfs", imputations=3, iterations=3, seed=5)
    different = imputation.imputed_models(patients, endpoints, [seeded], covariates).ratios
    assert different["coefficient"].to_list() != one.ratios["coefficient"].to_list()


def test_what_is_known_stays_and_what_is_imputed_is_somebodys() -> None:
    frame = _with_gaps("lung")
    _, covariates = _asked("lung")
    rows = frame.select("time_days", "event", "entry_days", *TERMS["lung"])
    sets = imputation.imputed_rows(rows, covariates, Imputation(imputations=3, iterations=2))
    assert len(sets) == 3
    for made in sets:
        for term in TERMS["lung"]:
            known = rows[term].is_not_null()
            assert made[term].filter(known).to_list() == rows[term].filter(known).to_list()
            assert set(made[term]) <= set(rows[term].drop_nulls()) and made[term].null_count() == 0
    assert sets[0]["karno"].to_list() != sets[1]["karno"].to_list()


def test_without_a_missing_value_both_analyses_agree() -> None:
    endpoints, patients = split("lung")
    asked, covariates = _asked("lung")
    made = imputation.imputed_models(patients, endpoints, [asked], covariates)
    main = hazard_ratios(patients, endpoints, [asked], covariates)
    assert made.ratios["coefficient"].to_list() == pytest.approx(main["coefficient"].to_list(), rel=1e-9)
    assert made.ratios["standard_error"].to_list() == pytest.approx(
        main["standard_error"].to_list(), rel=1e-6
    )
    assert made.ratios["complete_hazard_ratio"].to_list() == main["hazard_ratio"].to_list()
    assert set(made.covariates["method"]) == {"none"} and made.covariates["missing"].sum() == 0


def test_models_that_do_not_ask_are_not_imputed() -> None:
    endpoints, patients = _gaps("lung")
    declared, covariates = model("lung", TERMS["lung"])
    made = imputation.imputed_models(patients, endpoints, [declared], covariates)
    assert made.ratios.is_empty() and made.covariates.is_empty()


GRADE = Covariate(name="grade", column="fnclcc_grade", kind="factor", reference="G1", levels=("G1", "G2"))


def _small(*grades: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    patients = pl.DataFrame({
        "pseudonym": [f"p{i:02}" for i in range(len(grades))], "fnclcc_grade": grades,
        "age": [50.0 + 7 * i % 31 for i in range(len(grades))],
    }, schema_overrides={"fnclcc_grade": pl.String})  # fmt: skip
    endpoints = patients.select(
        "pseudonym", endpoint=pl.lit("DFS"), time_days=10 + pl.int_range(pl.len()) * 13 % 17,
        event=pl.int_range(pl.len()) % 3 != 0,
    )  # fmt: skip
    return patients, endpoints


def test_not_known_is_imputed_and_another_level_is_left_out() -> None:
    patients, endpoints = _small(*(["G1", "G2", "G2", "G1"] * 4), "GX", None, "G3", "G3")
    asked = Model(
        name="m", endpoint="DFS", title="", covariates=("grade",), missing="impute",
        imputation=Imputation(imputations=2, auxiliary=("age",)),
    )  # fmt: skip
    age = Covariate(name="age", column="age", kind="continuous")
    made = imputation.imputed_models(patients, endpoints, [asked], [GRADE, age])
    (row,) = made.ratios.rows(named=True)
    assert (row["n"], row["left_out"], row["complete_n"]) == (18, 2, 16)
    told = made.covariates.select("covariate", "role", "method", "n", "missing").rows()
    assert told == [
        ("grade", "covariate", "multinomial logistic regression", 18, 2),
        ("age", "auxiliary", "none", 18, 0),
    ]


def test_a_covariate_that_nobody_has_is_told() -> None:
    patients, endpoints = _small(*([None] * 12))
    asked = Model(name="m", endpoint="DFS", title="", covariates=("age", "grade"), missing="impute")
    age = Covariate(name="age", column="age", kind="continuous")
    made = imputation.imputed_models(patients, endpoints, [asked], [GRADE, age])
    assert set(made.ratios["note"]) == {"no value of grade is known"}
    assert made.ratios["hazard_ratio"].null_count() == made.ratios.height > 0


def test_levels_that_a_predictor_separates_are_drawn() -> None:
    x = np.column_stack([np.ones(40), np.r_[np.full(20, -1.0), np.full(20, 1.0)]])
    y = np.r_[np.zeros(20, int), np.ones(20, int)]
    rng = np.random.default_rng(1)
    drawn, _ = chained_equations.levels(x, y, np.array([[1.0, 1.0]] * 500), rng, np.zeros((2, 2)))
    assert 0.9 < drawn.mean() <= 1.0


def test_patients_who_are_equally_near_are_donors_at_random() -> None:
    # Twenty patients with equal predictors: each is as near as the others to one of unknown value.
    known, unknown = np.ones((20, 1)), np.ones((2000, 1))
    drawn = chained_equations.matched(known, np.arange(20.0), unknown, np.random.default_rng(1))
    counts = np.bincount(drawn.astype(int), minlength=20)
    # 100 expected of each, with a standard deviation of 9.7.
    assert counts.min() > 60 and counts.max() < 140
