"""Refreshed studies: shared where a test only looks, copied where it changes them."""

from collections.abc import Callable

import pytest

from tests.refresh.scores import SCORES
from tests.refreshed import Place, first_refresh, lay


@pytest.fixture
def place(tmp_path) -> Callable[..., Place]:
    """Makes a project root with an empty drop folder."""

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
    """The refreshed demo, to do with as one likes."""
    return demo.copied(tmp_path / "copy")


@pytest.fixture(scope="session")
def tcga(tmp_path_factory) -> Place:
    """TCGA-SARC after its first refresh."""
    return first_refresh(tmp_path_factory, "tcga_sarc")


class _FromWorkers:
    """Brings the table of scores from the process that made it to the one that prints."""

    def pytest_testnodedown(self, node, error):
        node.config.stash.setdefault(SCORES, []).extend(getattr(node, "workeroutput", {}).get("scores", []))


def pytest_configure(config):
    """Several processes may run the tests."""
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_FromWorkers(), "scores from workers")


def pytest_sessionfinish(session):
    """A worker hands its lines on."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["scores"] = list(session.config.stash.get(SCORES, []))


def pytest_terminal_summary(terminalreporter, config):
    """Print how well the rules find the demo's seeded defects."""
    lines = config.stash.get(SCORES, [])
    if lines:
        terminalreporter.section("rules against seeded defects")
    for line in lines:
        terminalreporter.write_line(line)
