"""Fixtures for whole refreshes: shared by tests that only read, copied by tests that change a study."""

import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.refresh.nights import Nights, first_night
from tests.refresh.scores import SCORES
from tests.refreshed import Place, first_refresh, lay


@pytest.fixture
def place(tmp_path) -> Callable[..., Place]:
    """Return a function that creates a project root with an empty drop folder."""

    def make(study: str = "sts_imrt") -> Place:
        made = lay(tmp_path / study, study)
        made.drop.mkdir(parents=True)
        return made

    return make


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Place:
    """The demo after its first refresh; tests that change it take ``copy`` instead."""
    return first_refresh(tmp_path_factory, "sts_imrt")


@pytest.fixture
def copy(demo, tmp_path) -> Place:
    """A copy of the refreshed demo that a test may change."""
    return demo.copied(tmp_path / "copy")


@pytest.fixture(scope="session")
def tcga(tmp_path_factory) -> Place:
    """TCGA-SARC after its first refresh."""
    return first_refresh(tmp_path_factory, "tcga_sarc")


@pytest.fixture(scope="module")
def base(tmp_path_factory) -> Iterator[Nights]:
    """A study after its first night; tests that change it take ``nightly`` instead."""
    with first_night(tmp_path_factory.mktemp("nights")) as nights:
        yield nights


@pytest.fixture
def nightly(base, tmp_path) -> Nights:
    """A copy of the study after its first night that a test may change."""
    shutil.copytree(base.root, tmp_path / "nightly", copy_function=shutil.copy2)
    return Nights(tmp_path / "nightly")


class _FromWorkers:
    """Passes the table of scores from an xdist worker to the process that prints it."""

    def pytest_testnodedown(self, node, error):
        node.config.stash.setdefault(SCORES, []).extend(getattr(node, "workeroutput", {}).get("scores", []))


def pytest_configure(config):
    """Register the plugin for scores when xdist runs the tests."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_FromWorkers(), "scores from workers")


def pytest_sessionfinish(session):
    """Pass the scores of an xdist worker on."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["scores"] = list(session.config.stash.get(SCORES, []))


def pytest_terminal_summary(terminalreporter, config):
    """Print how well the rules find the demo's seeded defects."""
    lines = config.stash.get(SCORES, [])
    if lines:
        terminalreporter.section("rules against seeded defects")
    for line in lines:
        terminalreporter.write_line(line)
