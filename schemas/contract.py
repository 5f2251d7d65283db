"""Define contracts: a pandera model per table, with its columns and the rules for its records.

This module holds only what all contracts share; the contracts are in the modules next to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import polars as pl

from schemas.code_lists import CodeList
from schemas.pandera_polars import without_pandas  # before pandera, which it imports
from schemas.rule import Rule

# isort: split
import pandera.polars as pa
from pandera.api.dataframe.model_components import FieldInfo

Identifying = Literal["identifier", "quasi-identifier", "clinical"]
Unreadable = Literal["error", "warning"]

TextList: TypeAlias = Annotated[pl.List, pl.String]
"""Dtype of a column that holds a list of texts."""

NumberList: TypeAlias = Annotated[pl.List, pl.Float64]
"""Dtype of a column that holds a list of numbers."""

CONTRACTS: dict[str, type[Contract]] = {}


class ContractBroken(Exception):
    """A frame does not have the columns or dtypes of its contract: a fault of the program."""


def column(
    title: str,
    description: str,
    *,
    nullable: bool = True,
    unit: str | None = None,
    identifying: Identifying = "clinical",
    vocabulary: str | None = None,
    unreadable: Unreadable = "warning",
    listed: CodeList | None = None,
    unique: bool = False,
) -> Any:
    """Declare a column.

    Args:
        title: short name for people.
        description: meaning of the value, with its source.
        nullable: whether the value may be missing.
        unit: unit of a number.
        identifying: an ``identifier`` never leaves the warehouse.
        vocabulary: name of the code list in ``schemas.vocabularies``.
        unreadable: severity if the delivered text cannot be read as this column's type.
        listed: the codes of a column that is kept as delivered; another text is a finding.
        unique: whether every value may occur only once.
    """
    return pa.Field(
        nullable=nullable,
        unique=unique,
        title=title,
        description=description,
        metadata={
            "unit": unit,
            "identifying": identifying,
            "vocabulary": vocabulary,
            "unreadable": unreadable,
            "listed": listed,
        },
    )


_LISTS: dict[Any, pl.DataType] = {TextList: pl.List(pl.String), NumberList: pl.List(pl.Float64)}
_DTYPES: dict[str, pl.DataType] = {
    **{f"pl.{t}": t() for t in (pl.String, pl.Int32, pl.Int64, pl.Float64, pl.Boolean, pl.Date)},
    "TextList": _LISTS[TextList],
    "NumberList": _LISTS[NumberList],
}
"""Annotation of a column, as the text that the contracts' modules keep, to its dtype."""

_SQL = {
    "String": "VARCHAR",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "Float64": "DOUBLE",
    "Boolean": "BOOLEAN",
    "Date": "DATE",
    "List(String)": "VARCHAR[]",
    "List(Float64)": "DOUBLE[]",
}


@dataclass(frozen=True)
class ColumnSpec:
    """A column as its contract declares it, for DDL, dictionary and Dagster metadata."""

    table: str
    name: str
    dtype: str
    sql_type: str
    nullable: bool
    title: str
    description: str
    unit: str | None
    identifying: Identifying
    vocabulary: str | None
    unreadable: Unreadable
    listed: CodeList | None = None

    @property
    def comment(self) -> str:
        """Title, description and unit in one line, for a DuckDB ``COMMENT``."""
        unit = f" [{self.unit}]" if self.unit else ""
        codes = f" Codes: {self.vocabulary}." if self.vocabulary else ""
        return f"{self.title}{unit}. {self.description}{codes}"


