"""Each module of the rules can be the first that a process imports: the catalogue imports all of them."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import sarcoma_pipeline.curation
import sarcoma_pipeline.quality

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    f"{package.__name__}.{found.name}"
    for package in (sarcoma_pipeline.quality, sarcoma_pipeline.curation)
    for found in pkgutil.iter_modules(package.__path__)
)


@pytest.mark.slow
def test_any_module_may_come_first():
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    broken = {}
    for module in MODULES:
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}"], capture_output=True, text=True, env=env, cwd=ROOT
        )
        if done.returncode:
            broken[module] = done.stderr.strip().rpartition("\n")[2]
    assert broken == {}


def test_the_identity_gate_may_come_first():
    """The commands that list findings begin with it."""
    code = "import sarcoma_pipeline.quality.identity_gate"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=env, cwd=ROOT)
