"""The words of ``sources.toml``: where raw files lie and how tables are mapped, checked by pydantic."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PositiveInt,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails


def folded(header: str) -> str:
    """Return what of a header counts: not its case, blanks, line breaks or normal form."""
    return " ".join(unicodedata.normalize("NFC", header).casefold().split())


class Section(BaseModel):
    """A part of a configuration file; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    date_format: str | tuple[str, ...] | None = None
    """strptime format, or several that are tried in order, when they differ from the table's."""
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
    """Header of the column that is looked at."""
    filled: bool | None = None
    """Whether the cell must be filled (true) or empty (false)."""
    equals: tuple[str, ...] = ()
    """Words of which the cell must be one, compared without case and outer blanks."""


class EntityMapping(Section):
    """One typed record per row of a table."""

    entity: Entity
    """What a row tells of."""
    when: tuple[When, ...] = ()
    """Conditions that a row must fulfil to tell of it; all of them."""
    columns: dict[str, ColumnMapping]
    """Column of the entity to a header, or to a table of what a column is mapped by."""

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, data: Any) -> Any:
        """``age = "Alter"`` is short for ``age = {column = "Alter"}``."""
        if not isinstance(data, dict) or not isinstance(data.get("columns"), dict):
            return data
        columns = {
            name: {"column": value} if isinstance(value, str) else value
            for name, value in data["columns"].items()
        }
        return {**data, "columns": columns}


class SourceFiles(Section):
    """Files that are read in the same way; each kind of source has a model of its own, which names it.

    A model registers itself under its ``kind: Literal["…"]``.
    """

    _AFTER_READING: ClassVar[frozenset[str]] = frozenset()
    """Fields that are applied to what was read: when they change, no file need be read again."""

    kind: str
    """Which reader reads the files."""
    name: str
    """Name of the source in findings and reports."""
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
    """Return the kind that a model of sources is for."""
    (kind,) = get_args(model.model_fields["kind"].annotation)
    return kind


class IgnoredColumns(Section):
    """Columns of a table that nothing uses, by name."""

    columns: tuple[str, ...]
    """Headers that nothing uses."""
    reason: str
    """Why nothing uses them."""


class ColumnFiles(SourceFiles):
    """Files with headers: each is mapped, ignored by name, or unknown."""

    ignored: tuple[IgnoredColumns, ...] = ()
    """Delivered headers that nothing uses. A notice names every other one that is not mapped."""

    def reasons(self) -> dict[str, str]:
        """Return ignored header to the reason."""
        return {column: one.reason for one in self.ignored for column in one.columns}


TableFormat = Literal["csv", "tsv", "xlsx", "parquet"]


class TableLayout(Section):
    """How a table is written: its format, where its header stands, and which rows are no records."""

    format: TableFormat
    """Format of the file."""
    delimiter: str | None = None
    """Character between the cells of a line; without it a comma in CSV and a tabulator in TSV."""
    encodings: tuple[str, ...] = ("utf-8-sig", "cp1252")
    """Encodings of a text file, tried in order; the first that decodes the whole file wins."""
    sheet: str | None = None
    """Name of the spreadsheet's sheet; without one the first that is not hidden."""
    header_row: PositiveInt | None = None
    """Row (in a text file: line) in which the headers stand, counted from 1; rows above are not read. Without
    it the first filled row."""
    skipped_rows: tuple[PositiveInt, ...] = ()
    """Rows (in a text file: lines) that are no records, such as a remark or a second header."""
    units_row: bool = False
    """Whether the row below the header holds units and no record."""
    comment: str | None = None
    """Text with which a line of remarks begins, such as "#"."""

    _USUAL_DELIMITERS: ClassVar[dict[str, str]] = {"csv": ",", "tsv": "\t"}

    @property
    def between_cells(self) -> str | None:
        """Delimiter of a text file; None for a format that has none."""
        usual = self._USUAL_DELIMITERS.get(self.format)
        return (self.delimiter or usual) if usual else None

    @property
    def native(self) -> bool:
        """Whether the format knows dates and numbers, and not only texts."""
        return self.format in ("xlsx", "parquet")

    def with_native(self, declared: tuple[str, ...]) -> tuple[str, ...]:
        """Return formats of dates; a date cell of a spreadsheet is a date whatever format is declared."""
        return tuple(dict.fromkeys((*declared, *(NATIVE_DATES if self.native else ()))))


