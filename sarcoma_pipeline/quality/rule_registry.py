"""How a rule is declared, and the rules over several records with the functions that judge them.

Each rule is declared once, where it is judged. Dagster's checks, ``sarcoma rules`` and the docs list it:

* Over several records: a function under :func:`rule` in a module ``quality/rules_of_….py`` (a new module is
  found by its name). It gets the typed records of linked patients and returns what :func:`verdicts` makes.
* On one record: ``schemas.rule.Rule`` with ``column`` and ``holds`` in its contract (``schemas/typed*.py``).
* Seen by another function (linking, reading, volumes): ``NAME = Rule(…, on="table")`` beside that function,
  which emits it with ``observation(frame, NAME, …)``. Faults of whole files: ``schemas/file_faults.py``.
* ``on`` is the table at fault. ``missing="kept"`` or ``"broken"`` must say what a verdict counts as that a
  missing value leaves open (null). Then regenerate the page: ``sarcoma rules --markdown > docs/rules.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import polars as pl

from schemas.rule import Missing, Rule, Scope, Severity


class Frames(dict[str, pl.DataFrame]):
    """Typed table (without ``typed.``) to its sound records with ``patient_id``.

    Under ``every …`` with those in quarantine, for rules on what is missing: a record held back is not
    missing. The frames do not change while rules are judged, so that a selection is made once
    (:func:`selection`).
    """

    def __init__(self, *args: object, **more: pl.DataFrame) -> None:
        super().__init__(*args, **more)
        self.selected: dict[Callable[..., pl.DataFrame], pl.DataFrame] = {}


def selection(select: Callable[[Frames], pl.DataFrame]) -> Callable[[Frames], pl.DataFrame]:
    """Let rules share what a function selects from the frames: it is computed once for each of them."""

    @wraps(select)
    def selected(frames: Frames) -> pl.DataFrame:
        if select not in frames.selected:
            frames.selected[select] = select(frames)
        return frames.selected[select]

    return selected


Judge = Callable[[Frames], pl.DataFrame]
"""Returns what :func:`verdicts` makes, or ``record_id``, ``column_name``, ``value`` of the records at fault.
A column ``note`` may be added."""

_BROKEN, _ONCE = "broken", "once_per"


@dataclass(frozen=True)
class JudgedRule:
    """A rule over several records and the function that judges it."""

    rule: Rule
    judge: Judge

    def at_fault(self, frames: Frames) -> pl.DataFrame:
        """Return the records that break the rule.

        Args:
            frames: the typed records of linked patients.

        Raises:
            ValueError: the rule does not say what a missing value means, or says it without a verdict.
        """
        found = self.judge(frames)
        if (_BROKEN in found.columns) is (self.rule.missing is None):
            raise ValueError(f"rule {self.rule.id}: `missing` goes with verdicts, and only with them")
        if _BROKEN in found.columns:
            found = found.filter(pl.col(_BROKEN).fill_null(self.rule.missing == "broken")).drop(_BROKEN)
        if _ONCE in found.columns:
            found = found.unique(_ONCE, keep="first", maintain_order=True).drop(_ONCE)
        return found


JUDGED: list[JudgedRule] = []
"""The rules of the modules imported so far; complete after importing ``quality.rule_catalogue``."""


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
) -> Callable[[Judge], Judge]:
    """Declare a rule over several records; the decorated function judges it.

    Args:
        id_: stable name, ``subject.fault``.
        severity: ``error`` quarantines the record, ``warning`` flags it, ``notice`` only counts it.
        on: the typed table that holds the record at fault, ``typed.surgery``.
        scope: how much must be seen to judge it.
        what: what is wrong, for the steward.
        remedy: what the steward can do: in which system, in which field.
        source: where the field says so.
        missing: what a verdict counts as that a missing value leaves open (null). Left out where the function
            returns the records at fault and no verdicts.
        waivable: whether there is a record to let through.
        overruled: whether a finding means that another record took precedence over this one.
    """
    declared = Rule(
        id_, severity, on=on, scope=scope, what=what, remedy=remedy, source=source, missing=missing,
        waivable=waivable, overruled=overruled,
    )  # fmt: skip

    def register(judge: Judge) -> Judge:
        JUDGED.append(JudgedRule(declared, judge))
        return judge

    return register


def verdicts(
    frame: pl.DataFrame, broken: pl.Expr, column: str, *, once_per: str | None = None
) -> pl.DataFrame:
    """Judge every record of a frame.

    Args:
        frame: the records that the rule applies to.
        broken: true where the rule is broken; null where a missing value leaves it open.
        column: the column at fault, whose value the finding shows.
        once_per: column; of the records at fault that share its value only the first is a finding.
    """
    once = [] if once_per is None else [pl.col(once_per).alias(_ONCE)]
    return frame.select("record_id", *at(column), broken.alias(_BROKEN), *once)


def at(column: str) -> list[pl.Expr]:
    """Return ``column_name`` and ``value`` of a finding: the column at fault and what stands in it."""
    return [pl.lit(column).alias("column_name"), pl.col(column).cast(pl.String).alias("value")]
