"""Check ``study.toml``: names in it must exist, and its parts must not contradict each other.

A configuration can be well-formed and still wrong: a misspelt event gives an endpoint without events, a
misspelt column a model without covariate. Each check yields the path of the key and the fault.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import PurePosixPath

from schemas import vocabularies as v
from schemas.cohort import CohortPatient
from schemas.configuration_faults import Complaints, Loc, among, unique
from schemas.contract import ColumnSpec
from schemas.study_toml import PAPER, Covariate, Criterion, EndpointRule, Model, Study

NUMBERS = frozenset({"Int32", "Int64", "Float64"})
"""Types of columns that hold numbers."""

_LONGEST = 50
"""Plausible maximum in years of a follow-up or of a date in the future; more is a typing error."""
_DAYS = _LONGEST * 365
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
        yield from _said((key,), getattr(study, key))
    yield from _folders(study)
    yield from _paper(study)
    for section in ("criteria", "endpoints", "covariates", "models", "cumulative_incidence"):
        yield from unique(section, [item.name for item in getattr(study, section)])
    for section, key in (
        ("criteria", "label"), ("endpoints", "title"), ("models", "title"), ("cumulative_incidence", "title"),
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
    yield from _endpoints(study)
    yield from _competing(study)
    yield from _variants(study)
    yield from among(
        ("gate", "may_lack_events"), study.gate.may_lack_events, [e.name for e in study.endpoints]
    )
    yield from _covariates(study)
    for key, message in study.statistics.complaints():
        yield ("statistics", key), message
    yield from _models(study)
    yield from _table_one(study)


def _said(loc: Loc, text: str) -> Complaints:
    if not text.strip():
        yield loc, "is empty"


def _titles(section: str, key: str, texts: Sequence[str]) -> Complaints:
    """Yield empty titles, and titles that occur twice in a section of the report."""
    for at, text in enumerate(texts):
        yield from _said((section, at, key), text)
        if text.strip() and texts.index(text) != at:
            yield (section, at, key), f'two {section} are called "{text}": no reader could tell them apart'


def _horizons(study: Study) -> Complaints:
    months = study.horizons_months
    if not months:
        yield ("horizons_months",), "name at least one month, or leave the key out"
    if list(months) != sorted({h for h in months if h > 0}):
        yield ("horizons_months",), "must rise, without repeats, from above 0"
    if any(h > _LONGEST * 12 for h in months):
        yield ("horizons_months",), f"these are months: at most {_LONGEST * 12}"


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
        if day and (day < _FIRST_DAY or day.year > today.year + _LONGEST):
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


def patient_columns() -> dict[str, ColumnSpec]:
    """Return the columns of ``cohort.patients`` that describe a patient."""
    technical = {"pseudonym", "record_ids"}
    return {c.name: c for c in CohortPatient.columns() if c.name not in technical}


# --- endpoints and what refers to them --------------------------------------------------------------

_BY_CAUSE = frozenset({"tumour-related death", "other death"})


def _endpoints(study: Study) -> Complaints:
    for at, endpoint in enumerate(study.endpoints):
        for key, message in _endpoint(endpoint):
            yield ("endpoints", at, key), message
    known = {e.name: e for e in study.endpoints}
    for section in ("models", "cumulative_incidence", "censoring_variants"):
        for at, item in enumerate(getattr(study, section)):
            loc: Loc = (section, at, "endpoint")
            yield from among(loc, [item.endpoint], known)
            if item.endpoint in known and not known[item.endpoint].derivable:
                yield loc, f"{item.endpoint} is not derivable: nothing would be computed"


def _endpoint(endpoint: EndpointRule) -> Iterator[tuple[str, str]]:
    events = set(endpoint.events)
    if not events:
        yield "events", "name at least one kind of event"
    if len(events) < len(endpoint.events):
        yield "events", "a kind of event is named twice"
    if "death" in events and events & _BY_CAUSE:
        yield "events", "every death is a death: name death alone, or its causes"
    if events and events <= {"death", *_BY_CAUSE} and endpoint.censor == "last disease assessment":
        yield (
            "censor",
            "an examination tells nothing of death: the living are known to be so until last known alive",
        )
    if endpoint.derivable and endpoint.reason is not None:
        yield (
            "reason",
            "a reason is given, but the endpoint is derivable: set derivable = false, or leave it out",
        )
    if endpoint.landmark_days is not None and endpoint.landmark_days > _DAYS:
        yield "landmark_days", f"these are days: at most {_DAYS}"
    before = {"diagnosis": ("diagnosis",), "radiotherapy start": ("diagnosis", "radiotherapy start")}
    before["radiotherapy end"] = (*before["radiotherapy start"], "radiotherapy end")
    if endpoint.origin and endpoint.entry in before.get(endpoint.origin, ("diagnosis",)):
        yield "entry", f"nobody is at risk before the origin ({endpoint.origin}): leave entry out"


def _competing(study: Study) -> Complaints:
    events = {e.name: e.events for e in study.endpoints}
    for at, risks in enumerate(study.cumulative_incidence):
        loc: Loc = ("cumulative_incidence", at, "causes")
        kinds = Counter(kind for of in risks.causes.values() for kind in of)
        wanted = events.get(risks.endpoint)
        if wanted is None:
            continue
        yield from among(loc, kinds, wanted)
        if twice := [kind for kind, times in kinds.items() if times > 1]:
            yield loc, f"{', '.join(twice)} belongs to two causes"
        if lacking := [kind for kind in wanted if kind not in kinds]:
            yield loc, f"{', '.join(lacking)} belongs to no cause: name every event of {risks.endpoint} once"
        if empty := [cause for cause, of in risks.causes.items() if not of]:
            yield loc, f'"{empty[0]}" has no event'
        if len(risks.causes) < 2:
            yield loc, "name two causes or more: one cause has none to compete with"


def _variants(study: Study) -> Complaints:
    known = {e.name: e for e in study.endpoints}
    named: set[tuple[str, str]] = set()
    for at, variant in enumerate(study.censoring_variants):
        loc: Loc = ("censoring_variants", at)
        if (variant.endpoint, variant.name) in named:
            yield (*loc, "name"), f'two censoring_variants of {variant.endpoint} are named "{variant.name}"'
        named.add((variant.endpoint, variant.name))
        endpoint = known.get(variant.endpoint)
        if endpoint is None:
            continue
        yield from among((*loc, "censor"), variant.censor, endpoint.events)
        if variant.censor and set(variant.censor) >= set(endpoint.events):
            yield (*loc, "censor"), f"{endpoint.name} would have no event left"
        if variant.date and variant.date == endpoint.censor:
            yield (*loc, "date"), f"this is the main analysis: {endpoint.name} ends on that day"
        if variant.months and variant.months > _LONGEST * 12:
            yield (*loc, "months"), f"these are months: at most {_LONGEST * 12}"


# --- covariates, models and Table 1 -----------------------------------------------------------------

OUTCOMES = frozenset(
    {
        "relapse_pattern",
        "follow_up_days",
        "follow_up_months",
        "registry_answer_days",
        "registry_answer_age_months",
    }
)
"""Columns known only after follow-up: they result from the survival time and cannot explain it."""


def _covariates(study: Study) -> Complaints:
    columns = patient_columns()
    for at, covariate in enumerate(study.covariates):
        loc: Loc = ("covariates", at)
        spec = columns.get(covariate.column)
        yield from _said((*loc, "name"), covariate.name)
        if spec is None or covariate.column in OUTCOMES:
            told = f'"{covariate.column}" is an outcome and explains none. ' if spec else ""
            for _, message in among((), [covariate.column], set(columns) - OUTCOMES):
                yield (*loc, "column"), told or message
            continue
        if covariate.kind != "spline" and covariate.knots:
            yield (*loc, "knots"), 'only a covariate of kind = "spline" has knots'
        if covariate.kind == "spline":
            yield from _spline(loc, covariate, spec)
            continue
        if covariate.kind == "continuous":
            if spec.dtype not in NUMBERS:
                yield (*loc, "kind"), f'"{covariate.column}" is no number: use kind = "factor"'
            if covariate.levels or covariate.reference or covariate.merge:
                yield loc, "a continuous covariate has no levels, reference or merge"
            yield from among((*loc, "labels"), covariate.labels, [covariate.name])
            continue
        if spec.dtype in NUMBERS:
            yield (*loc, "kind"), f'"{covariate.column}" is a number: use kind = "continuous"'
            continue
        yield from _factor(loc, covariate, spec)


def _spline(loc: Loc, covariate: Covariate, spec: ColumnSpec) -> Complaints:
    if spec.dtype not in NUMBERS:
        yield (*loc, "kind"), f'"{covariate.column}" is no number: use kind = "factor"'
    if not 3 <= len(covariate.knots) <= 7:
        yield (*loc, "knots"), "a spline needs three to seven knots"
    if list(covariate.knots) != sorted(set(covariate.knots)):
        yield (*loc, "knots"), "must rise, without repeats"
    if covariate.levels or covariate.merge:
        yield loc, "a spline has no levels or merge"
    if covariate.reference is None:
        yield (*loc, "reference"), "a spline needs a reference: one of its knots"
    else:
        yield from among((*loc, "reference"), [covariate.reference], covariate.knot_names)
    yield from among((*loc, "labels"), covariate.labels, covariate.knot_names)


def _factor(loc: Loc, covariate: Covariate, spec: ColumnSpec) -> Complaints:
    levels, merged = covariate.levels, covariate.merge
    if covariate.reference is None:
        yield (*loc, "reference"), "a factor needs a reference level"
    elif levels:
        yield from among((*loc, "reference"), [covariate.reference], levels)
    elif allowed := _values(spec):
        yield from among(
            (*loc, "reference"), [covariate.reference], {*allowed, *merged.values()} - set(merged)
        )
    if len(set(levels)) == 1:
        yield (*loc, "levels"), "a factor needs two levels or more: one has none to be compared with"
    yield from _levels(loc, levels, spec, merged)
    known = (*levels, *merged.values())
    yield from among((*loc, "labels"), covariate.labels, known or covariate.labels)


def _models(study: Study) -> Complaints:
    known = {c.name: c for c in study.covariates}
    fitted = [("models", at, model) for at, model in enumerate(study.models)]
    fitted += [("cumulative_incidence", at, risks) for at, risks in enumerate(study.cumulative_incidence)]
    for section, at, model in fitted:
        loc: Loc = (section, at, "covariates")
        yield from among(loc, model.covariates, known)
        if isinstance(model, Model):
            yield from _strata((section, at, "strata"), model, known)
        needed = section == "models"
        if (needed and not model.covariates) or len(set(model.covariates)) < len(model.covariates):
            yield loc, "name each covariate once, and at least one"
        columns = Counter(known[name].column for name in set(model.covariates) & set(known))
        for column, times in columns.items():
            if times > 1:
                yield loc, f'several covariates are "{column}": their effects could not be told apart'


def _strata(loc: Loc, model: Model, known: Mapping[str, Covariate]) -> Complaints:
    yield from among(loc, model.strata, [name for name, c in known.items() if c.kind == "factor"])
    if len(set(model.strata)) < len(model.strata):
        yield loc, "name each stratum once"
    columns = {known[name].column: name for name in model.covariates if name in known}
    for name in model.strata:
        if name in known and known[name].column in columns:
            yield (
                loc,
                f'"{name}" is a covariate of the model too ("{columns[known[name].column]}"): name it once',
            )


def _values(spec: ColumnSpec) -> tuple[str, ...]:
    """Return the possible values of a column, as text; () if any value is possible."""
    return ("true", "false") if spec.dtype == "Boolean" else v.VOCABULARIES.get(spec.vocabulary or "", ())


def _levels(loc: Loc, levels: Sequence[str], spec: ColumnSpec, merge: dict[str, str]) -> Complaints:
    if len(set(levels)) < len(levels):
        yield (*loc, "levels"), "a level is named twice"
    allowed = _values(spec)
    if not allowed:
        return
    yield from among((*loc, "merge"), merge, allowed)
    if levels:
        yield from among((*loc, "merge"), dict.fromkeys(merge.values()), levels)
    yield from among((*loc, "levels"), levels, {*allowed, *merge.values()} - set(merge))


def _table_one(study: Study) -> Complaints:
    columns = patient_columns()
    for at, row in enumerate(study.table_one):
        loc: Loc = ("table_one", at)
        yield from _where(loc, row.where, columns)
        if row.decimals < 0:
            yield (*loc, "decimals"), "must be 0 or more"
        spec = columns.get(row.column)
        if spec is None:
            yield from among((*loc, "column"), [row.column], columns)
        elif row.kind == "median" and spec.dtype not in NUMBERS:
            yield (*loc, "kind"), f'"{row.column}" is no number: use kind = "factor"'
        elif row.kind == "factor":
            if spec.dtype == "Float64":
                yield (*loc, "kind"), f'"{row.column}" is a number: use kind = "median"'
            yield from _levels(loc, row.levels, spec, {})
            yield from among((*loc, "labels"), row.labels, row.levels or row.labels)


def _where(loc: Loc, where: dict[str, tuple[str, ...]], columns: dict[str, ColumnSpec]) -> Complaints:
    yield from among((*loc, "where"), where, columns)
    for column, values in where.items():
        here = (*loc, "where", column)
        spec = columns.get(column)
        if not values:
            yield here, "names no value: the block would be that of nobody"
        elif spec is not None and spec.dtype != "String":
            yield here, f'"{column}" has no levels: choose patients by a column of words'
        elif spec is not None and (allowed := _values(spec)):
            yield from among(here, values, allowed)
