"""Define ``[[thresholds]]`` of ``study.toml``: how much of the data may break a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import Field, model_validator

from schemas.toml_section import Section


class Threshold(Section):
    """The share of records that may break a rule before a check fails. Without thresholds, no share fails."""

    rule: str | None = None
    """Id of the rule (`sarcoma rules`). Give either `rule` or `severity`."""
    severity: Literal["error", "warning", "notice"] | None = None
    """All rules of this severity, each by itself, that have no threshold of their own."""
    max_percent: Annotated[float, Field(ge=0, le=100)]
    """Largest share of the records judged by the rule that may break it, in percent; waived ones do not
    count."""
    check: Literal["error", "warning"] = "warning"
    """What the check `shares_within_thresholds` is above it. An error is reported by e-mail in the night in
    which the share rises above it."""

    @model_validator(mode="after")
    def _names_one(self) -> Threshold:
        if (self.rule is None) == (self.severity is None):
            raise ValueError("give either 'rule' or 'severity'")
        return self


def named_twice(thresholds: Sequence[Threshold]) -> Iterator[tuple[int, str]]:
    """Yield the place of every threshold whose rule or severity has one already, with a message."""
    seen: set[tuple[str | None, str | None]] = set()
    for at, threshold in enumerate(thresholds):
        of = (threshold.rule, threshold.severity)
        if of in seen:
            yield at, f'"{threshold.rule or threshold.severity}" has a threshold already'
        seen.add(of)


def of_rule(thresholds: Sequence[Threshold], rule_id: str, severity: str) -> Threshold | None:
    """Return the threshold of a rule: its own, else that of its severity, else None."""
    own = [t for t in thresholds if t.rule == rule_id]
    return next(iter([*own, *(t for t in thresholds if t.severity == severity)]), None)
