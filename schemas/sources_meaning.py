"""Check ``sources.toml``: entities, columns, codes, formats and units must match each other."""

from __future__ import annotations

import codecs
import datetime as dt
import re
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import polars as pl

from schemas import vocabularies as v
from schemas.analysis_meaning import NUMBERS
from schemas.column_mapping_meaning import of_column_mapping, of_separator
from schemas.configuration_faults import Complaints, Loc, among, not_allowed, unique
from schemas.date_formats import listed_formats, of_date_formats
from schemas.entity_mapping import ColumnMapping, EntityMapping, folded
from schemas.mapped_columns import columns_of
from schemas.received import PROVENANCE, RegistryReply
from schemas.sources_toml import (
    DicomSource,
    IgnoredColumns,
    MappedSource,
    RegistrySource,
    Sources,
    TableLayout,
)
from schemas.toml_section import Section
from schemas.typed_record import Typed

_REPLY = tuple(c.name for c in RegistryReply.columns() if c.name not in (*PROVENANCE, "unmapped_cells"))
_REPLY_NEEDS = ("answer", "event_date")
_REPLY_PERSON = ("family_name", "given_names", "birth_date")
_OWN = tuple(c.name for c in Typed.columns())
"""Columns of every typed table that the program fills in."""


def of_sources(sources: Sources) -> Complaints:
    """Check ``sources.toml``."""
    if not sources.source:
        yield ("source",), "name at least one [[source]]: without one nothing is read"
    yield from unique("source", [s.name for s in sources.source])
    for topic, order in sources.precedence.items():
        yield from among(("precedence",), [topic], Sources.model_fields["precedence"].default)
        yield from among(("precedence", topic), order, v.SOURCE)
        if len(set(order)) < len(order):
            yield ("precedence", topic), "a source is named twice"
        if not order:
            yield ("precedence", topic), "name at least one source, or leave the key out"
    patterns: dict[str, str] = {}
    for at, source in enumerate(sources.source):
        loc: Loc = ("source", at)
        if not source.name.strip():
            yield (*loc, "name"), "is empty"
        if not source.files:
            yield (*loc, "files"), "name at least one pattern of files"
        for pattern in source.files:
            yield from _pattern((*loc, "files"), pattern)
            if pattern in patterns:
                yield (
                    (*loc, "files"),
                    f'"{pattern}" belongs to the source "{patterns[pattern]}", which reads first',
                )
            patterns.setdefault(pattern, source.name)
        names: tuple[str, ...] | None = getattr(source, "encodings", None)
        if names is not None:
            yield from _encodings((*loc, "encodings"), names)
        if isinstance(source, RegistrySource | MappedSource):
            mapped = source.columns.values() if isinstance(source, RegistrySource) else source.headers()
            yield from _headers((*loc, "ignored"), source.ignored, list(mapped))
        for model, check in _OF_A_SOURCE:
            if isinstance(source, model):
                yield from check(loc, source)


def _pattern(loc: Loc, pattern: str) -> Complaints:
    if not pattern.strip():
        yield loc, "a pattern is empty"
    elif "\\" in pattern:
        yield loc, f'"{pattern}": folders are parted by /'
    elif pattern.startswith("/") or re.match(r"[A-Za-z]:", pattern) or ".." in pattern.split("/"):
        yield loc, f'"{pattern}" must be a pattern below the drop folder'


def _headers(loc: Loc, ignored: Sequence[IgnoredColumns], mapped: Sequence[str]) -> Complaints:
    """Yield headers that occur twice; headers are compared without case and blanks."""
    spelled: dict[str, str] = {}
    for header in mapped:
        first = spelled.setdefault(folded(header), header)
        if first != header:
            yield loc[:-1], f'"{first}" and "{header}" are one header: write it the same way everywhere'
        if not header.strip():
            yield loc[:-1], "a header is empty; a column without one is named (column 1 without a header)"
    named: set[str] = set()
    for at, one in enumerate(ignored):
        if not one.reason.strip():
            yield (*loc, at, "reason"), "say why the columns are ignored"
        for column in one.columns:
            if folded(column) in spelled:
                yield (*loc, at, "columns"), f'"{column}" is mapped: it cannot be ignored as well'
            elif folded(column) in named:
                yield (*loc, at, "columns"), f'"{column}" is named twice'
            named.add(folded(column))


_DECODES_ALL = frozenset({"iso8859-1", "cp437", "cp850"})
"""Encodings in which every byte is a character."""


