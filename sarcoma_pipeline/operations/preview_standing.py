"""Decide what of the last refresh still stands under a changed configuration or other decisions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.quality import ledger
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from sarcoma_pipeline.warehouse.centres import Tables
from schemas.configuration import Sources, Study

TYPED, LINK, QUARANTINE, CURATED = STEPS = ("typed", "link", "quarantine", "curated")
"""The steps from the received records to the curated tables, in order. ``curated`` stands apart from the
patients for whom other criteria choose another index tumour."""


@dataclass(frozen=True)
class Circumstances:
    """Everything besides the records that a refresh depends on.

    Attributes:
        study: ``study.toml`` and the other files of analysis.
        sources: ``sources.toml``.
        readings: keys of the readings that data stewards chose.
        waivers: ids of the waivers whose last day has not passed.
        judging: ids of all decisions if there is a waiver, because a later decision may withdraw it, and a
            decision on one of its records separates it. Without a waiver no decision counts for the rules.
    """

    study: Study
    sources: Sources
    readings: frozenset[str]
    waivers: frozenset[str]
    judging: frozenset[str]


@dataclass(frozen=True)
class Refreshed:
    """What the last refresh depended on.

    Attributes:
        refresh_id: its id.
        configuration_hash: hash of its configuration.
        decisions: ``quality.decisions``, as it knew them.
        then: its circumstances; None if this program cannot read its configuration any more.
    """

    refresh_id: str
    configuration_hash: str
    decisions: pl.DataFrame
    then: Circumstances | None


def circumstances(study: Study, sources: Sources, decisions: pl.DataFrame, day: dt.date) -> Circumstances:
    """Return the circumstances of a refresh.

    Args:
        study: its configuration of the study.
        sources: its ``sources.toml``.
        decisions: ``quality.decisions``.
        day: the day on which waivers are judged.
    """
    waivers = frozenset(decisions.filter(pl.col("until") >= day)["decision_id"])
    judging = frozenset(decisions["decision_id"]) if waivers else waivers
    return Circumstances(study, sources, ledger.chosen_readings(decisions), waivers, judging)


def standing(tables: Tables, project: Project, last: Refreshed, now: Circumstances) -> frozenset[str]:
    """Return the steps whose tables in the warehouse are those that the next refresh would make.

    A step's tables are those of the last refresh if the refresh itself would skip the step: a refresh may
    have failed, the program or the key may be another.

    Args:
        tables: the tables of one centre, or of a study without centres.
        project: the study.
        last: what the last refresh depended on.
        now: the circumstances to be tried.
    """
    then = last.then
    if then is None:
        return frozenset()
    precedence = then.sources.precedence == now.sources.precedence
    same: Mapping[str, bool] = {
        # Precedence decides between typed records.
        TYPED: then.sources.model_copy(update={"precedence": now.sources.precedence}) == now.sources,
        LINK: then.readings == now.readings,
        QUARANTINE: precedence and (then.waivers, then.judging) == (now.waivers, now.judging),
        CURATED: then.study.assumptions == now.study.assumptions,
    }
    found: list[str] = []
    for step in STEPS:
        inputs = " ".join(sorted(then.waivers)) if step == QUARANTINE else ""
        own = step_cache.circumstances(project, inputs, configuration_hash=last.configuration_hash)
        if not same[step] or not step_cache.kept(tables, step, own):
            break
        found.append(step)
    return frozenset(found)
