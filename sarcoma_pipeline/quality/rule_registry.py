"""Declare rules, and register the functions that check rules over several records.

Each rule is declared once, where it is checked. Dagster's checks, ``sarcoma rules`` and the docs list it:

* Over several records: a function under :func:`rule` in a module ``quality/rules_of_….py`` (a new module is
  found by its name). It gets the typed records of linked patients and returns the result of :func:`verdicts`.
  * On one record: ``schemas.rule.Rule`` with ``column`` and ``holds`` in its contract
  (``schemas/typed*.py``). * Observed by another function (linking, reading, volumes): ``NAME = Rule(…,
  on="table")`` next to that function, which reports it with ``observation(frame, NAME, …)``. Faults of whole
  files: ``schemas/file_faults.py``. * ``sides`` names the records with which the record at fault
  is compared, so that each finding shows them (``schemas.sides``); a rule without says why in ``alone``.
  * ``on`` is the table at fault. ``missing="kept"`` or ``"broken"`` says
  how a verdict counts that is null because of a missing value. Then regenerate the page: ``sarcoma rules
  --markdown > docs/rules.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps

import polars as pl

from schemas.rule import Missing, Rule, Scope, Severity
from schemas.sides import Side


class Frames(dict[str, pl.DataFrame]):
    """Typed table name (without ``typed.``) to its records with ``patient_id``, without quarantined ones.

    ``every …`` includes records in quarantine, for rules on missing records: a record in quarantine is not
    missing. The frames do not change while rules are checked, so that a selection is made once
    (:func:`selection`).
    """

    def __init__(self, *, read: Callable[[str], Mapping[str, pl.DataFrame]]) -> None:
        """Read nothing yet.

        Args:
            read: returns a table with and without the records in quarantine, when a rule first needs it.
        """
        super().__init__()
        self.selected: dict[Callable[..., pl.DataFrame], pl.DataFrame] = {}
        self._read, self._left_out = read, set[str]()

    def __missing__(self, name: str) -> pl.DataFrame:
        """Read a table."""
        if name in self._left_out:
            raise KeyError(name)
        self.update(self._read(name.removeprefix("every ")))
        return self[name]

    def leave_out(self, name: str) -> None:
        """Let go of a table; it is not read again."""
        self.pop(name, None)
        self._left_out.add(name)


def selection(select: Callable[[Frames], pl.DataFrame]) -> Callable[[Frames], pl.DataFrame]:
    """Cache the result of a function on the frames, so that rules can share it."""

    @wraps(select)
    def selected(frames: Frames) -> pl.DataFrame:
        if select not in frames.selected:
            frames.selected[select] = select(frames)
        return frames.selected[select]

    return selected


Judge = Callable[[Frames], pl.DataFrame]
"""Function that returns the result of :func:`verdicts`, or ``record_id``, ``column_name`` and ``value`` of
the records at fault, optionally with ``note``."""

_BROKEN, _ONCE = "broken", "once_per"


@dataclass(frozen=True)
class JudgedRule:
    """A rule over several records and the function that checks it."""

    rule: Rule
    judge: Judge

    def at_fault(self, frames: Frames) -> pl.DataFrame:
        """Return the records that break the rule.

        Args:
            frames: the typed records of linked patients.

        Raises:
            ValueError: ``missing`` is not set for a rule with verdicts, or set for one without.
        """
        found = self.judge(frames)
        if (_BROKEN in found.columns) is (self.rule.missing is None):
            raise ValueError(f"rule {self.rule.id}: `missing` goes with verdicts, and only with them")
        if found.is_empty():
            return found.drop(_BROKEN, _ONCE, strict=False)
        if _BROKEN in found.columns:
            found = found.filter(pl.col(_BROKEN).fill_null(self.rule.missing == "broken")).drop(_BROKEN)
        if _ONCE in found.columns:
            found = found.unique(_ONCE, keep="first", maintain_order=True).drop(_ONCE)
        return found


JUDGED: list[JudgedRule] = []
"""Rules of the modules imported so far; complete after importing ``quality.rule_catalogue``."""


def rule(
    id_: str,
    severity: Severity,
    *,
    on: str,
    scope: Scope,
    what: str,
    remedy: str,
    source: str = "plain logic",
    missing: Missing | None = None,
    waivable: bool = True,
    overruled: bool = False,
    sides: tuple[Side, ...] = (),
    alone: str = "",
) -> Callable[[Judge], Judge]:
    """Declare a rule over several records; the decorated function checks it.

    Args:
        id_: stable name, ``subject.fault``.
        severity: ``error`` quarantines the record, ``warning`` flags it, ``notice`` only counts it.
        on: the typed table that holds the record at fault, ``typed.surgery``.
        scope: the records needed to check it.
        what: what is wrong, for the steward.
        remedy: what the steward should do: in which system, in which field.
        source: the standard or document on which the rule is based.
        missing: how a verdict counts that is null because of a missing value. Not set if the function returns
            the records at fault instead of verdicts.
        waivable: whether a record can be let through.
        overruled: whether a finding means that another record took precedence over this one.
        sides: the records that the rule compares with the record at fault (``schemas.sides``).
        alone: why a finding shows no other record; a rule has ``sides`` or this.
    """
    declared = Rule(
        id_, severity, on=on, scope=scope, what=what, remedy=remedy, source=source, missing=missing,
        waivable=waivable, overruled=overruled, sides=sides, alone=alone,
    )  # fmt: skip

    def register(judge: Judge) -> Judge:
        JUDGED.append(JudgedRule(declared, judge))
        return judge

    return register


def verdicts(
    frame: pl.DataFrame, broken: pl.Expr, column: str, *, once_per: str | None = None
) -> pl.DataFrame:
    """Return the verdict on every record of a frame.

    Args:
        frame: the records that the rule applies to.
        broken: true if the rule is broken; null if a missing value leaves it open.
        column: the column at fault, whose value the finding shows.
        once_per: column; only the first record at fault per value of it is a finding.
    """
    once = [] if once_per is None else [pl.col(once_per).alias(_ONCE)]
    return frame.select("record_id", *at(column), broken.alias(_BROKEN), *once)


def at(column: str) -> list[pl.Expr]:
    """Return ``column_name`` and ``value`` of a finding."""
    return [pl.lit(column).alias("column_name"), pl.col(column).cast(pl.String).alias("value")]
