"""The demo as its files are read, without a refresh."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.synthetic.render import demo
from schemas.configuration import Sources, Study, load_study
from tests.oracle.in_process import DEMO_NIGHT, Built, derive, read
from tests.refreshed import REPOSITORY, SEED


@dataclass(frozen=True)
class ReadDemo:
    """The demo's files and what the readers make of them.

    Attributes:
        drop: the drop folder.
        truth: the seeded defects.
        study: the demo's study.
        sources: its sources.
        received: received table to its records.
        files: ``file_id``, ``path``, ``source``.
    """

    drop: Path
    truth: pl.DataFrame
    study: Study
    sources: Sources
    received: dict[str, pl.DataFrame]
    files: pl.DataFrame

    @cached_property
    def derived(self) -> Built:
        """The curated tables and the cohort."""
        return derive(self.received, self.sources, self.files, self.study, DEMO_NIGHT)


@pytest.fixture(scope="session")
def read_demo(tmp_path_factory) -> ReadDemo:
    """The demo, written and read once for all tests of this folder."""
    drop = tmp_path_factory.mktemp("demo")
    truth = demo(drop, SEED, REPOSITORY / "data/demo")
    study, sources = load_study(REPOSITORY / "data/studies/sts_imrt")
    received, files = read(drop, sources)
    return ReadDemo(drop, truth, study, sources, received, files)
