"""Checks what a study's configuration means: each name, value and format that it uses must exist.

A configuration of the right form may still mean nothing: a misspelt event gives an endpoint without events, a
misspelt column a model without covariate. Each check yields the path of the key and what is wrong there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from schemas import typed, typed_diagnosis, typed_treatment, units  # noqa: F401  they register the typed contracts
from schemas import vocabularies as v
from schemas.cohort import CohortPatient
from schemas.configuration_faults import Loc, not_allowed
from schemas.contract import CONTRACTS, ColumnSpec
from schemas.received import PROVENANCE, RegistryReply
from schemas.sources_toml import (
    ColumnMapping,
    DicomSource,
    IgnoredColumns,
    MappedSource,
    RegistrySource,
    Section,
    Sources,
    TableLayout,
)
from schemas.study_toml import Criterion, Study
from schemas.typed_record import Typed

Complaints = Iterator[tuple[Loc, str]]

_NUMBERS = frozenset({"Int32", "Int64", "Float64"})


def of_study(study: Study, folder: str) -> Complaints:
    """Check ``study.toml``.

    Args:
        study: the parsed file.
        folder: name of the study's folder.
    """
    if study.name != folder:
        yield ("name",), f'name "{study.name}" is not the folder\'s name "{folder}"'
    for centre, drop in [("", study.drop), *study.centres.items()]:
        if PurePosixPath(drop).is_absolute() or ".." in PurePosixPath(drop).parts:
            loc = ("centres", centre) if centre else ("drop",)
            yield loc, f'"{drop}" must be a folder below the project root'
    for section in ("criteria", "endpoints", "covariates", "models", "cumulative_incidence"):
        yield from _unique(section, [item.name for item in getattr(study, section)])
    if list(study.horizons_months) != sorted({h for h in study.horizons_months if h > 0}):
        yield ("horizons_months",), "must rise, without repeats, from above 0"
    yield from _among(
        ("subgroups",), study.subgroups, [c.name for c in study.covariates if c.kind == "factor"]
    )
    if len(set(study.subgroups)) < len(study.subgroups):
        yield ("subgroups",), "a subgroup is named twice"
    for at, criterion in enumerate(study.criteria):
        for loc, message in _criterion(criterion):
            yield ("criteria", at, *loc), message
    if not any(endpoint.derivable for endpoint in study.endpoints):
        yield ("endpoints",), "name at least one endpoint that is derivable: without one nothing is counted"
    yield from _endpoints(study)
    yield from _among(
        ("gate", "may_lack_events"), study.gate.may_lack_events, [e.name for e in study.endpoints]
    )
    yield from _covariates(study)
    for key, message in study.statistics.complaints():
        yield ("statistics", key), message
    yield from _table_one(study)


def _unique(section: str, names: Sequence[str]) -> Complaints:
    seen = Counter(names)
    for at, name in enumerate(names):
        if seen[name] > 1 and names.index(name) != at:
            yield (section, at, "name"), f'two {section} are named "{name}"'


def _among(loc: Loc, values: Iterable[str], allowed: Iterable[str]) -> Complaints:
    allowed = tuple(allowed)
    for value in values:
        if value not in allowed:
            yield loc, not_allowed(value, allowed)


# --- eligibility ------------------------------------------------------------------------------------

_CRITERION_KEYS: dict[str, frozenset[str]] = {
    "site": frozenset({"values"}),
    "radiotherapy": frozenset({"values", "techniques"}),
    "window": frozenset({"start", "end"}),
    "known": frozenset({"column"}),
}
"""What a rule of eligibility reads beside ``name``, ``rule`` and ``label``; others read nothing."""


def _criterion(criterion: Criterion) -> Complaints:
    reads = _CRITERION_KEYS.get(criterion.rule, frozenset())
    for key in ("values", "techniques", "start", "end", "column"):
        if getattr(criterion, key) and key not in reads:
            yield (key,), f'the rule "{criterion.rule}" does not read this key'
    if criterion.rule == "site":
        yield from _among(("values",), criterion.values, v.REGION)
        if not criterion.values:
            yield ("values",), f"name at least one region: {', '.join(v.REGION)}"
    elif criterion.rule == "radiotherapy":
        yield from _among(("values",), criterion.values, v.RADIATION_SEQUENCE)
        yield from _among(("techniques",), criterion.techniques, v.TECHNIQUE)
        if not criterion.values:
            yield ("values",), f"name at least one sequence: {', '.join(v.RADIATION_SEQUENCE)}"
    elif criterion.rule == "window":
        if criterion.start and criterion.end and criterion.end < criterion.start:
            yield ("end",), f"end {criterion.end} lies before start {criterion.start}"
        if not (criterion.start or criterion.end):
            yield ("start",), "give start, end or both"
    elif criterion.rule == "known":
        yield from _among(("column",), [criterion.column or criterion.name], _patient_columns())


def _patient_columns() -> dict[str, ColumnSpec]:
    """Return the columns of ``cohort.patients`` that describe a patient."""
    technical = {"pseudonym", "record_ids"}
    return {c.name: c for c in CohortPatient.columns() if c.name not in technical}


# --- endpoints and what refers to them --------------------------------------------------------------


def _endpoints(study: Study) -> Complaints:
    names = [e.name for e in study.endpoints]
    for at, endpoint in enumerate(study.endpoints):
        if not endpoint.events:
            yield ("endpoints", at, "events"), "name at least one kind of event"
        if len(set(endpoint.events)) < len(endpoint.events):
            yield ("endpoints", at, "events"), "a kind of event is named twice"
    for section in ("models", "cumulative_incidence", "censoring_variants"):
        for at, item in enumerate(getattr(study, section)):
            yield from _among((section, at, "endpoint"), [item.endpoint], names)


def _covariates(study: Study) -> Complaints:
    columns = _patient_columns()
    for at, covariate in enumerate(study.covariates):
        loc: Loc = ("covariates", at)
        spec = columns.get(covariate.column)
        if spec is None:
            yield (*loc, "column"), not_allowed(covariate.column, columns)
            continue
        if covariate.kind == "continuous":
            if spec.dtype not in _NUMBERS:
                yield (*loc, "kind"), f'"{covariate.column}" is no number: use kind = "factor"'
            if covariate.levels or covariate.reference or covariate.merge:
                yield loc, "a continuous covariate has no levels, reference or merge"
            continue
        if covariate.reference is None:
            yield (*loc, "reference"), "a factor needs a reference level"
        elif covariate.levels and covariate.reference not in covariate.levels:
            yield (*loc, "reference"), not_allowed(covariate.reference, covariate.levels)
        yield from _levels(loc, covariate.levels, spec, covariate.merge)
        known = (*covariate.levels, *covariate.merge.values())
        yield from _among((*loc, "labels"), covariate.labels, known or covariate.labels)
    known = {c.name for c in study.covariates}
    for at, model in enumerate(study.models):
        yield from _among(("models", at, "covariates"), model.covariates, known)
        if not model.covariates or len(set(model.covariates)) < len(model.covariates):
            yield ("models", at, "covariates"), "name each covariate once, and at least one"


def _levels(loc: Loc, levels: Sequence[str], spec: ColumnSpec, merge: dict[str, str]) -> Complaints:
    if len(set(levels)) < len(levels):
        yield (*loc, "levels"), "a level is named twice"
    if spec.vocabulary is None:
        return
    allowed = v.VOCABULARIES[spec.vocabulary]
    yield from _among((*loc, "merge"), merge, allowed)
    for level in merge.values():
        if levels and level not in levels:
            yield (*loc, "merge"), not_allowed(level, levels)
    yield from _among((*loc, "levels"), levels, {*allowed, *merge.values()} - set(merge))


def _table_one(study: Study) -> Complaints:
    columns = _patient_columns()
    for at, row in enumerate(study.table_one):
        loc: Loc = ("table_one", at)
        yield from _among((*loc, "where"), row.where, columns)
        for column, values in row.where.items():
            spec = columns.get(column)
            if spec is not None and spec.vocabulary:
                yield from _among((*loc, "where", column), values, v.VOCABULARIES[spec.vocabulary])
        spec = columns.get(row.column)
        if spec is None:
            yield (*loc, "column"), not_allowed(row.column, columns)
        elif row.kind == "median" and spec.dtype not in _NUMBERS:
            yield (*loc, "kind"), f'"{row.column}" is no number: use kind = "factor"'
        elif row.kind == "factor":
            yield from _levels(loc, row.levels, spec, {})
            yield from _among((*loc, "labels"), row.labels, row.levels or row.labels)


# --- sources ----------------------------------------------------------------------------------------

_REPLY = tuple(c.name for c in RegistryReply.columns() if c.name not in (*PROVENANCE, "unmapped_cells"))
_REPLY_NEEDS = ("answer", "event_date")
_REPLY_PERSON = ("family_name", "given_names", "birth_date")
_OWN = tuple(c.name for c in Typed.columns())
"""Columns of every typed table that the program fills itself."""


def of_sources(sources: Sources) -> Complaints:
    """Check ``sources.toml``."""
    yield from _unique("source", [s.name for s in sources.source])
    for topic, order in sources.precedence.items():
        yield from _among(("precedence",), [topic], Sources.model_fields["precedence"].default)
        yield from _among(("precedence", topic), order, v.SOURCE)
        if len(set(order)) < len(order):
            yield ("precedence", topic), "a source is named twice"
    for at, source in enumerate(sources.source):
        loc: Loc = ("source", at)
        if not source.files:
            yield (*loc, "files"), "name at least one pattern of files"
        for encoding in getattr(source, "encodings", ()):
            yield from _encoding((*loc, "encodings"), encoding)
        if isinstance(source, RegistrySource | MappedSource):
            mapped = source.columns.values() if isinstance(source, RegistrySource) else source.headers()
            yield from _ignored((*loc, "ignored"), source.ignored, set(mapped))
        for model, check in _OF_A_SOURCE:
            if isinstance(source, model):
                yield from check(loc, source)


def _ignored(loc: Loc, ignored: Sequence[IgnoredColumns], mapped: set[str]) -> Complaints:
    named: set[str] = set()
    for at, one in enumerate(ignored):
        if not one.reason.strip():
            yield (*loc, at, "reason"), "say why the columns are ignored"
        for column in one.columns:
            if column in mapped:
                yield (*loc, at, "columns"), f'"{column}" is mapped: it cannot be ignored as well'
            elif column in named:
                yield (*loc, at, "columns"), f'"{column}" is named twice'
            named.add(column)


def _encoding(loc: Loc, name: str) -> Complaints:
    try:
        "".encode(name)
    except LookupError:
        yield loc, f'"{name}" is no encoding; usual ones are utf-8-sig, cp1252 and latin-1'


def _expression(loc: Loc, pattern: str) -> Complaints:
    try:
        re.compile(pattern)
        # Patterns are searched by polars, whose expressions know no look-around.
        pl.select(pl.lit("").str.contains(pattern))
    except (re.error, pl.exceptions.PolarsError) as broken:
        yield loc, f'"{pattern}" is not a regular expression: {str(broken).splitlines()[0]}'


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
    for text in source.date_formats:
        yield from _date_format((loc[0], loc[1], "date_formats"), text, "day")
    yield from _among((loc[0], loc[1], "answers"), dict.fromkeys(source.answers.values()), v.VITAL_STATUS)


def _dicom(loc: Loc, source: DicomSource) -> Complaints:
    for pattern in source.phantom_patterns:
        yield from _expression((*loc, "phantom_patterns"), pattern)


def _layout(loc: Loc, source: TableLayout) -> Complaints:
    if source.format in ("csv", "tsv") and source.delimiter is not None and len(source.delimiter) != 1:
        yield (*loc, "delimiter"), "must be one character"
    if source.sheet is not None and source.format != "xlsx":
        yield (*loc, "sheet"), f"a {source.format} file has no sheets"
    for at, row in enumerate(source.skipped_rows):
        if row == source.header_row:
            yield (*loc, "skipped_rows", at), f"row {row} is the header row"
    if source.comment is not None and not source.comment.strip():
        yield (*loc, "comment"), "say how a line of remarks begins"


def _mapped(loc: Loc, source: MappedSource) -> Complaints:
    if not source.key:
        yield (*loc, "key"), "name at least one column that identifies a row"
    for text in _texts(source.date_format):
        yield from _date_format((*loc, "date_format"), text, None)
    if not source.entities:
        yield (*loc, "entities"), "map at least one entity"
    for at, entity in enumerate(source.entities):
        here: Loc = (*loc, "entities", at, "columns")
        specs = {c.name: c for c in CONTRACTS[f"typed.{entity.entity}"].columns() if c.name not in _OWN}
        allowed = {*specs, "hospital_number"}
        for name, mapping in entity.columns.items():
            if name not in allowed:
                yield (*here, name), f"no column of {entity.entity}: {not_allowed(name, allowed)}"
            elif name in specs:
                for key, message in _mapping(specs[name], mapping, source):
                    yield (*here, name, *key), message
        if entity.entity != "person" and "hospital_number" not in entity.columns:
            yield here, "hospital_number must be mapped: nobody could know whose record it is"


_OF_A_SOURCE: tuple[tuple[type[Section], Callable[[Loc, Any], Complaints]], ...] = (
    (RegistrySource, _registry),
    (DicomSource, _dicom),
    (MappedSource, _mapped),
    (TableLayout, _layout),
)
"""Model of a source to what its values must mean."""


def _mapping(spec: ColumnSpec, mapping: ColumnMapping, source: MappedSource) -> Complaints:
    if spec.dtype == "Date":
        key: Loc = ("date_format",) if mapping.date_format else ()
        for text in _texts(mapping.date_format or source.date_format):
            yield from _date_format(key, text, mapping.precision)
        if mapping.constant is not None:
            yield ("constant",), "the same date for every row is no date of a patient"
    elif mapping.date_format is not None or mapping.precision != "day":
        yield (), f'"{spec.name}" is no date: it has no date_format or precision'
    if mapping.scale != 1.0 and spec.dtype not in _NUMBERS:
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
    if mapping.codes and spec.dtype in _NUMBERS | {"Date"}:
        yield (
            ("codes",),
            f'"{spec.name}" is a {"date" if spec.dtype == "Date" else "number"}: it has no codes',
        )
    if spec.dtype in _NUMBERS and mapping.constant is not None and not _is_number(mapping.constant):
        yield ("constant",), f'"{mapping.constant}" is no number'
    allowed = ("true", "false") if spec.dtype == "Boolean" else v.VOCABULARIES.get(spec.vocabulary or "")
    if not allowed:
        return
    if mapping.constant is not None:
        if not mapping.codes:
            yield from _among(("constant",), [mapping.constant], allowed)
    elif not mapping.codes:
        example = ", ".join(f'"…" = "{value}"' for value in allowed[:3])
        yield (), f"codes are needed, the column has a vocabulary: codes = {{ {example} … }}"
    yield from _among(("codes",), dict.fromkeys(mapping.codes.values()), allowed)
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


_DIRECTIVES = frozenset("dmYybBhHMSfFDTRjepIaAzZ%sn3-_")
_YEAR = ("%Y", "%y", "%F", "%D")
_MONTH = ("%m", "%b", "%B", "%h", "%F", "%D", "%j", "%-m")
_DAY = ("%d", "%e", "%F", "%D", "%j", "%-d")


def _texts(formats: str | tuple[str, ...]) -> tuple[str, ...]:
    return (formats,) if isinstance(formats, str) else formats


def _date_format(loc: Loc, text: str, precision: str | None) -> Complaints:
    """Check a strptime format.

    Args:
        loc: path of the key.
        text: the format.
        precision: what dates of this format are exact to; None if that is not known here.
    """
    unknown = [d for d in re.findall(r"%(.)", text) if d not in _DIRECTIVES]
    if "%" not in text or unknown or not any(d in text for d in _YEAR):
        yield loc, f'"{text}" is no strptime format, such as "%d.%m.%Y" (day, month, year) or "%Y-%m-%d"'
        return
    wanted = {"day": (_MONTH, _DAY), "month": (_MONTH,)}.get(precision or "", ())
    if not all(any(d in text for d in part) for part in wanted):
        yield loc, f'"{text}" does not say the {precision}: give precision = "month" or "year"'
