"""The rows of patients who can be eligible give the cohort of all patients under every assumption."""

from __future__ import annotations

import polars as pl
import pytest

from sarcoma_pipeline.cohort import covariates, ever_eligible
from sarcoma_pipeline.cohort.derivation import Cohort, cohort
from sarcoma_pipeline.cohort.observed import observed
from sarcoma_pipeline.cohort.released_events import events
from sarcoma_pipeline.cohort.toxicity import toxicity
from schemas.assumptions import Assumptions, alternatives
from schemas.configuration import Study

pytestmark = pytest.mark.slow


def _alike(one: Cohort, other: Cohort) -> bool:
    pairs = (
        (one.patients, other.patients),
        (one.derived.endpoints, other.derived.endpoints),
        (one.derived.not_at_risk, other.derived.not_at_risk),
        (events(one.happened, one.members), events(other.happened, other.members)),
    )
    return one.eligible.equals(other.eligible) and all(a.equals(b) for a, b in pairs)


def _assumptions(study: Study) -> list[tuple[str, Assumptions]]:
    named = [(f"{switch.name} = {value}", a) for switch, value, a in alternatives(study.assumptions)]
    return [("own", study.assumptions), *named]


@pytest.mark.parametrize("cut", ["as answered", "declared"])
def test_every_run_has_the_cohort_of_all_patients(read_demo, cut):
    curated, study = dict(read_demo.derived.made.curated), read_demo.study
    if cut == "declared":
        own = study.assumptions.model_copy(update={"data_cutoff": read_demo.study.criteria[-1].end})
        study = study.model_copy(update={"assumptions": own})
    eligible = cohort(curated, study).eligible
    rows = ever_eligible.rows(curated, study, eligible)
    everybody = curated["curated.patient"].height
    assert everybody // 2 < rows["curated.patient"].height < everybody - 20
    # With a declared cut-off every third run must do: they take 20 s of CPU.
    chosen = _assumptions(study)[:: 3 if cut == "declared" else 1]
    under = {name: (cohort(curated, study, a), cohort(rows, study, a)) for name, a in chosen}
    assert len(under) > 15
    assert [name for name, pair in under.items() if not _alike(*pair)] == []
    # Some runs are about patients of whom the study's own assumptions know nothing.
    if cut != "declared":
        assert any(not whole.eligible.equals(eligible) for whole, _ in under.values())
    main, again = under["own"]
    assert covariates.cut_off(rows, again.happened) == covariates.cut_off(curated, main.happened)
    assert observed(rows, study, eligible).equals(observed(curated, study, eligible))
    pair = [toxicity(c.curated, c.happened, c.members) for c in (main, again)]
    assert pair[0].equals(pair[1]) and isinstance(pair[0], pl.DataFrame)
