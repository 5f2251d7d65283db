"""Ten thousand mutated files, and files at the default size limits: ``pytest -m marathon``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources import confined, fuzzing, hostile

pytestmark = pytest.mark.marathon


def test_ten_thousand_mutated_files(tmp_path):
    outcome = fuzzing.run(tmp_path, 10_000, seed=1)
    assert (outcome.files, outcome.failures) == (10_000, {})


@pytest.mark.parametrize("one", hostile.KINDS, ids=lambda one: one.path)
def test_the_default_limits_hold_each_file_within_a_gigabyte_and_a_half(tmp_path, one):
    path = tmp_path / one.path
    path.parent.mkdir()
    one.make(path)
    done = subprocess.run(
        [sys.executable, confined.__file__, str(tmp_path), "1536", "default"],
        capture_output=True,
        text=True,
        timeout=900,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.returncode == 0, done.stderr
    assert one.path in json.loads(done.stdout)
