"""Assigns ``end_to_end`` and ``slow``: ``make test`` skips slow tests, ``make test-slow`` runs them."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDERS = {"refresh", "deploy", "reliability"}
"""All tests in these folders are end to end; elsewhere a test carries the marker itself."""
REFRESH_ANEW = {"copy", "place"}
"""Fixtures of tests that change a study; tests that only read take ``demo`` or ``tcga``."""
AROUND_THE_DOMAIN = {
    "cli": ("commands", "decide", "findings"),
    "deploy": ("deploy",),
    "operations": ("never_published", "restore"),
    "orchestration": ("dagster_internals", "retries", "run_history", "warehouse_resource"),
    "publish": ("key_rotation",),
    "publish/report": ("steward_browser",),
    "refresh": (
        "content_policy", "migrations", "morning", "opinion_process", "preview", "publications",
        "stale_status", "status", "tcga", "upkeep",
    ),
    "synthetic": ("crowd", "dicom_anatomy", "render"),
    "warehouse": ("centres", "permissions", "record_copies", "unchanged_patients"),
}  # fmt: skip
"""Slow modules by folder: commands, processes, storage, pages, the second study and the demo's generator.

`make test` refreshes the demo once; the rooms of the domain have their own tests.
"""


def slow_modules() -> set[Path]:
    """Return the modules whose tests are all slow."""
    return {
        TESTS / folder / f"test_{name}.py" for folder, names in AROUND_THE_DOMAIN.items() for name in names
    }


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    slow = slow_modules()
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in FOLDERS:
            item.add_marker("end_to_end")
        if item.path in slow or (folder == "refresh" and REFRESH_ANEW & set(item.fixturenames)):
            item.add_marker("slow")
