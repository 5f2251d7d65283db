"""Derive the cohort again under every alternative value of every switch.

A run repeats the derivation from the step that its switch changes (``Switch.acts``); earlier steps are
taken from the main analysis. If the timeline is unchanged, the cohort of the main analysis is returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from sarcoma_pipeline.cohort import derivation
from sarcoma_pipeline.cohort.derived_once import CuratedOnce
from sarcoma_pipeline.cohort.primary import Curated
from schemas.assumptions import Value, alternatives
from schemas.configuration import Study

Frames = tuple[pl.DataFrame, pl.DataFrame]
"""``cohort.patients``, with the declared volumes and doses, and ``cohort.endpoints``."""


def runs(curated: Curated, study: Study, main: Frames) -> Iterator[tuple[str, Value, Frames]]:
    """Yield the cohort under each alternative of the study's assumptions.

    Args:
        curated: the curated tables.
        study: criteria, endpoints and assumptions.
        main: the cohort under the study's own assumptions.
    """
    curated = CuratedOnce(curated)
    own = derivation.cohort(curated, study, chosen=main[0]["pseudonym"])
    for switch, value, assumptions in alternatives(study.assumptions):
        here = replace(own, happened=replace(own.happened, assumptions=assumptions))
        if switch.switch.acts == "endpoints":
            yield switch.name, value, (main[0], here.derived.endpoints)
        elif switch.switch.acts == "cohort":
            here = replace(here, chosen=None)
            alike = here.patients["pseudonym"].equals(main[0]["pseudonym"].sort())
            yield switch.name, value, (here.with_doses, main[1] if alike else here.derived.endpoints)
        else:
            here = derivation.cohort(curated, study, assumptions)
            if all(
                getattr(here.happened, part).equals(getattr(own.happened, part))
                for part in ("events", "milestones")
            ):
                yield switch.name, value, main
            else:
                yield switch.name, value, (here.with_doses, here.derived.endpoints)
