"""Report moves of released values that nothing explains, as findings about the patients' records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from sarcoma_pipeline.quality.moved_values import ROW
from sarcoma_pipeline.study.provenance import started_at
from schemas.movement import Movement
from schemas.printable import ID_SHOWN
from schemas.quality import Observation
from schemas.rule import Rule

MOVED_UNEXPLAINED = Rule(
    "release.moved-unexplained",
    "warning",
    on="meta.movement",
    scope="patient",
    what="A released value of the patient changed because a record changed, disappeared or is no longer "
    "used, and no other finding explains it.",
    remedy="Compare the record in its source system with the values before and after that the note names. If "
    "it was changed on purpose, acknowledge the finding with the reason. If not, correct the record and "
    "export it again.",
    waivable=False,
    alone="the account of movement has the values",
)

_LISTED = 8
"""Maximum number of values in a finding's note; ``meta.movement`` has all."""
_FIRST = (ROW, "time_days", "event", "event_kind", "follow_up_days")
"""Columns listed first in a note: a time in months moves with its days."""


def _looked_at(values: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Return the moved values with the record to open: if none differs, the first of the patient."""
    anyone = used.group_by("pseudonym").agg(first=pl.col("record_id").min())
    return values.join(anyone, on="pseudonym", how="left", maintain_order="left").with_columns(
        record_id=pl.coalesce("record_id", "first", pl.lit("?"))
    )


def observe(values: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    """Return one observation per patient and record with unexplained moves.

    Args:
        values: ``meta.movement``.
        used: ``pseudonym`` and ``record_id`` of the records behind the patients' values.
    """
    rows = list(_observations(_looked_at(values.filter("unexplained"), used)))
    return Observation.conform(pl.DataFrame(rows, schema=Observation.polars_schema()))


def decided(values: pl.DataFrame, used: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Mark moves as explained if a steward has decided on their finding since they were first seen.

    Args:
        values: ``meta.movement``.
        used: as for :func:`observe`.
        decisions: ``record_id`` of the finding and ``at``, the time of the last decision.
    """
    at = decisions.group_by("record_id").agg(pl.col("at").max())
    rows = (
        _looked_at(values, used)
        .select("record_id")
        .join(at, on="record_id", how="left", maintain_order="left")
    )
    seen = pl.Series([started_at(refresh) for refresh in values["refresh_id"]], dtype=pl.String)
    settled = pl.col("unexplained") & (rows["at"] >= seen).fill_null(False)
    causes = pl.col("causes").list.concat(pl.lit(["decision"]))
    return values.with_columns(
        causes=pl.when(settled).then(causes).otherwise("causes"),
        unexplained=pl.col("unexplained") & ~settled,
    )


def _observations(silent: pl.DataFrame) -> Iterator[dict[str, Any]]:
    ordered = silent.sort("pseudonym", "record_id")
    for (pseudonym, record), some in ordered.group_by(["pseudonym", "record_id"], maintain_order=True):
        rows = sorted(some.iter_rows(named=True), key=_prominence)
        listed = [f"{_named(r)}: {_text(r['old'])} → {_text(r['new'])}" for r in rows[:_LISTED]]
        more = [f"{len(rows) - _LISTED} more values"] if len(rows) > _LISTED else []
        files = sorted({f for r in rows for f in r["file_ids"]})
        shown = [f"files {', '.join(f[:ID_SHOWN] for f in files)}"] if files else []
        yield {
            "rule_id": MOVED_UNEXPLAINED.id,
            "severity": MOVED_UNEXPLAINED.severity,
            "record_id": record,
            "table_name": Movement.table(),
            "column_name": None,
            "value": f"{_text(rows[0]['old'])} → {_text(rows[0]['new'])}",
            "note": "; ".join([f"patient {pseudonym}", *listed, *more, *shown]),
        }


def _named(row: Mapping[str, Any]) -> str:
    what = "in the cohort" if row["column_name"] == ROW else row["column_name"]
    return f"{row['row']} {what}" if row["row"] else what


def _text(value: str | None) -> str:
    return "none" if value is None else value


def _prominence(row: Mapping[str, Any]) -> tuple[int, str, str, str]:
    column = row["column_name"]
    rank = _FIRST.index(column) if column in _FIRST else len(_FIRST)
    return rank, row["table_name"], row["row"] or "", column
