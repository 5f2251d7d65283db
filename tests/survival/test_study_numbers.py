"""The numbers that a preview compares are those of the analyses, without what takes seconds."""

import polars as pl
import pytest

from sarcoma_pipeline.quality import study_numbers
from sarcoma_pipeline.survival import cox
from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.kaplan_meier import estimates
from schemas.analysis import PENALISED
from schemas.configuration import Study


def _of_the_analyses(patients: pl.DataFrame, endpoints: pl.DataFrame, study: Study) -> list[tuple[str, str]]:
    rows = [("patients", str(patients.height))]
    medians = estimates(endpoints, study.horizons_months).filter(quantity="median")
    for of, events, value in medians.select("endpoint", "events", "value").iter_rows():
        rows.append((f"{of} events", str(events)))
        rows.append((f"{of} median", "not reached" if value is None else f"{value:.2f} months"))
    ratios = hazard_ratios(patients, endpoints, study.models, study.covariates, ties=study.statistics.ties)
    for row in ratios.filter(~PENALISED).iter_rows(named=True):
        low, high, ratio = row["ci_low"], row["ci_high"], row["hazard_ratio"]
        told = "not estimated" if ratio is None else f"{ratio:.3f} ({low:.3f}–{high:.3f})"
        rows.append((f"{row['model']} hazard ratio, {row['contrast']}", told))
    return rows


@pytest.mark.parametrize("size", [0, 1, 25, 40, 86])
def test_numbers_are_those_of_the_analyses(patients, endpoints, study, monkeypatch, size):
    some = patients.sample(size, seed=size, shuffle=True).sort("pseudonym")
    theirs = endpoints.join(some, on="pseudonym", how="semi")
    expected = _of_the_analyses(some, theirs, study)
    assert size < 86 or not any("not estimated" in told for _, told in expected)
    # Estimates with a penalty, of which a model of few events has more, are not asked for.
    monkeypatch.setattr(cox, "penalised", None)
    assert study_numbers.numbers(some, theirs, study).rows() == expected
    assert size < 25 or len(expected) == 1 + 2 * 4 + 27
