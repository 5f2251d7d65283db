"""The data of a Cox model declared in ``study.toml``: complete cases, contrasts, and the design matrix.

Contrasts that the model cannot estimate are found here, before any fit: levels without patients or events,
and covariates with the same value in all patients.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sarcoma_pipeline.survival import spline
from sarcoma_pipeline.survival.collinearity import independent
from sarcoma_pipeline.survival.kaplan_meier import DATINGS, entry_at
from sarcoma_pipeline.survival.partial_likelihood import PartialLikelihood
from schemas.configuration import Covariate, Model
from schemas.statistics import Ties


@dataclass(frozen=True)
class Contrast:
    """A row of the model's table: a continuous covariate, or a level against the reference.

    Attributes:
        covariate: the covariate.
        level: level of a factor; None for a continuous covariate.
    """

    covariate: Covariate
    level: str | None

    @property
    def name(self) -> str:
        """Name of the column in the design matrix."""
        return self.covariate.name if self.level is None else f"{self.covariate.name}\x1f{self.level}"

    @property
    def label(self) -> str:
        """Printed label: ``Female vs. male``."""
        covariate, level = self.covariate, self.level
        if level is None:
            return covariate.labels.get(covariate.name, covariate.name.capitalize())
        default = f"{level[:1].upper()}{level[1:]} vs. {covariate.reference}"
        if covariate.kind == "spline":
            default = f"{covariate.name.capitalize()} {default}"
        return covariate.labels.get(level, default)


class Design(NamedTuple):
    """The design matrix of a model.

    Attributes:
        matrix: its columns.
        aliased: the columns that were left out because those before them tell them, with the reason to print.
    """

    matrix: pl.DataFrame
    aliased: dict[str, str]


@dataclass(frozen=True)
class ModelData:
    """The data to which a model is fitted.

    Attributes:
        model: the declared model.
        covariates: its covariates, in order.
        missing: number of patients left out because of a missing covariate.
        complete: the other patients: ``time_days, event`` and a column per covariate.
        counts: patients and events per factor and level.
        contrasts: rows of the table.
        obstacles: name of a contrast to the reason why it cannot be estimated.
        strata: factors whose levels have a baseline of their own; ``complete`` has their number.
        ties: how events on the same day enter.
    """

    model: Model
    covariates: tuple[Covariate, ...]
    missing: int
    complete: pl.DataFrame
    counts: dict[str, dict[str, tuple[int, int]]]
    contrasts: tuple[Contrast, ...]
    obstacles: dict[str, str]
    strata: tuple[Covariate, ...] = ()
    ties: Ties = "efron"

    @property
    def events(self) -> int:
        """Number of patients with an event."""
        return int(self.complete["event"].sum())

    @property
    def eventless(self) -> bool:
        """Whether a level has patients but no event, while others have events."""
        levels = [events for of in self.counts.values() for _, events in of.values()]
        return self.events > 0 and 0 in levels

    def estimable(self) -> pl.DataFrame:
        """Return the complete cases without patients at levels that have no event.

        The hazard ratio of such a level tends to 0 and has no estimate. The other coefficients are those of
        the fit without its patients, which is the limit of the partial likelihood (their weight in every risk
        set tends to 0).
        """
        if not self.eventless:
            return self.complete
        gone = [
            pl.col(name) == level
            for name, of in self.counts.items()
            for level, (_, e) in of.items()
            if e == 0
        ]
        return self.complete.filter(~pl.any_horizontal(gone))

    def of(self, names: Collection[str]) -> ModelData:
        """Return the model of some of the covariates in the same patients."""
        kept = tuple(c for c in self.covariates if c.name in names)
        contrasts = tuple(x for x in self.contrasts if x.covariate.name in names)
        return replace(
            self,
            covariates=kept,
            counts={name: of for name, of in self.counts.items() if name in names},
            contrasts=contrasts,
            obstacles={x.name: self.obstacles[x.name] for x in contrasts if x.name in self.obstacles},
        )

    def straight(self, name: str) -> ModelData:
        """Return the model in which the effect of a spline's number is straight."""
        changed = tuple(
            c.model_copy(update={"kind": "continuous"}) if c.name == name else c for c in self.covariates
        )
        return replace(self, covariates=changed)

    def likelihood(self, used: pl.DataFrame, design: pl.DataFrame) -> PartialLikelihood:
        """Return the partial likelihood of some of the complete cases.

        Args:
            used: their rows.
            design: their design matrix; without a column, the likelihood has one of zeros.

        Raises:
            ValueError: none of them has an event.
        """
        x = design.to_numpy() if design.width else np.zeros((used.height, 1))
        time, entry = at_risk(used)
        return PartialLikelihood(time, used["event"], x, entry, self.ties)

    def matrix(self, used: pl.DataFrame) -> pl.DataFrame:
        """Build the design matrix alone, as :meth:`design` does."""
        return self.design(used).matrix

    def design(self, used: pl.DataFrame) -> Design:
        """Build the design matrix: numbers, and indicators of all levels except the reference.

        Constant columns are left out, and columns that are a linear combination of those before them (as in
        R).

        Args:
            used: rows of the complete cases.
        """
        varying = self._varying(used)
        kept = self._independent(used, varying)
        why = "no estimate: the covariates before it tell it completely (collinear)"
        return Design(varying.select(kept), {c: why for c in varying.columns if c not in kept})

    def _independent(self, used: pl.DataFrame, design: pl.DataFrame) -> list[str]:
        """Return the columns that no others before them tell, nor the strata, which compare within only."""
        if not (self.strata and design.width):
            return independent(design)
        within = design.with_columns(used[STRATUM])
        return independent(
            within.select(pl.col(design.columns) - pl.col(design.columns).mean().over(STRATUM))
        )

    def _varying(self, used: pl.DataFrame) -> pl.DataFrame:
        columns: list[pl.Expr] = []
        for covariate in self.covariates:
            if covariate.kind == "continuous":
                columns.append(pl.col(covariate.name))
                continue
            if covariate.kind == "spline":
                functions = spline.columns(covariate, used[covariate.name].to_numpy())
                columns += [
                    pl.lit(pl.Series(Contrast(covariate, knot).name, values))
                    for knot, values in functions.items()
                ]
                continue
            present = sorted(used[covariate.name].unique())
            # Without patients at the reference, another level replaces it, so that the factor still adjusts.
            base = covariate.reference if covariate.reference in present else next(iter(present), None)
            columns += [
                (pl.col(covariate.name) == level).cast(pl.Float64).alias(Contrast(covariate, level).name)
                for level in present
                if level != base
            ]
        design = used.select(columns)
        if not design.width:
            return design
        several = design.select(pl.all().n_unique() > 1).row(0)
        return design.select(name for name, varies in zip(design.columns, several, strict=True) if varies)


