"""Processes that a refresh starts and does not wait for, and how they tell Dagster what they found."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sarcoma_pipeline.study.project import Project

if TYPE_CHECKING:
    import dagster as dg


def start(project: Project, program: str, *arguments: str) -> None:
    """Start a module as a program, for the study of a project.

    Args:
        project: the study; its name is the first argument of the program.
        program: name of the module.
        arguments: the further arguments.
    """
    subprocess.Popen(
        [sys.executable, "-m", program, project.study.name, *arguments],
        env={**os.environ, "SARCOMA_ROOT": str(project.root)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # It outlives the refresh and is not interrupted with it.
        start_new_session=True,
    )


def is_locked(lock: Path) -> bool:
    """Return whether a process holds a lock at this moment; a lock that was never made is held by none."""
    try:
        with lock.open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def report(asset: dg.AssetKey, check: str, result: dg.AssetCheckResult) -> None:
    """Report the result of a check on an asset to Dagster, outside of a run."""
    import dagster as dg

    with dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=asset,
                check_name=check,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
            )
        )
