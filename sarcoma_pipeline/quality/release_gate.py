"""The release gate: check a built release against its expectations before it is published.

The expectations are Great Expectations' configurations (``expectations``). Here polars counts the rows that
break them, in a fraction of a second, because publication waits for it. Great Expectations checks the same
configurations after publication (``second_opinion``); a disagreement of the two is an error of this module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from sarcoma_pipeline.quality.expectations import DRIFT, KNOWN, Page, expected
from schemas.gate import Gate

_PATIENTS_NAMED = 3
"""Maximum number of patients named by a failed expectation; all rows are counted."""
_SEVERITY: dict[str, Literal["error", "warning"]] = {"critical": "error", "warning": "warning"}


@dataclass(frozen=True)
class Failed:
    """An expectation that the release does not meet.

    Attributes:
        table: the released table.
        column: the column, if the expectation is about one.
        severity: an ``error`` blocks the release, a ``warning`` does not.
        what: description without values of patients.
        patients: pseudonyms of the first patients whose rows do not meet it; empty if it is about a whole
            table.
    """

    table: str
    column: str | None
    severity: Literal["error", "warning"]
    what: str
    patients: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return position and description."""
        return f"{self.table}{f'.{self.column}' if self.column else ''}: {self.what}"


@dataclass(frozen=True)
class Verdict:
    """The result of one expectation.

    Attributes:
        expectation: Great Expectations' configuration.
        met: whether the frame meets it.
        unexpected: number of rows that break it; None if it is about a whole table or column.
        observed: the measured value, if it is about a whole table or column; None without any value.
    """

    expectation: Mapping[str, Any]
    met: bool
    unexpected: int | None = None
    observed: float | None = None


def gate(
    tables: Mapping[str, pl.DataFrame], last: Mapping[str, pl.DataFrame] | None, thresholds: Gate
) -> list[Failed]:
    """Return the expectations that a built release does not meet.

    Args:
        tables: released table to frame.
        last: the same for the last release; None if there is none.
        thresholds: ``[gate]`` of ``study.toml``.

    Returns:
        Failed expectations, errors first.
    """
    return in_order(
        fault
        for page in expected(tables, last or {}, thresholds)
        for verdict in judge(page)
        for fault in faults(page, verdict)
    )


def in_order(found: Iterable[Failed]) -> list[Failed]:
    """Sort failed expectations: errors first, then by place and words."""
    return sorted(found, key=lambda f: (f.severity, f.table, f.column or "", f.what))


def _outside(kwargs: Mapping[str, Any]) -> pl.Expr:
    return ~pl.col(kwargs["column"]).is_between(kwargs["min_value"], kwargs["max_value"])


def _twice(kwargs: Mapping[str, Any]) -> pl.Expr:
    columns = kwargs["column_list"]
    return pl.struct(columns).is_duplicated() & pl.any_horizontal(pl.col(c).is_not_null() for c in columns)


BREAKS: Mapping[str, Callable[[Mapping[str, Any]], pl.Expr]] = {
    "expect_column_values_to_be_null": lambda k: pl.col(k["column"]).is_not_null(),
    "expect_column_values_to_not_be_null": lambda k: pl.col(k["column"]).is_null(),
    "expect_column_values_to_be_in_set": lambda k: ~pl.col(k["column"]).is_in(k["value_set"]),
    "expect_column_values_to_not_match_regex": lambda k: pl.col(k["column"]).str.contains(k["regex"]),
    "expect_column_values_to_be_unique": lambda k: (
        pl.col(k["column"]).is_duplicated() & pl.col(k["column"]).is_not_null()
    ),
    "expect_column_values_to_be_between": _outside,
    "expect_compound_columns_to_be_unique": _twice,
}
"""Kind of expectation to an expression: whether a row breaks it. A missing value breaks only
``not_be_null``."""
_MEASURED: Mapping[str, Callable[[Mapping[str, Any]], pl.Expr]] = {
    "expect_column_median_to_be_between": lambda k: pl.col(k["column"]).median(),
    "expect_table_row_count_to_be_between": lambda _: pl.len(),
    "expect_table_row_count_to_equal": lambda _: pl.len(),
}
"""Kind of expectation about a whole table or column to the expression that measures it."""


