"""Evaluate the rules over a whole patient or several sources (modules ``rules_of_…``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation.event_rows import with_patient
from sarcoma_pipeline.quality.linked_records import CREDIBILITY
from sarcoma_pipeline.quality.rule_catalogue import judged
from sarcoma_pipeline.quality.rule_registry import Frames
from schemas.configuration import Sources
from schemas.quality import Observation
from schemas.ranks import place_in

PRECEDENCE = Sources.model_fields["precedence"].default["death"]
"""Kinds of source on life and death, the most credible first: the default of sources.toml."""


def observe(
    typed: Mapping[str, pl.DataFrame],
    link: pl.DataFrame,
    set_aside: Iterable[str] = (),
    precedence: Sequence[str] = PRECEDENCE,
) -> pl.DataFrame:
    """Evaluate every rule that needs more than one record.

    Args:
        typed: the typed tables.
        link: ``curated.link``.
        set_aside: records already in quarantine, which must not cause findings on other records.
        precedence: kinds of source, the most credible on life and death first.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    gone = pl.Series(list(set_aside), dtype=pl.String)
    frames = Frames()
    for table, frame in typed.items():
        name = table.removeprefix("typed.")
        linked = with_patient(frame, link, "left")
        if name == "vital_status":
            linked = linked.with_columns(_credibility(precedence).alias(CREDIBILITY))
        frames[name] = linked.filter(~pl.col("record_id").is_in(gone.implode())) if len(gone) else linked
        frames[f"every {name}"] = linked
    seen = [Observation.empty()]
    for one in judged():
        if frames[f"every {str(one.rule.on).removeprefix('typed.')}"].is_empty():
            # No record can be at fault; a study's sources fill few of the tables.
            continue
        found = one.at_fault(frames)
        if found.is_empty():
            # Most rules find nothing; the steps below take longer than the rule.
            continue
        missing = [c for c in ("column_name", "value", "note") if c not in found.columns]
        found = found.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in missing)
        seen.append(
            Observation.conform(
                found.with_columns(
                    rule_id=pl.lit(one.rule.id),
                    severity=pl.lit(one.rule.severity),
                    table_name=pl.lit(one.rule.on),
                )
            )
            # If a record has several rows, keep the first in sort order, because joins keep no order.
            .sort("record_id", "column_name", "value", "note")
            .unique("record_id", keep="first", maintain_order=True)
        )
    return pl.concat(seen)


def _credibility(precedence: Sequence[str]) -> pl.Expr:
    """Return the rank of a record's source; sources that the precedence does not name come last."""
    return place_in(precedence, "source")
