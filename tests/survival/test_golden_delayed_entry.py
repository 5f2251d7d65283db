"""Delayed entry against R's Surv(entry, time, event): who enters late is at risk from then on only."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.competing_risks import cumulative_incidence
from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, curves, quartiles
from sarcoma_pipeline.survival.proportional_hazards import proportional_hazards
from sarcoma_pipeline.survival.subgroups import log_rank, subgroups
from schemas.configuration import CompetingRisks
from tests.survival.golden import LATE, data, model, quantities, r_name, same, split

TERMS = {
    "heart": ["age", "year", "surgery", "transplant"],
    "mgus": ["sex", "hgb", "mspike"],
    "late_demo_os": ["sex", "age", "histology"],
    "late_demo_dmfs": ["sex", "age", "histology", "t_stage"],
}
GROUPS = {"heart": "transplant", "mgus": "sex", "late_demo_os": "histology", "late_demo_dmfs": "sex"}
TOPIC = "delayed_entry"


def _days(months: float) -> str:
    return str(round(months * DAYS_PER_MONTH))


@pytest.mark.parametrize("quantity", ["at_risk", "events", "censored", "survival", "ci_low", "ci_high"])
@pytest.mark.parametrize("name", LATE)
def test_curves_are_rs(name: str, quantity: str) -> None:
    ours = curves(data(name)).slice(1)
    found = {
        (_days(time), quantity): value for time, value in ours.select("time_months", quantity).iter_rows()
    }
    theirs = quantities(TOPIC, set=name, object="curve", quantity=quantity)
    if quantity.startswith("ci"):
        # R sets limits to 1 before the first event and to none after the last patient; here both are null.
        known = dict(zip(found, ours["survival"], strict=True))
        theirs = {key: value for key, value in theirs.items() if 0 < known[key] < 1}
    same(found, theirs)


def test_the_numbers_at_risk_rise() -> None:
    at_risk = quantities(TOPIC, set="mgus", object="curve", quantity="at_risk")
    first, most = next(iter(at_risk.values())), max(v for v in at_risk.values() if v)
    assert first is not None and first < most
    assert max(curves(data("mgus"))["at_risk"].to_list()) >= most


@pytest.mark.parametrize("name", LATE)
def test_medians_are_rs(name: str) -> None:
    found = {
        ("", key): None if value is None else value * DAYS_PER_MONTH
        for key, value in quartiles(curves(data(name))).items()
    }
    same(found, quantities(TOPIC, set=name, object="median"))


@pytest.mark.parametrize("quantity", ["coefficient", "standard_error", "p_value", "ci_low", "ci_high"])
@pytest.mark.parametrize("name", LATE)
def test_coefficients_are_rs(name: str, quantity: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    rows = hazard_ratios(patients, endpoints, [declared], covariates)
    ours = {(r_name(r["term"], r["level"]), quantity): r[quantity] for r in rows.iter_rows(named=True)}
    same(ours, quantities(TOPIC, set=name, object="coxph", quantity=quantity))


@pytest.mark.parametrize("name", LATE)
def test_models_are_rs(name: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    row = hazard_ratios(patients, endpoints, [declared], covariates).row(0, named=True)
    theirs = quantities(TOPIC, set=name, object="model")
    same({("", quantity): row[quantity] for _, quantity in theirs}, theirs)


@pytest.mark.parametrize("quantity", ["chi_square", "degrees_of_freedom", "p_value"])
@pytest.mark.parametrize("name", LATE)
def test_schoenfeld_tests_are_rs(name: str, quantity: str) -> None:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    rows = proportional_hazards(patients, endpoints, [declared], covariates)
    ours = {(row["term"], quantity): row[quantity] for row in rows.iter_rows(named=True)}
    same(ours, quantities(TOPIC, set=name, object="zph", quantity=quantity))


@pytest.mark.parametrize("name", LATE)
def test_log_rank_counts_who_has_entered(name: str) -> None:
    times = data(name).select("time_days", "event", "entry_days", level=GROUPS[name]).sort("level")
    lines = log_rank(times)
    found = {(line["level"], c): line[c] for line in lines for c in ("observed", "expected")}
    same(found | {("", "chi_square"): lines[0]["chi_square"]}, quantities(TOPIC, set=name, object="log-rank"))


def test_subgroups_use_the_entry() -> None:
    """Every level's curve is that of its patients alone."""
    endpoints, patients = split("mgus")
    _, (sex, *_) = model("mgus", ["sex"])
    made = subgroups(patients, endpoints, [sex], [900])
    for level in ("female", "male"):
        alone = data("mgus").filter(sex=level)
        ours = made.curves.filter(level=level).select("time_months", "at_risk", "survival")
        assert ours.equals(curves(alone).select("time_months", "at_risk", "survival"))
    theirs = quantities(TOPIC, set="mgus", object="log-rank")["", "chi_square"]
    assert made.tests["chi_square"][0] == pytest.approx(theirs, rel=1e-8)


@pytest.mark.parametrize("quantity", ["incidence", "standard_error", "ci_low", "ci_high"])
@pytest.mark.parametrize("name", ["mgus", "late_demo_dmfs"])
def test_cumulative_incidence_is_rs(name: str, quantity: str) -> None:
    kinds = data(name).filter("event")["kind"].unique().sort().to_list()
    analysis = CompetingRisks(name=name, endpoint="DFS", title="", causes={kind: (kind,) for kind in kinds})
    ours = cumulative_incidence(split(name)[0], [analysis])
    for cause in kinds:
        curve = ours.filter(pl.col("cause") == cause).slice(1)
        found = {
            (_days(time), quantity): value
            for time, value in curve.select("time_months", quantity).iter_rows()
        }
        same(found, quantities(TOPIC, set=name, object=f"incidence {cause}", quantity=quantity))
