"""Whether there is room on the disk for the next refresh."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sarcoma_pipeline.study.project import Project

_LEAST = 64 << 20
"""Bytes that a refresh of a handful of patients asks for: Dagster's log, a report, a write-ahead log."""


def faults(project: Project) -> list[str]:
    """Folders in which the next refresh may find no room, each with what is free and what is wanted.

    A refresh builds a release beside the old one and may write each table of the warehouse again.
    """
    homes = [project.warehouse.parent, project.published, project.decisions.parent]
    homes.append(Path(os.environ.get("DAGSTER_HOME") or project.root / "dagster_home"))
    wanted = _LEAST + sum(f.stat().st_size for f in (project.warehouse, project.release) if f.exists())
    found = []
    for home in homes:
        there = next(p for p in (home, *home.parents) if p.exists())
        free = shutil.disk_usage(there).free
        if free < wanted:
            name = there.relative_to(project.root) if there.is_relative_to(project.root) else there.name
            found.append(f"{name}: {free >> 20} MB are free, the next refresh may want {wanted >> 20} MB")
    return found
