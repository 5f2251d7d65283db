"""The words of a study's configuration: ``study.toml`` and ``sources.toml``, checked by pydantic.

A study is configuration only. An unknown key, a wrong type or a contradiction is an error with its place.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    SerializeAsAny,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails

from schemas.assumptions import Assumptions
from schemas.configuration_faults import ConfigurationWrong, Fault, fault, of_validation, parsed
from schemas.disclosure import Disclosure
from schemas.gate import Gate


class Section(BaseModel):
    """A part of a configuration file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# --- sources.toml -----------------------------------------------------------------------------------

Entity = Literal[
    "person", "diagnosis", "surgery", "radiotherapy", "systemic_therapy", "assessment", "vital_status"
]


class ColumnMapping(Section):
    """Where a typed column's value comes from in a table, and how it is written there."""

    column: str | None = None
    """Header of the delivered column."""
    constant: str | None = None
    """The same value for every row, instead of a column."""
    codes: dict[str, str] = {}
    """Delivered code (compared without case and outer blanks) to the vocabulary's code."""
    date_format: str | None = None
    """strptime format, when it differs from the table's."""
    precision: Literal["day", "month", "year"] = "day"
    """What a date of this column is exact to."""
    scale: float = 1.0
    """Factor from the delivered unit to the contract's."""
    first_of: str | None = None
    """Separator of several values in a cell: the first counts, and a finding says so."""

    @model_validator(mode="after")
    def _one_origin(self) -> ColumnMapping:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either 'column' or 'constant'")
        return self


class When(Section):
    """A condition on a row: only rows that fulfil it yield the entity."""

    column: str
    filled: bool | None = None
    equals: tuple[str, ...] = ()


class EntityMapping(Section):
    """One typed record per row of a table."""

    entity: Entity
    when: tuple[When, ...] = ()
    columns: dict[str, ColumnMapping]

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, data: Any) -> Any:
        """``age = "Alter"`` is short for ``age = {column = "Alter"}``."""
        columns = {
            name: {"column": value} if isinstance(value, str) else value
            for name, value in data.get("columns", {}).items()
        }
        return {**data, "columns": columns}


class SourceFiles(Section):
    """Files that are read in the same way; each kind of source has a model of its own, which names it.

    A model registers itself under its ``kind: Literal["…"]``.
    """

    _AFTER_READING: ClassVar[frozenset[str]] = frozenset()
    """Fields that are applied to what was read: when they change, no file need be read again."""

    kind: str
    name: str
    files: tuple[str, ...]
    """Glob patterns below the drop folder."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if get_origin(cls.model_fields["kind"].annotation) is Literal:
            known = KINDS.setdefault(kind_of(cls), cls)
            if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
                raise TypeError(f"two models of sources of kind {kind_of(cls)!r}")

    def reading(self) -> str:
        """Whatever of the source decides what is read from a file, as text."""
        return self.model_dump_json(exclude={"files", *self._AFTER_READING})


KINDS: dict[str, type[SourceFiles]] = {}
"""Kind of source to the model of its configuration."""


def kind_of(model: type[SourceFiles]) -> str:
    """The kind that a model of sources is for."""
    (kind,) = get_args(model.model_fields["kind"].annotation)
    return kind


class IgnoredColumns(Section):
    """Columns of a table that nothing uses, by name."""

    columns: tuple[str, ...]
    reason: str


class ColumnFiles(SourceFiles):
    """Files with headers: each is mapped, ignored by name, or unknown."""

    ignored: tuple[IgnoredColumns, ...] = ()
    """Delivered headers that nothing uses. A notice names every other one that is not mapped."""

    def reasons(self) -> dict[str, str]:
        """Ignored header to the reason."""
        return {column: one.reason for one in self.ignored for column in one.columns}


class RegistrySource(ColumnFiles):
    """Replies of registry offices: CSV with configurable headers."""

    _AFTER_READING = frozenset({"date_formats"})

    kind: Literal["registry"]
    delimiter: str = ";"
    encodings: tuple[str, ...] = ("utf-8-sig", "latin-1")
    """Tried in order; the first that decodes the whole file wins."""
    columns: dict[str, str]
    """Column of ``received.registry_reply`` to delivered header."""
    date_formats: tuple[str, ...] = ("%d.%m.%Y", "%Y-%m-%d")


class ObdsSource(SourceFiles):
    """oBDS 3 XML exports."""

    kind: Literal["obds"]


class DicomSource(SourceFiles):
    """Folders of DICOM RT exports."""

    _AFTER_READING = frozenset({"phantom_patterns"})

    kind: Literal["dicom"]
    phantom_patterns: tuple[str, ...] = ("(?i)phantom", "(?i)^qa[_^-]")
    """Regular expressions on PatientID and PatientName of plans that are nobody's."""


