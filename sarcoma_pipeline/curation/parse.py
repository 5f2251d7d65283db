"""Text to types: how a delivered value becomes a typed one, and what is noted when it cannot.

A :class:`Reading` turns text columns into one typed column (and its precision, for a date). A text that is
there but cannot be read becomes null and an observation of the severity that the contract's column declares.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from schemas.contract import Contract
from schemas.quality import Observation
from schemas.rule import Rule, Severity

_FLAG = "_flag "

MISSING = pl.lit(None, dtype=pl.String)


# A finding of an "unreadable" or "unknown" rule has the severity that its column declares.
DATE_UNREADABLE = Rule(
    "value.date-unreadable",
    "error",
    what="The text is not a calendar date in the format that the source uses.",
    remedy="In the system that sent the record, correct the date in the named column.",
)
NUMBER_UNREADABLE = Rule(
    "value.number-unreadable",
    "error",
    what="The text is not a number.",
    remedy=(
        "In the system that sent the record, enter a plain number in the named column, without unit or "
        "remark."
    ),
)
CODE_UNKNOWN = Rule(
    "value.code-unknown",
    "error",
    what="The code is not in the code list of the named column.",
    remedy=(
        "Correct the code in the system that sent the record. For a table, add a new code to the "
        "column's codes in sources.toml."
    ),
    source="oBDS 3.0.4, DICOM PS3.3, sources.toml",
)
DATE_CENTURY = Rule(
    "date.century-unclear",
    "error",
    what="The year has two digits, and both centuries are possible: neither lies in the future or before the "
    "birth. The date was not read.",
    remedy="Write the year with four digits in the table, and %Y in its date_format in sources.toml.",
)
DATE_PARTIAL = Rule(
    "date.partial",
    "notice",
    what="The date is exact only to the month or the year. The middle of that interval is used.",
    remedy=(
        "If the day is known, enter it and set Datumsgenauigkeit to E in the tumour documentation. "
        "Otherwise nothing needs to be done."
    ),
    source="oBDS Datumsgenauigkeit",
)
DATE_LEGACY_FORMAT = Rule(
    "date.legacy-format",
    "notice",
    what="The date is written as 00.MM.YYYY, the format before oBDS 3. It was read as a partial date.",
    remedy="Ask the vendor of the exporting system to write oBDS 3: a full date with Datumsgenauigkeit.",
    source="ADT/GEKID before oBDS 3",
)


@dataclass(frozen=True)
class Reading:
    """How one typed column is had from text.

    Attributes:
        value: the typed value; null where it cannot be read.
        text: the text as delivered, for the finding.
        rule: what is broken where text is there and value is null.
        precision: for a date, to what it is exact; null elsewhere.
        notes: further rules with the condition under which they are observed.
        constant: whether the value is the same in every row and read from no column.
    """

    value: pl.Expr
    text: pl.Expr | None = None
    rule: Rule = CODE_UNKNOWN
    precision: pl.Expr | None = None
    notes: tuple[tuple[Rule, pl.Expr], ...] = field(default=())
    constant: bool = False


def text(column: str) -> Reading:
    """Return the text itself."""
    return Reading(pl.col(column))


def constant(value: str | bool | None, dtype: pl.DataType | type[pl.DataType] = pl.String) -> Reading:
    """Return the same value in every row."""
    return Reading(pl.lit(value, dtype=dtype), constant=True)


def code(
    column: pl.Expr | str, codes: Mapping[str, str], *, fold: bool = False, strip: str | None = None
) -> Reading:
    """Return a coded value by its code list.

    Args:
        column: the text.
        codes: source's code to the vocabulary's.
        fold: compare without case.
        strip: regular expression of what is taken off before comparing (prefixes such as ``c`` in ``cT2``).
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


