"""Papers without an error, made and estimated by R in several styles of printing, raise no alarm."""

import shutil
import subprocess
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.published_study.audit import audit_table

GOLDEN = Path(__file__).parents[1] / "golden"
PAPERS = pl.read_csv(GOLDEN / "invented_papers.csv", infer_schema=False)
ALARMS = ["contradiction", "tension", "wording"]


@pytest.mark.parametrize("paper", PAPERS["paper"].unique(maintain_order=True))
def test_a_consistent_paper_raises_no_alarm(paper: str) -> None:
    checks = audit_table(PAPERS.filter(paper=paper).drop("paper"))
    assert checks.height > 140
    assert checks.filter(pl.col("verdict").is_in(ALARMS)).is_empty()


@pytest.mark.parametrize("paper", PAPERS["paper"].unique(maintain_order=True))
def test_nor_without_the_columns_that_say_which_patients(paper: str) -> None:
    known = [
        "id",
        "section",
        "quantity",
        "group/level",
        "n",
        "denominator",
        "pct",
        "value",
        "ci_low",
        "ci_high",
        "p",
        "unit",
    ]
    checks = audit_table(PAPERS.filter(paper=paper).select(known))
    assert checks.height > 70
    assert checks.filter(pl.col("verdict").is_in(ALARMS)).is_empty()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("Rscript") is None, reason="no R here: apt-get install r-cran-survival")
def test_r_prints_the_committed_papers(tmp_path: Path) -> None:
    (tmp_path / "tests/golden").mkdir(parents=True)
    script = "tests/golden/invented_papers.R"
    shutil.copy(GOLDEN / "invented_papers.R", tmp_path / script)
    run = subprocess.run(
        ["Rscript", "--vanilla", script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stderr
    again = pl.read_csv(tmp_path / "tests/golden/invented_papers.csv", infer_schema=False)
    assert again.equals(PAPERS)