class MappedSource(ColumnFiles):
    """Rows with any headers and codes, mapped to typed records in ``sources.toml``.

    All cells are kept, so that a new mapping needs no reading.
    """

    _AFTER_READING = frozenset({"entities", "date_format", "decimal", "missing", "separator"})

    decimal: Literal[".", ","] = "."
    date_format: str = "%Y-%m-%d"
    missing: tuple[str, ...] = ("", "NA", "N/A", "[Not Available]", "[Unknown]", "[Discrepancy]")
    separator: str | None = None
    """A text that joins several values in one cell; a mapped cell that holds it gets a finding."""
    key: tuple[str, ...]
    """Headers that together name a row."""
    entities: tuple[EntityMapping, ...]

    def headers(self) -> list[str]:
        """Every delivered header that the mapping needs, in order, once."""
        names = list(self.key)
        for entity in self.entities:
            names += [w.column for w in entity.when]
            names += [m.column for m in entity.columns.values() if m.column is not None]
        return list(dict.fromkeys(names))

    def reading(self) -> str:
        """Whatever of the source decides what is read from a file, as text; the headers that it needs do."""
        return f"{super().reading()} {','.join(self.headers())}"


class TableSource(MappedSource):
    """CSV, TSV, XLSX or Parquet."""

    kind: Literal["table"]
    format: Literal["csv", "tsv", "xlsx", "parquet"]
    delimiter: str | None = None
    encodings: tuple[str, ...] = ("utf-8-sig", "cp1252")
    sheet: str | None = None


def _of_its_kind(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    kind = given.get("kind")
    if kind not in KINDS:
        known = ", ".join(f"'{one}'" for one in sorted(KINDS))
        wrong = (
            InitErrorDetails(type="literal_error", loc=("kind",), input=kind, ctx={"expected": known})
            if "kind" in given
            else InitErrorDetails(type="missing", loc=("kind",), input=given)
        )
        raise ValidationError.from_exception_data("Source", [wrong])
    return KINDS[kind].model_validate(given)


Source = Annotated[SerializeAsAny[SourceFiles], BeforeValidator(_of_its_kind)]
"""A source of any kind that is known."""


class Limits(Section):
    """What a single file may ask for; whatever asks for more becomes a finding and the night goes on.

    A file's size alone is no fault: whatever can be streamed is, and only what must be held counts.
    """

    held_bytes: PositiveInt = 256 * 1024**2
    """What must be in memory as a whole: a spreadsheet unpacked, a Parquet file, a DICOM header."""
    record_bytes: PositiveInt = 16 * 1024**2
    """One record of an XML export, or one sequence of a DICOM file: what is parsed in one piece."""
    line_chars: PositiveInt = 1024**2
    """One line of a delimited file."""
    columns: PositiveInt = 10_000
    """Of a table."""
    records: PositiveInt = 1_000_000
    """Of one file, what could not be read included."""
    elements: PositiveInt = 1_000_000
    """Parts of elements that a DICOM header is read from."""
    items: PositiveInt = 200_000
    """Of one DICOM sequence, those nested in it included."""
    native_seconds: PositiveInt = 300
    """For a spreadsheet or a Parquet file, which a process of its own reads."""


DEFAULT_LIMITS = Limits()


class Sources(Section):
    """``sources.toml``: what lies in the drop folder and how to read it."""

    source: tuple[Source, ...]
    limits: Limits = DEFAULT_LIMITS
    """What a file may ask for; the defaults if the file has no ``[limits]``."""
    precedence: dict[str, tuple[str, ...]] = {
        "death": ("registry office", "oBDS", "table"),
        "radiotherapy": ("DICOM", "oBDS", "table"),
        "diagnosis": ("oBDS", "table"),
    }
    """Which source wins where two contradict each other; the first named wins."""


# --- study.toml -------------------------------------------------------------------------------------


class Criterion(Section):
    """One step of the eligibility flow, applied in the order of the file."""

    name: str
    rule: Literal[
        "histology", "site", "no_metastasis", "curative", "radiotherapy", "window", "observed", "known"
    ]
    label: str
    values: tuple[str, ...] = ()
    """What is allowed: regions, RT sequences …, as the rule needs."""
    techniques: tuple[str, ...] = ()
    start: dt.date | None = None
    end: dt.date | None = None
    column: str | None = None
    """For ``known``: the covariate that must not be missing."""


EndpointName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]

