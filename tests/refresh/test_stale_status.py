"""Dagster's own idea of stale and fresh follows the program, the configuration and the content."""

import dagster as dg
import pytest

# Dagster exports no other way to ask for a status than its web server's GraphQL.
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from sarcoma_pipeline.orchestration import data_versions
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import asset_key
from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.study import project
from sarcoma_pipeline.study.project import Project


def _status(place) -> dict[dg.AssetKey, StaleStatus]:
    """The status of every asset that the program makes."""
    graph = build_definitions(project.load(place.study, place.root)).resolve_asset_graph()
    with dg.DagsterInstance.from_config(str(place.home)) as instance:
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return {key: resolver.get_status(key) for key in graph.materializable_asset_keys}


def test_after_a_refresh_every_asset_is_fresh(demo):
    status = _status(demo)
    assert len(status) > 70
    assert {key.to_user_string() for key, found in status.items() if found != StaleStatus.FRESH} == set()


def test_another_configuration_makes_every_asset_stale(demo, monkeypatch):
    monkeypatch.setattr(Project, "configuration_hash", lambda _: "another")
    assert set(_status(demo).values()) == {StaleStatus.STALE}


def test_the_data_version_is_that_of_the_content(demo):
    """Two refreshes of the same files give a table the same version: it is the step cache's."""
    content = demo.published("SELECT content_hash FROM meta.release").item()
    known = project.load(demo.study, demo.root)
    with dg.DagsterInstance.from_config(str(demo.home)) as instance:
        tags = data_versions.carried_over(instance, release_key(known))
        assert tags["dagster/data_version"] == data_versions.of_content(content).value
        patients = data_versions.carried_over(instance, asset_key(known, "cohort.patients"))
    (version,) = demo.warehouse("SELECT version FROM meta.versions WHERE table_name = 'cohort.patients'").row(
        0
    )
    assert patients["dagster/data_version"] == data_versions.of_content(f"={version}").value


@pytest.mark.parametrize("carried", [True, False])
def test_a_confirmation_keeps_the_versions(carried):
    """A night without changes confirms the release; without the tags the report would look stale."""

    @dg.asset(code_version="1")
    def source() -> dg.MaterializeResult:
        return dg.MaterializeResult(data_version=dg.DataVersion("a"))

    @dg.asset(deps=[source], code_version="1")
    def page() -> None: ...

    graph = dg.Definitions(assets=[source, page]).resolve_asset_graph()
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([source, page], instance=instance).success
        tags = data_versions.carried_over(instance, source.key) if carried else {}
        instance.report_runless_asset_event(dg.AssetMaterialization(source.key, tags=tags))
        status = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance)).get_status(
            page.key
        )
    assert status == (StaleStatus.FRESH if carried else StaleStatus.STALE)
