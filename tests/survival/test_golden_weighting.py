"""Inverse-probability weights, weighted curves and Cox models against R's glm, survfit and coxph."""

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import balance, weighted_survival
from sarcoma_pipeline.survival.propensity import FIRTH, MAXIMUM_LIKELIHOOD, propensity
from sarcoma_pipeline.survival.weighting import effective_size, inverse_probability, weighted_groups
from schemas.configuration import Covariate, Weighting
from schemas.statistics import Ties
from tests.survival.golden import data, quantities

SETS = {
    "lung": ("sex", "female", ["age", "karno"]),
    "veteran": ("trt", "trt2", ["age", "karno", "celltype"]),
    "gbsg": ("hormon", "hormon1", ["age", "size", "nodes", "grade"]),
    "demo_dmfs": ("sequence", "preoperative", ["age", "sex", "region"]),
    "late_demo_dmfs": ("sequence", "preoperative", ["age", "sex"]),
}


def _treated(name: str) -> np.ndarray:
    column, level, _ = SETS[name]
    return (data(name)[column] == level).to_numpy()


def _design(name: str) -> np.ndarray:
    columns = []
    for term in SETS[name][2]:
        values = data(name)[term]
        levels = sorted(values.unique())[1:] if values.dtype == pl.String else []
        columns += [(values == x).cast(pl.Float64).to_numpy() for x in levels] or [
            values.cast(pl.Float64).to_numpy()
        ]
    return np.column_stack(columns)


