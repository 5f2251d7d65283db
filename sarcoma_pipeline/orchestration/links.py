"""Links from the Dagster UI to report, steward's page, documentation and launchpad; and its groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, quote_plus

import dagster as dg

from sarcoma_pipeline.study.project import Project

_DOCS = {
    "drop": "formats.md",
    "received": "formats.md",
    "typed": "formats.md",
    "curated": "definitions.md",
    "cohort": "definitions.md",
    "analysis": "endpoints.md",
    "quality": "rules.md",
    "meta": "movement.md",
    "release": "queries.md",
    "report": "commands.md",
}
"""Page of the documentation on each layer."""

_IDS = 20
"""Maximum number of findings in one address of the launchpad."""

_LEGIBLE = ":[],;'"
"""Characters of a run config that an address may contain as they are."""


def group(project: Project, layer: str) -> str:
    """Return the name of a layer's group: of two studies, the global lineage shows two groups."""
    return f"{project.study.name}_{layer}"


def of_layer(project: Project, layer: str) -> dict[str, Any]:
    """Return the metadata of every asset of a layer: the page that explains it."""
    page = _DOCS.get(layer)
    if page is None:
        return {}
    base = project.study.docs_url
    shown = (
        dg.MetadataValue.url(f"{base.rstrip('/')}/{page}") if base else dg.MetadataValue.path(f"docs/{page}")
    )
    return {"docs": shown}


def published(project: Project, path: str, fragment: str = "") -> dg.MetadataValue:
    """Return a link to a published file, or its path if the study does not say where it is served.

    Args:
        project: the study.
        path: the file below the study's published folder.
        fragment: view of the page, without ``#``.
    """
    there = where(project, path, fragment)
    return dg.MetadataValue.path(there) if project.study.pages_url is None else dg.MetadataValue.url(there)


def where(project: Project, path: str, fragment: str = "") -> str:
    """Return the address of a published file, or its path if the study does not say where it is served.

    Args:
        project: the study.
        path: the file below the study's published folder.
        fragment: view of the page, without ``#``.
    """
    folder = f"{project.study.name}/draft" if project.draft else project.study.name
    base = project.study.pages_url
    if base is None:
        return f"data/published/{folder}/{path}"
    return f"{base.rstrip('/')}/{folder}/{path}{'#' if fragment else ''}{fragment}"


def launchpad(project: Project, action: str, finding_ids: Sequence[str]) -> dg.MetadataValue:
    """Return a link to the launchpad of the job ``decide``; it holds ids of findings and nothing else.

    The UI shows the address itself (and hides a link with a title in a dialog), so that as little as possible
    of it is encoded.
    """
    ids = ", ".join(f"'{finding}'" for finding in finding_ids[:_IDS])
    config = (
        f"ops:\n  record_decisions:\n    config:\n      action: {action}\n      finding_ids: [{ids}]\n"
        "      by: # your name\n      reason: # why; no names of patients and no birth dates\n"
    )
    # Relative to the UI itself, under whatever address it is reached.
    return dg.MetadataValue.url(
        f"/locations/{quote(project.study.name)}/jobs/decide/playground/setup"
        f"?config={quote_plus(config, safe=_LEGIBLE)}"
    )
