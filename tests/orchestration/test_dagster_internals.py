"""Names without a public home stand in one module, and an upgrade that moves or changes them is noticed."""

import ast
import datetime as dt
from pathlib import Path

import dagster as dg
import pytest

import sarcoma_pipeline
from sarcoma_pipeline.orchestration.dagster_internals import AssetJob, next_tick

PRIVATE = {Path("orchestration/dagster_internals.py")}


def _imported(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_no_other_module_imports_private_names_of_a_package():
    root = Path(sarcoma_pipeline.__file__).parent
    found = {
        (path.relative_to(root), name)
        for path in root.rglob("*.py")
        for name in _imported(path)
        if name.split(".")[0] in {"dagster", "pydicom", "polars", "duckdb", "pandera", "great_expectations"}
        and any(part.startswith("_") for part in name.split("."))
    }
    assert {path for path, _ in found} == PRIVATE, found


def test_the_job_type_is_what_dagster_returns():
    assert isinstance(dg.define_asset_job("refresh", dg.AssetSelection.all()), AssetJob)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ("2024-05-06T01:59:59+02:00", "2024-05-06T02:15:00+02:00"),
        # A moment that is a tick itself: the next one.
        ("2024-05-06T02:15:00+02:00", "2024-05-07T02:15:00+02:00"),
        # The end of summer time: the day has 25 hours, and the line is read in local time.
        ("2024-10-27T12:00:00+01:00", "2024-10-28T02:15:00+01:00"),
    ],
)
def test_the_next_tick_is_read_in_the_zone(after, expected):
    tick = next_tick("15 2 * * *", "Europe/Berlin", dt.datetime.fromisoformat(after))
    assert tick == dt.datetime.fromisoformat(expected)
