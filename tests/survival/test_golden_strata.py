"""Stratified Cox models against R: coefficients, tests, concordance within strata."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.model_tests import model_tests
from sarcoma_pipeline.survival.proportional_hazards import proportional_hazards
from schemas.configuration import Covariate, Model
from tests.survival.golden import model, quantities, r_name, same, split
from tests.survival.test_golden_joint_tests import TERMS

STRATA = {
    "veteran": ["celltype"], "gbsg": ["grade", "meno"], "rotterdam": ["size"], "colon": ["rx", "sex"],
    "demo_dmfs": ["sequence"], "mgus": ["sex"], "late_demo_os": ["sex"],
}  # fmt: skip


def _declared(name: str) -> tuple[Model, list[Covariate]]:
    whole, covariates = model(name, TERMS[name])
    terms = tuple(term for term in whole.covariates if term not in STRATA[name])
    return whole.model_copy(update={"covariates": terms, "strata": tuple(STRATA[name])}), covariates


@pytest.mark.parametrize("name", STRATA)
def test_coefficients_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = _declared(name)
    theirs = quantities("strata", set=name, object="coxph")
    rows = hazard_ratios(patients, endpoints, [declared], covariates).rows(named=True)
    ours = {(r_name(r["term"], r["level"]), quantity): r[quantity] for r in rows for _, quantity in theirs}
    same(ours, theirs)


@pytest.mark.parametrize("name", STRATA)
def test_models_and_joint_tests_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = _declared(name)
    found = model_tests(patients, endpoints, [declared], covariates)
    theirs = quantities("strata", set=name, object="model")
    (row,) = found.fits.rows(named=True)
    same({("", quantity): row[quantity] for _, quantity in theirs}, theirs, 1e-6)
    assert row["strata"] == ", ".join(STRATA[name])
    tests = {(r["term"], "likelihood_ratio"): r["likelihood_ratio"] for r in found.joint.rows(named=True)}
    same(tests, quantities("strata", set=name, object="joint"), 1e-6)


@pytest.mark.parametrize("name", STRATA)
def test_schoenfelds_tests_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = _declared(name)
    rows = proportional_hazards(patients, endpoints, [declared], covariates).rows(named=True)
    ours = {(r["term"], "chi_square"): r["chi_square"] for r in rows}
    same(ours, quantities("strata", set=name, object="zph"))


def test_a_covariate_that_the_strata_tell_has_no_estimate_and_takes_none_from_the_others() -> None:
    # R's coxph gives NA for such a covariate, and the others as in the model without it.
    endpoints, patients = split("veteran")
    declared, covariates = _declared("veteran")
    told = patients.with_columns(same=pl.col("celltype").str.len_chars().cast(pl.Float64))
    same_in_stratum = Covariate(name="same", column="same", kind="continuous")
    both = declared.model_copy(update={"covariates": ("same", *declared.covariates)})
    with_it = hazard_ratios(told, endpoints, [both], [*covariates, same_in_stratum])
    without = hazard_ratios(told, endpoints, [declared], covariates)
    (line,) = with_it.filter(term="same").rows(named=True)
    assert line["hazard_ratio"] is None and "collinear" in line["note"]
    numbers = ["term", "level", "hazard_ratio", "ci_low", "ci_high", "p_value"]
    kept = with_it.filter(pl.col("term") != "same").select(numbers)
    assert kept.equals(without.select(numbers)) and not kept["hazard_ratio"].has_nulls()


def test_a_patient_without_a_stratum_is_left_out_and_counted() -> None:
    endpoints, patients = split("veteran")
    declared, covariates = _declared("veteran")
    lost = patients.with_columns(
        celltype=pl.when(pl.int_range(pl.len()) < 5).then(None).otherwise("celltype")
    )
    rows = hazard_ratios(lost, endpoints, [declared], covariates)
    assert rows["missing"].unique().to_list() == [5]
    assert "celltype" not in rows["term"].to_list()


def test_a_stratum_alone_changes_nothing() -> None:
    endpoints, patients = split("lung")
    declared, covariates = model("lung", ["age", "sex"])
    alone = Covariate(name="one", column="one", kind="factor", reference="x", levels=("x",))
    patients = patients.with_columns(one=pl.lit("x"))
    plain = hazard_ratios(patients, endpoints, [declared], covariates)
    stratified = declared.model_copy(update={"strata": ("one",)})
    found = hazard_ratios(patients, endpoints, [stratified], [*covariates, alone])
    assert found["coefficient"].to_list() == pytest.approx(plain["coefficient"].to_list(), rel=1e-10)
    assert found["concordance"][0] == pytest.approx(plain["concordance"][0], rel=1e-12)