EventKind = Literal[
    "death",
    "tumour-related death",
    "other death",
    "local relapse",
    "regional relapse",
    "distant relapse",
    "relapse of unknown site",
    "progression under treatment",
    "residual tumour",
    "second malignancy",
]
"""`schemas.vocabularies.EVENT_KIND` without the censored time."""

Milestone = Literal["diagnosis", "radiotherapy start", "radiotherapy end", "definitive resection"]
"""A day of the treatment that an endpoint may be counted from, or that a patient may enter at."""


class EndpointRule(Section):
    """Which events end an endpoint, what censors it, and from when on a patient is at risk."""

    name: EndpointName
    title: str
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
    column: str
    kind: Literal["continuous", "factor"]
    reference: str | None = None
    levels: tuple[str, ...] = ()
    merge: dict[str, str] = {}
    """Levels to join before the model: ``{"postoperative additive" = "postoperative"}``."""
    labels: dict[str, str] = {}
    """How a contrast is printed: level to label, e.g. ``{"female" = "Female vs. male"}``."""


class Model(Section):
    """A multivariable Cox model."""

    name: str
    endpoint: EndpointName
    title: str
    covariates: tuple[str, ...]


class CompetingRisks(Section):
    """A cumulative incidence: the events of an endpoint, told apart by cause."""

    name: str
    endpoint: EndpointName
    title: str
    causes: dict[str, tuple[str, ...]]
    """Cause to the kinds of event that count as it; the causes compete with each other."""


class CensoringVariant(Section):
    """A sensitivity run in which an endpoint is censored otherwise: other events, another day, or earlier."""

    name: str
    endpoint: EndpointName
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
    column: str
    kind: Literal["median", "factor"]
    levels: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    unit: str | None = None
    decimals: int = 0
    """Printed decimals of a number."""
    where: dict[str, tuple[str, ...]] = {}
    """Only patients whose column has one of these values."""


CentreName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*$")]
"""It names schemas of the warehouse, and stands before the paths of the centre's files."""


