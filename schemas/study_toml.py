"""The words of ``study.toml``: criteria, endpoints, models and thresholds of a study, checked by pydantic."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import (
    Field,
    NonNegativeInt,
    StringConstraints,
    model_validator,
)

from schemas.assumptions import Assumptions
from schemas.disclosure import Disclosure
from schemas.gate import Gate
from schemas.sources_toml import Section
from schemas.statistics import Statistics
from schemas.vocabularies import EventKind

PAPER = ("published", "published_map", "published_audit")
"""Keys of the files of a published paper."""


class Criterion(Section):
    """One step of the eligibility flow, applied in the order of the file."""

    name: str
    """Name of the criterion, once in the file."""
    rule: Literal[
        "histology", "site", "no_metastasis", "curative", "radiotherapy", "window", "observed", "known"
    ]
    """What is judged."""
    label: str
    """How the flow names it."""
    values: tuple[str, ...] = ()
    """What is allowed: regions, RT sequences …, as the rule needs."""
    techniques: tuple[str, ...] = ()
    """For ``radiotherapy``: the techniques that are allowed; any, if none is named."""
    start: dt.date | None = None
    """For ``window``: first day of radiotherapy that is allowed."""
    end: dt.date | None = None
    """For ``window``: last day of radiotherapy that is allowed."""
    column: str | None = None
    """For ``known``: the covariate that must not be missing."""


EndpointName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

Milestone = Literal["diagnosis", "radiotherapy start", "radiotherapy end", "definitive resection"]
"""A day of the treatment that an endpoint may be counted from, or that a patient may enter at."""


class EndpointRule(Section):
    """Which events end an endpoint, what censors it, and from when on a patient is at risk."""

    name: EndpointName
    """Short name, as tables and curves show it."""
    title: str
    """Name in the report."""
    events: tuple[EventKind, ...]
    """Of two on one day the one named first counts."""
    censored_by: tuple[EventKind, ...] = ()
    """Events that end the time without being one of the endpoint's own."""
    censor: Literal["last known alive", "last disease assessment"]
    """The day on which a patient without any of these is censored."""
    origin: Milestone | None = None
    """The day that is counted from; ``[assumptions]`` decides if it is not said."""
    entry: Milestone | None = None
    """The day from which on a patient is at risk; ``[assumptions]`` decides if it is not said."""
    landmark_days: NonNegativeInt | None = None
    """Days after the origin, only from which on everybody is at risk."""
    derivable: bool = True
    """Whether the study's sources say enough for it; if not, nothing is computed and the report says why."""
    reason: str | None = None
    """Why it is not derivable from this study's sources."""

    @model_validator(mode="after")
    def _says_why(self) -> EndpointRule:
        if not self.derivable and not self.reason:
            raise ValueError("an endpoint that is not derivable needs a reason")
        return self

    @model_validator(mode="after")
    def _an_event_does_one_thing(self) -> EndpointRule:
        if both := sorted(set(self.events) & set(self.censored_by)):
            raise ValueError(f"{self.name}: {', '.join(both)} cannot both end the endpoint and censor it")
        return self


class Covariate(Section):
    """A covariate of a Cox model: a number, or a factor with its reference level."""

    name: str
    """Name by which models and subgroups refer to it."""
    column: str
    """Column of ``cohort.patients``."""
    kind: Literal["continuous", "factor"]
    """Whether it is a number or has levels."""
    reference: str | None = None
    """Level that the others are compared with; a factor needs one."""
    levels: tuple[str, ...] = ()
    """Levels in the order in which they are printed; patients with another level are left out."""
    merge: dict[str, str] = Field(default_factory=dict)
    """Levels to join before the model: ``{"postoperative additive" = "postoperative"}``."""
    labels: dict[str, str] = Field(default_factory=dict)
    """How a contrast is printed: level to label, e.g. ``{"female" = "Female vs. male"}``."""


class Model(Section):
    """A multivariable Cox model."""

    name: str
    """Name of the model, once in the file."""
    endpoint: EndpointName
    """Name of an endpoint of this file."""
    title: str
    """Title of its table."""
    covariates: tuple[str, ...]
    """Names of covariates of this file."""


