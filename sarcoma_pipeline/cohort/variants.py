"""Derive the cohort again under every alternative value of every switch.

A run repeats the derivation from the step that its switch changes (``Switch.acts``); earlier steps are
taken from the main analysis. If the timeline is unchanged, the cohort of the main analysis is returned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from sarcoma_pipeline.cohort import derivation
from sarcoma_pipeline.cohort.derived_once import CuratedOnce, DerivedOnce
from sarcoma_pipeline.cohort.primary import Curated
from schemas.assumptions import Value, alternatives
from schemas.configuration import Study

Frames = tuple[pl.DataFrame, pl.DataFrame]
"""``cohort.patients``, with the declared volumes and doses, and ``cohort.endpoints``.

Those of a run have no evidence, and of the endpoints only the columns ``endpoints.TIMES``.
"""


def runs(curated: Curated, study: Study, main: Frames) -> Iterator[tuple[str, Value, Frames]]:
    """Yield the cohort under each alternative of the study's assumptions.

    Args:
        curated: the curated tables.
        study: criteria, endpoints and assumptions.
        main: the cohort under the study's own assumptions.
    """
    curated, once = CuratedOnce(curated), DerivedOnce()
    own = derivation.cohort(curated, study, chosen=main[0]["pseudonym"], derive=once, evidence=False)
    # Every part is derived, so that the runs find it.
    _ = own.times, own.with_doses, replace(own, chosen=None).members
    for switch, value, assumptions in alternatives(study.assumptions):
        # What only this run derives is not kept for the others: it would need memory for all of them.
        derive = DerivedOnce(once)
        happened = replace(own.happened, assumptions=assumptions)
        if switch.switch.acts == "endpoints":
            here = replace(own, happened=happened, derive=derive)
            yield switch.name, value, (main[0], here.times)
        elif switch.switch.acts == "cohort":
            here = replace(own, happened=happened, chosen=None, derive=derive)
            alike = here.patients["pseudonym"].equals(main[0]["pseudonym"].sort())
            yield switch.name, value, (here.with_doses, main[1] if alike else here.times)
        else:
            here = derivation.cohort(curated, study, assumptions, derive=derive, evidence=False)
            if here.happened.events is own.happened.events and (
                here.happened.milestones is own.happened.milestones
            ):
                yield switch.name, value, main
            else:
                yield switch.name, value, (here.with_doses, here.times)