def number(column: pl.Expr | str, *, decimal: str = ".", scale: float = 1.0, native: bool = False) -> Reading:
    """Return a number in the contract's unit.

    Args:
        column: the text.
        decimal: the decimal sign of the source.
        scale: factor to the contract's unit.
        native: whether the source knows numbers, as a spreadsheet does: they have a decimal dot, whatever
            sign its texts use.
    """
    delivered = pl.col(column) if isinstance(column, str) else column
    plain = delivered.str.strip_chars()
    if decimal == ",":
        # A dot groups three digits, or the number was written with a decimal dot: 5.5 is not 55.
        german = plain.str.contains(r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d+)?$")
        grouped = plain.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
        own = plain.str.contains(r"^[+-]?\d+\.\d+([eE][+-]?\d+)?$") & pl.lit(native)
        plain = pl.when(german).then(grouped).when(own).then(plain)
    parsed = plain.cast(pl.Float64, strict=False)
    # "nan" and "inf" are words that a number parser takes and no dose or size can be.
    value = pl.when(parsed.is_finite()).then(parsed * scale if scale != 1.0 else parsed)
    return Reading(value, delivered, NUMBER_UNREADABLE)


def whole(column: pl.Expr | str, *, decimal: str = ".", scale: float = 1.0, native: bool = False) -> Reading:
    """Return a whole number; ``1521.0`` is one, ``3.5`` is not.

    What is converted from another unit (months to days) is rounded to the nearest, a half upwards.
    """
    reading = number(column, decimal=decimal, scale=scale, native=native)
    if scale != 1.0:
        exact = (reading.value + 0.5).floor()
    else:
        exact = pl.when(reading.value == reading.value.round()).then(reading.value)
    return Reading(exact.cast(pl.Int32, strict=False), reading.text, reading.rule)


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
) -> Reading:
    """Return a calendar date, perhaps partial; a partial one becomes the middle of its month or year.

    Args:
        column: the text.
        formats: strptime formats of full dates, tried in order.
        exactness: text column with the source's code of precision (oBDS Datumsgenauigkeit).
        exactness_codes: that code to ``day``, ``month``, ``year``.
        exact_to: what a date without such a code is exact to.
        legacy: whether ``00.MM.YYYY`` is a fault of an old export worth a notice of its own.
        unusable: rule for a date whose code says that it is fully estimated (V).
        notices: whether a partial date is worth a notice at all.
        not_before: a date before which the event cannot lie, for years of two digits. They are read as in the
            only century that lies neither before it nor after the column ``received_on``.
    """
    delivered = pl.col(column) if isinstance(column, str) else column
    plain = delivered.str.strip_chars()
    month_only = plain.str.contains(r"^00\.\d\d\.\d{4}$") & ~plain.str.starts_with("00.00.")
    year_only = plain.str.contains(r"^00\.00\.\d{4}$") & (plain != "00.00.0000")
    padded = (
        pl.when(month_only)
        .then(pl.lit("15.") + plain.str.slice(3))
        .when(year_only)
        .then(pl.lit("01.07.") + plain.str.slice(6))
    )
    read_as = [_to_date(plain, f, not_before) for f in formats]
    full = pl.coalesce([value for value, _ in read_as])
    unclear = full.is_null() & pl.any_horizontal([unclear for _, unclear in read_as])
    value = pl.coalesce([full, padded.str.to_date("%d.%m.%Y", strict=False)])
    precision = (
        pl.when(month_only)
        .then(pl.lit("month"))
        .when(year_only)
        .then(pl.lit("year"))
        .otherwise(pl.lit(exact_to))
    )
    estimated = pl.lit(False)
    if exactness is not None:
        stated = pl.col(exactness).replace_strict(
            dict(exactness_codes or {}), default=None, return_dtype=pl.String
        )
        precision = (
            pl.when(month_only | year_only).then(precision).otherwise(pl.coalesce([stated, precision]))
        )
        estimated = pl.col(exactness).fill_null("") == "V"
    value = (
        pl.when(estimated)
        .then(None)
        .when(precision == "month")
        .then(value.dt.truncate("1mo").dt.offset_by("14d"))
        .when(precision == "year")
        .then(value.dt.truncate("1y").dt.offset_by("6mo"))
        .otherwise(value)
    )
    readable = value.is_not_null()
    old = month_only | year_only
    notes: list[tuple[Rule, pl.Expr]] = []
    if any("%y" in f for f in formats):
        notes.append((DATE_CENTURY, unclear))
    if unusable:
        notes.append((unusable, estimated & delivered.is_not_null()))
    if legacy:
        notes.append((DATE_LEGACY_FORMAT, old & readable))
    if notices:
        partial = readable & (precision != "day")
        notes.append((DATE_PARTIAL, partial & ~old if legacy else partial))
    return Reading(value, delivered, DATE_UNREADABLE, pl.when(readable).then(precision), tuple(notes))


