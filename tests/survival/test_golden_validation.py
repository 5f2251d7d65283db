"""Optimism by the bootstrap against R, on the same resamples."""

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival.design import ModelData, model_data
from sarcoma_pipeline.survival.validation import internal_validation, validate
from schemas.analysis_models import InternalValidation
from schemas.configuration import Covariate
from schemas.statistics import Statistics
from tests.survival.golden import golden, model, quantities, same, split

TERMS = {
    "lung": ["age", "sex", "karno"],
    "demo_dmfs": ["sex", "age"],
    "veteran": ["trt", "karno", "age"],
}


def _data(name: str) -> ModelData:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    (data,) = model_data(patients, endpoints, [declared], covariates)
    # In the order of R's rows, which the resamples name.
    return data


def _resamples(name: str) -> np.ndarray:
    rows = golden("validation").filter(set=name, object="resample")
    drawn = rows.select(
        sample=pl.col("key").str.split(" ").list[0].cast(pl.Int64), row=pl.col("value").cast(pl.Int64) - 1
    )
    return np.array([part["row"].to_list() for part in drawn.partition_by("sample", maintain_order=True)])


@pytest.mark.parametrize("name", TERMS)
def test_optimism_is_rs(name: str) -> None:
    lines = {line["quantity"]: line for line in validate(_data(name), _resamples(name), ordered=False)}
    for quantity, line in lines.items():
        theirs = quantities("validation", set=name, object=quantity)
        same({("", part): line[part] for _, part in theirs}, theirs, 1e-7)
        assert line["fitted"] == 12 and line["note"] is None
    # rms ends its fits at four digits.
    rms = quantities("validation", set=name, object="rms")
    assert lines["concordance"]["corrected"] == pytest.approx(rms["", "concordance"], abs=2e-4)
    assert lines["calibration slope"]["corrected"] == pytest.approx(rms["", "slope"], abs=2e-4)


def _validated(name: str, seed: int, *, turned: bool = False) -> pl.DataFrame:
    endpoints, patients = split(name)
    declared, covariates = model(name, TERMS[name])
    if turned:
        endpoints, patients = endpoints.reverse(), patients.sample(fraction=1, shuffle=True, seed=1)
    statistics = Statistics(bootstrap_resamples=10, bootstrap_seed=seed)
    return internal_validation(patients, endpoints, [declared], covariates, statistics)


def test_the_seed_and_the_values_decide_not_the_order() -> None:
    one = _validated("demo_dmfs", 1)
    assert one.equals(_validated("demo_dmfs", 1, turned=True))
    assert not one["corrected"].equals(_validated("demo_dmfs", 2)["corrected"])


def test_nothing_is_drawn_by_default() -> None:
    endpoints, patients = split("lung")
    declared, covariates = model("lung", TERMS["lung"])
    assert internal_validation(patients, endpoints, [declared], covariates).equals(InternalValidation.empty())


def test_a_level_that_a_resample_lacks_leaves_it_out_and_the_line_says_so() -> None:
    endpoints, patients = split("lung")
    few = patients.with_row_index("row").with_columns(
        group=pl.when(pl.col("row") < 2).then(pl.lit("few")).otherwise(pl.lit("many"))
    )
    group = Covariate(name="group", column="group", kind="factor", reference="many", levels=("few", "many"))
    age = Covariate(name="age", column="age", kind="continuous")
    declared, _ = model("lung", ["age"])
    declared = declared.model_copy(update={"covariates": ("age", "group")})
    made = internal_validation(few, endpoints, [declared], [age, group], Statistics(bootstrap_resamples=60))
    told = made.filter(quantity="concordance").row(0, named=True)
    assert 0 < told["fitted"] < 60
    assert told["note"] == f"{60 - told['fitted']} of 60 resamples had no estimate and are left out"


def test_a_level_without_events_ranks_lowest_and_has_no_slope() -> None:
    endpoints, patients = split("lung")
    declared, covariates = model("lung", ["age", "rare"])
    (data,) = model_data(patients, endpoints, [declared], covariates)
    everybody = np.arange(data.complete.height)[None, :]
    concordance, slope = validate(data, everybody)
    assert concordance["optimism"] == 0 and concordance["fitted"] == 1
    assert slope["fitted"] == 0 and slope.get("corrected") is None
    assert slope["note"] == "1 of 1 resamples had no finite predictor and are left out"
