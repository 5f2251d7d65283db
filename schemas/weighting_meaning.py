"""Check the imputation of models and the weightings of ``study.toml``."""

from __future__ import annotations

from collections.abc import Mapping

from schemas.configuration_faults import Complaints, Loc, among
from schemas.study_toml import Covariate, Model, Study


def of_imputation(loc: Loc, model: Model, known: Mapping[str, Covariate]) -> Complaints:
    """Check which covariates help to impute those of a model."""
    if "imputation" in model.model_fields_set and model.missing != "impute":
        yield loc, 'nothing is imputed: set missing = "impute", or leave this out'
    here = (*loc, "auxiliary")
    named = model.imputation.auxiliary
    yield from among(here, named, known)
    if len(set(named)) < len(named):
        yield here, "a covariate is named twice"
    columns = {known[name].column: name for name in (*model.covariates, *model.strata) if name in known}
    for name in named:
        if name in known and known[name].column in columns:
            yield here, f'"{name}" is in the model already ("{columns[known[name].column]}"): leave it out'


def of_weightings(study: Study) -> Complaints:
    """Check treatments, covariates and endpoints of the weightings."""
    known = {c.name: c for c in study.covariates}
    ends = {e.name: e for e in study.endpoints}
    for at, weighting in enumerate(study.weighting):
        loc: Loc = ("weighting", at)
        treatment = known.get(weighting.treatment)
        yield from among((*loc, "treatment"), [weighting.treatment], known)
        if treatment is not None and (treatment.kind != "factor" or len(set(treatment.levels)) != 2):
            yield (*loc, "treatment"), "must be a factor whose levels are listed, two of them"
        yield from among((*loc, "covariates"), weighting.covariates, known)
        if not weighting.covariates or len(set(weighting.covariates)) < len(weighting.covariates):
            yield (*loc, "covariates"), "name each covariate once, and at least one"
        columns = [known[name].column for name in weighting.covariates if name in known]
        if treatment is not None and treatment.column in columns:
            yield (*loc, "covariates"), f'"{treatment.column}" is the treatment: it cannot explain itself'
        yield from among((*loc, "endpoints"), weighting.endpoints, ends)
        if not weighting.endpoints or len(set(weighting.endpoints)) < len(weighting.endpoints):
            yield (*loc, "endpoints"), "name each endpoint once, and at least one"
        for name in weighting.endpoints:
            if name in ends and not ends[name].derivable:
                yield (*loc, "endpoints"), f"{name} is not derivable: nothing would be computed"
