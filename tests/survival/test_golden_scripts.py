"""The golden scripts still give the committed values with the installed R."""

import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.survival.golden import FOLDER

RSCRIPT = shutil.which("Rscript")
SCRIPTS = (
    "kaplan_meier",
    "log_rank",
    "cox",
    "competing_risks",
    "delayed_entry",
    "demo_survival",
    "joint_tests",
    "competing_models",
    "strata",
    "splines",
    "validation",
    "calibration",
    "imputation",
    "weighting",
    "external",
)
"""All scripts but Firth's, which takes minutes; `make golden` runs it too."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        RSCRIPT is None,
        reason="no R here: .ci/run installs it",
    ),
]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a folder with the scripts and the demo, but without their outputs."""
    root = tmp_path_factory.mktemp("golden")
    (root / "tests/golden/data").mkdir(parents=True)
    (root / "data/demo").mkdir(parents=True)
    for script in FOLDER.glob("*.R"):
        shutil.copy(script, root / "tests/golden")
    shutil.copy(FOLDER.parents[1] / "data/demo/demo_cohort.csv", root / "data/demo")
    return root


@pytest.mark.parametrize("script", SCRIPTS)
def test_r_gives_the_committed_values(script: str, elsewhere: Path) -> None:
    command = [str(RSCRIPT), "--vanilla", f"tests/golden/{script}.R"]
    run = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    _same(Path(f"{script}.csv"), elsewhere)


def test_the_data_sets_are_rs(elsewhere: Path) -> None:
    """Compare the data sets, which every script writes."""
    run = subprocess.run(
        [str(RSCRIPT), "--vanilla", "tests/golden/sets.R"],
        cwd=elsewhere, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    committed = sorted(path.name for path in (FOLDER / "data").glob("*.csv"))
    assert committed == sorted(path.name for path in (elsewhere / "tests/golden/data").glob("*.csv"))
    for name in committed:
        _same(Path("data") / name, elsewhere)


def _same(path: Path, root: Path) -> None:
    """Compare two files; numbers may differ in the last digits, which depend on the BLAS library."""
    ours, theirs = (pl.read_csv(f / path, infer_schema=False) for f in (FOLDER, root / "tests/golden"))
    assert ours.columns == theirs.columns and ours.height == theirs.height
    for column in ours.columns:
        if column != "value":
            assert ours[column].to_list() == theirs[column].to_list(), column
            continue
        wrong = [
            (a, b)
            for a, b in zip(ours[column], theirs[column], strict=True)
            if a != b and not (a and b and abs(float(a) - float(b)) <= 1e-9 * abs(float(a)) + 1e-12)
        ]
        assert not wrong, wrong[:5]
