"""Find records that state that a patient is alive, but also give a date or a place of death."""

from __future__ import annotations

import re

import polars as pl

from schemas import typed
from schemas.configuration import EntityMapping, MappedSource, RegistrySource
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.vocabularies import DECEASED, DECEASED_DATE_UNKNOWN

DEATH_BESIDE_LIFE = Rule(
    "vital-status.death-beside-life",
    "error",
    on="received.registry_reply",
    what="The reply has a date or a place of death, and its answer is not that the person is dead. The "
    "reply is not used.",
    remedy="Ask the registry office whether the person is dead. Correct the answer, or remove the date and "
    "the place, in the file of replies. If the answer is right, waive this finding.",
    source="BMG section 45: the date and place of death are told of the dead only",
)
EVENT_BESIDE_LIFE = Rule(
    "vital-status.event-beside-life",
    "warning",
    on="received.registry_reply",
    what="The reply has the date of an event, which is a death or a move, and its answer tells of neither. "
    "The answer holds on the day on which it was given; the date is not used.",
    remedy="Ask the registry office what the date means. If it is the day of the answer, map its column to "
    "answered_on in sources.toml. If the person is dead or has moved, correct the answer in the file.",
    source="docs/formats.md, registry replies",
)
DEATH_NOT_READ = Rule(
    "vital-status.death-not-read",
    "warning",
    on="received.table_row",
    what="The row has a date in a column of deaths, and its status is not that of a dead patient: by the "
    "conditions (when) in sources.toml the date is not read.",
    remedy="Compare the status with the date of death, and correct the wrong one in the table. If the column "
    "also holds other dates, map it for every status that they belong to.",
)

_OF_DEATHS = re.compile(
    r"sterbe|todes|(?<![^\W_])tod(?![^\W_])|death|died|deceas|verst|gestorben|exitus|†", re.IGNORECASE
)
_OF_MORE = re.compile(r"(weg|um|fort|aus|ver)z[uo]g|ereignis|move|event", re.IGNORECASE)
_NOWHERE = r"^(entfällt|unbekannt|keiner?|n\.? ?a\.?|nicht zutreffend|unknown|none)?\W*$"
"""What stands for no place of death."""


def _dated(text: pl.Expr) -> pl.Expr:
    """Return whether a text holds any part of a date; a dash, or 00.00.0000, is none."""
    return text.str.contains(r"[1-9]").fill_null(False)


def in_replies(told: pl.DataFrame, source: RegistrySource) -> pl.DataFrame:
    """Return replies whose answer is contradicted by the date or the place beside it.

    Args:
        told: rows of ``received.registry_reply`` with the status that the answer says (``_status``).
        source: the headers of the office.
    """
    header = source.columns.get("event_date", "")
    deaths_only = bool(_OF_DEATHS.search(header)) and not _OF_MORE.search(header)
    event, place = pl.col("event_date").str.strip_chars(), pl.col("place_of_death").str.strip_chars()
    dated = _dated(event)
    placed = (~place.str.to_lowercase().str.contains(_NOWHERE)).fill_null(False)
    living = ~pl.col("_status").is_in([DECEASED, DECEASED_DATE_UNKNOWN])
    contradicted = living & ((dated & deaths_only) | placed)
    other_day = (event != pl.col("answered_on").str.strip_chars()).fill_null(True)
    strange = living & ~contradicted & (pl.col("_status") != "moved") & dated & other_day
    table, answer = "received.registry_reply", pl.format("answer {}", "answer")
    return pl.concat(
        [
            observation(told.filter(contradicted), DEATH_BESIDE_LIFE, table, "event_date", event, answer),
            observation(told.filter(strange), EVENT_BESIDE_LIFE, table, "event_date", event, answer),
        ]
    )


def in_rows(rows: pl.DataFrame, source: MappedSource, matches: dict[int, pl.Expr]) -> pl.DataFrame:
    """Return rows of a table with a date of death that no entity of the row reads.

    Args:
        rows: the rows with their cells (``_cell_HEADER``).
        source: the mapping.
        matches: place of an entity in the mapping to whether a row fulfils its conditions.
    """
    readers: dict[str, list[int]] = {}
    for at, entity in enumerate(source.entities):
        header = _day_of(entity)
        if header is not None:
            readers.setdefault(header, []).append(at)
    seen = [Observation.empty()]
    for header in sorted(readers):
        if not all(_of_dead(source.entities[at]) for at in readers[header]):
            continue
        cell = pl.col(f"_cell_{header}")
        lost = rows.filter(_dated(cell) & ~pl.any_horizontal([matches[at] for at in readers[header]]))
        note = pl.lit(f"column {header!r}")
        seen.append(observation(lost, DEATH_NOT_READ, "received.table_row", "values", cell, note))
    return pl.concat(seen)


def _day_of(entity: EntityMapping) -> str | None:
    """Return the header of the day of a vital status."""
    if f"typed.{entity.entity}" != typed.VitalStatus.table():
        return None
    days = [entity.columns[name].column for name in ("status_date", "status_day") if name in entity.columns]
    return next((day for day in days if day is not None), None)


def _of_dead(entity: EntityMapping) -> bool:
    """Return whether the entity is a statement of death, whatever the row says."""
    status = entity.columns.get("status")
    if status is None:
        return False
    said = {status.constant} if status.constant else set(status.codes.values())
    return bool(said) and said <= {DECEASED, DECEASED_DATE_UNKNOWN}
