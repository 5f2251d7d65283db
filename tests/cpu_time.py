"""Prints the CPU time of a test run; ``make test`` must stay below six minutes."""

import os

import pytest

CPU = pytest.StashKey[float]()


def _own() -> float:
    """Return user and system seconds of this process and its ended children."""
    return sum(os.times()[:4])


class _OfWorkers:
    """Adds up the CPU time of the worker processes."""

    def pytest_testnodedown(self, node, error):
        took = getattr(node, "workeroutput", {}).get("cpu", 0.0)
        node.config.stash[CPU] = node.config.stash.get(CPU, 0.0) + took


def pytest_configure(config):
    if config.pluginmanager.hasplugin("xdist"):
        config.pluginmanager.register(_OfWorkers(), "cpu time of workers")


def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["cpu"] = _own()


def pytest_terminal_summary(terminalreporter, config):
    took = _own() + config.stash.get(CPU, 0.0)
    terminalreporter.write_line(f"CPU time: {took:.0f} s, user and system, of all processes")
