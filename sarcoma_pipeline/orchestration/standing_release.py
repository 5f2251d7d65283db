"""The releases that a new one is judged against."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import duckdb
import polars as pl

from sarcoma_pipeline.publish import release
from sarcoma_pipeline.study.project import Project
from schemas.release import MetaRelease


def tables_of(path: Path) -> Mapping[str, pl.DataFrame] | None:
    """Return the tables of a release that are judged, read on demand: all but the release's own label."""
    found = release.on_demand(path)
    names = [table for table in found or () if table != MetaRelease.table()]
    return found and release.OnDemand(names, found.__getitem__)


def kept(project: Project, refresh_id: str) -> Path:
    """Return the file of a release that stays when the next one is published."""
    return project.published / "releases" / f"{refresh_id}.duckdb"


def candidates(project: Project) -> list[Path]:
    """Return the releases to compare with, best first: the published one, then the kept ones, newest first.

    A draft is compared with nothing, and nothing with a release that was withdrawn.
    """
    if project.draft:
        return []
    folder = project.published / "releases"
    away = release.withdrawn(folder)
    others = sorted((path for path in folder.glob("*.duckdb") if path.stem not in away), reverse=True)
    return [project.release, *others]


def last_compared(project: Project) -> tuple[str | None, Mapping[str, pl.DataFrame] | None]:
    """Return id and tables of the release to compare with: the first of the candidates that is undamaged."""
    for path in candidates(project):
        with suppress(duckdb.Error):
            found = tables_of(path) or {}
            # Read now, so that a damaged file is detected here and not within the gate.
            if found and all(found[table].width for table in found):
                label = release.read_label(path)
                return (label["refresh_id"] if label else None), found
    return None, None
