"""Links of the Dagster UI, its groups, and the runs of a terminal in its timeline."""

import dataclasses
from urllib.parse import parse_qs, urlsplit

import dagster as dg
import pytest
import yaml

from sarcoma_pipeline.orchestration import links
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.dagster_internals import name_origin
from sarcoma_pipeline.study import project


def study(**addresses: str) -> project.Project:
    found = project.load("sts_imrt")
    return dataclasses.replace(found, study=found.study.model_copy(update=addresses))


def test_a_served_page_is_a_link_and_another_a_path():
    served = study(pages_url="https://sarcoma.example.org/pages/")
    link = links.published(served, "steward.html", "view=list&q=date.")
    assert link == dg.MetadataValue.url(
        "https://sarcoma.example.org/pages/sts_imrt/steward.html#view=list&q=date."
    )
    draft = links.published(served.as_draft(), "report/index.html")
    assert draft == dg.MetadataValue.url("https://sarcoma.example.org/pages/sts_imrt/draft/report/index.html")
    path = links.published(study(), "report/index.html", "top")
    assert path == dg.MetadataValue.path("data/published/sts_imrt/report/index.html")


def test_every_asset_has_an_owner_a_group_of_its_study_and_a_page_of_the_documentation():
    documented = study(docs_url="https://sarcoma.example.org/docs")
    graph = build_definitions(documented).resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.owners == [documented.study.owner], key
        assert (node.group_name or "").startswith("sts_imrt_"), key
        if node.group_name != "sts_imrt_meta" or "docs" in node.metadata:
            page = node.metadata["docs"]
            assert isinstance(page, dg.UrlMetadataValue), key
            name = (page.url or "").removeprefix("https://sarcoma.example.org/docs/")
            assert (project.root() / "docs" / name).is_file(), key


@pytest.mark.parametrize("centres", [{}, {"north": "data/drop/north", "south": "data/drop/south"}])
def test_jobs_schedules_and_sensors_have_the_owner_of_the_study(centres):
    """Those that Dagster knows owners of: a sensor on the status of runs has none in Dagster 1.13."""
    repository = build_definitions(study(owner="team:steward", centres=centres)).get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    sensors = [s for s in repository.sensor_defs if not isinstance(s, dg.RunStatusSensorDefinition)]
    owned = [*jobs, *repository.schedule_defs, *sensors]
    assert {"decide", "delete_old_runs", "nightly", "weekly", "orphaned_runs", "drop_folder"} < {
        one.name for one in owned
    }
    assert {one.name: one.owners for one in owned} == {one.name: ["team:steward"] for one in owned}


def test_the_address_of_the_launchpad_can_be_read():
    link = links.launchpad(study(), "acknowledge", ["0123456789012345", "12345678901234e5"])
    assert isinstance(link, dg.UrlMetadataValue)
    assert "action:+acknowledge" in (link.url or "")
    assert "finding_ids:+['0123456789012345',+'12345678901234e5']" in (link.url or "")


def test_the_launchpad_gets_ids_of_findings_and_nothing_else():
    link = links.launchpad(study(), "acknowledge", [f"{n:04}" for n in range(30)])
    assert isinstance(link, dg.UrlMetadataValue)
    address = urlsplit(link.url or "")
    assert (address.netloc, address.path) == ("", "/locations/sts_imrt/jobs/decide/playground/setup")
    (config,) = parse_qs(address.query)["config"]
    told = yaml.safe_load(config)["ops"]["record_decisions"]["config"]
    ids = told.pop("finding_ids")
    assert ids == [f"{n:04}" for n in range(20)]
    assert told == {"action": "acknowledge", "by": None, "reason": None}


@pytest.mark.parametrize("again", [False, True])
def test_a_run_of_a_terminal_says_of_which_code_location_it_is(again):
    @dg.op
    def one():
        pass

    @dg.job(tags={"study": "sts_imrt"})
    def refresh():
        one()

    with dg.instance_for_test() as instance:
        run_id = refresh.execute_in_process(instance=instance).run_id
        for _ in range(1 + again):
            name_origin(instance, run_id, "sarcoma_pipeline.definitions", "sts_imrt")
        run = instance.get_run_by_id(run_id)
        assert run is not None and run.is_success
        origin = run.remote_job_origin
        assert origin is not None and origin.job_name == "refresh"
        assert origin.repository_origin.code_location_origin.location_name == "sts_imrt"
        # The timeline asks for the runs of a repository by this tag.
        label = {".dagster/repository": "__repository__@sts_imrt"}
        assert [r.run_id for r in instance.get_runs(filters=dg.RunsFilter(tags=label))] == [run_id]
