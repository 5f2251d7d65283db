"""Define ``sources.toml``, checked by pydantic: where raw files are and how tables are mapped."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    BeforeValidator,
    PositiveInt,
    SerializeAsAny,
    ValidationError,
    field_validator,
)
from pydantic_core import InitErrorDetails

from schemas.entity_mapping import ColumnMapping, EntityMapping
from schemas.toml_section import Section


class SourceFiles(Section):
    """Files that are read in the same way; each kind of source has its own model.

    A model registers itself under its ``kind: Literal["…"]``.
    """

    _AFTER_READING: ClassVar[frozenset[str]] = frozenset()
    """Fields used only after reading: if they change, no file needs to be read again."""

    kind: str
    """Kind of the source; it decides which reader is used."""
    name: str
    """Name of the source in findings and reports."""
    files: tuple[str, ...]
    """Glob patterns below the drop folder."""
    system: str = ""
    """System in which the sender corrects a record, such as the name of the tumour documentation."""
    owner: str = ""
    """Who is responsible for the source: an office or a function, to whom letters are addressed."""
    contact: str = ""
    """Address for questions to the owner, such as an e-mail address."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if get_origin(cls.model_fields["kind"].annotation) is Literal:
            known = KINDS.setdefault(kind_of(cls), cls)
            if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
                raise TypeError(f"two models of sources of kind {kind_of(cls)!r}")

    def reading(self) -> str:
        """Return the settings that affect reading a file, as text."""
        return self.model_dump_json(exclude={"files", *SENDER, *self._AFTER_READING})


SENDER = ("system", "owner", "contact")
"""Fields on the sender, which change no value."""

KINDS: dict[str, type[SourceFiles]] = {}
"""Kind of source to the model of its configuration."""


def kind_of(model: type[SourceFiles]) -> str:
    """Return the kind that a model of sources is for."""
    (kind,) = get_args(model.model_fields["kind"].annotation)
    return kind


class IgnoredColumns(Section):
    """Columns of a table that are ignored, by name."""

    columns: tuple[str, ...]
    """Headers that are ignored."""
    reason: str
    """Why they are ignored."""


class ColumnFiles(SourceFiles):
    """Files with headers, each of which is mapped, ignored by name, or unknown."""

    ignored: tuple[IgnoredColumns, ...] = ()
    """Delivered headers that are ignored. All others that are not mapped are reported in a notice."""

    def reasons(self) -> dict[str, str]:
        """Return ignored header to the reason."""
        return {column: one.reason for one in self.ignored for column in one.columns}


TableFormat = Literal["csv", "tsv", "xlsx", "parquet"]


class TableLayout(Section):
    """Layout of a table: its format, the position of its header, and rows that are not records."""

    format: TableFormat
    """Format of the file."""
    delimiter: str | None = None
    """Character between the cells of a line; default: comma for CSV, tab for TSV."""
    encodings: tuple[str, ...] = ("utf-8-sig", "cp1252")
    """Encodings of a text file, tried in order; the first that decodes the whole file is used."""
    sheet: str | None = None
    """Name of the spreadsheet's sheet; default: the first visible one."""
    header_row: PositiveInt | None = None
    """Row of the headers (in a text file: line), counted from 1; rows above are not read. Default: the
    first filled row."""
    skipped_rows: tuple[PositiveInt, ...] = ()
    """Rows (in a text file: lines) that are not records, such as a remark or a second header."""
    units_row: bool = False
    """Whether the row below the header contains units instead of a record."""
    comment: str | None = None
    """Text at the beginning of a remark line, such as "#"."""

    _USUAL_DELIMITERS: ClassVar[dict[str, str]] = {"csv": ",", "tsv": "\t"}

    @property
    def between_cells(self) -> str | None:
        """Delimiter of a text file; None for other formats."""
        usual = self._USUAL_DELIMITERS.get(self.format)
        return (self.delimiter or usual) if usual else None

    @property
    def native(self) -> bool:
        """Whether the format has dates and numbers, not only texts."""
        return self.format in ("xlsx", "parquet")

    @property
    def spreadsheet(self) -> bool:
        """Whether the format of a cell may hide that it is a date, or a number."""
        return self.format == "xlsx"

    def dates(self) -> list[str]:
        """Return the headers of columns that are mapped to a date."""
        return []

    def with_native(self, declared: tuple[str, ...]) -> tuple[str, ...]:
        """Return date formats.

        A date cell of a spreadsheet is always read, regardless of the declared formats.
        """
        return tuple(dict.fromkeys((*declared, *(NATIVE_DATES if self.native else ()))))


