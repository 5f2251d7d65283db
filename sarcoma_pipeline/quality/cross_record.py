"""Rules that need a whole patient or two sources: the order of dates, contradictions, plan against file.

Each rule is one function named after it, in the modules ``rules_of_…``; its words stand in ``schemas.rules``
and ``schemas.rules_radiotherapy``. All of them read the typed records of linked patients and hand back
observations on the record at fault.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from sarcoma_pipeline.quality import (
    rules_of_radiotherapy,
    rules_of_time,
    rules_of_tumour,
    rules_of_vital_status,
)
from sarcoma_pipeline.quality.judging import RULES, Frames
from schemas.quality import Observation

MODULES = (rules_of_time, rules_of_tumour, rules_of_radiotherapy, rules_of_vital_status)
"""Modules whose import registers the rules."""


def observe(typed: Frames, link: pl.DataFrame, set_aside: Iterable[str] = ()) -> pl.DataFrame:
    """Judge every rule that needs more than one record.

    Args:
        typed: the typed tables.
        link: ``curated.link``.
        set_aside: records already quarantined: they must not make others look wrong.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    gone = pl.Series(list(set_aside), dtype=pl.String)
    frames: dict[str, pl.DataFrame] = {}
    for table, frame in typed.items():
        name = table.removeprefix("typed.")
        linked = frame.join(
            link.select("person_ref", "patient_id"), on="person_ref", how="left", maintain_order="left"
        )
        frames[name] = linked.filter(~pl.col("record_id").is_in(gone.implode()))
        frames[f"every {name}"] = linked
    seen = [Observation.empty()]
    for rule, table, judge in RULES:
        found = judge(frames)
        missing = [c for c in ("column_name", "value", "note") if c not in found.columns]
        found = found.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in missing)
        seen.append(
            Observation.conform(
                found.with_columns(
                    rule_id=pl.lit(rule.id),
                    severity=pl.lit(rule.severity),
                    table_name=pl.lit(f"typed.{table}"),
                )
            ).unique("record_id", keep="first", maintain_order=True)
        )
    return pl.concat(seen)
