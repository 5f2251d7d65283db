"""The second opinion is recorded beside the release, told by ``sarcoma status`` and a check in Dagster."""

import datetime as dt
import json
import time

import dagster as dg
import pytest

from sarcoma_pipeline.operations import status
from sarcoma_pipeline.orchestration import code_location, opinion_process
from sarcoma_pipeline.orchestration.assets.publication import opinion_key, release_key
from sarcoma_pipeline.orchestration.dagster_history import DagsterHistory
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.study import project as projects
from tests.refreshed import Place

SECONDS = 120


@pytest.fixture(scope="module")
def refreshed(demo, tmp_path_factory) -> Place:
    return demo.copied(tmp_path_factory.mktemp("opinion") / "root")


@pytest.fixture(scope="module")
def study(refreshed) -> projects.Project:
    return projects.load("sts_imrt", refreshed.root)


def published(study: projects.Project) -> str:
    label = release.read_label(study.release)
    assert label
    return label["refresh_id"]


def told(study: projects.Project) -> tuple[str, list[str]]:
    with dg.DagsterInstance.ephemeral() as instance:
        found = status.status(study, DagsterHistory(instance), dt.datetime.now(dt.UTC))
    return dict(found.lines)["second opinion"], [f for f in found.faults if "Great Expectations" in f]


def write(study: projects.Project, **opinion) -> None:
    known = {"refresh_id": published(study), "disagreements": [], "failure": None}
    (study.published / "second_opinion.json").write_text(json.dumps({**known, **opinion}), "utf-8")


def test_status_tells_what_was_said_of_this_release(study):
    assert told(study)[0].startswith("not given yet")
    write(study)
    assert told(study) == ("Great Expectations agrees with the gate on every expectation.", [])
    write(study, refresh_id="of another night")
    assert told(study)[0].startswith("not given yet")
    write(study, disagreements=["cohort.patients: Sex is never missing."])
    assert told(study)[1], "a disagreement is a fault"
    write(study, failure="MemoryError")
    assert "MemoryError" in told(study)[1][0]
    (study.published / "second_opinion.json").write_text("{", "utf-8")
    assert told(study)[0].startswith("not given yet")


def test_a_release_that_is_gone_has_no_opinion(study):
    found = opinion_process.give(study, "20000101T000000Z", None)
    assert not found.agrees
    assert opinion_process.given(study) == found


def test_no_refresh_waits_for_the_check(study):
    job = code_location.build_definitions(study).resolve_job_def("refresh")
    assert [node.name for node in job.nodes if "cohort_duckdb" in node.name]
    assert not [node.name for node in job.nodes if "second_opinion" in node.name]


@pytest.mark.slow
def test_the_process_outlives_its_start_and_reports_to_dagster(study, refreshed, monkeypatch):
    monkeypatch.setenv(opinion_process.SWITCH, "on")
    monkeypatch.setenv("DAGSTER_HOME", str(refreshed.home))
    (study.published / "second_opinion.json").unlink(missing_ok=True)
    opinion_process.start(study, published(study), None)
    until = time.monotonic() + SECONDS
    with dg.DagsterInstance.get() as instance:
        records = []
        while not records and time.monotonic() < until:
            time.sleep(0.5)
            records = instance.event_log_storage.get_asset_check_execution_history(
                opinion_key(study), limit=1
            )
    assert opinion_process.given(study) == opinion_process.Opinion(published(study))
    found = records[0].event
    assert found and found.dagster_event
    evaluation = found.dagster_event.asset_check_evaluation_data
    assert evaluation.passed
    assert evaluation.asset_key == release_key(study)
    assert (study.published / "data_docs/index.html").is_file()