COUNTED_FROM_1904 = " (1904)"
"""What a reader appends to the number of a day that a workbook counts from 1904."""
NATIVE_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""Formats in which the readers write a date cell."""


class RegistrySource(TableLayout, ColumnFiles):
    """Replies of registry offices: any table with configurable headers."""

    _AFTER_READING = frozenset({"date_formats", "answers"})
    _USUAL_DELIMITERS = {"csv": ";", "tsv": "\t"}

    kind: Literal["registry"]
    """Replies of registry offices."""
    format: TableFormat = "csv"
    """Format of the file."""
    delimiter: str | None = None
    """Character between the cells of a line; default: semicolon for CSV, tab for TSV."""
    encodings: tuple[str, ...] = ("utf-8-sig", "latin-1")
    """Encodings of a text file, tried in order; the first that decodes the whole file is used."""
    columns: dict[str, str]
    """Column of ``received.registry_reply`` to delivered header."""
    date_formats: tuple[str, ...] = ("%d.%m.%Y", "%Y-%m-%d")
    """strptime formats of the office's dates, tried in order."""
    answers: dict[str, str] = {}
    """Words of the office to a vital status, in addition to the usual German ones; compared without case."""

    def formats_of_dates(self) -> tuple[str, ...]:
        """Return the date formats of the replies, in the order in which they are tried."""
        return self.with_native(self.date_formats)

    def dates(self) -> list[str]:
        """Return the headers of columns that are mapped to a date."""
        return [self.columns[name] for name in _DATES_OF_REPLIES if name in self.columns]


_DATES_OF_REPLIES = ("birth_date", "event_date", "answered_on")


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
    """Regular expressions for PatientID and PatientName of plans for phantoms."""


class MappedSource(ColumnFiles):
    """Rows with any headers and codes, mapped to typed records in ``sources.toml``.

    All cells are kept, so that a new mapping does not need the files to be read again.
    """

    _AFTER_READING = frozenset({"entities", "date_format", "decimal", "exported_on", "missing", "separator"})

    decimal: Literal[".", ","] = "."
    """Decimal sign of numbers; with a comma, a dot can only group three digits."""
    date_format: str | tuple[str, ...] = "%Y-%m-%d"
    """One strptime format of the table's dates or several, tried in order."""
    exported_on: dt.date | str | None = None
    """Header of the column with the day of the export, or that day: later dates get a finding."""
    missing: tuple[str, ...] = ("", "NA", "N/A", "[Not Available]", "[Unknown]", "[Discrepancy]")
    """Words for a missing value."""
    separator: str | None = None
    """Text between several values in one cell; a mapped cell that contains it gets a finding."""
    key: tuple[str, ...]
    """Headers that together identify a row."""
    entities: tuple[EntityMapping, ...]
    """Records that a row gives."""

    @property
    def native(self) -> bool:
        """Whether the format has dates and numbers, not only texts."""
        return False

    @property
    def spreadsheet(self) -> bool:
        """Whether the format of a cell may hide that it is a date, or a number."""
        return False

    def date_formats(self, mapping: ColumnMapping) -> tuple[str, ...]:
        """Return the date formats of a column, in the order in which they are tried."""
        declared = mapping.date_format or self.date_format
        return (declared,) if isinstance(declared, str) else declared

    def headers(self) -> list[str]:
        """Return every delivered header that the mapping needs, in order, without repeats."""
        names = [*self.key, *([self.exported_on] if isinstance(self.exported_on, str) else [])]
        for entity in self.entities:
            names += [w.column for w in entity.when]
            names += [m.column for m in entity.columns.values() if m.column is not None]
        return list(dict.fromkeys(names))

    def reading(self) -> str:
        """Return the settings that affect reading a file, including the required headers, as text."""
        return f"{super().reading()} {','.join(self.headers())}"