NATIVE_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""How the readers write a date cell."""


class RegistrySource(TableLayout, ColumnFiles):
    """Replies of registry offices: any table with configurable headers."""

    _AFTER_READING = frozenset({"date_formats", "answers"})
    _USUAL_DELIMITERS = {"csv": ";", "tsv": "\t"}

    kind: Literal["registry"]
    """Replies of registry offices."""
    format: TableFormat = "csv"
    """Format of the file."""
    delimiter: str | None = None
    """Character between the cells of a line; without it a semicolon in CSV and a tabulator in TSV."""
    encodings: tuple[str, ...] = ("utf-8-sig", "latin-1")
    """Encodings of a text file, tried in order; the first that decodes the whole file wins."""
    columns: dict[str, str]
    """Column of ``received.registry_reply`` to delivered header."""
    date_formats: tuple[str, ...] = ("%d.%m.%Y", "%Y-%m-%d")
    """strptime formats of the office's dates, tried in order."""
    answers: dict[str, str] = {}
    """Words of the office to a vital status, besides the usual German ones; compared without case."""

    def formats_of_dates(self) -> tuple[str, ...]:
        """Return formats of the replies' dates, in the order in which they are tried."""
        return self.with_native(self.date_formats)


class ObdsSource(SourceFiles):
    """oBDS 3 XML exports."""

    kind: Literal["obds"]
    """oBDS 3 exports."""


class DicomSource(SourceFiles):
    """Folders of DICOM RT exports."""

    _AFTER_READING = frozenset({"phantom_patterns"})

    kind: Literal["dicom"]
    """DICOM RT exports."""
    phantom_patterns: tuple[str, ...] = ("(?i)phantom", "(?i)^qa[_^-]")
    """Regular expressions on PatientID and PatientName of plans that are nobody's."""


class MappedSource(ColumnFiles):
    """Rows with any headers and codes, mapped to typed records in ``sources.toml``.

    All cells are kept, so that a new mapping needs no reading.
    """

    _AFTER_READING = frozenset({"entities", "date_format", "decimal", "missing", "separator"})

    decimal: Literal[".", ","] = "."
    """Decimal sign of numbers; under a comma a dot only groups three digits."""
    date_format: str | tuple[str, ...] = "%Y-%m-%d"
    """strptime format of the table's dates, or several that are tried in order."""
    missing: tuple[str, ...] = ("", "NA", "N/A", "[Not Available]", "[Unknown]", "[Discrepancy]")
    """Words that stand for a missing value."""
    separator: str | None = None
    """A text that joins several values in one cell; a mapped cell that holds it gets a finding."""
    key: tuple[str, ...]
    """Headers that together name a row."""
    entities: tuple[EntityMapping, ...]
    """What a row tells of."""

    @property
    def native(self) -> bool:
        """Whether the format knows dates and numbers, and not only texts."""
        return False

    def date_formats(self, mapping: ColumnMapping) -> tuple[str, ...]:
        """Return formats of a column's dates, in the order in which they are tried."""
        declared = mapping.date_format or self.date_format
        return (declared,) if isinstance(declared, str) else declared

    def headers(self) -> list[str]:
        """Return every delivered header that the mapping needs, in order, once."""
        names = list(self.key)
        for entity in self.entities:
            names += [w.column for w in entity.when]
            names += [m.column for m in entity.columns.values() if m.column is not None]
        return list(dict.fromkeys(names))

    def reading(self) -> str:
        """Whatever of the source decides what is read from a file, as text; the headers that it needs do."""
        return f"{super().reading()} {','.join(self.headers())}"


class TableSource(TableLayout, MappedSource):
    """CSV, TSV, XLSX or Parquet."""

    kind: Literal["table"]
    """Tables."""

    def units(self) -> dict[str, str]:
        """Return header to the unit in which its numbers are read, where no scale is declared."""
        # Imported here: the contracts are not needed to read a configuration.
        from schemas.sources_meaning import units_of

        return units_of(self)

    def reading(self) -> str:
        """Whatever of the source decides what is read: the units that a row of units is held to do, too."""
        return super().reading() + (f" {sorted(self.units().items())}" if self.units_row else "")

    def date_formats(self, mapping: ColumnMapping) -> tuple[str, ...]:
        """Return formats of a column's dates, in the order in which they are tried."""
        return self.with_native(super().date_formats(mapping))


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
    """What lies in the drop folder, one entry per kind of file; the first whose pattern names a file reads
    it."""
    limits: Limits = DEFAULT_LIMITS
    """What a file may ask for; the defaults if the file has no ``[limits]``."""
    path_words: tuple[str, ...] = ()
    """Words that may stand in names of files and folders and name no patient; others are hidden on pages."""
    precedence: dict[str, tuple[str, ...]] = {
        "death": ("registry office", "oBDS", "table"),
        "radiotherapy": ("DICOM", "oBDS", "table"),
        "diagnosis": ("oBDS", "table"),
    }
    """Which source wins where two contradict each other; the first named wins. A dated death stands against a
    later statement of life unless ``death`` names the latter's source before every source of the death."""

    @field_validator("precedence")
    @classmethod
    def _every_topic(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Fill in the topics of which a study says nothing."""
        return {**cls.model_fields["precedence"].default, **given}
