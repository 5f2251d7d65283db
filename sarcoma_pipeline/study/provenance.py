"""What a number was made by: the program, the study's configuration and the stewards' decisions, named."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

import sarcoma_pipeline
import schemas
from sarcoma_pipeline.study.project import Project
from schemas.ledger import Decision
from schemas.meta import MetaConfiguration

_SOURCE = (".py", ".j2", ".html", ".css", ".js")


@cache
def code_hash() -> str:
    """Names the source of the program and its contracts, as they lie on disk when it is first asked."""
    seen = hashlib.blake2b(digest_size=16)
    for package in (schemas, sarcoma_pipeline):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in _SOURCE:
                seen.update(path.relative_to(folder.parent).as_posix().encode() + b"\0")
                seen.update(path.read_bytes() + b"\0")
    return seen.hexdigest()


def refresh(project: Project, run_id: str) -> dict[str, Any]:
    """What a row of ``meta.refreshes`` says of the program and the moment: all but the files.

    Args:
        project: the study.
        run_id: Dagster's.
    """
    now = dt.datetime.now(dt.UTC)
    return {
        "refresh_id": f"{now:%Y%m%dT%H%M%SZ}-{run_id[:8]}",
        "run_id": run_id,
        "started_at": now.isoformat(timespec="seconds"),
        "received_on": now.date(),
        "code_version": importlib.metadata.version("sarcoma-pipeline"),
        "code_hash": code_hash(),
        "configuration_hash": project.configuration_hash(),
    }


def decisions_hash(decisions: pl.DataFrame) -> str:
    """Names a set of decisions.

    Args:
        decisions: ``quality.decisions``.
    """
    ordered = decisions.select(Decision.polars_schema().names()).sort("at", "decision_id")
    return hashlib.blake2b(ordered.write_ndjson().encode(), digest_size=16).hexdigest()


def configuration(project: Project) -> pl.DataFrame:
    """The text of every file of the study's configuration, as ``meta.configurations``."""
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
