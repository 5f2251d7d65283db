"""Assigns ``end_to_end`` and ``slow``: ``make test`` skips slow tests, ``make test-slow`` runs them."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
FOLDERS = {"refresh", "deploy", "reliability"}
"""All tests in these folders are end to end and slow; elsewhere a test carries the markers itself.

What a refresh makes of the demo, ``tests/oracle/test_demo_in_process.py`` tests in seconds, without Dagster.
"""
AROUND_THE_DOMAIN = {
    "cli": ("commands", "decide", "findings"),
    "operations": ("check", "init", "mistakes", "never_published", "restore"),
    "orchestration": (
        "dagster_internals", "dose_work", "kept_result", "retries", "run_history", "warehouse_resource",
    ),
    "publish": ("key_rotation",),
    "publish/report": ("steward_browser", "unmarked_texts"),
    "quality": ("second_opinion",),
    "synthetic": ("crowd", "dicom_anatomy", "render"),
    "warehouse": ("centres", "permissions", "record_copies", "unchanged_patients"),
}  # fmt: skip
"""Slow modules by folder: commands, processes, storage, pages, the second study and the demo's generator.

The rooms of the domain have their own tests.
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
        if item.path in slow or folder in FOLDERS:
            item.add_marker("slow")