class TableSource(TableLayout, MappedSource):
    """CSV, TSV, XLSX or Parquet."""

    kind: Literal["table"]
    """Tables."""
    totals: tuple[str, ...] = ()
    """Words in the key of a row that sums up others, besides the usual ones (Summe, Total, Mittelwert …): the
    row is not read, and a finding says so."""

    def units(self) -> dict[str, str]:
        """Return header to the unit of its numbers, for columns without a declared scale."""
        # Imported here: the contracts are not needed to read a configuration.
        from schemas.mapped_columns import units_of

        return units_of(self.entities)

    def dates(self) -> list[str]:
        """Return the headers of columns that are mapped to a date."""
        # Imported here: the contracts are not needed to read a configuration.
        from schemas.mapped_columns import dates_of

        return dates_of(self.entities, self.exported_on)

    def reading(self) -> str:
        """Return the settings that affect reading a file, including the units that a units row must name."""
        units = f" {sorted(self.units().items())}" if self.units_row else ""
        return super().reading() + units + (f" dates {self.dates()}" if self.spreadsheet else "")

    def date_formats(self, mapping: ColumnMapping) -> tuple[str, ...]:
        """Return the date formats of a column, in the order in which they are tried."""
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
"""A source of any known kind."""


class Limits(Section):
    """Limits for a single file; a file above a limit becomes a finding, and the refresh goes on.

    The size of a file alone is not limited, because most formats are streamed; only content that must be in
    memory counts.
    """

    held_bytes: PositiveInt = 256 * 1024**2
    """Content that must be in memory as a whole: an unpacked spreadsheet, a Parquet file, a DICOM header."""
    record_bytes: PositiveInt = 16 * 1024**2
    """One record of an XML export, or one sequence of a DICOM file, which is parsed in one piece."""
    line_chars: PositiveInt = 1024**2
    """One line of a delimited file."""
    columns: PositiveInt = 10_000
    """Columns of a table."""
    records: PositiveInt = 1_000_000
    """Records of one file, including those that could not be read."""
    elements: PositiveInt = 1_000_000
    """Reads that a DICOM header may need."""
    items: PositiveInt = 200_000
    """Items of one DICOM sequence, including nested ones."""
    native_seconds: PositiveInt = 300
    """Time limit for a spreadsheet or a Parquet file, which is read in a separate process."""


DEFAULT_LIMITS = Limits()


class Sources(Section):
    """``sources.toml``: the content of the drop folder and how to read it."""

    source: tuple[Source, ...]
    """Sources of the drop folder, one entry per kind of file; a file belongs to the first source with a
    matching pattern."""
    limits: Limits = DEFAULT_LIMITS
    """Limits for a single file; without ``[limits]``, the defaults."""
    path_words: tuple[str, ...] = ()
    """Words in file and folder names that name no patient; all other words are hidden on pages."""
    precedence: dict[str, tuple[str, ...]] = {
        "death": ("registry office", "oBDS", "table"),
        "radiotherapy": ("DICOM", "oBDS", "table"),
        "diagnosis": ("oBDS", "table"),
    }
    """Which source takes precedence if two contradict each other: the first named. A dated death overrules
    a later statement of life, unless ``death`` names that statement's source before every source of the
    death."""

    @field_validator("precedence")
    @classmethod
    def _every_topic(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Fill in the topics that a study does not mention."""
        return {**cls.model_fields["precedence"].default, **given}
