"""Define entry points of Dagster's code locations: one function per study (see workspace.yaml)."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from sarcoma_pipeline.study import polars_threads, project


def __getattr__(name: str) -> Callable[[], dg.Definitions]:
    """Return the loader of the study of this name, for workspace.yaml and for workers."""
    if name not in project.studies():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return lambda: _built(name)


def sts_imrt() -> dg.Definitions:
    """Build the definitions of the study ``sts_imrt``."""
    return _built("sts_imrt")


def tcga_sarc() -> dg.Definitions:
    """Build the definitions of the study ``tcga_sarc``, on real open data."""
    return _built("tcga_sarc")


def _built(study: str) -> dg.Definitions:
    polars_threads.choose(study)
    # Imported here: it imports polars.
    from sarcoma_pipeline.orchestration.code_location import build_definitions

    return build_definitions(project.load(study))
