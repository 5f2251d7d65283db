"""Assigns ``end_to_end`` and ``slow``: ``make test`` skips slow tests, ``make test-slow`` runs them."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDERS = {"refresh", "deploy", "reliability"}
"""All tests in these folders are end to end; elsewhere a test carries the marker itself."""
REFRESH_ANEW = {"copy", "place"}
"""Fixtures of tests that change a study; tests that only read take ``demo`` or ``tcga``."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDERS:
            item.add_marker("end_to_end")
        if folder == "refresh" and REFRESH_ANEW & set(item.fixturenames):
            item.add_marker("slow")
