"""Which tests are end to end, and which of them `make test` leaves to `make test-slow`."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDERS = {"refresh", "deploy", "reliability"}
"""All of their tests are end to end; elsewhere a test says so itself."""
REFRESH_ANEW = {"copy", "place"}
"""Fixtures of tests/refresh for what changes a study; who only looks takes ``demo`` or ``tcga``."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDERS:
            item.add_marker("end_to_end")
        if folder == "refresh" and REFRESH_ANEW & set(item.fixturenames):
            item.add_marker("slow")
