"""What a rule is: one sentence that data must keep, with the words that a data steward reads.

A rule is declared once, in the place that judges it; ``sarcoma_pipeline.quality.rule_registry`` says where.
"""

from __future__ import annotations

from copy import copy
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

import polars as pl

Severity = Literal["error", "warning", "notice"]
Scope = Literal["file", "record", "patient", "source", "dataset", "program"]
Missing = Literal["kept", "broken"]

DECLARED: dict[str, Rule] = {}
"""Every rule of the modules imported so far. Read it through ``quality.rule_catalogue``."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One sentence that data must keep.

    Attributes:
        id: stable name, ``subject.fault``. The part before the dot names the Dagster check.
        severity: ``error`` quarantines the record, ``warning`` flags it, ``notice`` only counts it.
        what: what is wrong, for the steward.
        remedy: what the steward can do: in which system, in which field.
        source: where the field says so.
        scope: how much must be seen to judge it. ``program``: a table that the program makes; a breach stops
            the step and is no finding.
        on: the table that the rule guards. Its Dagster check stands on it. May be left out in a contract.
        column: the column whose value is shown in the finding (rules of a contract only).
        holds: polars expression that is false where the rule is broken (rules of a contract only).
        missing: what a verdict counts as that a missing value leaves open (null). None: the rule compares no
            values.
        waivable: whether there is a record to let through. What could not be read or belongs to no patient
            can only be corrected.
        overruled: whether a finding means that another record took precedence over this one.
    """

    id: str
    severity: Severity
    _: KW_ONLY
    what: str
    remedy: str
    source: str = "plain logic"
    scope: Scope = "record"
    on: str | None = None
    column: str | None = None
    holds: pl.Expr | None = field(default=None, repr=False)
    missing: Missing | None = None
    waivable: bool = True
    overruled: bool = False

    def __post_init__(self) -> None:
        if DECLARED.setdefault(self.id, self) is not self:
            raise ValueError(f"rule {self.id} is declared twice")

    @property
    def group(self) -> str:
        """The part of the id before the dot: rules of one subject."""
        return self.id.partition(".")[0]

    def of_column(self, column: str, holds: pl.Expr) -> Rule:
        """Return the same rule for one column of a contract.

        Args:
            column: the column whose value is shown in the finding.
            holds: false where the rule is broken.
        """
        bound = copy(self)
        object.__setattr__(bound, "column", column)
        object.__setattr__(bound, "holds", holds)
        return bound

    def kept(self) -> pl.Expr:
        """Return the verdict of a rule of a contract, never null.

        Raises:
            ValueError: the rule has no column, no expression, or does not say what a missing value means.
        """
        if self.holds is None or self.column is None or self.missing is None:
            raise ValueError(f"rule {self.id} lacks column, holds or missing")
        return self.holds.fill_null(self.missing == "kept")
