"""Check the published models that ``study.toml`` names for external validation."""

from __future__ import annotations

from collections.abc import Mapping

from schemas import vocabularies as v
from schemas.analysis_meaning import NUMBERS, OUTCOMES, patient_columns
from schemas.configuration_faults import Complaints, Loc, among
from schemas.study_toml import Study


def of_validations(study: Study) -> Complaints:
    """Check endpoints, columns and times of the published models that are validated."""
    columns = patient_columns(study)
    ends = {e.name: e for e in study.endpoints}
    for at, validation in enumerate(study.validation):
        loc: Loc = ("validation", at)
        yield from among((*loc, "endpoint"), [validation.endpoint], ends)
        if validation.endpoint in ends and not ends[validation.endpoint].derivable:
            yield (*loc, "endpoint"), f"{validation.endpoint} is not derivable: nothing would be computed"
        if not validation.source.strip():
            yield (*loc, "source"), "is empty: say where the coefficients are printed"
        if not validation.terms:
            yield (*loc, "terms"), "name at least one term"
        survival = [(months, validation.baseline[key]) for key, months in _months(validation.baseline)]
        if not validation.baseline or len(survival) < len(validation.baseline):
            yield (*loc, "baseline"), 'give months above 0 and the survival there: { "24" = 0.9 }'
        elif [s for _, s in sorted(survival)] != sorted((s for _, s in survival), reverse=True):
            yield (*loc, "baseline"), "survival cannot rise with time"
        if list(validation.thresholds) != sorted(set(validation.thresholds)):
            yield (*loc, "thresholds"), "must rise, without repeats"
        for number, term in enumerate(validation.terms):
            here: Loc = (*loc, "terms", number)
            spec = columns.get(term.column)
            if spec is None or term.column in OUTCOMES:
                yield from among((*here, "column"), [term.column], set(columns) - OUTCOMES)
                continue
            if spec.dtype in NUMBERS and (term.coefficient is None or term.levels):
                yield here, f'"{term.column}" is a number: give a coefficient, no levels'
            if spec.dtype not in NUMBERS and (term.coefficient is not None or not term.levels):
                yield here, f'"{term.column}" has levels: give the points of each, no coefficient'
            if spec.dtype not in NUMBERS and (term.transformation != "none" or term.centre):
                yield here, f'"{term.column}" has levels: nothing is transformed or centred'
            if allowed := v.VOCABULARIES.get(spec.vocabulary or "", ()):
                yield from among((*here, "levels"), term.levels, allowed)


def _months(baseline: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the keys that are months above 0, and the months."""
    found = []
    for key in baseline:
        try:
            months = float(key)
        except ValueError:
            continue
        if 0 < months < 1200:
            found.append((key, months))
    return found
