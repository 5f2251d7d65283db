"""Check the analyses of ``study.toml``: endpoints, covariates, models and Table 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from schemas import vocabularies as v
from schemas.cohort import CohortPatient
from schemas.configuration_faults import Complaints, Loc, among, said
from schemas.contract import ColumnSpec
from schemas.dose_columns import THIRD, THIRDS, specs
from schemas.study_toml import Covariate, EndpointRule, Model, Study
from schemas.weighting_meaning import of_imputation

NUMBERS = frozenset({"Int32", "Int64", "Float64"})
"""Types of columns that hold numbers."""

LONGEST_YEARS = 50
"""Plausible maximum in years of a follow-up or of a date in the future; more is a typing error."""
_DAYS = LONGEST_YEARS * 365


def patient_columns(study: Study | None = None) -> dict[str, ColumnSpec]:
    """Return the columns of ``cohort.patients`` that describe a patient, and declared volumes and doses."""
    technical = {"pseudonym", "record_ids"}
    own = {c.name: c for c in CohortPatient.columns() if c.name not in technical}
    return own | (specs(study.dose_columns) if study else {})


_BY_CAUSE = frozenset({v.DEATH_BY_TUMOUR, v.OTHER_DEATH})


def of_endpoints(study: Study) -> Complaints:
    """Check the endpoints, and that models and analyses refer to a derivable one."""
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


def of_toxicity(study: Study) -> Complaints:
    """Check that each endpoint of toxicity names its window, known categories, and a covariate."""
    kinds = {c.name: c.kind for c in study.covariates}
    for at, endpoint in enumerate(study.toxicity):
        loc: Loc = ("toxicity", at)
        yield from among((*loc, "by"), [endpoint.by], list(kinds))
        yield from among((*loc, "categories"), endpoint.categories, v.TOXICITY_CATEGORY)
        if endpoint.cut is not None and kinds.get(endpoint.by) == "factor":
            yield (*loc, "cut"), f"{endpoint.by} is a factor, whose levels are the groups: leave cut out"
        if endpoint.measure == "grade" and endpoint.window is None:
            yield (*loc, "window"), 'say "acute" or "late": a grade is counted in one of them'
        if endpoint.measure != "grade" and (
            endpoint.window or endpoint.categories or endpoint.ctcae_versions
        ):
            yield loc, "a major wound complication has no window, no categories and no versions of CTCAE"


def of_competing_risks(study: Study) -> Complaints:
    """Check that the causes of each analysis of competing risks divide the events of its endpoint."""
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


def of_variants(study: Study) -> Complaints:
    """Check the variants of censoring."""
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
        if variant.months and variant.months > LONGEST_YEARS * 12:
            yield (*loc, "months"), f"these are months: at most {LONGEST_YEARS * 12}"


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


def of_covariates(study: Study) -> Complaints:
    """Check the covariates: their columns exist and have the declared kind and levels."""
    columns = patient_columns(study)
    for at, covariate in enumerate(study.covariates):
        loc: Loc = ("covariates", at)
        spec = columns.get(covariate.column)
        yield from said((*loc, "name"), covariate.name)
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


def of_models(study: Study) -> Complaints:
    """Check the models: their covariates exist and describe different columns."""
    known = {c.name: c for c in study.covariates}
    fitted = [("models", at, model) for at, model in enumerate(study.models)]
    fitted += [("cumulative_incidence", at, risks) for at, risks in enumerate(study.cumulative_incidence)]
    for section, at, model in fitted:
        loc: Loc = (section, at, "covariates")
        yield from among(loc, model.covariates, known)
        if isinstance(model, Model):
            yield from _strata((section, at, "strata"), model, known)
            yield from of_imputation((section, at, "imputation"), model, known)
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
    if spec.vocabulary == THIRD:
        return THIRDS
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


def of_table_one(study: Study) -> Complaints:
    """Check the blocks of Table 1."""
    columns = patient_columns(study)
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