_NEEDS: Mapping[str, Callable[[pl.DataType], bool]] = {
    "expect_column_values_to_be_in_set": lambda dtype: dtype == pl.String,
    "expect_column_values_to_not_match_regex": lambda dtype: dtype == pl.String,
    "expect_column_values_to_be_between": lambda dtype: dtype.is_numeric(),
    "expect_column_median_to_be_between": lambda dtype: dtype.is_numeric(),
}
"""Kind of expectation to the column type that it needs; a column of another type does not meet it."""


def judge(page: Page) -> list[Verdict]:
    """Evaluate every expectation of a page, in one pass over its frame.

    Raises:
        KeyError: the kind of an expectation is unknown.
    """
    measured = page.frame.select(
        _measure(e, page.frame.schema).alias(str(i)) for i, e in enumerate(page.expectations)
    )
    values = measured.row(0) if page.expectations else ()
    return [_verdict(e, value) for e, value in zip(page.expectations, values, strict=True)]


def _measure(expectation: Mapping[str, Any], schema: pl.Schema) -> pl.Expr:
    kind, kwargs = expectation["type"], expectation["kwargs"]
    needed = _NEEDS.get(kind)
    if needed and not needed(schema[kwargs["column"]]):
        return pl.lit(None)
    return _MEASURED[kind](kwargs) if kind in _MEASURED else BREAKS[kind](kwargs).sum()


def _verdict(expectation: Mapping[str, Any], measured: float | None) -> Verdict:
    if measured is None:
        # A column without values has no median, and text has no range: the expectation is not met.
        return Verdict(expectation, met=False)
    if expectation["type"] in BREAKS:
        unexpected = int(measured)
        return Verdict(expectation, unexpected == 0, unexpected=unexpected)
    bounds = expectation["kwargs"]
    low = bounds.get("min_value", bounds.get("value"))
    high = bounds.get("max_value", bounds.get("value"))
    met = (low is None or low <= measured) and (high is None or measured <= high)
    return Verdict(expectation, met, observed=measured)


def faults(page: Page, verdict: Verdict) -> list[Failed]:
    """Describe an expectation that is not met; one fault per column on pages about columns."""
    if verdict.met:
        return []
    config = verdict.expectation
    severity = _SEVERITY[config["severity"]]
    column = config["kwargs"].get("column")
    column = "pseudonym" if column == KNOWN else column
    words = config["description"]
    if page.names_shown:
        return [
            Failed(t, c, severity, words) for t, _, c in (p.rpartition(".") for p in _names(page, config))
        ]
    if page.name == DRIFT:
        table, _, column = column.rpartition(".")
        return [Failed(table, column, severity, words)]
    if verdict.unexpected is not None:
        words += f" Not met in {verdict.unexpected} of {page.frame.height} rows."
    elif verdict.observed is not None:
        words += f" It is {verdict.observed:.6g}."
    else:
        words += " It has no value that could be judged."
    return [Failed(page.name, column, severity, words, _patients(page, verdict))]


def _patients(page: Page, verdict: Verdict) -> tuple[str, ...]:
    """Return the pseudonyms of the first rows that break an expectation on single values."""
    if not verdict.unexpected or "pseudonym" not in page.frame.columns:
        return ()
    broken = page.frame.filter(BREAKS[verdict.expectation["type"]](verdict.expectation["kwargs"]))
    return tuple(broken["pseudonym"].drop_nulls().unique().sort().head(_PATIENTS_NAMED))


def _names(page: Page, config: Mapping[str, Any]) -> list[str]:
    """Return the released columns whose names break an expectation, sorted."""
    broken = page.frame.filter(BREAKS[config["type"]](config["kwargs"]))
    # A name may be followed by its type.
    return sorted({value.partition(" ")[0] for value in broken[config["kwargs"]["column"]]})
