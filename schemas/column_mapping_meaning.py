"""Check how a column of a table is mapped to a typed column: its format, unit, codes and separator."""

from __future__ import annotations

import math
from collections import Counter

from schemas import units
from schemas import vocabularies as v
from schemas.analysis_meaning import NUMBERS
from schemas.configuration_faults import Complaints, Loc, among
from schemas.contract import ColumnSpec
from schemas.date_formats import listed_formats, of_date_formats
from schemas.entity_mapping import ColumnMapping
from schemas.sources_toml import (
    MappedSource,
)


def of_separator(loc: Loc, text: str, source: MappedSource) -> Complaints:
    """Check the separator of values: it must not occur in every date or number."""
    if not text:
        yield loc, "is empty"
    elif text == source.decimal:
        yield loc, f'"{text}" is the decimal sign: every number would be two values'
    elif inside := [f for f in listed_formats(source.date_format) if text in f]:
        yield loc, f'"{text}" stands in the dates ("{inside[0]}"): every date would be several values'


def of_column_mapping(spec: ColumnSpec, mapping: ColumnMapping, source: MappedSource) -> Complaints:
    """Check the mapping of one typed column; the paths are relative to it."""
    if spec.dtype == "Date":
        key: Loc = ("date_format",) if mapping.date_format else ()
        if mapping.date_format is not None and not mapping.date_format:
            yield ("date_format",), "name at least one format of dates"
        yield from of_date_formats(
            key, listed_formats(mapping.date_format or source.date_format), mapping.precision
        )
        if mapping.constant is not None:
            yield ("constant",), "the same date for every row is no date of a patient"
    elif mapping.date_format is not None or mapping.precision != "day":
        yield (), f'"{spec.name}" is no date: it has no date_format or precision'
    if mapping.scale != 1.0 and spec.dtype not in NUMBERS:
        yield ("scale",), f'"{spec.name}" is no number'
    named = units.factor(spec.unit, mapping.column or "")
    if named not in (None, 1.0) and "scale" not in mapping.model_fields_set:
        yield (
            (),
            (
                f'the header "{mapping.column}" names another unit than {spec.unit}: give scale = {named}, '
                f"or scale = 1.0 if the column is in {spec.unit} all the same"
            ),
        )
    if mapping.scale == 0:
        yield ("scale",), "0 makes every value 0"
    if not math.isfinite(mapping.scale):
        yield ("scale",), f"{mapping.scale} is no factor"
    if mapping.first_of is not None:
        yield from of_separator(("first_of",), mapping.first_of, source)
    if mapping.codes and spec.dtype in NUMBERS | {"Date"}:
        yield (
            ("codes",),
            f'"{spec.name}" is a {"date" if spec.dtype == "Date" else "number"}: it has no codes',
        )
    if spec.dtype in NUMBERS and mapping.constant is not None and not _is_number(mapping.constant):
        yield ("constant",), f'"{mapping.constant}" is no number'
    missing = {word.strip().casefold() for word in source.missing}
    if gone := [code for code in mapping.codes if code.strip().casefold() in missing]:
        yield ("codes",), f'"{gone[0]}" stands for a missing value (missing): it never reaches the codes'
    allowed = ("true", "false") if spec.dtype == "Boolean" else v.VOCABULARIES.get(spec.vocabulary or "")
    if not allowed:
        return
    if mapping.constant is not None:
        if not mapping.codes:
            yield from among(("constant",), [mapping.constant], allowed)
    elif not mapping.codes:
        example = ", ".join(f'"…" = "{value}"' for value in allowed[:3])
        yield (), f"codes are needed, the column has a vocabulary: codes = {{ {example} … }}"
    yield from among(("codes",), dict.fromkeys(mapping.codes.values()), allowed)
    folded = Counter(code.strip().casefold() for code in mapping.codes)
    for code, times in folded.items():
        if times > 1:
            yield ("codes",), f'"{code}" stands twice: codes are compared without case and outer blanks'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
