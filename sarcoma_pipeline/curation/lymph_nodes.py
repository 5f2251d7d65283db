"""Observe counts of lymph nodes that contradict each other or the N category of their report."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.obds_nested import entries
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule

MORE_THAN_EXAMINED = Rule(
    "diagnosis.nodes-above-examined",
    "warning",
    on="typed.diagnosis",
    what="More lymph nodes are affected than were examined. No result uses the numbers.",
    remedy="In the tumour documentation, compare LK_befallen with LK_untersucht (or the numbers of sentinel "
    "nodes) and with the pathology report. Correct the wrong one.",
    source="oBDS 3.0.4 Histologie_Typ",
    alone="both numbers are in the record itself",
)
AGAINST_N = Rule(
    "diagnosis.nodes-against-n",
    "warning",
    on="typed.diagnosis",
    what="Lymph nodes are affected, but the pTNM of the same report says N0. The N category counts.",
    remedy="In the tumour documentation, compare LK_befallen and pTNM/N with the pathology report. Correct "
    "the wrong one. Isolated tumour cells are N0(i+) and no affected node.",
    source="oBDS 3.0.4 Histologie_Typ, TNM_Typ; UICC TNM 8",
    alone="both are in the record itself",
)

_COUNTS = ("LK_untersucht", "LK_befallen", "Sentinel_LK_untersucht", "Sentinel_LK_befallen")
_NONE = r"^[cpyra]*[Nn]?\s*0\s*(\(sn\)|sn)?$"
"""N0 without isolated tumour cells."""


def contradictions(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return the reports whose counts of lymph nodes contradict each other or the N category.

    Args:
        frame: records of a received table.
        table: its name.
    """
    if "Histologie" not in frame.columns or frame["Histologie"].null_count() == frame.height:
        return Observation.empty()
    counted = (
        frame.select("record_id", "TNM", _h=entries("Histologie", *_COUNTS))
        .explode("_h")
        .drop_nulls("_h")
        .unnest("_h")
        .with_columns(pl.col(_COUNTS).str.strip_chars().cast(pl.Int32, strict=False))
        .filter(pl.any_horizontal(pl.col("LK_befallen", "Sentinel_LK_befallen") > 0))
    )
    if counted.is_empty():
        return Observation.empty()
    counted = counted.with_columns(
        _text=pl.format("{} of {}", "LK_befallen", "LK_untersucht"),
        _sentinel=pl.format("{} of {}", "Sentinel_LK_befallen", "Sentinel_LK_untersucht"),
    )
    seen = []
    for part, text in (("", "_text"), ("Sentinel_", "_sentinel")):
        above = counted.filter(pl.col(f"{part}LK_befallen") > pl.col(f"{part}LK_untersucht"))
        seen.append(_observed(above, MORE_THAN_EXAMINED, table, f"Histologie/{part}LK_befallen", text))
    none = pl.element().struct.field("N").str.contains(_NONE) & (pl.element().struct.field("kind") == "pTNM")
    against = counted.filter(entries("TNM", "kind", "N").list.eval(none).list.any())
    shown = against.with_columns(_text=pl.max_horizontal("LK_befallen", "Sentinel_LK_befallen"))
    seen.append(_observed(shown, AGAINST_N, table, "TNM/N", "_text"))
    return pl.concat(seen)


def _observed(rows: pl.DataFrame, rule: Rule, table: str, column: str, text: str) -> pl.DataFrame:
    """Return one observation per record; of several histologies all numbers are shown."""
    numbers = pl.col(text).cast(pl.String).unique().sort().str.join("; ")
    found = rows.group_by("record_id", maintain_order=True).agg(_shown=numbers)
    return observation(found, rule, table, column, pl.col("_shown"))