class Study(Section):
    """``study.toml``: everything that makes one study differ from another."""

    name: str
    title: str
    description: str
    note: str | None = None
    """What every reader of the report must know first, e.g. that the patients do not exist."""
    drop: str
    """Folder of raw files below the project root."""
    centres: dict[CentreName, str] = {}
    """Centre to its folder of raw files, where several deliver; each is received by itself."""
    owner: str = "data-team@example.org"
    published: str | None = None
    """CSV of a paper's numbers to compare with, below the project root."""
    published_map: str | None = None
    """CSV that says, row by row of ``published``, how the number is had from the cohort."""
    published_audit: str | None = None
    """CSV of what an audit of the paper found, to explain differences with."""
    criteria: tuple[Criterion, ...]
    endpoints: tuple[EndpointRule, ...]
    assumptions: Assumptions = Assumptions()
    """What the study chose where the literature has several ways; every key has a default."""
    horizons_months: tuple[int, ...] = (12, 24, 36, 60)
    covariates: tuple[Covariate, ...] = ()
    models: tuple[Model, ...] = ()
    subgroups: tuple[str, ...] = ()
    """Factors among the covariates whose levels get a Kaplan–Meier curve each and a log-rank test."""
    cumulative_incidence: tuple[CompetingRisks, ...] = ()
    censoring_variants: tuple[CensoringVariant, ...] = ()
    table_one: tuple[TableRow, ...] = ()
    gate: Gate = Gate()
    """What the release must keep; the defaults if the file has no ``[gate]``."""
    disclosure: Disclosure = Disclosure()
    """What a public report or export may tell; the defaults if the file has no ``[disclosure]``."""

    @model_validator(mode="after")
    def _kinds_are_those_of_the_endpoint(self) -> Study:
        events = {e.name: set(e.events) for e in self.endpoints}
        for risks in self.cumulative_incidence:
            kinds = [kind for of in risks.causes.values() for kind in of]
            if len(kinds) != len(set(kinds)) or set(kinds) != events.get(risks.endpoint, set()):
                raise ValueError(
                    f"the causes of cumulative incidence {risks.name} must name every event of "
                    f"{risks.endpoint} once"
                )
        days = {e.name: e.censor for e in self.endpoints}
        named = [(variant.endpoint, variant.name) for variant in self.censoring_variants]
        if len(named) != len(set(named)):
            raise ValueError("two censoring_variants of an endpoint have the same name")
        for variant in self.censoring_variants:
            if not set(variant.censor) < events.get(variant.endpoint, set()):
                raise ValueError(f"{variant.name} must censor some, not all, of {variant.endpoint}'s events")
            if variant.date and variant.date == days[variant.endpoint]:
                raise ValueError(f"{variant.name} is the main analysis: {variant.endpoint} ends on that day")
        return self

    @model_validator(mode="after")
    def _paper_is_complete(self) -> Study:
        files = (self.published, self.published_map, self.published_audit)
        if any(files) and not all(files):
            raise ValueError("give 'published', 'published_map' and 'published_audit' together, or none")
        return self


def load_study(folder: Path) -> tuple[Study, Sources]:
    """Read ``study.toml`` and ``sources.toml`` of a study's folder, and check what they mean.

    Raises:
        ConfigurationWrong: a file is missing, is no TOML, has an unknown key or a wrong value, or names what
            does not exist. All faults of both files are told at once.
    """
    # The checks know every contract; the contracts know nothing of configurations.
    from schemas import configuration_meaning as meaning

    folder = folder.resolve()
    found: dict[str, Study | Sources] = {}
    faults: list[Fault] = []
    for file, model in (("study.toml", Study), ("sources.toml", Sources)):
        try:
            text = (folder / file).read_text("utf-8")
            found[file] = read = model.model_validate(parsed(file, text))
        except ConfigurationWrong as wrong:
            faults += wrong.faults
        except ValidationError as wrong:
            faults += of_validation(file, text, wrong)
        except OSError as missing:
            faults.append(Fault(file, None, "", f"cannot be read: {missing.strerror}"))
        except UnicodeDecodeError as broken:
            faults.append(Fault(file, None, "", f"is not UTF-8 (byte {broken.start})"))
        else:
            of = meaning.of_study(read, folder.name) if isinstance(read, Study) else meaning.of_sources(read)
            faults += [fault(file, text, loc, message) for loc, message in of]
    if faults:
        raise ConfigurationWrong(faults)
    return found["study.toml"], found["sources.toml"]  # pyright: ignore[reportReturnType]
