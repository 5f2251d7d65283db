"""Run the second opinion on a published release in a separate process, so that no refresh waits for it.

Great Expectations takes longer to import than the gate takes to run. The result is written to a file next
to the release, which ``sarcoma status`` reads, and to the check ``second_opinion`` in Dagster.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from sarcoma_pipeline.orchestration import separate_process
from sarcoma_pipeline.orchestration.standing_release import kept, tables_of
from sarcoma_pipeline.publish.tables_on_demand import held_open
from sarcoma_pipeline.study.project import Project

SWITCH = "SARCOMA_SECOND_OPINION"
"""Environment variable; ``off`` starts no process, for machines on which nothing may run after a refresh."""
CHECK = "second_opinion"
_PROGRAM = "sarcoma_pipeline.orchestration.opinion_report"
_FILE = "second_opinion.json"
_LOCK = ".second_opinion.lock"


Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Opinion:
    """The result of Great Expectations on one release.

    Attributes:
        refresh_id: the release.
        disagreements: expectations on which it and the gate disagree, as sentences.
        failure: type of the error that stopped it; None if it finished.
    """

    refresh_id: str
    disagreements: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def agrees(self) -> bool:
        """Whether it agrees with the gate on every expectation."""
        return not self.disagreements and self.failure is None

    def __str__(self) -> str:
        """Return the result as a sentence."""
        if self.failure:
            return f"Great Expectations ended with {self.failure} and has no opinion."
        if self.disagreements:
            n = len(self.disagreements)
            return f"Great Expectations disagrees with the gate on {n} expectation{'s' if n > 1 else ''}."
        return "Great Expectations agrees with the gate on every expectation."


def start(project: Project, refresh_id: str, last: str | None) -> None:
    """Start the process for a release that has just been published.

    Args:
        project: the study.
        refresh_id: the release.
        last: the release that the gate compared it with; None if there was none.
    """
    if os.environ.get(SWITCH) == "off":
        return
    draft = ["draft"] if project.draft else []
    separate_process.start(project, _PROGRAM, refresh_id, last or "-", *draft)


def opinion_of(
    project: Project, refresh_id: str, judged: Path, before: Callable[[], Tables | None]
) -> Opinion:
    """Check a built or published release with Great Expectations, and write its Data Docs.

    Args:
        project: the study.
        refresh_id: the release.
        judged: file of the release.
        before: function that reads the release to compare with.
    """
    from sarcoma_pipeline.quality.second_opinion import second_opinion

    docs = project.published / "data_docs"
    try:
        tables = tables_of(judged)
        if tables is None:
            return Opinion(refresh_id, failure="a missing file of the release")
        last = before()
        with held_open(tables), held_open(last):
            found = tuple(second_opinion(tables, last, project.study.gate, docs))
        return Opinion(refresh_id, found)
    except Exception as error:
        # An error message may contain values; the error type does not.
        return Opinion(refresh_id, failure=type(error).__name__)


def give(project: Project, refresh_id: str, last: str | None) -> Opinion:
    """Check a published release, write its Data Docs, and save the result next to the release."""
    with (project.published / _LOCK).open("w") as lock:
        # One process at a time, because two would write Data Docs to the same folder.
        fcntl.flock(lock, fcntl.LOCK_EX)
        opinion = opinion_of(
            project,
            refresh_id,
            kept(project, refresh_id),
            lambda: tables_of(kept(project, last)) if last else None,
        )
        written = project.published / f"{_FILE}.part"
        written.write_text(json.dumps(asdict(opinion), indent=1), "utf-8")
        written.replace(project.published / _FILE)
    return opinion


def given(project: Project) -> Opinion | None:
    """Return the last saved result; None if there is none or it cannot be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads((project.published / _FILE).read_text("utf-8"))
        return Opinion(found["refresh_id"], tuple(found["disagreements"]), found["failure"])
    return None
