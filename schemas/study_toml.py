"""Define ``study.toml``, checked by pydantic: criteria, endpoints, models and thresholds of a study."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeInt,
    StringConstraints,
    model_validator,
)

from schemas.analyses_toml import Imputation, Validation, Weighting
from schemas.assumptions import Assumptions
from schemas.configuration_faults import meant
from schemas.disclosure import Disclosure
from schemas.dose_columns import DoseColumn
from schemas.dose_response_toml import DoseResponse
from schemas.dose_settings import DoseSettings
from schemas.gate import Gate
from schemas.language import SOURCE, Language
from schemas.statistics import Statistics
from schemas.structures_toml import StructureNames
from schemas.thresholds import Threshold
from schemas.toml_section import Section
from schemas.toxicity_toml import ToxicityEndpoint
from schemas.vocabularies import EventKind

PAPER = ("published", "published_map", "published_audit")
"""Keys of the files of a published paper."""


class Criterion(Section):
    """One step of the eligibility flow; steps apply in the order of the file."""

    name: str
    """Name of the criterion, unique in the file."""
    rule: Literal[
        "histology", "site", "no_metastasis", "curative", "radiotherapy", "window", "observed", "known"
    ]
    """Kind of condition."""
    label: str
    """Text of the criterion in the flow."""
    values: tuple[str, ...] = ()
    """Allowed values of the rule: regions, RT sequences and so on."""
    techniques: tuple[str, ...] = ()
    """For ``radiotherapy``: the allowed techniques; if empty, all."""
    start: dt.date | None = None
    """For ``window``: first allowed day of radiotherapy."""
    end: dt.date | None = None
    """For ``window``: last allowed day of radiotherapy."""
    column: str | None = None
    """For ``known``: the covariate that must not be missing."""


EndpointName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

Milestone = Literal["diagnosis", "radiotherapy start", "radiotherapy end", "definitive resection"]
"""A treatment day that can be the origin of an endpoint or the entry of a patient."""


class EndpointRule(Section):
    """One endpoint: the events that end it, what censors it, and from when a patient is at risk."""

    name: EndpointName
    """Short name in tables and curves."""
    title: str
    """Name in the report."""
    events: tuple[EventKind, ...]
    """Events that end it; if two happen on one day, the one named first counts."""
    censored_by: tuple[EventKind, ...] = ()
    """Events that censor the time."""
    censor: Literal["last known alive", "last disease assessment"]
    """Day on which a patient without any of these events is censored."""
    origin: Milestone | None = None
    """Day from which the time is counted; if not given, ``[assumptions]`` decides."""
    entry: Milestone | None = None
    """Day from which a patient is at risk; if not given, ``[assumptions]`` decides."""
    landmark_days: NonNegativeInt | None = None
    """Days after the origin from which patients are at risk (landmark)."""
    derivable: bool = True
    """Whether the study's sources are sufficient for it; if not, nothing is computed and the report says
    why."""
    reason: str | None = None
    """Why it cannot be derived from this study's sources."""

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
    """Name in models and subgroups."""
    column: str
    """Column of ``cohort.patients``."""
    kind: Literal["continuous", "spline", "factor"]
    """A number with a straight effect on the log hazard, a number with a natural cubic spline, or levels."""
    reference: str | None = None
    """Level with which the others are compared, required for a factor; of a spline: one of its knots."""
    knots: tuple[float, ...] = ()
    """For a spline: rising values at which its pieces meet; it is straight beyond the outer ones."""
    levels: tuple[str, ...] = ()
    """Levels in printing order; patients with another level are left out."""
    merge: dict[str, str] = Field(default_factory=dict)
    """Levels to merge before the model: ``{"postoperative additive" = "postoperative"}``."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Printed label of a contrast by level, e.g. ``{"female" = "Female vs. male"}``."""

    @property
    def knot_names(self) -> tuple[str, ...]:
        """Names of the knots, which are the levels of a spline."""
        return tuple(f"{knot:g}" for knot in self.knots)


class Model(Section):
    """A multivariable Cox model."""

    name: str
    """Name of the model, unique in the file."""
    endpoint: EndpointName
    """Name of an endpoint of this file."""
    title: str
    """Title of its table."""
    covariates: tuple[str, ...]
    """Names of covariates of this file."""
    strata: tuple[str, ...] = ()
    """Factors among the covariates of this file; each combination of levels has its own baseline hazard."""
    missing: Literal["leave out", "impute"] = "leave out"
    """Patients with a missing covariate: the model leaves them out; with ``impute``, a model of imputed data
    sets is fitted too and shown beside it."""
    imputation: Imputation = Imputation()
    """How the missing covariates are imputed; needs ``missing = "impute"``."""


class CompetingRisks(Section):
    """A cumulative incidence: the events of an endpoint by cause."""

    name: str
    """Name, unique in the file."""
    endpoint: EndpointName
    """Name of an endpoint of this file."""
    title: str
    """Title of its curves."""
    causes: dict[str, tuple[str, ...]]
    """Cause to its kinds of event; the causes compete with each other."""
    covariates: tuple[str, ...] = ()
    """Names of covariates of this file: each cause gets a cause-specific model and a Fine–Gray model."""


