"""Tests of proportional hazards with little or no data."""

import polars as pl

from sarcoma_pipeline.survival.proportional_hazards import GLOBAL, proportional_hazards
from schemas.configuration import Study


def test_a_line_per_term_and_one_for_all(
    patients: pl.DataFrame, endpoints: pl.DataFrame, study: Study
) -> None:
    rows = proportional_hazards(patients, endpoints, study.models, study.covariates)
    terms = {m.name: [*m.covariates, GLOBAL] for m in study.models}
    for name, expected in terms.items():
        assert rows.filter(model=name)["term"].to_list() == expected
    everything = rows.filter(term=GLOBAL)
    assert everything["degrees_of_freedom"].to_list() == everything["parameters"].to_list()
    # The paper's models have 18 to 45 events for 6 to 9 coefficients.
    assert rows["warning"].str.contains("fewer than 10").all()


def test_without_events_or_variance_there_is_a_reason(
    patients: pl.DataFrame, endpoints: pl.DataFrame, study: Study
) -> None:
    nobody = proportional_hazards(
        patients, endpoints.with_columns(event=False), study.models, study.covariates
    )
    assert nobody["term"].unique().to_list() == [GLOBAL]
    assert nobody["warning"].unique().to_list() == ["nothing to estimate"]
    assert nobody["p_value"].null_count() == len(study.models)
    none = proportional_hazards(patients, endpoints.clear(), study.models, study.covariates)
    assert none.is_empty()


def test_events_at_one_time_cannot_be_tested(
    patients: pl.DataFrame, endpoints: pl.DataFrame, study: Study
) -> None:
    at_once = endpoints.with_columns(time_days=pl.when("event").then(pl.lit(100)).otherwise("time_days"))
    age = [m.model_copy(update={"covariates": ("age",)}) for m in study.models[:1]]
    rows = proportional_hazards(patients, at_once, age, study.covariates)
    assert rows["p_value"].null_count() == rows.height == 2
    assert rows["warning"].str.starts_with("no test: too few different").all()
