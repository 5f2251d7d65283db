"""Keep what is to be computed, and the results that wait for the next refresh, in files beside the warehouse.

A refresh writes the list of work; a process after the publication computes it and writes one file per
result; the next refresh takes the results into the warehouse. So no refresh waits for a computation, and no
computation holds the warehouse.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.planned_doses import ObjectAt, PlanFiles, Work
from sarcoma_pipeline.study.project import Project

_LIST = "work.json"
_RESULT = ".result.json"


@dataclass(frozen=True)
class Computed:
    """A result as it waits for the next refresh.

    Attributes:
        result: the result; None if a file is gone or has changed since the refresh: nothing is kept then.
        seconds: CPU time.
        peak_mb: greatest memory of the process so far, in MB.
    """

    result: dict[str, Any] | None
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Inbox:
    """The files of a study, or of one centre of it."""

    folder: Path

    def waiting(self) -> list[str]:
        """Return the calculations whose results wait, sorted."""
        return sorted(p.name.removesuffix(_RESULT) for p in self.folder.glob(f"*{_RESULT}"))

    def result(self, calculation: str) -> Computed | None:
        """Return a result that waits; None if its file is damaged, so that it is computed again."""
        path = self._path(calculation)
        try:
            return Computed(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            path.unlink(missing_ok=True)
            return None

    def put(self, calculation: str, computed: Computed) -> None:
        """Write a result, all or nothing."""
        self._write(self._path(calculation), asdict(computed))

    def drop(self, known: Iterable[str]) -> None:
        """Delete the results that the warehouse has."""
        for calculation in known:
            self._path(calculation).unlink(missing_ok=True)

    def write_work(self, work: Mapping[str, Work]) -> None:
        """Write the list of what is to be computed."""
        if work or self.folder.exists():
            self._write(self.folder / _LIST, dict(sorted(work.items())))

    def work(self) -> dict[str, Work]:
        """Return what is to be computed and has no result yet."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            listed = json.loads((self.folder / _LIST).read_text("utf-8"))
            done = set(self.waiting())
            return {key: _work(one) for key, one in listed.items() if key not in done}
        return {}

    def counts(self) -> tuple[int, int]:
        """Return the number of plans that the last refresh listed, and of those that have no result yet."""
        with suppress(OSError, ValueError):
            listed = json.loads((self.folder / _LIST).read_text("utf-8")).keys()
            return len(listed), len(listed - set(self.waiting()))
        return 0, 0

    def _path(self, calculation: str) -> Path:
        return self.folder / f"{calculation}{_RESULT}"

    def _write(self, path: Path, content: Any) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        # Structure names and paths may name patients: as the warehouse, only for its owner.
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            # Dumped at once: written to a stream, JSON is encoded in Python and not in C.
            stream.write(json.dumps(content, default=_plain))
        part.replace(path)


def _plain(value: Any) -> Any:
    """Return what JSON has no name for: the fields of a dataclass, a set as a sorted list."""
    return sorted(value) if isinstance(value, frozenset) else vars(value)


def inbox(project: Project, centre: str = "") -> Inbox:
    """Return the inbox of a study, or of one of its centres."""
    return Inbox(project.doses / centre if centre else project.doses)


def _work(one: Mapping[str, Any]) -> Work:
    plans = tuple(
        PlanFiles(
            PlanOfDose(
                plan["plan"]["uid"],
                tuple(
                    PlannedGroup(g["number"], g["fractions"], frozenset(g["beams"]))
                    for g in plan["plan"]["groups"]
                ),
                plan["plan"]["fractions"],
                plan["plan"]["share"],
            ),
            tuple(ObjectAt(**dose) for dose in plan["doses"]),
        )
        for plan in one["plans"]
    )
    return Work(ObjectAt(**one["structures"]), plans, tuple(one["levels"]))
