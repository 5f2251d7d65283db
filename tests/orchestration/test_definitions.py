"""The definitions that Dagster loads: a snapshot of the asset graph, descriptions, checks, schedules."""

import dataclasses
import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import jobs, schedules
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.study import project

SNAPSHOT = Path(__file__).with_name("graph.txt")
"""Rewritten with SNAPSHOT=write; review the difference before committing it."""


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions(project.load("sts_imrt", Path(__file__).parents[2]))


def _graph(definitions: dg.Definitions) -> str:
    lines = []
    graph = definitions.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        lines.append(f"{key.to_user_string()}  [{node.group_name}]")
        lines += [f"    < {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
        checks = sorted(graph.get_check_keys_for_assets({key}))
        lines += [f"    ? {check.name}" for check in checks]
    return "\n".join(lines) + "\n"


def test_the_asset_graph_equals_its_snapshot(definitions):
    now = _graph(definitions)
    if os.environ.get("SNAPSHOT") == "write":
        SNAPSHOT.write_text(now)
    assert now == SNAPSHOT.read_text()


def test_every_asset_is_described(definitions):
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        if node.is_materializable and key.path[1] not in ("release", "report"):
            assert "dagster/column_schema" in node.metadata, key


def test_the_release_depends_on_every_source(definitions):
    graph = definitions.resolve_asset_graph()
    drops = {k for k in graph.get_all_asset_keys() if k.path[1] == "drop"}
    assert len(drops) == 5
    release = next(k for k in graph.get_all_asset_keys() if k.path[-1] == "cohort_duckdb")
    above, front = set(), {release}
    while front:
        front = {parent for key in front for parent in graph.get(key).parent_keys} - above
        above |= front
    assert drops <= above


def test_fewer_than_fifty_checks_an_asset(definitions):
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        assert len(graph.get_check_keys_for_assets({key})) < 50


def test_the_accounting_check_is_blocking(definitions):
    graph = definitions.resolve_asset_graph()
    (key,) = [k for k in graph.asset_check_keys if k.name == "accounting_identity"]
    assert graph.get_check_spec(key).blocking


def test_the_nightly_schedule_runs_at_half_past_two_in_berlin(definitions):
    schedule = definitions.resolve_schedule_def("nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Europe/Berlin")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == jobs.REFRESH


def test_the_nightly_schedule_of_several_centres_requests_a_run_per_centre():
    study = project.load("sts_imrt")
    centres = {"north": "data/drop/north", "south": "data/drop/south"}
    of_two = dataclasses.replace(study, study=study.study.model_copy(update={"centres": centres}))
    night = dt.datetime(2030, 1, 1, 2, 30, tzinfo=dt.UTC)
    repository = build_definitions(of_two).get_repository_def()
    with (
        dg.instance_for_test() as instance,
        dg.build_schedule_context(
            instance=instance, scheduled_execution_time=night, repository_def=repository
        ) as context,
    ):
        asked = schedules.nightly(of_two).evaluate_tick(context).run_requests or ()
    assert [r.partition_key for r in asked] == ["north", "south"]
    assert len({r.run_key for r in asked}) == 2


def test_both_code_locations_of_the_workspace_load():
    workspace = (Path(__file__).parents[2] / "workspace.yaml").read_text()
    for study in project.studies(Path(__file__).parents[2]):
        assert study in workspace


def test_loading_the_definitions_imports_nothing_heavy():
    """The daemon and the webserver load the code location; what a step needs, the step imports."""
    script = (
        "import sys; import sarcoma_pipeline.definitions; "
        "heavy = {'lifelines', 'scipy', 'great_expectations', 'matplotlib', 'pydicom'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