def _encodings(loc: Loc, names: Sequence[str]) -> Complaints:
    if not names:
        yield loc, "name at least one encoding; usual ones are utf-8-sig, cp1252 and latin-1"
    last = ""
    for name in names:
        try:
            "".encode(name)
        except LookupError:
            yield loc, f'"{name}" is no encoding; usual ones are utf-8-sig, cp1252 and latin-1'
            continue
        if last:
            yield loc, f"{name} is never tried: {last} decodes every file"
        if codecs.lookup(name).name in _DECODES_ALL:
            last = name


def _expression(loc: Loc, pattern: str) -> Complaints:
    try:
        re.compile(pattern)
        # The patterns are searched by polars, whose regular expressions have no look-around.
        everything = pl.select(pl.lit("").str.contains(pattern)).item()
    except (re.error, pl.exceptions.PolarsError) as broken:
        yield loc, f'"{pattern}" is not a regular expression: {str(broken).splitlines()[0]}'
    else:
        if everything:
            yield loc, f'"{pattern}" fits every text: everybody would be a phantom'


def _registry(loc: Loc, source: RegistrySource) -> Complaints:
    loc = (*loc, "columns")
    for name in source.columns:
        if name not in _REPLY:
            yield (*loc, name), f"no column of a reply: {not_allowed(name, _REPLY)}"
    needed = [c for c in _REPLY_NEEDS if c not in source.columns]
    if "hospital_number" not in source.columns:
        needed += [c for c in _REPLY_PERSON if c not in source.columns]
    if needed:
        yield loc, f"{', '.join(needed)} must be mapped: a reply needs a person, an answer and its date"
    for (one, header), (other, same) in combinations(source.columns.items(), 2):
        if folded(header) == folded(same) and {one, other} != {"event_date", "answered_on"}:
            yield (*loc, other), f'"{same}" is {one} already'
    if not source.date_formats:
        yield (loc[0], loc[1], "date_formats"), "name at least one format of dates"
    yield from of_date_formats((loc[0], loc[1], "date_formats"), source.date_formats, "day")
    yield from among((loc[0], loc[1], "answers"), dict.fromkeys(source.answers.values()), v.VITAL_STATUS)


def _dicom(loc: Loc, source: DicomSource) -> Complaints:
    for pattern in source.phantom_patterns:
        yield from _expression((*loc, "phantom_patterns"), pattern)


def _layout(loc: Loc, source: TableLayout) -> Complaints:
    if source.format in ("csv", "tsv") and source.delimiter is not None:
        if len(source.delimiter) != 1:
            yield (*loc, "delimiter"), "must be one character"
        elif source.delimiter.isalnum() or source.delimiter in "\"'\r\n.-":
            yield (*loc, "delimiter"), "a letter, digit, quote, dot, hyphen or line break cannot part cells"
    if source.sheet is not None and source.format != "xlsx":
        yield (*loc, "sheet"), f"a {source.format} file has no sheets"
    for at, row in enumerate(source.skipped_rows):
        if row == source.header_row:
            yield (*loc, "skipped_rows", at), f"row {row} is the header row"
    if source.comment is not None and not source.comment.strip():
        yield (*loc, "comment"), "say how a line of remarks begins"


def _mapped(loc: Loc, source: MappedSource) -> Complaints:
    if any(not word.strip() for word in getattr(source, "totals", ())):
        yield (*loc, "totals"), "a word is empty"
    if not source.key:
        yield (*loc, "key"), "name at least one column that identifies a row"
    if len({folded(header) for header in source.key}) < len(source.key):
        yield (*loc, "key"), "a column is named twice"
    if not source.date_format:
        yield (*loc, "date_format"), "name at least one format of dates"
    yield from of_date_formats((*loc, "date_format"), listed_formats(source.date_format), None)
    if source.separator is not None:
        yield from of_separator((*loc, "separator"), source.separator, source)
    if isinstance(source.exported_on, dt.date) and source.exported_on > dt.datetime.now(dt.UTC).date():
        yield (*loc, "exported_on"), f"{source.exported_on} lies in the future"
    if not source.entities:
        yield (*loc, "entities"), "map at least one entity"
    for at, entity in enumerate(source.entities):
        here: Loc = (*loc, "entities", at)
        yield from _entity(here, entity, source)
        if entity in source.entities[:at]:
            yield here, "stands there twice"
    numbers = {e.columns["hospital_number"].column for e in source.entities if "hospital_number" in e.columns}
    if len(numbers - {None}) > 1:
        yield (
            (*loc, "entities"),
            f"a row is one patient's, but {len(numbers)} columns are mapped as their number",
        )
    yield from _kinds(loc, source)


_NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "vital_status": (("status",), ("status_date", "status_day")),
    "assessment": (("assessment_date", "assessment_day"),),
}
"""Entity to the groups of columns of which it needs at least one each."""


def _entity(loc: Loc, entity: EntityMapping, source: MappedSource) -> Complaints:
    here: Loc = (*loc, "columns")
    specs = {name: c for name, c in columns_of(entity).items() if name not in _OWN}
    allowed = {*specs, "hospital_number"}
    for name, mapping in entity.columns.items():
        if name not in allowed:
            yield (*here, name), f"no column of {entity.entity}: {not_allowed(name, allowed)}"
        elif name == "hospital_number":
            yield from _number((*here, name), mapping)
        elif name in specs:
            for key, message in of_column_mapping(specs[name], mapping, source):
                yield (*here, name, *key), message
    if entity.entity != "person":
        if "hospital_number" not in entity.columns:
            yield here, "hospital_number must be mapped: nobody could know whose record it is"
        if not set(entity.columns) - {"hospital_number"}:
            yield here, "nothing but the number is mapped"
    for group in _NEEDS.get(entity.entity, ()):
        if not any(name in entity.columns for name in group):
            yield here, f"{' or '.join(group)} must be mapped: without it the record says nothing"
    yield from _conditions(loc, entity, source)


def _number(loc: Loc, mapping: ColumnMapping) -> Complaints:
    if mapping.constant is not None:
        yield (*loc, "constant"), "the same number for every row would make all rows one patient"
    elif more := sorted(mapping.model_fields_set - {"column"}):
        yield (*loc, more[0]), "a patient's number is taken as it is written"


def _conditions(loc: Loc, entity: EntityMapping, source: MappedSource) -> Complaints:
    """Yield conditions that no row or every row fulfils."""
    missing = {word.strip() for word in source.missing}
    words: dict[str, set[str]] = {}
    filled: dict[str, bool] = {}
    for at, when in enumerate(entity.when):
        here: Loc = (*loc, "when", at)
        column = folded(when.column)
        if when.filled is None and not when.equals:
            yield here, 'say what the cell must be: filled = true, filled = false, or equals = ["…"]'
        if empty := [word for word in when.equals if word.strip() in missing]:
            yield (*here, "equals"), f'"{empty[0]}" stands for a missing value: use filled = false'
        if when.filled is not None and filled.setdefault(column, when.filled) != when.filled:
            yield here, f'"{when.column}" cannot be both filled and empty'
        if when.equals:
            now = {word.strip().casefold() for word in when.equals}
            if not words.setdefault(column, now) & now:
                yield here, f'"{when.column}" cannot be two words at once: list both in one equals'
            words[column] &= now
        if filled.get(column) is False and column in words:
            yield here, f'"{when.column}" cannot be both empty and a word'
    for name, mapping in entity.columns.items():
        if mapping.column is not None and filled.get(folded(mapping.column)) is False:
            yield (*loc, "columns", name), f'"{mapping.column}" is empty in all rows that when chooses'


def _kinds(loc: Loc, source: MappedSource) -> Complaints:
    """Yield columns that are mapped both as a date and as a number: one of them would be unreadable."""
    kinds: dict[str, dict[str, str]] = {}
    spelled: dict[str, str] = {}
    for entity in source.entities:
        specs = columns_of(entity)
        for name, mapping in entity.columns.items():
            dtype = specs[name].dtype if name in specs else ""
            kind = (
                "a date"
                if dtype == "Date" and mapping.precision != "year"
                else "a number"
                if dtype in NUMBERS
                else ""
            )
            if kind and mapping.column is not None:
                spelled.setdefault(folded(mapping.column), mapping.column)
                kinds.setdefault(folded(mapping.column), {}).setdefault(kind, f"{entity.entity}.{name}")
    for header, found in kinds.items():
        if len(found) > 1:
            told = " and ".join(f"{kind} ({where})" for kind, where in sorted(found.items()))
            yield (*loc, "entities"), f'"{spelled[header]}" cannot be both {told}'


_OF_A_SOURCE: tuple[tuple[type[Section], Callable[[Loc, Any], Complaints]], ...] = (
    (RegistrySource, _registry),
    (DicomSource, _dicom),
    (MappedSource, _mapped),
    (TableLayout, _layout),
)
"""Model of a source to the check of its values."""