def _to_date(plain: pl.Expr, fmt: str, not_before: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
    """Return the date, and whether it could be in either of two centuries."""
    if "%y" in fmt:
        return _in_the_only_century(plain.str.to_date(fmt, strict=False), not_before)
    value = _of_four_digits(plain, fmt)
    # strptime takes "50" for the year 50.
    return pl.when(value.dt.year() >= 1000).then(value), pl.lit(False)


def _in_the_only_century(value: pl.Expr, not_before: pl.Expr | None) -> tuple[pl.Expr, pl.Expr]:
    later = pl.when(value.dt.year() < 2000).then(value.dt.offset_by("100y")).otherwise(value)
    earlier = later.dt.offset_by("-100y")
    is_later = later <= pl.col("received_on")
    # 1900 had no 29th of February.
    is_earlier = earlier.dt.day() == later.dt.day()
    if not_before is not None:
        is_earlier &= (earlier >= not_before).fill_null(True)
        is_later &= (later >= not_before).fill_null(True)
    only = pl.when(is_later & ~is_earlier).then(later).when(is_earlier & ~is_later).then(earlier)
    return only, (is_earlier & is_later).fill_null(False)


def _of_four_digits(plain: pl.Expr, fmt: str) -> pl.Expr:
    if fmt == "%Y":
        # strptime of a bare year needs a month; the whole year is meant anyway.
        year = pl.when(plain.str.contains(r"^\d{4}(\.0+)?$")).then(plain.str.slice(0, 4) + pl.lit("-07-01"))
        return year.str.to_date("%Y-%m-%d", strict=False)
    return plain.str.to_date(fmt, strict=False)


def read(
    received: pl.DataFrame, contract: type[Contract], readings: Mapping[str, Reading]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Type a received frame.

    Args:
        received: text columns with ``record_id``.
        contract: the typed table to make.
        readings: column of the contract to how it is read; columns not named become null.

    Returns:
        The typed frame (columns and dtypes of the contract, rows in the order of ``received``), and the
        observations met while reading (columns of ``schemas.quality.Observation``).
    """
    columns = {c.name: c for c in contract.columns()}
    exprs = [r.value.alias(name) for name, r in readings.items()]
    if "place" in columns and "place" in received.columns:
        exprs.append(pl.col("place"))
    exprs += [
        r.precision.alias(f"{name}_precision") for name, r in readings.items() if r.precision is not None
    ]
    checks: list[tuple[str, str, Severity, pl.Expr]] = []
    for name, reading in readings.items():
        if reading.text is not None:
            # What another rule already explains (an estimated date, two values in a cell) is no typing error.
            explained = pl.any_horizontal([pl.lit(False), *(when for _, when in reading.notes)])
            filled = reading.text.is_not_null() & (reading.text.str.strip_chars() != "")
            unread = filled & reading.value.is_null() & ~explained.fill_null(False)
            checks.append((name, reading.rule.id, columns[name].unreadable, unread))
        checks.extend((name, rule.id, rule.severity, when) for rule, when in reading.notes)
    flags = [when.alias(f"{_FLAG}{number}") for number, (*_, when) in enumerate(checks)]
    # Lazily, for then what a value and its conditions share is computed once.
    made = received.lazy().select(*exprs, *flags).collect()
    seen = []
    for number, (name, rule_id, severity, _) in enumerate(checks):
        flag = made[f"{_FLAG}{number}"]
        if not flag.any():
            continue
        shown = readings[name].text
        seen.append(
            # A flag of literals only has the length of one.
            (received if flag.len() != received.height else received.filter(flag)).select(
                rule_id=pl.lit(rule_id),
                severity=pl.lit(severity),
                record_id="record_id",
                table_name=pl.lit(contract.table()),
                column_name=pl.lit(name),
                value=MISSING if shown is None else shown,
                note=MISSING,
            )
        )
    return contract.conform(made), pl.concat([Observation.empty(), *seen])
