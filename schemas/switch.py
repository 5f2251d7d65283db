"""Declare a switch of ``[assumptions]``: its values, its sentences, and the question its runs answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from schemas.language import gettext

Value = str | int

Stage = Literal["events", "cohort", "endpoints"]
"""Stages of the derivation: the timeline; the cohort and its covariates; the endpoints."""


@dataclass(frozen=True)
class Switch:
    """Declaration of a switch, besides its type and default.

    Attributes:
        section: section of the clinical definitions.
        says: value to the sentence of the methods section; for a number one sentence with ``{value}``.
        shows: the question that runs with another value answer.
        runs: values of the sensitivity runs of a number; for a word, all its other values are run.
    """

    section: str
    says: Mapping[Value, str] | str
    shows: str
    runs: tuple[int, ...] = ()
    zero: str | None = None
    """The sentence for the number 0, if 0 turns the switch off."""
    only_with: tuple[str, Value] | None = None
    """Another switch and its value that a number depends on: runs of the number use this value."""
    acts: Stage = "events"
    """First stage of the derivation that the switch changes: a run does not repeat the stages before it."""


@dataclass(frozen=True)
class Declared:
    """A switch with its name and its values.

    Attributes:
        name: key in ``[assumptions]``.
        switch: its declaration.
        values: allowed words; empty for a number or a date.
        default: default value.
    """

    name: str
    switch: Switch
    values: tuple[str, ...]
    default: Value | None

    def sentence(self, value: Value | dt.date | None) -> str:
        """Return the sentence of the methods section for a value."""
        says = self.switch.says
        if not isinstance(says, str):
            return gettext(says[str(value)])
        if value is None or (value == 0 and self.switch.zero is not None):
            return gettext(self.switch.zero or "")
        return gettext(says).format(value=value)

    def others(self, value: Value | dt.date | None) -> tuple[Value, ...]:
        """Return the values of the sensitivity runs for a study that uses this value."""
        return tuple(v for v in (self.values or self.switch.runs) if v != value)
