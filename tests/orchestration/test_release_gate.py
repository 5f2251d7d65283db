"""A release that fails its gate leaves the published files unchanged, and the run reports the reason."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets import publication
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortDerivability, CohortEndpoint, CohortPatient
from schemas.configuration import Sources, Study
from schemas.contract import CONTRACTS
from schemas.lineage import Lineage
from schemas.meta import MetaRefresh
from schemas.quality import Observed
from schemas.release import RELEASED

LINEAGE = pl.DataFrame(
    [
        {"pseudonym": f"{7:016x}", "subject": "patient", "role": "supports", "record_id": "r",
         "table_name": "received.table_row", "file_id": "0123456789abcdef", "path": "table/a.csv",
         "position": "line 2", "rule_ids": ["diagnosis.age-implausible"]}
    ]
)  # fmt: skip
OBSERVED = pl.DataFrame(
    [
        {"rule_id": "diagnosis.age-implausible", "severity": "warning", "record_id": "r",
         "table_name": "typed.diagnosis", "column_name": "age_at_diagnosis_years", "step": "typed"}
    ]
)  # fmt: skip


@pytest.fixture
def project(tmp_path) -> Project:
    study = Study(name="s", title="S", description="S", drop="drop", criteria=(), endpoints=())
    return Project(tmp_path, study, Sources(source=()))


@pytest.fixture
def night(project) -> Callable[[str, int], dg.ExecuteInProcessResult]:
    """Return a function that releases a cohort of this many patients under a refresh id."""

    def run(refresh: str, patients: int, age: float = 50.0) -> dg.ExecuteInProcessResult:
        names = [f"{i:016x}" for i in range(patients)]
        rows = pl.DataFrame({"pseudonym": names}).with_columns(
            relapse_pattern=pl.lit("none"),
            follow_up_days=9,
            record_ids=pl.lit(["r"]),
            # Past curation and cohort, which would have set it aside.
            age_at_diagnosis_years=pl.when(pl.int_range(pl.len()) == 7).then(age).otherwise(50.0),
        )
        endpoints = rows.select(
            "pseudonym", endpoint=pl.lit("OS"), time_days=9, time_months=0.3, event=False,
            evidence="record_ids", event_kind=pl.lit("censored"), time_days_earliest=9, time_days_latest=9,
        )  # fmt: skip
        derivable = pl.DataFrame({"endpoint": ["OS"], "derivable": [True]})
        frames = {t: CONTRACTS[t].empty() for t in RELEASED}
        for contract, frame in (
            (CohortPatient, rows),
            (CohortEndpoint, endpoints),
            (CohortDerivability, derivable),
        ):
            frames[contract.table()] = contract.conform(frame)
        frames[Lineage.table()] = Lineage.conform(LINEAGE)
        frames[Observed.table()] = Observed.conform(OBSERVED)
        made = MetaRefresh.conform(
            pl.DataFrame({c.name: [refresh if c.dtype == "String" else 1] for c in MetaRefresh.columns()})
        )
        warehouse = Warehouse(path=str(project.warehouse))
        warehouse.replace({**frames, MetaRefresh.table(): made})
        warehouse.close()
        released, *_ = publication.assets(project)
        return dg.materialize([released], resources={"warehouse": warehouse}, raise_on_error=False)

    return run


def eligible(path: Path) -> tuple:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute("SELECT refresh_id, eligible FROM meta.release").fetchone() or ()


@pytest.mark.slow
def test_a_failed_gate_keeps_the_last_release(project, night):
    first = night("R1", 40)
    assert first.success
    assert [c.passed for c in first.get_asset_check_evaluations()] == [True]
    second = night("R2", 20)
    assert not second.success
    assert eligible(project.release) == ("R1", 40)
    assert sorted(p.name for p in project.published.iterdir()) == ["cohort.duckdb", "data_docs", "releases"]
    (check,) = second.get_asset_check_evaluations()
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    (failure,) = second.get_step_failure_events()
    said = failure.step_failure_data.user_failure_data.description
    assert "the last release is unchanged" in said
    assert "cohort.patients: At least 36 rows" in said
    assert "Held back" in (project.published / "data_docs/index.html").read_text()


@pytest.mark.slow
def test_a_gate_that_crashes_publishes_nothing_and_leaves_nothing(project, night, monkeypatch):
    assert night("R1", 40).success

    def crash(*_):
        raise RuntimeError("secret of a patient")

    monkeypatch.setattr(publication.release_gate, "gate", crash)
    second = night("R2", 41)
    assert not second.success
    assert eligible(project.release) == ("R1", 40)
    assert sorted(p.name for p in project.published.iterdir()) == ["cohort.duckdb", "releases"]
    (failure,) = second.get_step_failure_events()
    assert "secret" not in str(failure.step_failure_data)


@pytest.mark.slow
def test_what_the_gate_stops_names_patient_file_and_finding(project, night):
    assert night("R1", 40).success
    second = night("R2", 40, 140.0)
    assert not second.success
    (failure,) = second.get_step_failure_events()
    said = failure.step_failure_data.user_failure_data.description
    assert "cohort.patients.age_at_diagnosis_years" in said and "Not met in 1 of 40 rows" in said
    assert f"Patient {7:016x}: files table/a.csv (file 0123456789ab); findings " in said
    assert "(diagnosis.age-implausible); see sarcoma findings --patient" in said
    assert f"{8:016x}" not in said
    assert f"{7:016x}" not in "".join(p.read_text() for p in (project.published / "data_docs").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("opinion", "said"),
    [
        (lambda *_: ["cohort.patients: Sex is never missing."], "disagrees with the gate on 1 expectation"),
        (lambda *_: 1 / 0, "ended with ZeroDivisionError"),
    ],
    ids=["disagrees", "crashes"],
)
def test_a_release_that_is_held_back_tells_what_the_second_opinion_was(
    project, night, monkeypatch, opinion, said
):
    assert night("R1", 40).success
    monkeypatch.setattr("sarcoma_pipeline.quality.second_opinion.second_opinion", opinion)
    held = night("R2", 20)
    (failure,) = held.get_step_failure_events()
    told = failure.step_failure_data.user_failure_data.description
    assert "cohort.patients: At least 36 rows" in told, "the gate's reasons are told all the same"
    assert said in told
    assert eligible(project.release) == ("R1", 40)
