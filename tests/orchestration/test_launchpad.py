"""The launchpad of Dagster can start a job, but cannot point it at another file."""

import shutil

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import warehouse_resource
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.step_events import PROGRESS_LOGGING
from sarcoma_pipeline.study import project
from tests.refreshed import REPOSITORY


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    shutil.copytree(REPOSITORY / "data/studies", root / "data/studies")
    repository = build_definitions(project.load("sts_imrt", root)).get_repository_def()
    return {job.name: job for job in repository.get_all_jobs()}


DECISION = {"action": "reopen", "finding_ids": ["f"], "by": "S", "reason": "seen"}


def _ask(jobs, name, **config):
    needed = {"ops": {"record_decisions": {"config": DECISION}}} if name == "decide" else {}
    return dg.validate_run_config(jobs[name], {**needed, **config})


def _names(jobs):
    assert {"refresh", "decide", "delete_old_runs", "__ASSET_JOB"} <= set(jobs)
    return sorted(jobs)


FIELDS = ({"path": "/tmp/w.duckdb"}, {"study": "tcga_sarc"}, {"centres": ["x"]}, {"centre": "x"})


@pytest.mark.parametrize("field", FIELDS)
def test_no_job_takes_another_warehouse(jobs, field):
    for name in _names(jobs):
        with pytest.raises(dg.DagsterInvalidConfigError):
            _ask(jobs, name, resources={"warehouse": {"config": field}})


def test_no_job_takes_another_folder_for_its_outputs(jobs):
    for name in _names(jobs):
        with pytest.raises(dg.DagsterInvalidConfigError):
            _ask(jobs, name, resources={"io_manager": {"config": {"base_dir": "/tmp"}}})


def test_every_job_takes_the_config_that_the_program_gives(jobs):
    for name in _names(jobs):
        assert _ask(jobs, name)
        assert _ask(jobs, name, **PROGRESS_LOGGING)


def test_the_run_config_has_no_other_field(jobs):
    """Every field of every job: new ones are judged here before they are allowed."""
    found = set()

    def walk(kind, path):
        fields = getattr(kind, "fields", None)
        for name, field in (fields or {}).items():
            walk(field.config_type, (*path, name))
        if fields is None:
            found.add(path)

    for job in jobs.values():
        walk(job.run_config_schema.run_config_schema_type, ())
    # Assets without config accept any, and nobody reads it.
    free = {path for path in found if path[0] == "ops" and path[2:] == ("config",)}
    assert {path for path in found - free if path[0] != "execution"} == {
        ("ops", "record_decisions", "config", field)
        for field in ("action", "finding_ids", "by", "reason", "until", "reading")
    }


@pytest.mark.parametrize("centre", ["elsewhere", "../x", "north; DROP"])
def test_a_tag_names_no_centre_that_the_study_does_not_have(tmp_path, centre):
    whole = warehouse_resource.Warehouse(path=str(tmp_path / "w.duckdb"), study="s", centres=["north"])

    @dg.op(required_resource_keys={"warehouse"})
    def careless():
        raise AssertionError("never reached")

    @dg.job(resource_defs={"warehouse": whole})
    def job():
        careless()

    done = job.execute_in_process(tags={warehouse_resource.PARTITION: centre}, raise_on_error=False)
    assert not done.success and not done.get_step_failure_events()
    assert not (tmp_path / "w.duckdb").exists()


def test_a_step_that_returns_a_table_fails_and_writes_nothing(tmp_path):
    @dg.op
    def careless() -> str:
        return "a table"

    @dg.job(resource_defs={"io_manager": warehouse_resource.no_outputs})
    def job():
        careless()

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        done = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not done.success
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and b"a table" in p.read_bytes()]
