"""Check ``study.toml``: names in it must exist, and its parts must not contradict each other.

A configuration can be well-formed and still wrong: a misspelt event gives an endpoint without events, a
misspelt column a model without covariate. Each check yields the path of the key and the fault.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import combinations
from pathlib import PurePosixPath

from schemas import vocabularies as v
from schemas.analysis_meaning import (
    LONGEST_YEARS,
    of_competing_risks,
    of_covariates,
    of_endpoints,
    of_models,
    of_table_one,
    of_toxicity,
    of_variants,
    patient_columns,
)
from schemas.configuration_faults import Complaints, Loc, among, said, unique
from schemas.dose_columns_meaning import of_dose_columns, of_dose_response
from schemas.study_toml import PAPER, Criterion, Study
from schemas.thresholds import named_twice
from schemas.validation_meaning import of_validations
from schemas.weighting_meaning import of_weightings

_FIRST_DAY = dt.date(1950, 1, 1)
"""Plausible first day of radiotherapy in a study; an earlier year is a typing error."""


def of_study(study: Study, folder: str) -> Complaints:
    """Check ``study.toml``.

    Args:
        study: the parsed file.
        folder: name of the study's folder.
    """
    if study.name != folder:
        yield ("name",), f'name "{study.name}" is not the folder\'s name "{folder}"'
    for key in ("title", "description"):
        yield from said((key,), getattr(study, key))
    yield from _folders(study)
    yield from _paper(study)
    for section in (
        "criteria",
        "endpoints",
        "covariates",
        "models",
        "cumulative_incidence",
        "weighting",
        "validation",
        "toxicity",
    ):
        yield from unique(section, [item.name for item in getattr(study, section)])
    for section, key in (
        ("criteria", "label"), ("endpoints", "title"), ("models", "title"), ("cumulative_incidence", "title"),
        ("weighting", "title"),
        ("validation", "title"),
        ("toxicity", "title"),
        ("table_one", "title"),
    ):  # fmt: skip
        yield from _titles(section, key, [getattr(item, key) for item in getattr(study, section)])
    yield from _horizons(study)
    yield from among(
        ("subgroups",), study.subgroups, [c.name for c in study.covariates if c.kind == "factor"]
    )
    if study.table_one_by is not None:
        factors = [c.name for c in study.covariates if c.kind == "factor"]
        yield from among(("table_one_by",), [study.table_one_by], factors)
    if len(set(study.subgroups)) < len(study.subgroups):
        yield ("subgroups",), "a subgroup is named twice"
    for at, criterion in enumerate(study.criteria):
        for loc, message in _criterion(criterion):
            yield ("criteria", at, *loc), message
    yield from _together(study)
    if not any(endpoint.derivable for endpoint in study.endpoints):
        yield ("endpoints",), "name at least one endpoint that is derivable: without one nothing is counted"
    yield from of_endpoints(study)
    yield from of_competing_risks(study)
    yield from of_variants(study)
    yield from of_toxicity(study)
    yield from among(
        ("gate", "may_lack_events"), study.gate.may_lack_events, [e.name for e in study.endpoints]
    )
    for at, message in named_twice(study.thresholds):
        yield ("thresholds", at), message
    yield from of_dose_columns(study)
    yield from of_dose_response(study)
    yield from of_covariates(study)
    for key, message in study.statistics.complaints():
        yield ("statistics", key), message
    yield from of_models(study)
    yield from of_weightings(study)
    yield from of_validations(study)
    yield from of_table_one(study)


def _titles(section: str, key: str, texts: Sequence[str]) -> Complaints:
    """Yield empty titles, and titles that occur twice in a section of the report."""
    for at, text in enumerate(texts):
        yield from said((section, at, key), text)
        if text.strip() and texts.index(text) != at:
            yield (section, at, key), f'two {section} are called "{text}": no reader could tell them apart'


def _horizons(study: Study) -> Complaints:
    months = study.horizons_months
    if not months:
        yield ("horizons_months",), "name at least one month, or leave the key out"
    if list(months) != sorted({h for h in months if h > 0}):
        yield ("horizons_months",), "must rise, without repeats, from above 0"
    if any(h > LONGEST_YEARS * 12 for h in months):
        yield ("horizons_months",), f"these are months: at most {LONGEST_YEARS * 12}"


# --- folders and files ------------------------------------------------------------------------------

_OWN_FOLDERS = ("data/published", "data/warehouse", "data/studies", "data/decisions", "data/notifications")
"""Folders of the program's output and configuration; they cannot be drop folders."""


