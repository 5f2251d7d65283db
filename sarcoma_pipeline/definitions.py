"""Define entry points of Dagster's code locations: one function per study (see workspace.yaml)."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.study import project


def __getattr__(name: str) -> Callable[[], dg.Definitions]:
    """Return the loader of the study of this name, for workspace.yaml and for workers."""
    if name not in project.studies():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return lambda: build_definitions(project.load(name))


def sts_imrt() -> dg.Definitions:
    """Build the definitions of the study ``sts_imrt``."""
    return build_definitions(project.load("sts_imrt"))


def tcga_sarc() -> dg.Definitions:
    """Build the definitions of the study ``tcga_sarc``, on real open data."""
    return build_definitions(project.load("tcga_sarc"))
