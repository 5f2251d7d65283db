"""Fine and Gray's and cause-specific models against R's cmprsk, finegray and coxph."""

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival.competing_models import NO_ENTRY, competing_models
from schemas.analysis_models import CAUSE_SPECIFIC, SUBDISTRIBUTION
from schemas.configuration import CompetingRisks
from schemas.statistics import Statistics
from tests.survival.golden import data, model, quantities, r_name, same, split

TERMS = {
    "rotterdam": ["age", "size", "grade", "nodes", "hormon"],
    "colon": ["rx", "sex", "age", "obstruct", "nodes", "differ"],
    "mgus2": ["age", "sex", "hgb", "mspike"],
    "demo_lrfs": ["sex", "age"],
    "demo_dmfs": ["sex", "age"],
}


def _fitted(name: str, terms: list[str], **declared: str) -> pl.DataFrame:
    endpoints, patients = split(name)
    kinds = data(name).filter("event")["kind"].unique().sort().to_list()
    risks = CompetingRisks(
        name=name, endpoint="DFS", title="", causes={k: (k,) for k in kinds}, covariates=tuple(terms)
    )
    _, covariates = model(name, terms)
    statistics = Statistics.model_validate(declared)
    return competing_models(patients, endpoints, [risks], covariates, statistics)


def _agrees(name: str, rows: pl.DataFrame, hazard: str, of: str) -> None:
    for (cause,), mine in rows.filter(hazard=hazard).group_by("cause", maintain_order=True):
        theirs = quantities("competing_models", set=name, object=f"{cause} {of}")
        ours = {
            (r_name(row["term"], row["level"]), quantity): row[quantity]
            for row in mine.rows(named=True)
            for _, quantity in theirs
        }
        same(ours, theirs)


@pytest.mark.parametrize("name", TERMS)
def test_with_breslows_ties_the_subdistribution_is_that_of_cmprsk(name: str) -> None:
    _agrees(name, _fitted(name, TERMS[name], ties="breslow"), SUBDISTRIBUTION, "cmprsk")


@pytest.mark.parametrize("name", TERMS)
def test_with_efrons_ties_the_models_are_those_of_survival(name: str) -> None:
    rows = _fitted(name, TERMS[name])
    _agrees(name, rows, SUBDISTRIBUTION, "finegray")
    _agrees(name, rows, CAUSE_SPECIFIC, "cause-specific")


def test_every_cause_is_told_by_both_hazards() -> None:
    rows = _fitted("colon", TERMS["colon"])
    both = rows.select("cause", "hazard").unique().sort("cause", "hazard").rows()
    assert both == [
        ("death", CAUSE_SPECIFIC), ("death", SUBDISTRIBUTION), ("relapse", CAUSE_SPECIFIC),
        ("relapse", SUBDISTRIBUTION),
    ]  # fmt: skip
    counted = rows.filter(cause="death").row(0, named=True)
    deaths, relapses = ((data("colon")["kind"] == kind).sum() for kind in ("death", "relapse"))
    assert (counted["events"], counted["competing_events"]) == (deaths, relapses)
    assert set(rows.filter(cause="death")["verdict"]) == {"too few"}
    assert set(rows.filter(cause="relapse")["verdict"]) == {"enough"}


def test_one_contrast_is_tested_jointly_as_alone() -> None:
    row = _fitted("mgus2", ["sex"]).filter(hazard=SUBDISTRIBUTION, cause="progression").row(0, named=True)
    assert row["joint_wald"] == pytest.approx((row["coefficient"] / row["standard_error"]) ** 2)
    assert row["joint_p_value"] == pytest.approx(row["p_value"])


def test_patients_at_a_level_without_events_still_tell_of_the_censoring() -> None:
    """R: crr with indicators of all levels; the coefficient of the empty level is −20 there."""
    endpoints, patients = split("mgus2")
    first = data("mgus2").filter(pl.col("kind").fill_null("") != "progression")["pseudonym"].head(40)
    patients = patients.with_columns(
        rare=pl.when(pl.col("pseudonym").is_in(first.implode())).then(pl.lit("yes")).otherwise(pl.lit("no"))
    )
    risks = CompetingRisks(
        name="m", endpoint="DFS", title="", covariates=("rare", "age"),
        causes={"progression": ("progression",), "death": ("death",)},
    )  # fmt: skip
    from schemas.configuration import Covariate

    covariates = [
        Covariate(name="rare", column="rare", kind="factor", reference="no", levels=("no", "yes")),
        Covariate(name="age", column="age", kind="continuous"),
    ]
    rows = competing_models(patients, endpoints, [risks], covariates, Statistics(ties="breslow"))
    rows = rows.filter(cause="progression", hazard=SUBDISTRIBUTION)
    rare, age = rows.rows(named=True)
    assert rare["hazard_ratio"] is None and "no event at the level" in rare["note"]
    assert rare["joint_p_value"] is None and age["joint_p_value"] is not None
    theirs = quantities("competing_models", set="mgus2", object="without events")
    assert age["coefficient"] == pytest.approx(theirs["age", "coefficient"], rel=1e-6)
    assert age["standard_error"] == pytest.approx(theirs["age", "standard_error"], rel=1e-6)


def test_with_delayed_entry_there_is_no_subdistribution_and_the_line_says_so() -> None:
    rows = _fitted("mgus", ["sex", "hgb"])
    told = rows.filter(hazard=SUBDISTRIBUTION)
    assert told["hazard_ratio"].is_null().all() and set(told["note"]) == {f"no estimate: {NO_ENTRY}"}
    assert rows.filter(hazard=CAUSE_SPECIFIC)["hazard_ratio"].is_not_null().all()


def test_without_covariates_there_is_no_model() -> None:
    assert _fitted("colon", []).is_empty()


def test_the_order_of_the_rows_does_not_matter() -> None:
    endpoints, patients = split("demo_lrfs")
    kinds = data("demo_lrfs").filter("event")["kind"].unique().sort().to_list()
    risks = CompetingRisks(
        name="x", endpoint="DFS", title="", causes={k: (k,) for k in kinds}, covariates=("sex", "age")
    )
    _, covariates = model("demo_lrfs", ["sex", "age"])
    one = competing_models(patients, endpoints, [risks], covariates)
    other = competing_models(patients.reverse(), endpoints.reverse(), [risks], covariates)
    columns = ["coefficient", "standard_error"]
    assert np.allclose(one.select(columns).to_numpy(), other.select(columns).to_numpy(), rtol=1e-10)