class Contract(pa.DataFrameModel):
    """Base class of every table's contract.

    Example: ``class Surgery(Base, table="typed.surgery", rules=SURGERY_RULES)``; its docstring describes one
    row. A class without a table is a set of columns to inherit.
    """

    _table: ClassVar[str] = ""
    _rules: ClassVar[tuple[Rule, ...]] = ()
    _judges_data: ClassVar[bool] = False
    """Whether a broken rule is a fault of a record (a finding), not of the program."""

    class Config:
        """Columns are neither added, removed nor cast: the checked frame is the written one."""

        strict = True

    def __init_subclass__(cls, *, table: str = "", rules: tuple[Rule, ...] = (), **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._table = table
        cls._rules = cls._rules + rules
        if table:
            CONTRACTS[table] = cls

    @classmethod
    def table(cls) -> str:
        """Name of the table, ``schema.table``."""
        return cls._table

    @classmethod
    def rules(cls) -> tuple[Rule, ...]:
        """Return the record rules, those of the base classes first."""
        return cls._rules

    @classmethod
    def columns(cls) -> list[ColumnSpec]:
        """Return the columns in order."""
        return list(_columns(cls))

    @classmethod
    def unique_columns(cls) -> frozenset[str]:
        """Return the columns in which every value may occur only once."""
        return frozenset(name for name, col in _declared(cls).items() if col.unique)

    @classmethod
    def polars_schema(cls) -> pl.Schema:
        """Return column names and polars dtypes, in order."""
        return pl.Schema(_dtypes(cls))

    @classmethod
    def empty(cls) -> pl.DataFrame:
        """Return a frame of this contract with no row."""
        # A clone shares its columns; changing it does not change the cached frame.
        return _empty(cls).clone()

    @classmethod
    def conform(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with exactly the contract's columns.

        Missing columns are null, others are left out, dtypes are cast.
        """
        if frame.is_empty() or not frame.width:
            # Selecting literals from a frame without columns would give one row.
            return cls.empty()
        have = frame.schema
        wanted = _dtypes(cls)
        if have == wanted:
            return frame
        return frame.select(
            (pl.col(n) if have[n] == t else pl.col(n).cast(t)) if n in have else _missing(n, t)
            for n, t in wanted.items()
        )

    @classmethod
    def failures(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """Return rows that break a rule of this contract.

        Args:
            frame: a frame with the contract's columns.

        Returns:
            ``row`` (Int32, position in the frame), ``rule_id``, ``column``; one row per failure.
            A null in a column that must not be null is rule ``value.missing``.

        Raises:
            ContractBroken: columns or dtypes are not the contract's.
        """
        wanted, have = _dtypes(cls), frame.schema
        odd = sorted(n for n in {*wanted, *have} if have.get(n) != wanted.get(n))
        if odd:
            raise ContractBroken(f"{cls._table}: missing, unknown or of another type: {odd}")
        found = pl.DataFrame(schema={"row": pl.Int32, "rule_id": pl.String, "column": pl.String})
        if frame.is_empty():
            return found
        # Pandera searches the failures of each check separately, which is slow: only broken columns are
        # checked.
        bad = _at_fault(cls, frame)
        if not bad:
            return found
        rules = {column: _with_rules(cls).columns[column] for column in bad}
        try:
            with without_pandas():
                pa.DataFrameSchema(rules).validate(frame, lazy=True)
        except pa.errors.SchemaErrors as broken:
            found = broken.failure_cases.select(
                row=pl.col("index"),
                rule_id=pl.col("check").replace(
                    {"not_nullable": "value.missing", "field_uniqueness": "value.repeated"}
                ),
                column=pl.col("column"),
            )
        if found["row"].null_count():
            # A check that crashed has no row; it must not look like bad data.
            raise ContractBroken(f"{cls._table}: a check crashed: {sorted(set(found['rule_id']))}")
        return found

    @classmethod
    def enforce(cls, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame, or raise :class:`ContractBroken` with the broken rules (never the values).

        In tables that the pipeline makes itself, a failure is a fault of the program. A table whose rules
        judge delivered records contains broken ones too; only its columns and dtypes are enforced.
        """
        if cls._judges_data:
            if frame.schema != _dtypes(cls):
                raise ContractBroken(f"{cls._table}: other columns or dtypes than the contract's")
            return frame
        failed = cls.failures(frame)
        if failed.height:
            rules = failed.select("rule_id", "column").unique().sort("rule_id", "column").rows()
            raise ContractBroken(f"{cls._table}: {failed.height} failures of {rules}")
        return frame

    @classmethod
    def ddl(cls, table: str | None = None) -> Iterator[str]:
        """Yield SQL that creates the table and documents it."""
        name = table or cls._table
        must = "" if cls._judges_data else " NOT NULL"
        body = ", ".join(f'"{c.name}" {c.sql_type}{"" if c.nullable else must}' for c in cls.columns())
        yield f"CREATE TABLE IF NOT EXISTS {name} ({body})"
        yield from cls.comments(name)

    @classmethod
    def comments(cls, table: str | None = None) -> Iterator[str]:
        """Yield SQL ``COMMENT`` statements for the table and its columns."""
        name = table or cls._table
        yield f"COMMENT ON TABLE {name} IS {_quote(cls.describe())}"
        for c in cls.columns():
            yield f'COMMENT ON COLUMN {name}."{c.name}" IS {_quote(c.comment)}'

    @classmethod
    def describe(cls) -> str:
        """Return the description of one row: the first paragraph of the docstring."""
        return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


def _quote(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class _Declared:
    """A column as its class declares it; pandera's schema says the same, but takes 2 ms a table to build."""

    dtype: pl.DataType
    info: Any

    @property
    def nullable(self) -> bool:
        return bool(self.info.nullable)

    @property
    def unique(self) -> bool:
        return bool(self.info.unique)


def _dtype(annotation: Any) -> pl.DataType:
    if isinstance(annotation, str):
        return _DTYPES[annotation]
    # A contract made at run time has types.
    return _LISTS[annotation] if annotation in _LISTS else annotation()


@cache
def _declared(contract: type[Contract]) -> dict[str, _Declared]:
    """Return the columns in pandera's order: those of the base classes first."""
    found: dict[str, _Declared] = {}
    for base in reversed(contract.__mro__):
        written = base.__dict__
        for name, annotation in written.get("__annotations__", {}).items():
            if isinstance(info := written.get(name), FieldInfo):
                found[name] = _Declared(_dtype(annotation), info)
    return found


@cache
def _columns(contract: type[Contract]) -> tuple[ColumnSpec, ...]:
    specs = []
    for name, col in _declared(contract).items():
        meta = col.info.metadata or {}
        dtype = str(col.dtype)
        specs.append(
            ColumnSpec(
                table=contract.table(),
                name=name,
                dtype=dtype,
                sql_type=_SQL[dtype],
                nullable=col.nullable,
                title=col.info.title or name,
                description=col.info.description or "",
                unit=meta.get("unit"),
                identifying=meta.get("identifying", "clinical"),
                vocabulary=meta.get("vocabulary"),
                unreadable=meta.get("unreadable", "warning"),
                listed=meta.get("listed"),
            )
        )
    return tuple(specs)


@cache
def _dtypes(contract: type[Contract]) -> pl.Schema:
    return pl.Schema({name: col.dtype for name, col in _declared(contract).items()})


@cache
def _missing(column: str, dtype: pl.DataType) -> pl.Expr:
    return pl.lit(None, dtype=dtype).alias(column)


@cache
def _empty(contract: type[Contract]) -> pl.DataFrame:
    return pl.DataFrame(schema=_dtypes(contract))


def _at_fault(contract: type[Contract], frame: pl.DataFrame) -> list[str]:
    """Return the columns with a broken rule, in one pass over the frame.

    If a rule cannot be evaluated, all columns are returned.
    """
    columns, verdicts = _verdicts(contract)
    try:
        kept = frame.select(*verdicts).row(0)
    except pl.exceptions.PolarsError:
        return list(_dtypes(contract))
    bad = {column for column, fine in zip(columns, kept, strict=True) if not fine}
    return [column for column in _dtypes(contract) if column in bad]


@cache
def _verdicts(contract: type[Contract]) -> tuple[tuple[str, ...], tuple[pl.Expr, ...]]:
    made = [("", pl.lit(True))]
    for name, col in _declared(contract).items():
        if not col.nullable:
            made.append((name, pl.col(name).null_count() == 0))
        if col.unique:
            made.append((name, pl.col(name).n_unique() == pl.len()))
    made += [(str(rule.column), rule.kept().all()) for rule in contract.rules()]
    return tuple(c for c, _ in made), tuple(v.alias(str(n)) for n, (_, v) in enumerate(made))


@cache
def _with_rules(contract: type[Contract]) -> pa.DataFrameSchema:
    schema = deepcopy(contract.to_schema())
    for rule in contract.rules():
        schema.columns[rule.column].checks.append(_as_check(rule))
    return schema


def _as_check(rule: Rule) -> pa.Check:
    kept = rule.kept()

    def check(data: Any) -> pl.LazyFrame:
        return data.lazyframe.select(kept)

    return pa.Check(check, name=rule.id, error=rule.id)
