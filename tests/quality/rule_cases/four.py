"""The four cases of a rule, and why a rule has no case with a missing value.

What a case must give is known from the text of its rule in docs/rules.md and from the definitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Told = TypeVar("Told")

THE_FAULT = "the missing value is the fault itself: `fires` is this case"
NO_VALUE = "the rule compares no values that could be missing"


@dataclass(frozen=True)
class Four(Generic[Told]):
    """The cases of one rule.

    Attributes:
        fires: what breaks the rule.
        silent: what is like it and does not break the rule.
        null: the same fault with a value missing that the rule needs, or why there is no such case.
        sibling: the fault in another form: another column, source, code, side of a limit.
        null_fires: whether the rule is broken if the value is missing.
    """

    fires: Told
    silent: Told
    null: Told | str
    sibling: Told
    null_fires: bool = False

    def cases(self) -> Iterator[tuple[str, Told, bool]]:
        """Return name, content, and whether the rule is broken, of each case."""
        yield "fires", self.fires, True
        yield "silent", self.silent, False
        if not isinstance(self.null, str):
            yield "null", self.null, self.null_fires
        yield "sibling", self.sibling, True
