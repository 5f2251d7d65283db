"""Find the releases with which a new one is compared."""

from __future__ import annotations

import filecmp
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.tables_on_demand import OnDemand, held_open
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from schemas.release import MetaRelease


def tables_of(path: Path) -> Mapping[str, pl.DataFrame] | None:
    """Return the tables of a release to compare, read on demand: all except the release's own label."""
    found = release.on_demand(path)
    names = [table for table in found or () if table != MetaRelease.table()]
    return found and OnDemand(names, found.__getitem__, path, found.height)


def kept(project: Project, refresh_id: str) -> Path:
    """Return the file of a kept release, which stays when the next one is published."""
    return project.published / "releases" / f"{refresh_id}.duckdb"


def is_intact(project: Project, refresh_id: str) -> bool:
    """Return whether the published release equals the kept copy of this refresh byte for byte."""
    copy = kept(project, refresh_id)
    return copy.exists() and filecmp.cmp(copy, project.release, shallow=False)


def standing_kept(project: Project) -> list[Path]:
    """Return the kept releases that were not withdrawn, newest first."""
    folder = project.published / "releases"
    away = release.withdrawn(folder)
    return sorted((path for path in folder.glob("*.duckdb") if path.stem not in away), reverse=True)


def before(project: Project, refresh_id: str) -> str | None:
    """Return the release before another one; None for a draft, which is compared with none."""
    earlier = (path.stem for path in standing_kept(project) if path.stem < refresh_id)
    return None if project.draft else next(earlier, None)


def candidates(project: Project) -> list[Path]:
    """Return the releases to compare with, best first: the published one, then the kept ones, newest first.

    A draft is compared with nothing, and withdrawn releases are never used.
    """
    if project.draft:
        return []
    return [project.release, *standing_kept(project)]


def last_compared(project: Project) -> tuple[str | None, Mapping[str, pl.DataFrame] | None]:
    """Return id and tables of the release to compare with: the first of the candidates that is undamaged."""
    for path in candidates(project):
        with suppress(duckdb.Error):
            found = tables_of(path) or {}
            with held_open(found):
                label = release.read_label(path)
                refresh_id = label["refresh_id"] if label else None
                # Read now, so that a damaged file is detected here and not within the gate. One that equals
                # its copy is as it was when the gate read it.
                equal = path == project.release and refresh_id is not None and is_intact(project, refresh_id)
                whole = equal or all(found[table].width for table in found)
            if found and whole:
                return refresh_id, found
    return None, None


@dataclass(frozen=True)
class Base:
    """The release before this refresh.

    Attributes:
        label: its ``meta.release``.
        tables: its tables by their contracts' names.
    """

    label: Mapping[str, str]
    tables: Mapping[str, pl.DataFrame]

    @property
    def refresh_id(self) -> str:
        """Its refresh."""
        return self.label["refresh_id"]

    def is_of_another_program(self) -> bool:
        """Return whether another version of the program made it."""
        return self.label.get("code_hash") != provenance.code_hash()

    def is_of_another_configuration(self, project: Project) -> bool:
        """Return whether it has another configuration of the study."""
        return self.label.get("configuration_hash") != project.configuration_hash()


def _standing(project: Project) -> tuple[Path, Mapping[str, str]] | None:
    """Return file and label of the current release: the first candidate that can be read."""
    labels = ((path, release.read_label(path)) for path in candidates(project))
    return next(((path, label) for path, label in labels if label), None)


def comparable(project: Project, needed: Iterable[str]) -> Base | None:
    """Return the current release, if it has the needed tables; None for a draft."""
    found = _standing(project)
    try:
        tables = release.on_demand(found[0]) if found else None
    except duckdb.Error:
        return None
    whole = tables is not None and all(table in tables for table in needed)
    return Base(found[1], tables) if found and tables is not None and whole else None


def standing_id(project: Project) -> str:
    """Return the refresh id of the current release; "" if there is none."""
    found = _standing(project)
    return found[1]["refresh_id"] if found else ""
