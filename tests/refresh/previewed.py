"""Compares what a preview takes from the warehouse with what is derived anew from the received records."""

from __future__ import annotations

import dataclasses
import datetime as dt

from sarcoma_pipeline.operations import preview
from sarcoma_pipeline.operations.preview_standing import circumstances, standing
from sarcoma_pipeline.quality import decision_log
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import read_only, step_cache
from sarcoma_pipeline.warehouse.centres import Tables


def with_criteria(of: Project, **changes: dict) -> Project:
    """Return a study with changed criteria, by their rule."""
    changed = tuple(c.model_copy(update=changes.get(c.rule, {})) for c in of.study.criteria)
    return dataclasses.replace(of, study=of.study.model_copy(update={"criteria": changed}))


def differing(of: Project, end: int) -> tuple[set[str], set[str]]:
    """Try a window that ends with a year.

    Returns:
        The steps that stand, and the curated tables that differ from those derived anew.
    """
    tried = with_criteria(of, window={"end": dt.date(end, 12, 31)})
    decisions, today = decision_log.read(of.decisions), of.now().date()
    last = preview.refreshed(of)
    now = circumstances(tried.study, tried.sources, decisions, today)
    with read_only.connect(of) as warehouse:
        made = preview.curated(tried, warehouse, "", decisions, today, last)
        whole = preview.curated(tried, warehouse, "", decisions, today, None)
        differ = {
            table
            for table, frame in whole.items()
            if step_cache.version(made[table]) != step_cache.version(frame)
        }
        return {*standing(Tables(warehouse), of, last, now)}, differ
