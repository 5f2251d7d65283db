"""Cox models against R's coxph, against the paper, and in cases without an estimate."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.cox import hazard_ratios
from schemas.analysis import EFRON, FIRTH
from schemas.configuration import Covariate, Model, Study

TERMS = {
    "sex:female": "sexfemale",
    "age:": "age",
    "t_stage:T1": "tT1",
    "region:trunk": "regiontrunk",
    "sequence:preoperative": "sequencepreoperative",
    **{
        f"histology:{name}": f"histology{name}"
        for name in ("liposarcoma", "myxofibrosarcoma", "synovial sarcoma", "others")
    },
}


def test_coefficients_are_rs(demo_hazard_ratios: pl.DataFrame, golden: pl.DataFrame) -> None:
    key = pl.concat_str("term", pl.lit(":"), pl.col("level").fill_null("")).replace_strict(TERMS)
    columns = ["coefficient", "standard_error", "p_value", "ci_low", "ci_high"]
    ours = demo_hazard_ratios.with_columns(key=key).unpivot(
        columns, index=["endpoint", "key"], variable_name="quantity", value_name="ours"
    )
    theirs = golden.filter(pl.col("object") == "cox", pl.col("quantity").is_in(columns))
    pairs = ours.join(theirs, on=["endpoint", "key", "quantity"])
    assert pairs.height == theirs.height == 27 * 5
    wrong = pairs.filter((pl.col("ours") - pl.col("value")).abs() > 1e-6 * pl.col("value").abs())
    assert wrong.is_empty(), wrong

    concordance = golden.filter(pl.col("quantity") == "concordance")
    both = demo_hazard_ratios.unique("endpoint").join(concordance, on="endpoint")
    assert both.height == 4
    assert both.select((pl.col("concordance") - pl.col("value")).abs().max()).item() < 1e-6


def test_the_papers_27_hazard_ratios(
    demo_hazard_ratios: pl.DataFrame, paper: dict[str, pl.DataFrame]
) -> None:
    published = paper["published"].filter(pl.col("section").str.starts_with("Table"), pl.col("p") != "")
    published = published.with_columns(model=pl.col("quantity").str.strip_prefix("HR "))
    assert published.height == 27 == demo_hazard_ratios.height
    # Both are in the order of the paper's tables.
    assert published["model"].to_list() == demo_hazard_ratios["model"].to_list()
    ratio = demo_hazard_ratios["hazard_ratio"] / published["value"].cast(pl.Float64)
    assert ratio.is_between(0.97, 1.03).all()
    assert demo_hazard_ratios["note"].null_count() == 27


def test_few_events_per_parameter_are_reported(demo_hazard_ratios: pl.DataFrame) -> None:
    epv = dict(demo_hazard_ratios.select("model", "events_per_variable").unique().iter_rows())
    assert epv == {"OS": 18 / 6, "DFS": 45 / 9, "LRFS": 22 / 6, "DMFS": 39 / 6}


SEX = Covariate(name="sex", column="sex", kind="factor", reference="male", levels=("female", "male"))
AGE = Covariate(name="age", column="age_at_diagnosis_years", kind="continuous")
GRADE = Covariate(
    name="grade", column="fnclcc_grade", kind="factor", reference="G3", levels=("G1", "G2", "G3", "GX")
)


def _fit(
    patients: pl.DataFrame, endpoints: pl.DataFrame, *covariates: Covariate, method: str = EFRON
) -> dict[str, dict]:
    model = Model(name="M", endpoint="OS", title="", covariates=tuple(c.name for c in covariates))
    lines = hazard_ratios(patients, endpoints, [model], covariates).filter(pl.col("method") == method)
    return {line["level"] or line["term"]: line for line in lines.iter_rows(named=True)}


def test_a_level_without_events_leaves_the_limit_of_the_others(
    patients: pl.DataFrame, endpoints: pl.DataFrame
) -> None:
    deaths = endpoints.filter(pl.col("endpoint") == "OS", "event")
    g1 = patients.with_columns(
        fnclcc_grade=pl.when(pl.col("pseudonym").is_in(deaths["pseudonym"].implode()))
        .then(pl.col("fnclcc_grade").replace("G1", "G2"))
        .otherwise("fnclcc_grade")
    )
    found = _fit(g1, endpoints, AGE, GRADE)
    assert found["G1"]["hazard_ratio"] is None
    assert "no event at the level" in found["G1"]["note"] and found["G1"]["level_n"] > 0
    assert found["GX"]["note"] == "no variance: no patient at the level" and found["GX"]["level_n"] == 0
    without = _fit(g1.filter(pl.col("fnclcc_grade") != "G1"), endpoints, AGE, GRADE)
    assert found["age"]["coefficient"] == pytest.approx(without["age"]["coefficient"], rel=1e-9)
    assert found["age"]["n"] == 86

    # An ever smaller, finite coefficient of G1 must converge to this limit.
    import numpy as np

    os = endpoints.filter(pl.col("endpoint") == "OS").join(g1, on="pseudonym").sort("time_days")
    x = np.column_stack(
        [os["age_at_diagnosis_years"], os["fnclcc_grade"] == "G2", os["fnclcc_grade"] == "G1"]
    )
    beta = [found["age"]["coefficient"], found["G2"]["coefficient"], -40.0]
    risk = np.exp(x @ beta)
    score = np.zeros(2)
    for i in np.flatnonzero(os["event"].to_numpy()):
        weights = risk[i:] / risk[i:].sum()
        score += x[i, :2] - weights @ x[i:, :2]
    assert np.abs(score).max() < 1e-6


def test_reference_without_events(patients: pl.DataFrame, endpoints: pl.DataFrame) -> None:
    living = endpoints.filter(pl.col("endpoint") == "OS", ~pl.col("event"))["pseudonym"].to_list()
    chosen = patients.filter((pl.col("sex") == "female") | pl.col("pseudonym").is_in(living))
    found = _fit(chosen, endpoints, SEX, AGE)
    assert found["female"]["hazard_ratio"] is None
    assert "no event at the reference level" in found["female"]["note"]
    assert found["age"]["hazard_ratio"] > 0

    firth = _fit(chosen, endpoints, SEX, AGE, method=FIRTH)
    assert firth["female"]["ci_low"] < firth["female"]["hazard_ratio"] < firth["female"]["ci_high"]
    assert firth["female"]["hazard_ratio"] > 1 and firth["female"]["note"] is None


def test_constants_collinearity_and_no_event_have_a_note(
    patients: pl.DataFrame, endpoints: pl.DataFrame
) -> None:
    women = _fit(patients.filter(pl.col("sex") == "female"), endpoints, SEX, AGE)
    assert women["female"]["note"] == "no variance: no patient at the reference level"
    assert women["age"]["hazard_ratio"] is not None

    slices = Covariate(name="slices", column="ct_slice_thickness_mm", kind="continuous")
    assert "no variance" in _fit(patients, endpoints, slices, AGE)["slices"]["note"]

    again = Covariate(name="again", column="age_at_diagnosis_years", kind="continuous")
    # Like R: of two that say the same the first has the estimate that it has alone, the other none.
    twice, alone = _fit(patients, endpoints, AGE, again), _fit(patients, endpoints, AGE)
    assert twice["age"]["coefficient"] == pytest.approx(alone["age"]["coefficient"], rel=1e-12)
    assert twice["age"]["note"] is None and twice["age"]["events_per_variable"] == 18
    assert twice["again"]["hazard_ratio"] is None and "collinear" in twice["again"]["note"]

    nobody = _fit(patients, endpoints.with_columns(event=False), AGE, SEX)
    assert {line["note"] for line in nobody.values()} == {"no event in the model"}
    assert nobody["age"]["events_per_variable"] is None


def test_incomplete_cases_are_counted(patients: pl.DataFrame, endpoints: pl.DataFrame) -> None:
    holed = patients.with_columns(
        sex=pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("unknown")).otherwise("sex")
    )
    found = _fit(holed, endpoints, SEX, AGE)
    assert (found["age"]["n"], found["age"]["missing"]) == (81, 5)
    assert set(found) == {"female", "age"}


def test_a_missing_endpoint_has_no_model(
    patients: pl.DataFrame, endpoints: pl.DataFrame, study: Study
) -> None:
    os = endpoints.filter(pl.col("endpoint") == "OS")
    assert hazard_ratios(patients, os, study.models, study.covariates)["model"].unique().to_list() == ["OS"]
    assert hazard_ratios(patients, os.clear(), study.models, study.covariates).is_empty()


def test_a_level_that_another_factor_tells_has_no_estimate_of_its_own(
    patients: pl.DataFrame, endpoints: pl.DataFrame
) -> None:
    """Nested factors are common: a centre that treats one region only."""
    named = patients.with_columns(twin=pl.col("sex").replace({"female": "w", "male": "m"}))
    twin = Covariate(name="twin", column="twin", kind="factor", reference="m", levels=("w",))
    found, alone = _fit(named, endpoints, SEX, AGE, twin), _fit(named, endpoints, SEX, AGE)
    for name in ("female", "age"):
        assert found[name]["coefficient"] == pytest.approx(alone[name]["coefficient"], rel=1e-9)
    assert found["w"]["hazard_ratio"] is None and "collinear" in found["w"]["note"]
    # Turned round, the other one has it.
    turned = _fit(named, endpoints, twin, AGE, SEX)
    assert turned["w"]["coefficient"] == pytest.approx(alone["female"]["coefficient"], rel=1e-9)
    assert "collinear" in turned["female"]["note"]


def test_where_everybody_dies_on_one_day_nobody_comes_first(
    patients: pl.DataFrame, endpoints: pl.DataFrame
) -> None:
    """Efron's risk sets would give limits that rest on nothing."""
    one_day = endpoints.with_columns(time_days=pl.lit(100, dtype=pl.Int32), event=True)
    found = _fit(patients, one_day, AGE, SEX)
    assert {line["hazard_ratio"] for line in found.values()} == {None}
    assert all("all patients at risk have the event" in line["note"] for line in found.values())
    # One survivor makes it a comparison.
    first = patients["pseudonym"].min()
    some = one_day.with_columns(event=pl.col("pseudonym") != first)
    assert _fit(patients, some, AGE)["age"]["hazard_ratio"] is not None


@pytest.mark.parametrize("factor", [1e-12, 1e8])
def test_the_unit_of_a_covariate_changes_its_coefficient_only(
    patients: pl.DataFrame, endpoints: pl.DataFrame, factor: float
) -> None:
    scaled = patients.with_columns(age_at_diagnosis_years=pl.col("age_at_diagnosis_years") * factor)
    found, plain = _fit(scaled, endpoints, AGE, SEX), _fit(patients, endpoints, AGE, SEX)
    assert found["female"]["coefficient"] == pytest.approx(plain["female"]["coefficient"], rel=1e-9)
    assert found["age"]["p_value"] == pytest.approx(plain["age"]["p_value"], rel=1e-9)
    assert found["age"]["coefficient"] == pytest.approx(plain["age"]["coefficient"] / factor, rel=1e-9)
    # exp of 10^10 is no number: neither infinite nor 0, but none, and the line says so.
    held = factor > 1
    assert (found["age"]["hazard_ratio"] is not None) is held
    assert (found["age"]["note"] is None) is held
