"""Define rules: a condition on data, with the texts that a data steward reads.

A rule is declared in the module that checks it; ``sarcoma_pipeline.quality.rule_registry`` lists these
modules.
"""

from __future__ import annotations

from copy import copy
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

import polars as pl

from schemas.rule_category import Category, of_id
from schemas.sides import Side

Severity = Literal["error", "warning", "notice"]
Scope = Literal["file", "record", "patient", "source", "dataset", "program"]
Missing = Literal["kept", "broken"]

DECLARED: dict[str, Rule] = {}
"""All rules of the modules imported so far; use ``quality.rule_catalogue`` to read them."""


@dataclass(frozen=True, eq=False)
class Rule:
    """A condition on data.

    Attributes:
        id: stable name, ``subject.fault``. The part before the dot names the Dagster check.
        severity: ``error`` quarantines the record, ``warning`` flags it, ``notice`` only counts it.
        what: what is wrong, for the steward.
        remedy: what the steward can do: in which system, in which field.
        source: reference for the rule.
        scope: how much data the rule needs. ``program``: a table that the program makes; a broken rule stops
            the step and is no finding.
        on: the table that the rule checks; its Dagster check belongs to this table. Optional in a contract.
        column: the column whose value the finding shows (rules of a contract only).
        holds: polars expression that is false if the rule is broken (rules of a contract only).
        missing: result if a missing value makes the expression null. None: the rule compares no values.
        waivable: whether a waiver can let a record through. Faults without a readable record or a patient can
            only be corrected.
        overruled: whether a finding means that another record took precedence over this one.
        sides: the records that the rule compares with the record at fault. A rule of scope ``patient`` or
            ``source`` has sides or says why it has none.
        alone: why a finding shows no other record: what is missing, or stands in the record itself.
        declared: its category of data quality, where its id says another one (``schemas.rule_category``).
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
    sides: tuple[Side, ...] = field(default=(), repr=False)
    alone: str = ""
    declared: Category | None = None

    def __post_init__(self) -> None:
        if DECLARED.setdefault(self.id, self) is not self:
            raise ValueError(f"rule {self.id} is declared twice")

    @property
    def group(self) -> str:
        """The part of the id before the dot: rules of one subject."""
        return self.id.partition(".")[0]

    @property
    def category(self) -> Category:
        """Its category of data quality: completeness, conformance or plausibility."""
        return self.declared or of_id(self.id)

    def of_column(self, column: str, holds: pl.Expr) -> Rule:
        """Return the same rule for one column of a contract.

        Args:
            column: the column whose value the finding shows.
            holds: expression that is false if the rule is broken.
        """
        bound = copy(self)
        object.__setattr__(bound, "column", column)
        object.__setattr__(bound, "holds", holds)
        return bound

    def kept(self) -> pl.Expr:
        """Return the result of a contract's rule as an expression that is never null.

        Raises:
            ValueError: the rule has no column or no expression, or does not define the result for a missing
                value.
        """
        if self.holds is None or self.column is None or self.missing is None:
            raise ValueError(f"rule {self.id} lacks column, holds or missing")
        return self.holds.fill_null(self.missing == "kept")
