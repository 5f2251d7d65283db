"""The committed studies use only columns and levels that the cohort layer has."""

import polars as pl
import pytest

from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.configuration import Study
from schemas.contract import ContractBroken
from schemas.dose_columns import THIRDS
from schemas.vocabularies import VOCABULARIES


@pytest.fixture(params=["study", "tcga"])
def any_study(request: pytest.FixtureRequest) -> Study:
    return request.getfixturevalue(request.param)


def test_columns_and_levels_exist(any_study: Study) -> None:
    codes = {
        c.name: VOCABULARIES[c.vocabulary]
        if c.vocabulary
        else ("true", "false")
        if c.dtype == "Boolean"
        else ()
        for c in CohortPatient.columns()
    }
    for dose in any_study.dose_columns:
        codes |= {dose.name: (), dose.third: THIRDS}
    asked = [(r.column, set(r.levels)) for r in any_study.table_one]
    asked += [(c.column, set(c.levels) - set(c.merge.values())) for c in any_study.covariates]
    asked += [(c.column, set(c.merge)) for c in any_study.covariates]
    for name, levels in asked:
        assert levels <= set(codes[name]), name


def test_endpoints_are_the_papers_definitions(any_study: Study) -> None:
    relapse = {
        "OS": set(),
        "DFS": {
            "local relapse",
            "regional relapse",
            "distant relapse",
            "relapse of unknown site",
            "second malignancy",
        },
        "DMFS": {"distant relapse"},
        "LRFS": {"local relapse", "regional relapse"},
    }
    assert {e.name: set(e.events) - {"death"} for e in any_study.endpoints} == relapse
    assert all("death" in e.events for e in any_study.endpoints)
    censored = {e.name for e in any_study.endpoints if e.censor == "last known alive"}
    assert censored == {"OS"}, "a registry office's reply says nothing of relapse"


def test_tcga_declares_relapse_endpoints_not_derivable(tcga: Study) -> None:
    assert [e.name for e in tcga.endpoints if e.derivable] == ["OS"]
    assert {m.endpoint for m in tcga.models} == {"OS"}


def test_contradictory_cohort_rows_are_refused(endpoints: pl.DataFrame, patients: pl.DataFrame) -> None:
    with pytest.raises(ContractBroken, match="endpoint-kind"):
        CohortEndpoint.enforce(endpoints.with_columns(event_kind=pl.lit("censored")))
    with pytest.raises(ContractBroken, match="follow-up-negative"):
        CohortPatient.enforce(patients.with_columns(follow_up_days=pl.lit(-1, pl.Int32)))
