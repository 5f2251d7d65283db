"""Parse delivered text into typed values, and observe text that cannot be parsed.

A :class:`Reading` turns text columns into one typed column (and its precision, for a date). A text that
cannot be read becomes null and an observation with the severity that the contract's column declares.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, zip_longest

import polars as pl

from sarcoma_pipeline.curation.spreadsheet_cells import counted, number_of_a_day
from sarcoma_pipeline.curation.value_rules import (
    CODE_UNKNOWN,
    DATE_CENTURY,
    DATE_FROM_NUMBER,
    DATE_LEGACY_FORMAT,
    DATE_PARTIAL,
    DATE_UNREADABLE,
    EXACTNESS_UNKNOWN,
    NUMBER_FROM_DATE,
    NUMBER_UNREADABLE,
)
from schemas.rule import Rule

_STEP = "_step "
_NUMBERS = count()

MISSING = pl.lit(None, dtype=pl.String)


@dataclass(frozen=True)
class Reading:
    """The expressions that make one typed column from text.

    Attributes:
        value: the typed value; null if the text cannot be read.
        text: the text as delivered, for the finding.
        rule: the rule to report if there is a text but no value.
        precision: for a date, its precision; null otherwise.
        notes: further rules with the condition under which they are observed.
        constant: whether the value is the same in every row and read from no column.
        steps: intermediate columns, made stage by stage before the value, so that a shared part is computed
            once.
    """

    value: pl.Expr
    text: pl.Expr | None = None
    rule: Rule = CODE_UNKNOWN
    precision: pl.Expr | None = None
    notes: tuple[tuple[Rule, pl.Expr], ...] = field(default=())
    constant: bool = False
    steps: tuple[tuple[pl.Expr, ...], ...] = field(default=())

    def origins(self, expression: pl.Expr) -> set[str]:
        """Return the source columns that an expression reads, through the steps."""
        made = {step.meta.output_name(): step for stage in self.steps for step in stage}
        # The elements of a list have no name.
        names = {name for name in expression.meta.root_names() if name}
        return {o for n in names for o in (self.origins(made[n]) if n in made else {n})}


def text(column: str) -> Reading:
    """Return a reading of the text itself."""
    return Reading(pl.col(column))


def constant(value: str | bool | None, dtype: pl.DataType | type[pl.DataType] = pl.String) -> Reading:
    """Return a reading with the same value in every row."""
    return Reading(pl.lit(value, dtype=dtype), constant=True)


def code(
    column: pl.Expr | str, codes: Mapping[str, str], *, fold: bool = False, strip: str | None = None
) -> Reading:
    """Return the reading of a code by its code list.

    Args:
        column: the text.
        codes: code of the source to that of the vocabulary.
        fold: compare without case.
        strip: regular expression removed before comparing (prefixes such as ``c`` in ``cT2``).
    """
    delivered = pl.col(column) if isinstance(column, str) else column
    key = delivered.str.strip_chars()
    if strip:
        key = key.str.replace(strip, "")
    if fold:
        key = key.str.to_lowercase()
        codes = {k.lower(): v for k, v in codes.items()}
    value = key.replace_strict(dict(codes), default=None, return_dtype=pl.String)
    return Reading(value, delivered, CODE_UNKNOWN)


def number(
    column: pl.Expr | str,
    *,
    decimal: str = ".",
    scale: float = 1.0,
    native: bool = False,
    spreadsheet: bool = False,
) -> Reading:
    """Return the reading of a number in the contract's unit.

    Args:
        column: the text.
        decimal: the decimal sign of the source.
        scale: factor to the contract's unit.
        native: whether the source has typed numbers, as a spreadsheet does: they have a decimal point even if
            its texts use a comma.
        spreadsheet: whether a number may be formatted as a date.
    """
    delivered = pl.col(column) if isinstance(column, str) else column
    plain = delivered.str.strip_chars()
    of_day = number_of_a_day(plain) if spreadsheet else None
    if decimal == ",":
        # A dot groups three digits, or is the decimal point of a typed number: 5.5 is not 55.
        german = plain.str.contains(r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?$")
        grouped = plain.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        own = plain.str.contains(r"^[+-]?\d+\.\d+([eE][+-]?\d+)?$") & pl.lit(native)
        plain = pl.when(german).then(grouped).when(own).then(plain)
    parsed = plain.cast(pl.Float64, strict=False)
    notes: tuple[tuple[Rule, pl.Expr], ...] = ()
    if of_day is not None:
        notes = ((NUMBER_FROM_DATE, parsed.is_null() & of_day.is_not_null()),)
        parsed = pl.coalesce([parsed, of_day])
    # A number parser accepts "nan" and "inf", which are no dose or size.
    value = pl.when(parsed.is_finite()).then(parsed * scale if scale != 1.0 else parsed)
    return Reading(value, delivered, NUMBER_UNREADABLE, notes=notes)


def whole(
    column: pl.Expr | str,
    *,
    decimal: str = ".",
    scale: float = 1.0,
    native: bool = False,
    spreadsheet: bool = False,
) -> Reading:
    """Return the reading of a whole number; ``1521.0`` is one, ``3.5`` is not.

    A number converted from another unit (months to days) is rounded, a half upwards.
    """
    reading = number(column, decimal=decimal, scale=scale, native=native, spreadsheet=spreadsheet)
    if scale != 1.0:
        exact = (reading.value + 0.5).floor()
    else:
        exact = pl.when(reading.value == reading.value.round()).then(reading.value)
    return replace(reading, value=exact.cast(pl.Int32, strict=False))


def date(
    column: pl.Expr | str,
    formats: Sequence[str] = ("%Y-%m-%d",),
    *,
    exactness: str | None = None,
    exactness_codes: Mapping[str, str] | None = None,
    exact_to: str = "day",
    legacy: bool = False,
    unusable: Rule | None = None,
    notices: bool = True,
    not_before: pl.Expr | None = None,
    counted_from: dt.date | None = None,
) -> Reading:
    """Return the reading of a date; a partial one becomes the middle of its month or year.

    Args:
        column: the text.
        formats: strptime formats of full dates, tried in order.
        exactness: text column with the source's code of precision (oBDS Datumsgenauigkeit).
        exactness_codes: the source's code to ``day``, ``month``, ``year``.
        exact_to: precision of a date without such a code.
        legacy: whether to report ``00.MM.YYYY`` with a separate notice.
        unusable: rule for a date whose code says that it is fully estimated (V).
        notices: whether to report partial dates.
        not_before: earliest possible date of the event, for years of two digits. The year is read in the only
            century that gives a date between it and the column ``received_on``.
        counted_from: read what no format reads as the day that a spreadsheet counts with this number, if that
            is not earlier.
    """
    delivered = pl.col(column) if isinstance(column, str) else column
    name = f"{_STEP}{next(_NUMBERS)}"
    plain, month_only, year_only = (pl.col(f"{name} {part}") for part in ("plain", "month only", "year only"))
    parsed = [pl.col(f"{name} as {i}") for i in range(len(formats))]
    full, unclear, precision = (pl.col(f"{name} {part}") for part in ("full", "unclear", "precision"))
    read_as = [_in_range(p, f, not_before) for p, f in zip(parsed, formats, strict=True)]
    by_number = pl.col(f"{name} counted") if counted_from else pl.lit(None, dtype=pl.Date)
    padded = (
        pl.when(month_only)
        .then(pl.lit("15.") + plain.str.slice(3))
        .when(year_only)
        .then(pl.lit("01.07.") + plain.str.slice(6))
        .str.to_date("%d.%m.%Y", strict=False)
    )
    notes: list[tuple[Rule, pl.Expr]] = []
    exact = pl.lit(exact_to)
    estimated = pl.lit(False)
    if exactness is not None:
        codes = pl.col(exactness).str.strip_chars().str.to_uppercase()
        stated = codes.replace_strict(dict(exactness_codes or {}), default=None, return_dtype=pl.String)
        exact = pl.coalesce([stated, exact])
        estimated = codes.fill_null("") == "V"
        other = (codes.fill_null("") != "") & stated.is_null() & ~estimated
        notes.append((EXACTNESS_UNKNOWN, other & delivered.is_not_null()))
    steps = (
        (_without_zone(delivered.str.strip_chars()).alias(f"{name} plain"),),
        (
            (plain.str.contains(r"^00\.\d\d\.\d{4}$") & ~plain.str.starts_with("00.00.")).alias(
                f"{name} month only"
            ),
            (plain.str.contains(r"^00\.00\.\d{4}$") & (plain != "00.00.0000")).alias(f"{name} year only"),
            *(_parsed(plain, f).alias(f"{name} as {i}") for i, f in enumerate(formats)),
            *([counted(plain, counted_from).alias(f"{name} counted")] if counted_from else []),
        ),
        (
            pl.coalesce([*(value for value, _ in read_as), padded, by_number]).alias(f"{name} full"),
            pl.any_horizontal([unclear for _, unclear in read_as]).alias(f"{name} unclear"),
            pl.when(month_only)
            .then(pl.lit("month"))
            .when(year_only)
            .then(pl.lit("year"))
            .otherwise(exact)
            .alias(f"{name} precision"),
        ),
    )
    value = (
        pl.when(estimated)
        .then(None)
        .when(precision == "month")
        .then(full.dt.truncate("1mo").dt.offset_by("14d"))
        .when(precision == "year")
        .then(full.dt.truncate("1y").dt.offset_by("6mo"))
        .otherwise(full)
    )
    readable = full.is_not_null() & ~estimated
    old = month_only | year_only
    if any("%y" in f for f in formats):
        notes.append((DATE_CENTURY, full.is_null() & unclear))
    if counted_from:
        by_format = pl.any_horizontal([value.is_not_null() for value, _ in read_as])
        notes.append((DATE_FROM_NUMBER, by_number.is_not_null() & ~by_format))
    if unusable:
        notes.append((unusable, estimated & delivered.is_not_null()))
    if legacy:
        notes.append((DATE_LEGACY_FORMAT, old & readable))
    if notices:
        partial = readable & (precision != "day")
        notes.append((DATE_PARTIAL, partial & ~old if legacy else partial))
    return Reading(
        value, delivered, DATE_UNREADABLE, pl.when(readable).then(precision), tuple(notes), steps=steps
    )


def _without_zone(text: pl.Expr) -> pl.Expr:
    """Remove the time zone that an ``xs:date`` may have: it names the place of the day, not another day."""
    return text.str.replace(r"^(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)$", "$1")


def _parsed(plain: pl.Expr, fmt: str) -> pl.Expr:
    if fmt == "%Y":
        # strptime needs a month; the middle of the year is used.
        year = pl.when(plain.str.contains(r"^\d{4}(\.0+)?$")).then(plain.str.slice(0, 4) + pl.lit("-07-01"))
        return year.str.to_date("%Y-%m-%d", strict=False)
    if _RUN_TOGETHER.search(fmt):
        # strptime takes 10115 for the tenth of November: a zero that was lost would move the date.
        width = re.sub(r"%([dmyY])", lambda part: r"\d{4}" if part[1] == "Y" else r"\d{2}", re.escape(fmt))
        plain = pl.when(plain.str.contains(f"^{width}$")).then(plain)
    return plain.str.to_date(fmt, strict=False)


_RUN_TOGETHER = re.compile(r"^(?=.*%[dmyY]%[dmyY])(?:%[dmyY]|[^%])*$")
"""A format of days, months and years with nothing between two of them."""


def _in_range(value: pl.Expr, fmt: str, not_before: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
    """Return the date, and whether it is possible in two centuries."""
    if "%y" in fmt:
        return _in_the_only_century(value, not_before)
    # strptime reads "50" as the year 50.
    return pl.when(value.dt.year() >= 1000).then(value), pl.lit(False)


def _in_the_only_century(value: pl.Expr, not_before: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
    later = pl.when(value.dt.year() < 2000).then(value.dt.offset_by("100y")).otherwise(value)
    earlier = later.dt.offset_by("-100y")
    is_later = later <= pl.col("received_on")
    # 29 February 2000 has no counterpart in 1900.
    is_earlier = earlier.dt.day() == later.dt.day()
    if not_before is not None:
        is_earlier &= (earlier >= not_before).fill_null(True)
        is_later &= (later >= not_before).fill_null(True)
    only = pl.when(is_later & ~is_earlier).then(later).when(is_earlier & ~is_later).then(earlier)
    return only, (is_earlier & is_later).fill_null(False)


def steps_of(readings: Iterable[Reading]) -> tuple[tuple[pl.Expr, ...], ...]:
    """Return the steps of several readings, stage by stage."""
    stages = zip_longest(*(r.steps for r in readings), fillvalue=())
    return tuple(tuple(step for steps in stage for step in steps) for stage in stages)


def with_steps(frame: pl.DataFrame, readings: Iterable[Reading]) -> pl.DataFrame:
    """Add the intermediate columns of the readings."""
    for stage in steps_of(readings):
        frame = frame.with_columns(stage)
    return frame
