"""Read received frames into typed tables, and observe what cannot be read (``curation.parse``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from sarcoma_pipeline.curation.parse import MISSING, Reading, with_steps
from sarcoma_pipeline.curation.value_rules import CODE_UNKNOWN, DATE_COUNTED_AS_DAY
from schemas.contract import Contract
from schemas.quality import Observation
from schemas.rule import Rule, Severity

_FLAG, _UNLISTED, _VALUE = "_flag ", "_unlisted ", "_value "

_DAYS_OF_EVENTS = frozenset(
    {
        "typed.surgery.surgery_date", "typed.radiotherapy.start_date", "typed.radiotherapy.end_date",
        "typed.assessment.assessment_date",
    }
)  # fmt: skip
"""Dates that oBDS delivers as days: a partial one is a finding of its own."""


def read(
    received: pl.DataFrame, contract: type[Contract], readings: Mapping[str, Reading]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Convert a received frame to a typed table.

    Args:
        received: text columns with ``record_id``.
        contract: the typed table to make.
        readings: column of the contract to its reading; columns not named become null.

    Returns:
        The typed frame (columns and dtypes of the contract, rows in the order of ``received``), and the
        observations met while reading (columns of ``schemas.quality.Observation``).
    """
    if received.is_empty():
        return contract.empty(), Observation.empty()
    columns = {c.name: c for c in contract.columns()}
    readings = {name: _as_a_day(f"{contract.table()}.{name}", r) for name, r in readings.items()}
    listed = {
        name: codes for name, r in readings.items() if (codes := columns[name].listed) and not r.constant
    }
    # In stages, so that a part shared by a value and its conditions is computed once.
    frame = with_steps(received, readings.values())
    frame = frame.with_columns(
        *(
            (listed[name].canonical(r.value) if name in listed else r.value).alias(f"{_VALUE}{name}")
            for name, r in readings.items()
        ),
        *(when.alias(_flag(name, rule)) for name, r in readings.items() for rule, when in r.notes),
    )
    frame = frame.with_columns(
        *(
            _unread(name, r.text, r.notes).alias(_flag(name, r.rule))
            for name, r in readings.items()
            if r.text is not None
        ),
        *(codes.unknown(pl.col(f"{_VALUE}{n}")).alias(f"{_UNLISTED}{n}") for n, codes in listed.items()),
    )
    checks: list[tuple[str, str, Rule, Severity]] = []
    for name, reading in readings.items():
        if reading.text is not None:
            checks.append((_flag(name, reading.rule), name, reading.rule, columns[name].unreadable))
        if name in listed:
            checks.append((f"{_UNLISTED}{name}", name, CODE_UNKNOWN, columns[name].unreadable))
        checks.extend((_flag(name, rule), name, rule, rule.severity) for rule, _ in reading.notes)
    seen = frame.select(pl.col(flag).any() for flag, *_ in checks)
    observed = [Observation.empty()]
    for flag, name, rule, severity in checks:
        if not seen[flag].any():
            continue
        shown = readings[name].text
        if shown is None and name in listed:
            shown = pl.col(f"{_VALUE}{name}")
        observed.append(
            frame.filter(flag).select(
                rule_id=pl.lit(rule.id),
                severity=pl.lit(severity),
                record_id="record_id",
                table_name=pl.lit(contract.table()),
                column_name=pl.lit(name),
                value=MISSING if shown is None else shown,
                note=MISSING,
            )
        )
    made = frame.select(
        *(pl.col(f"{_VALUE}{name}").alias(name) for name in readings),
        *(r.precision.alias(f"{n}_precision") for n, r in readings.items() if r.precision is not None),
        *({"place"} & columns.keys() & set(received.columns)),
    )
    return contract.conform(made), pl.concat(observed)


def _as_a_day(column: str, reading: Reading) -> Reading:
    """Add the note on a partial date of an event that is delivered as a day."""
    if reading.precision is None or column not in _DAYS_OF_EVENTS:
        return reading
    partial = reading.precision.is_in(["month", "year"]).fill_null(False)
    return replace(reading, notes=(*reading.notes, (DATE_COUNTED_AS_DAY, partial)))


def _flag(column: str, rule: Rule) -> str:
    return f"{_FLAG}{column} {rule.id}"


def _unread(name: str, text: pl.Expr, notes: Sequence[tuple[Rule, pl.Expr]]) -> pl.Expr:
    """Return whether there is a text without a value, and no other rule explains it."""
    # An estimated date, or two values in a cell, is not an unreadable text.
    explained = pl.any_horizontal([pl.lit(False), *(pl.col(_flag(name, rule)) for rule, _ in notes)])
    filled = text.is_not_null() & (text.str.strip_chars() != "")
    return filled & pl.col(f"{_VALUE}{name}").is_null() & ~explained.fill_null(False)
