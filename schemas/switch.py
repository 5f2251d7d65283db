"""What is declared of a switch of ``[assumptions]``: its values, its sentences, and what its runs show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Value = str | int

Stage = Literal["events", "cohort", "endpoints"]
"""The timeline; who is in the cohort, and their covariates; the endpoints."""


@dataclass(frozen=True)
class Switch:
    """What is declared of a switch beside its type and its default.

    Attributes:
        section: of the clinical definitions.
        says: value to the sentence of the methods section; for a number one sentence with ``{value}``.
        shows: what the runs with another value show.
        runs: values of the sensitivity runs of a number; those of a word are all its other values.
    """

    section: str
    says: Mapping[Value, str] | str
    shows: str
    runs: tuple[int, ...] = ()
    zero: str | None = None
    """The sentence of the number 0, where it means that there is none."""
    only_with: tuple[str, Value] | None = None
    """Another switch and its value, without which a number means nothing: its runs have that value too."""
    acts: Stage = "events"
    """The first step of the derivation that the switch changes: a run need not repeat the steps before it."""


@dataclass(frozen=True)
class Declared:
    """A switch with its name and its values, for whoever prints or runs it.

    Attributes:
        name: key in ``[assumptions]``.
        switch: what is declared of it.
        values: the words allowed; empty for a number or a date.
        default: value of a study that does not say.
    """

    name: str
    switch: Switch
    values: tuple[str, ...]
    default: Value | None

    def sentence(self, value: Value | dt.date | None) -> str:
        """Return the sentence of the methods section for a value."""
        says = self.switch.says
        if not isinstance(says, str):
            return says[str(value)]
        if value is None or (value == 0 and self.switch.zero is not None):
            return self.switch.zero or ""
        return says.format(value=value)

    def others(self, value: Value | dt.date | None) -> tuple[Value, ...]:
        """Return the values of the sensitivity runs of a study that has this value."""
        return tuple(v for v in (self.values or self.switch.runs) if v != value)