def _times(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    frame = data(name)
    entry = frame["entry_days"]
    late = None if entry.null_count() == len(entry) else entry.cast(pl.Float64).to_numpy()
    return frame["time_days"].cast(pl.Float64).to_numpy(), frame["event"].to_numpy(), late


def _weights(name: str, *, stabilised: bool = True) -> np.ndarray:
    found = propensity(_design(name), _treated(name))
    assert found is not None and found.method == MAXIMUM_LIKELIHOOD
    return inverse_probability(found.scores, _treated(name), stabilised=stabilised)


@pytest.mark.parametrize("name", SETS)
def test_scores_and_weights_are_glms(name: str) -> None:
    scores = quantities("weighting", set=name, object="propensity")
    theirs = quantities("weighting", set=name, object="weights")
    found = propensity(_design(name), _treated(name))
    assert found is not None
    numbers = range(1, len(found.scores) + 1)
    assert found.scores.tolist() == pytest.approx([scores[str(i), "score"] for i in numbers], rel=1e-8)
    weights = _weights(name)
    assert weights.tolist() == pytest.approx([theirs[str(i), "stabilised"] for i in numbers], rel=1e-8)
    sizes = quantities("weighting", set=name, object="effective")
    for group in (False, True):
        ours = effective_size(weights[_treated(name) == group])
        assert ours == pytest.approx(sizes[str(int(group)), "size"], rel=1e-8)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
@pytest.mark.parametrize("kind", ["stabilised", "plain", "none"])
def test_the_weighted_cox_model_is_coxphs(name: str, ties: Ties, kind: str) -> None:
    theirs = quantities("weighting", set=name, object="cox")
    time, event, entry = _times(name)
    weights = np.ones(len(time)) if kind == "none" else _weights(name, stabilised=kind == "stabilised")
    found = weighted_survival.cox(
        time, event, _treated(name).astype(float)[:, None], weights, entry, ties
    )  # fmt: skip
    key = f"{ties} {kind}"
    assert found.coefficients[0] == pytest.approx(theirs[key, "coefficient"], rel=1e-7)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(theirs[key, "standard_error"], rel=1e-7)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", ["stabilised", "plain"])
def test_the_weighted_curve_is_survfits(name: str, kind: str) -> None:
    theirs = quantities("weighting", set=name, object=f"curve {kind}")
    time, event, entry = _times(name)
    weights, treated = _weights(name, stabilised=kind == "stabilised"), _treated(name)
    compared = 0
    for group in (False, True):
        mine = treated == group
        steps = weighted_survival.curve(
            time[mine], event[mine], weights[mine], None if entry is None else entry[mine]
        )
        for step in list(steps)[1:]:
            key = f"{int(group)} {step.days:g}"
            assert step.survival == pytest.approx(theirs[key, "surv"], rel=1e-9, abs=1e-12)
            assert step.weighted_at_risk == pytest.approx(theirs[key, "n.risk"], rel=1e-9)
            if step.low is not None:
                assert step.low == pytest.approx(theirs[key, "lower"], rel=1e-7)
                assert step.high == pytest.approx(theirs[key, "upper"], rel=1e-7)
            compared += 1
    assert compared == len({key for key, _ in theirs})


@pytest.mark.parametrize("name", SETS)
def test_the_balance_is_rs(name: str) -> None:
    theirs = quantities("weighting", set=name, object="balance")
    treated, weights = _treated(name), _weights(name)
    split = (weights[treated], weights[~treated])
    for term in SETS[name][2]:
        values = data(name)[term]
        if values.dtype == pl.String:
            pairs = {f"{term}{x}": (values == x).to_numpy() for x in sorted(values.unique())}
            compare = balance.of_proportions
        else:
            pairs, compare = {term: values.cast(pl.Float64).to_numpy()}, balance.of_means
        for key, column in pairs.items():
            one, other = column[treated], column[~treated]
            assert compare(one, other) == pytest.approx(theirs[key, "before"], rel=1e-8)
            assert compare(one, other, split) == pytest.approx(theirs[key, "after"], rel=1e-7, abs=1e-9)


def test_separated_treatments_get_firths_scores() -> None:
    frame = data("lung")
    design = frame.select("karno", "age").cast(pl.Float64).to_numpy()
    found = propensity(design, (frame["karno"] >= 80).to_numpy())
    assert found is not None and found.method == FIRTH
    theirs = quantities("weighting", set="lung", object="firth")
    expected = [theirs[str(i), "score"] for i in range(1, frame.height + 1)]
    assert found.scores.tolist() == pytest.approx(expected, rel=1e-6)


ARM = Covariate(name="arm", column="arm", kind="factor", reference="b", levels=("a", "b"))
STAGE = Covariate(name="stage", column="stage", kind="factor", reference="1", levels=("1", "2", "3"))
ASKED = Weighting(name="w", title="w", treatment="arm", covariates=("stage",), endpoints=("DFS",))


def _cohort(*rows: tuple[str | None, str | None]) -> tuple[pl.DataFrame, pl.DataFrame]:
    patients = pl.DataFrame(
        {"pseudonym": [f"p{i:03}" for i in range(len(rows))], "arm": [a for a, _ in rows],
         "stage": [s for _, s in rows]}, schema_overrides={"arm": pl.String, "stage": pl.String},
    )  # fmt: skip
    endpoints = patients.select(
        "pseudonym", endpoint=pl.lit("DFS"), time_days=10 + pl.int_range(pl.len()) * 13 % 97,
        event=pl.int_range(pl.len()) % 3 != 0,
    )  # fmt: skip
    return patients, endpoints


def test_weights_by_pencil_and_the_patients_left_out() -> None:
    # Stage 1: 30 of a, 10 of b; stage 2: 10 of a, 30 of b. The propensity of a is 3/4 and 1/4.
    rows = [("a", "1")] * 30 + [("b", "1")] * 10 + [("a", "2")] * 10 + [("b", "2")] * 30
    patients, endpoints = _cohort(*rows, (None, "1"), ("a", None), ("c", "2"))
    made = weighted_groups(patients, endpoints, [ASKED], [ARM, STAGE])
    one = made.groups.row(0, named=True)
    assert (one["level"], one["n"], one["missing"]) == ("a", 40, 3)
    # Stabilised: 0.5 / 0.75 and 0.5 / 0.25.
    assert (one["weight_low"], one["weight_high"]) == pytest.approx((2 / 3, 2))
    assert one["effective_size"] == pytest.approx((30 * 2 / 3 + 20) ** 2 / (30 * 4 / 9 + 40))
    (balanced,) = made.balance.rows(named=True)
    assert balanced["before"] == pytest.approx(0.5 / np.sqrt(0.75 * 0.25))
    assert balanced["after"] == pytest.approx(0, abs=1e-9)
    assert one["warning"] is None


def test_groups_that_hardly_overlap_are_told() -> None:
    rows = [("a", "1")] * 59 + [("b", "1")] + [("a", "2")] * 10 + [("b", "2")] * 30 + [("b", "3")] * 4
    made = weighted_groups(*_cohort(*rows), [ASKED], [ARM, STAGE])
    told = {r["level"]: r["warning"] for r in made.groups.rows(named=True)}
    assert "1 of 35 patients got a treatment that patients like them get in fewer than 5 %" in told["b"]
    assert "only this group has patients with stage 3" in told["b"]
    assert "Firth" in told["b"]


def test_a_ratio_that_the_data_do_not_bound_is_no_estimate(monkeypatch) -> None:
    """Its limit is larger than any number: the refresh ended with an OverflowError."""
    far = weighted_survival.Weighted(np.array([3.0]), np.array([[400.0**2]]))
    monkeypatch.setattr(weighted_survival, "cox", lambda *_: far)
    rows = [("a", "1")] * 30 + [("b", "1")] * 10 + [("a", "2")] * 10 + [("b", "2")] * 30
    (line,) = weighted_groups(*_cohort(*rows), [ASKED], [ARM, STAGE]).ratios.rows(named=True)
    assert (line["hazard_ratio"], line["ci_high"], line["crude_ci_high"]) == (None, None, None)
    assert line["note"] == "no estimate: the data do not bound the ratio"


def test_too_few_patients_give_no_weights() -> None:
    few = weighted_groups(*_cohort(*[("a", "1")] * 5, ("b", "2")), [ASKED], [ARM, STAGE])
    assert set(few.groups["warning"]) == {"no weights: fewer than two patients in a group"}
    assert few.ratios.is_empty() and few.curves.is_empty() and few.balance.is_empty()
    assert weighted_groups(*_cohort(("a", "1")), [], [ARM, STAGE]).groups.is_empty()


def test_the_order_of_the_patients_decides_nothing() -> None:
    rows = [("a", "1")] * 13 + [("b", "1")] * 7 + [("a", "2")] * 9 + [("b", "2")] * 11
    patients, endpoints = _cohort(*rows)
    one = weighted_groups(patients, endpoints, [ASKED], [ARM, STAGE])
    shuffled = endpoints.sample(fraction=1, shuffle=True, seed=2)
    other = weighted_groups(patients.reverse(), shuffled, [ASKED], [ARM, STAGE])
    assert one.curves.equals(other.curves) and one.ratios.equals(other.ratios)
    assert one.groups.equals(other.groups) and one.balance.equals(other.balance)