class CompetingRisks(Section):
    """A cumulative incidence: the events of an endpoint, told apart by cause."""

    name: str
    """Name, once in the file."""
    endpoint: EndpointName
    """Name of an endpoint of this file."""
    title: str
    """Title of its curves."""
    causes: dict[str, tuple[str, ...]]
    """Cause to the kinds of event that count as it; the causes compete with each other."""


class CensoringVariant(Section):
    """A sensitivity run in which an endpoint is censored otherwise: other events, another day, or earlier."""

    name: str
    """Name of the run."""
    endpoint: EndpointName
    """Name of an endpoint of this file."""
    censor: tuple[str, ...] = ()
    """Kinds of event: who had one of them first is followed up to that day only."""
    date: Literal["last known alive"] | None = None
    """Who had no event is followed up to that day, as if he had none until then."""
    months: Annotated[float, Field(gt=0)] | None = None
    """Everybody is followed up to that time at most."""

    @model_validator(mode="after")
    def _says_what(self) -> CensoringVariant:
        if not (self.censor or self.date or self.months):
            raise ValueError(f"{self.name} must say what it censors: 'censor', 'date' or 'months'")
        return self


class TableRow(Section):
    """One block of Table 1."""

    title: str
    """Heading of the block."""
    column: str
    """Column of ``cohort.patients``."""
    kind: Literal["median", "factor"]
    """Median and range of a number, or counts of levels."""
    levels: tuple[str, ...] = ()
    """Levels in the order in which they are printed."""
    labels: dict[str, str] = Field(default_factory=dict)
    """How a level is printed."""
    unit: str | None = None
    """Unit that is printed after the heading."""
    decimals: int = 0
    """Printed decimals of a number."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only patients whose column has one of these values."""


CentreName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$")]
"""It names schemas of the warehouse, and stands before the paths of the centre's files."""


class Study(Section):
    """``study.toml``: everything that makes one study differ from another."""

    name: str
    """Name of the study: that of its folder in ``data/studies``."""
    title: str
    """Title of the report."""
    description: str
    """Who is studied and why, in one sentence of the report."""
    note: str | None = None
    """What every reader of the report must know first, e.g. that the patients do not exist."""
    drop: str
    """Folder of raw files below the project root."""
    centres: dict[CentreName, str] = Field(default_factory=dict)
    """Centre to its folder of raw files, where several deliver; each is received by itself."""
    owner: str = "data-team@example.org"
    """Who answers for the data: shown in Dagster."""
    published: str | None = None
    """CSV of a paper's numbers to compare with, below the project root."""
    published_map: str | None = None
    """CSV that says, row by row of ``published``, how the number is had from the cohort."""
    published_audit: str | None = None
    """CSV of what an audit of the paper found, to explain differences with."""
    criteria: tuple[Criterion, ...]
    """Who belongs to the study, in this order; each criterion is counted in the flow."""
    endpoints: tuple[EndpointRule, ...]
    """What is counted from when on, and what ends it."""
    assumptions: Assumptions = Assumptions()
    """What the study chose where the literature has several ways; every key has a default."""
    horizons_months: tuple[int, ...] = (12, 24, 36, 60)
    """Months at which survival is estimated."""
    covariates: tuple[Covariate, ...] = ()
    """What the models and subgroups compare."""
    models: tuple[Model, ...] = ()
    """Cox models."""
    subgroups: tuple[str, ...] = ()
    """Factors among the covariates whose levels get a Kaplan–Meier curve each and a log-rank test."""
    cumulative_incidence: tuple[CompetingRisks, ...] = ()
    """Endpoints whose causes compete."""
    censoring_variants: tuple[CensoringVariant, ...] = ()
    """Sensitivity runs in which an endpoint is censored otherwise."""
    table_one: tuple[TableRow, ...] = ()
    """Blocks of Table 1, in this order."""
    gate: Gate = Gate()
    """What the release must keep; the defaults if the file has no ``[gate]``."""
    statistics: Statistics = Statistics()
    """What the study declares about its models and p values; the defaults if there is no ``[statistics]``."""
    disclosure: Disclosure = Disclosure()
    """What a public report or export may tell; the defaults if the file has no ``[disclosure]``."""