def _folders(study: Study) -> Complaints:
    drops: dict[Loc, str] = {("centres", centre): drop for centre, drop in study.centres.items()}
    paths: dict[Loc, PurePosixPath] = {}
    for loc, drop in [(("drop",), study.drop), *drops.items()]:
        path = PurePosixPath(drop)
        if not drop.strip() or path.is_absolute() or ".." in path.parts or not path.parts:
            yield loc, f'"{drop}" must be a folder below the project root'
            continue
        for own in _OWN_FOLDERS:
            if _overlap(path, PurePosixPath(own)):
                yield loc, f'"{drop}" and {own} overlap: raw files need a folder of their own'
        paths[loc] = path
    for one, other in combinations([loc for loc in drops if loc in paths], 2):
        if _overlap(paths[one], paths[other]):
            yield other, f'"{paths[other]}" overlaps with that of {one[-1]}: files would be received twice'


def _overlap(one: PurePosixPath, other: PurePosixPath) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def _paper(study: Study) -> Complaints:
    given = [key for key in PAPER if getattr(study, key)]
    if 0 < len(given) < len(PAPER):
        yield (given[0],), f"give {', '.join(PAPER)} together, or none"
    for key in given:
        path = PurePosixPath(getattr(study, key))
        if path.is_absolute() or ".." in path.parts:
            yield (key,), f'"{path}" must be a file below the project root'


# --- eligibility ------------------------------------------------------------------------------------

_CRITERION_KEYS: dict[str, frozenset[str]] = {
    "site": frozenset({"values"}),
    "radiotherapy": frozenset({"values", "techniques"}),
    "window": frozenset({"start", "end"}),
    "known": frozenset({"column"}),
}
"""Keys that a criterion rule reads besides ``name``, ``rule`` and ``label``; other rules read none."""


def _criterion(criterion: Criterion) -> Complaints:
    reads = _CRITERION_KEYS.get(criterion.rule, frozenset())
    for key in ("values", "techniques", "start", "end", "column"):
        if getattr(criterion, key) and key not in reads:
            yield (key,), f'the rule "{criterion.rule}" does not read this key'
    for key in ("values", "techniques"):
        if len(set(getattr(criterion, key))) < len(getattr(criterion, key)):
            yield (key,), "one of them is named twice"
    if criterion.rule == "site":
        yield from among(("values",), criterion.values, v.REGION)
        if not criterion.values:
            yield ("values",), f"name at least one region: {', '.join(v.REGION)}"
    elif criterion.rule == "radiotherapy":
        yield from among(("values",), criterion.values, v.RADIATION_SEQUENCE)
        yield from among(("techniques",), criterion.techniques, v.TECHNIQUE)
        if not criterion.values:
            yield ("values",), f"name at least one sequence: {', '.join(v.RADIATION_SEQUENCE)}"
    elif criterion.rule == "window":
        yield from _window(criterion)
    elif criterion.rule == "known":
        yield from among(("column",), [criterion.column or criterion.name], patient_columns())


def _window(criterion: Criterion) -> Complaints:
    start, end = criterion.start, criterion.end
    today = dt.datetime.now(dt.UTC).date()
    if start and end and end < start:
        yield ("end",), f"end {end} lies before start {start}"
    if not (start or end):
        yield ("start",), "give start, end or both"
    if start and start > today:
        yield ("start",), f"{start} lies in the future: the criterion would exclude everybody"
    for key, day in (("start", start), ("end", end)):
        if day and (day < _FIRST_DAY or day.year > today.year + LONGEST_YEARS):
            yield (key,), f"{day} is not plausible: is the year right?"


def _together(study: Study) -> Complaints:
    """Yield pairs of criteria that no patient can fulfil both."""
    for (_, one), (at, other) in combinations(enumerate(study.criteria), 2):
        if one.rule != other.rule:
            continue
        for key in ("values", "techniques"):
            both = [set(getattr(criterion, key)) for criterion in (one, other)]
            if all(both) and not set.intersection(*both):
                yield ("criteria", at, key), f'nobody can fulfil both this and "{one.name}"'
        starts = [criterion.start for criterion in (one, other) if criterion.start]
        ends = [criterion.end for criterion in (one, other) if criterion.end]
        apart = starts and ends and max(starts) > min(ends)
        if apart and not any(c.start and c.end and c.end < c.start for c in (one, other)):
            yield ("criteria", at), f'nobody can fulfil both this and "{one.name}"'
        if one.rule == "known" and (one.column or one.name) == (other.column or other.name):
            yield ("criteria", at), f'"{one.name}" asks the same'
    cutoff = study.assumptions.data_cutoff
    if cutoff is None:
        return
    if cutoff > dt.datetime.now(dt.UTC).date():
        yield ("assumptions", "data_cutoff"), f"{cutoff} lies in the future: nothing can be cut off there yet"
    for criterion in study.criteria:
        if criterion.start and cutoff <= criterion.start:
            what = f'lies before the start {criterion.start} of "{criterion.name}": nobody could be followed'
            yield ("assumptions", "data_cutoff"), f"{cutoff} {what}"