COMPETING = "competing"
"""Column of the endpoints that tells whether a time ended with an event of another cause."""


def model_data(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    *,
    time: str = "time_days",
    ties: Ties = "efron",
) -> Iterator[ModelData]:
    """Yield the data of every model whose endpoint exists.

    Patients with a missing covariate (or a level that the configuration does not list) are left out.

    Args:
        patients: `schemas.cohort.CohortPatient`.
        endpoints: `schemas.cohort.CohortEndpoint`.
        models: the models, in order.
        covariates: the covariates of the models.
        time: column with the time in days.
        ties: how events on the same day enter.

    Raises:
        ValueError: a factor has no reference level.
    """
    for model, of, strata, everybody in model_patients(patients, endpoints, models, covariates, time=time):
        yield replace(complete_cases(everybody, model, of, strata), ties=ties)


def model_patients(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    models: Sequence[Model],
    covariates: Sequence[Covariate],
    *,
    time: str = "time_days",
) -> Iterator[tuple[Model, tuple[Covariate, ...], tuple[Covariate, ...], pl.DataFrame]]:
    """Yield every model whose endpoint exists, with its covariates, its strata, and everybody at risk.

    Everybody: ``time_days, event, entry_days`` of the patients, joined with `schemas.cohort.CohortPatient`.
    """
    known = {c.name: c for c in covariates}
    for model in models:
        times = endpoints.filter(pl.col("endpoint") == model.endpoint)
        if times.height:
            also = [COMPETING] if COMPETING in times.columns else []
            entry = entry_at(time, times.columns)
            data = times.select("pseudonym", "event", *also, time_days=time, entry_days=entry)
            # With the early end of a partial date, a time may end before the entry: the patient was never at
            # risk.
            data = data.filter((pl.col("time_days") > pl.col("entry_days")).fill_null(True))
            data = data.join(patients, on="pseudonym")
            covariates_of, strata = (
                tuple(known[name] for name in names) for names in (model.covariates, model.strata)
            )
            yield model, covariates_of, strata, data


def values(covariate: Covariate) -> pl.Expr:
    """Return the covariate as used in models and subgroups; null for patients that are left out.

    Raises:
        ValueError: a factor has no reference level.
    """
    if covariate.kind != "factor":
        number = pl.col(covariate.column).cast(pl.Float64)
        # NaN and infinity are no measurements: they count as missing.
        return pl.when(number.is_finite()).then(number).alias(covariate.name)
    if covariate.reference is None:
        raise ValueError(f"factor {covariate.name} has no reference level")
    merged = pl.col(covariate.column).cast(pl.String).replace(covariate.merge)
    if covariate.levels:
        merged = pl.when(merged.is_in({*covariate.levels, covariate.reference})).then(merged)
    return merged.alias(covariate.name)


