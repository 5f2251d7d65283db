"""Checks whether the disks have enough space for the next refresh."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sarcoma_pipeline.study.project import Project

_MINIMUM = 64 << 20
"""Bytes that a refresh of few patients needs for Dagster's log, the report and the write-ahead log."""


def faults(project: Project) -> list[str]:
    """Return folders with too little space for the next refresh, with free and required megabytes.

    A refresh builds a release beside the published one and may rewrite each table of the warehouse.
    """
    folders = [project.warehouse.parent, project.published, project.decisions.parent]
    folders.append(Path(os.environ.get("DAGSTER_HOME") or project.root / "dagster_home"))
    required = _MINIMUM + sum(f.stat().st_size for f in (project.warehouse, project.release) if f.exists())
    found = []
    for folder in folders:
        existing = next(p for p in (folder, *folder.parents) if p.exists())
        free = shutil.disk_usage(existing).free
        if free < required:
            inside = existing.is_relative_to(project.root)
            name = existing.relative_to(project.root) if inside else existing.name
            found.append(f"{name}: {free >> 20} MB free, the next refresh may need {required >> 20} MB")
    return found