class CensoringVariant(Section):
    """A sensitivity run with other censoring of an endpoint: other events, another day, or an earlier end."""

    name: str
    """Name of the run."""
    endpoint: EndpointName
    """Name of an endpoint of this file."""
    censor: tuple[str, ...] = ()
    """Kinds of event that are censored: a patient whose first event is one of them is followed up to that
    day."""
    date: Literal["last known alive"] | None = None
    """Patients without an event are followed up to that day, as if they had had no event until then."""
    months: Annotated[float, Field(gt=0)] | None = None
    """Maximum follow-up, in months."""

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
    """Levels in printing order."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Printed label by level."""
    unit: str | None = None
    """Unit printed after the heading."""
    decimals: int = 0
    """Printed decimals of a number."""
    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only patients with one of these values in the column."""


CentreName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$")]
"""Used in names of the centre's schemas in the warehouse, and as the first part of its paths."""


WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>?#]+$")]
"""An address without query and fragment, to which a path is added."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = meant(name, sorted(available_timezones()))
        guess = f', did you mean "{near}"?' if near else ""
        raise ValueError(f"is no time zone{guess} Write an IANA name, e.g. Europe/Berlin") from None
    return name


class Study(Section):
    """``study.toml``: everything that is specific to one study."""

    name: str
    """Name of the study, equal to the name of its folder in ``data/studies``."""
    title: str
    """Title of the report."""
    description: str
    """Patients and purpose of the study, in one sentence of the report."""
    note: str | None = None
    """A note for every reader of the report, e.g. that the patients do not exist."""
    drop: str
    """Folder of raw files below the project root."""
    centres: dict[CentreName, str] = Field(default_factory=dict)
    """Centre to its folder of raw files, if several centres deliver; each is received separately."""
    language: Language = SOURCE
    """Language of the report, the steward's page, the mails, and the texts of rules in ``sarcoma findings``:
    ``en`` or ``de``. Tables, CSV files and the Dagster UI are English; letters are in both languages."""
    owner: str = "data-team@example.org"
    """Owner of the data, shown in Dagster."""
    dagster_url: WebAddress = "http://localhost:3000"
    """Address of the Dagster UI, for links from the steward's page."""
    pages_url: WebAddress | None = None
    """Address under which the folder ``data/published`` is served, for links from the Dagster UI."""
    docs_url: WebAddress | None = None
    """Address of the folder ``docs`` of the program, for links from the Dagster UI."""
    time_zone: Annotated[str, AfterValidator(_known_zone)] | None = None
    """Time zone of the site (IANA name): of its days and of the nightly schedule. By default the one that
    ``TZ`` of the machine names, and Europe/Berlin where it names none or UTC."""
    published: str | None = None
    """CSV with the numbers of a published paper to compare with, below the project root."""
    published_map: str | None = None
    """CSV that says for every row of ``published`` how the number is computed from the cohort."""
    published_audit: str | None = None
    """CSV with the findings of an audit of the paper, which explain differences."""
    criteria: tuple[Criterion, ...]
    """Eligibility criteria, in this order; the flow counts each of them."""
    endpoints: tuple[EndpointRule, ...]
    """Endpoints: origin, events and censoring."""
    assumptions: Assumptions = Assumptions()
    """Choices of the study where the literature has several ways; every key has a default."""
    horizons_months: tuple[int, ...] = (12, 24, 36, 60)
    """Months at which survival is estimated."""
    covariates: tuple[Covariate, ...] = ()
    """Covariates of models and subgroups."""
    models: tuple[Model, ...] = ()
    """Cox models."""
    subgroups: tuple[str, ...] = ()
    """Factors among the covariates; each level gets a Kaplan–Meier curve, each factor a log-rank test."""
    cumulative_incidence: tuple[CompetingRisks, ...] = ()
    """Endpoints with competing causes."""
    censoring_variants: tuple[CensoringVariant, ...] = ()
    """Sensitivity runs with other censoring of an endpoint."""
    weighting: tuple[Weighting, ...] = ()
    """Pairs of treatments that are compared with inverse-probability weights."""
    validation: tuple[Validation, ...] = ()
    """Published prognostic models that are validated in this study's patients."""
    table_one: tuple[TableRow, ...] = ()
    """Blocks of Table 1, in this order."""
    table_one_by: str | None = None
    """A factor among the covariates: the report describes its levels side by side, with standardised
    differences. Public versions leave it out."""
    toxicity: tuple[ToxicityEndpoint, ...] = ()
    """Endpoints of toxicity, counted among the patients whose toxicity is documented."""
    structures: tuple[StructureNames, ...] = ()
    """What the site calls the structures of its plans; they come before the usual names."""
    dose_volume: DoseSettings = DoseSettings()
    """Volumes and doses of structures; the defaults if there is no ``[dose_volume]``."""
    dose_response: tuple[DoseResponse, ...] = ()
    """Curves of the risk of a toxicity by a dose."""
    dose_columns: tuple[DoseColumn, ...] = ()
    """Volumes and doses that models, Table 1 and subgroups use like columns of patients."""
    thresholds: tuple[Threshold, ...] = ()
    """Shares of records that may break a rule; without thresholds, no share makes a check fail."""
    gate: Gate = Gate()
    """Thresholds of the release gate; without ``[gate]``, the defaults."""
    statistics: Statistics = Statistics()
    """What the study declares about its models and p values; the defaults if there is no ``[statistics]``."""
    disclosure: Disclosure = Disclosure()
    """Limits of public reports and exports; without ``[disclosure]``, the defaults."""