def with_entry(endpoints: pl.DataFrame) -> pl.DataFrame:
    """Return the endpoints with ``entry_days``; null if a patient is at risk from the beginning."""
    return endpoints.with_columns(entry_days=entry_at(DATINGS["middle"], endpoints.columns))


def levels_of(covariate: Covariate, present: Sequence[str]) -> tuple[str, ...]:
    """Return the levels of a factor in the configured order, else sorted."""
    return covariate.levels or tuple(sorted(present))


def complete_cases(
    everybody: pl.DataFrame,
    model: Model,
    covariates: tuple[Covariate, ...],
    strata: tuple[Covariate, ...] = (),
) -> ModelData:
    """Return the data of a model, without the patients who lack a covariate.

    Args:
        everybody: everybody at risk, with the columns of the covariates.
        model: the model.
        covariates: its covariates, in order.
        strata: its strata, in order.

    Raises:
        ValueError: a factor has no reference level.
    """
    also = [COMPETING] if COMPETING in everybody.columns else []
    read = [values(c) for c in (*covariates, *strata)]
    return of_values(
        everybody.select("time_days", "event", "entry_days", *also, *read), model, covariates, strata
    )


def of_values(
    chosen: pl.DataFrame,
    model: Model,
    covariates: tuple[Covariate, ...],
    strata: tuple[Covariate, ...] = (),
) -> ModelData:
    """Return the data of a model from its columns: times, and a column of :func:`values` per covariate."""
    named = [c.name for c in (*covariates, *strata)]
    data = chosen.drop_nulls(["time_days", "event", *named])
    if strata:
        levels = pl.concat_str([c.name for c in strata], separator="\x1f")
        data = data.with_columns(levels.rank("dense").cast(pl.Int64).alias(STRATUM))
    counts = {c.name: _counts(data, c) for c in covariates if c.kind == "factor"}
    contrasts = tuple(Contrast(c, level) for c in covariates for level in _compared(c, counts))
    obstacles = {x.name: why for x in contrasts if (why := _obstacle(x, data, counts))}
    missing = chosen.height - data.height
    return ModelData(model, covariates, missing, data, counts, contrasts, obstacles, strata)


def _compared(covariate: Covariate, counts: dict[str, dict[str, tuple[int, int]]]) -> list[str | None]:
    """Return what is compared with the reference: levels, knots, or None for a number."""
    if covariate.kind == "continuous":
        return [None]
    levels = (
        covariate.knot_names
        if covariate.kind == "spline"
        else levels_of(covariate, list(counts[covariate.name]))
    )
    return [name for name in levels if name != covariate.reference]


def _counts(data: pl.DataFrame, covariate: Covariate) -> dict[str, tuple[int, int]]:
    """Count patients and events by level."""
    grouped = data.group_by(covariate.name).agg(n=pl.len(), events=pl.col("event").sum())
    return {level: (n, events) for level, n, events in grouped.iter_rows()}


def _obstacle(
    contrast: Contrast, data: pl.DataFrame, counts: dict[str, dict[str, tuple[int, int]]]
) -> str | None:
    """Return why a contrast cannot be estimated; None if it can."""
    covariate, level = contrast.covariate, contrast.level
    if not data["event"].any():
        return "no event in the model"
    if covariate.kind != "factor" or level is None:
        return "no variance: the same value in all patients" if data[covariate.name].n_unique() < 2 else None
    of = counts[covariate.name]
    for role, name in (("the level", level), ("the reference level", covariate.reference or "")):
        n, events = of.get(name, (0, 0))
        if n == 0:
            return f"no variance: no patient at {role}"
        if events == 0:
            limit = "0" if role == "the level" else "infinity"
            return f"no event at {role}: the hazard ratio tends to {limit}"
    return None


STRATUM = "\x1fstratum"
"""Column of the complete cases with the number of the stratum, from 1."""


def at_risk(used: pl.DataFrame) -> tuple[NDArray[np.floating], NDArray[np.floating] | None]:
    """Return the days on which the rows are at risk: the last one, and the entry (see :func:`entries`).

    Each stratum has an interval of its own, so that no risk set holds patients of two: patients of a later
    stratum enter after the last day of the one before.
    """
    time, entry = used["time_days"].cast(pl.Float64).to_numpy(), entries(used)
    if STRATUM not in used.columns:
        return time, entry
    # An entry before the origin is one at the beginning: it must not reach into the stratum before.
    entered = np.full(len(time), -1.0) if entry is None else np.fmax(entry, -1.0)
    length = max(float(time.max()), float(entered.max())) + 2
    start = (used[STRATUM].to_numpy() - 1) * length
    return start + time, start + entered


def entries(used: pl.DataFrame) -> NDArray[np.floating] | None:
    """Return the days of entry of the rows; NaN means from the beginning. None if that holds for all rows."""
    if used["entry_days"].null_count() == used.height:
        return None
    return used["entry_days"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
