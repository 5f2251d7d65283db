"""Identify the program, configuration and decisions that results were computed from, by hashes."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import os
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

import sarcoma_pipeline
import schemas
from sarcoma_pipeline.study.project import Project
from schemas.ledger import Decision
from schemas.meta import MetaConfiguration

_SOURCE = (".py", ".j2", ".html", ".css", ".js", ".po")


@cache
def code_hash() -> str:
    """Return a hash of the program's source files, read from disk once per process."""
    digest = hashlib.blake2b(digest_size=16)
    for package in (schemas, sarcoma_pipeline):
        folder = Path(str(package.__file__)).parent
        above = len(str(folder.parent)) + 1
        # Without Path.rglob, which takes as long as reading the files does.
        found = (f"{inner}{os.sep}{name}" for inner, _, names in os.walk(folder) for name in names)
        for path in sorted(name for name in found if name.endswith(_SOURCE)):
            digest.update(path[above:].replace(os.sep, "/").encode() + b"\0")
            digest.update(Path(path).read_bytes() + b"\0")
    return digest.hexdigest()


def refresh(project: Project, run_id: str) -> dict[str, Any]:
    """Return a row of ``meta.refreshes`` without the counts of files.

    Args:
        project: the study.
        run_id: id of Dagster's run.
    """
    local = project.now()
    now = local.astimezone(dt.UTC)
    return {
        "refresh_id": f"{now:%Y%m%dT%H%M%SZ}-{run_id[:8]}",
        "run_id": run_id,
        "started_at": now.isoformat(timespec="seconds"),
        "received_on": local.date(),
        "code_version": importlib.metadata.version("sarcoma-pipeline"),
        "code_hash": code_hash(),
        "configuration_hash": project.configuration_hash(),
    }


def started_at(refresh_id: str) -> str:
    """Return the start of a refresh in UTC (ISO 8601), as decisions give their time, from its id."""
    day, time = refresh_id[:8], refresh_id[9:15]
    return f"{day[:4]}-{day[4:6]}-{day[6:]}T{time[:2]}:{time[2:4]}:{time[4:]}"


def decisions_hash(decisions: pl.DataFrame) -> str:
    """Return a hash of a set of decisions.

    Args:
        decisions: ``quality.decisions``.
    """
    ordered = decisions.select(Decision.polars_schema().names()).sort("at", "decision_id")
    return hashlib.blake2b(ordered.write_ndjson().encode(), digest_size=16).hexdigest()


def configuration(project: Project) -> pl.DataFrame:
    """Return the text of every configuration file, as ``meta.configurations``."""
    named = project.configuration_hash()
    rows = [
        {
            "configuration_hash": named,
            "path": path.relative_to(project.folder).as_posix(),
            "content": path.read_bytes().decode("utf-8", "replace"),
        }
        for path in project.configuration_files()
    ]
    return pl.DataFrame(rows, schema=MetaConfiguration.polars_schema())
