"""Writes released tables as Parquet, CSV, Excel, Stata or SPSS files, described by their contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.release import contract_of, with_wide
from schemas.contract import ColumnSpec, Contract
from schemas.meta import MetaDictionary, MetaVocabulary, dictionary, vocabularies
from schemas.spreadsheet import PLAIN_TEXTS, neutralised
from schemas.vocabularies import VOCABULARIES

LIST_SEPARATOR = "; "
"""Separator of list items in formats without lists."""

_SHEET_ROWS, _SHEET_COLUMNS, _SHEET_NAME = 1_048_576, 16_384, 31
"""Limits of an Excel sheet: rows with the header, columns, and characters of its name."""


class NotEmpty(Exception):
    """The folder is not empty; nothing was written."""


def write(
    tables: Mapping[str, pl.DataFrame], form: str, into: Path, names: tuple[str, ...] = ()
) -> list[Path]:
    """Write tables to a folder, one file each, with the data dictionary and the code lists.

    Args:
        tables: tables of a release by their contracts' names.
        form: a key of `FORMS`.
        into: a new or empty folder.
        names: only these tables; all if empty.

    Returns:
        The files.

    Raises:
        KeyError: there is no such table.
        NotEmpty: the folder is not empty.
    """
    tables = with_wide(tables)
    if unknown := sorted(set(names) - set(tables)):
        raise KeyError(f"no table {', '.join(unknown)}; there are: {', '.join(sorted(tables))}")
    if into.exists() and any(into.iterdir()):
        raise NotEmpty(f"{into} is not empty")
    into.mkdir(parents=True, exist_ok=True)
    chosen = {name: frame for name, frame in tables.items() if not names or name in names}
    write_one = FORMS[form]
    contracts = {name: contract_of(name, tables) for name in chosen}
    files = [write_one(contracts[name], frame, into / name) for name, frame in chosen.items()]
    documentation: dict[str, tuple[type[Contract], pl.DataFrame]] = {
        "dictionary": (MetaDictionary, dictionary(contracts)),
        "vocabularies": (MetaVocabulary, vocabularies()),
    }
    return files + [
        write_one(contract, frame, into / file) for file, (contract, frame) in documentation.items()
    ]


def parquet(contract: type[Contract], frame: pl.DataFrame, path: Path) -> Path:
    """Write Parquet; descriptions of table and columns are in the schema's metadata."""
    import pyarrow.parquet as pq

    arrow = frame.to_arrow()
    specs = _specs(contract)
    fields = [f.with_metadata(_metadata(specs[f.name])) if f.name in specs else f for f in arrow.schema]
    schema = arrow.schema
    for i, field in enumerate(fields):
        schema = schema.set(i, field)
    about = {"table": contract.table(), "description": contract.describe()}
    target = path.with_name(path.name + ".parquet")
    pq.write_table(arrow.cast(schema.with_metadata(about)), target)
    return target


def _metadata(spec: ColumnSpec) -> dict[str, str]:
    values = VOCABULARIES.get(spec.vocabulary or "", ())
    entries = {
        "title": spec.title,
        "description": spec.description,
        "unit": spec.unit,
        "vocabulary": spec.vocabulary,
        "values": json.dumps(values, ensure_ascii=False) if values else None,
    }
    return {k: v for k, v in entries.items() if v}


def csv(contract: type[Contract], frame: pl.DataFrame, path: Path) -> Path:
    """Write CSV in UTF-8 with a header; no text cell is a formula for a spreadsheet."""
    target = path.with_name(path.name + ".csv")
    neutralised(flat(frame)).write_csv(target)
    return target


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Join lists of texts into one text."""
    return frame.with_columns(
        pl.col(name).cast(pl.List(pl.String)).list.join(LIST_SEPARATOR)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.List)
    )


def xlsx(contract: type[Contract], frame: pl.DataFrame, path: Path) -> Path:
    """Write an Excel workbook: the table, and a second sheet that describes its columns.

    Every text is written as a text, so that no spreadsheet runs it as a formula.

    Raises:
        ValueError: the table is longer or wider than a sheet.
    """
    import xlsxwriter

    target = path.with_name(path.name + ".xlsx")
    specs = _specs(contract)
    about = [
        (
            name,
            s.title,
            s.description,
            s.unit or "",
            LIST_SEPARATOR.join(VOCABULARIES.get(s.vocabulary or "", ())),
        )
        for name, s in ((name, specs[name]) for name in frame.columns)
    ]
    if frame.height >= _SHEET_ROWS or frame.width > _SHEET_COLUMNS:
        raise ValueError(f"{contract.table()} does not fit in a sheet: write it as CSV or Parquet")
    with xlsxwriter.Workbook(str(target), {**PLAIN_TEXTS, "constant_memory": True}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        for title, head, rows in (
            (contract.table()[:_SHEET_NAME], frame.columns, flat(frame).iter_rows()),
            ("columns", ("Column", "Title", "Description", "Unit", "Codes"), about),
        ):
            sheet = book.add_worksheet(title)
            sheet.freeze_panes(1, 0)
            sheet.write_row(0, 0, head, bold)
            for at, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    _write_cell(sheet, at, column, value)
    return target


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    """Write a value as what it is; what a cell cannot hold (NaN, infinity, missing) leaves it empty."""
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, str):
        sheet.write_string(row, column, value)
    elif value is not None and isfinite(value):
        sheet.write_number(row, column, value)


def stata(contract: type[Contract], frame: pl.DataFrame, path: Path) -> Path:
    """Write Stata 15 (``.dta``) with variable and value labels."""
    import pyreadstat

    target = path.with_name(path.name + ".dta")
    coded, meta = labelled(contract, frame)
    pyreadstat.write_dta(coded, str(target), version=15, file_label=_short(contract.table(), 80), **meta)
    return target


def spss(contract: type[Contract], frame: pl.DataFrame, path: Path) -> Path:
    """Write SPSS (``.sav``) with variable and value labels."""
    import pyreadstat

    target = path.with_name(path.name + ".sav")
    coded, meta = labelled(contract, frame)
    pyreadstat.write_sav(coded, str(target), file_label=_short(contract.table(), 64), **meta)
    return target


def labelled(contract: type[Contract], frame: pl.DataFrame) -> tuple[Any, dict[str, Any]]:
    """Convert a table for statistics programs: codes with value labels instead of texts.

    A value of a vocabulary becomes its position in it, starting at 1; a Boolean becomes 0 or 1. A column with
    a value outside its vocabulary stays text. Lists are joined.

    Returns:
        The frame, and pyreadstat's ``column_labels`` and ``variable_value_labels``.
    """
    specs, labels, columns = _specs(contract), {}, []
    for column in flat(frame).iter_columns():
        vocabulary = VOCABULARIES.get(specs[column.name].vocabulary or "", ())
        if column.dtype == pl.Boolean:
            labels[column.name] = {0: "no", 1: "yes"}
            column = column.cast(pl.Int32)
        elif vocabulary and column.dtype == pl.String and set(column.drop_nulls()) <= set(vocabulary):
            codes = {value: code for code, value in enumerate(vocabulary, start=1)}
            labels[column.name] = {code: value for value, code in codes.items()}
            column = column.replace_strict(codes, return_dtype=pl.Int32)
        columns.append(column)
    titles = {name: _short(_title(specs[name]), 80) for name in frame.columns}
    return pl.DataFrame(columns), {"column_labels": titles, "variable_value_labels": labels}


def _title(spec: ColumnSpec) -> str:
    return f"{spec.title} [{spec.unit}]" if spec.unit else spec.title


def _short(text: str, limit: int) -> str:
    """Cut a text to a number of UTF-8 bytes, the limit of the formats."""
    return text.encode()[:limit].decode(errors="ignore")


def _specs(contract: type[Contract]) -> dict[str, ColumnSpec]:
    return {c.name: c for c in contract.columns()}


FORMS: dict[str, Callable[[type[Contract], pl.DataFrame, Path], Path]] = {
    "parquet": parquet,
    "csv": csv,
    "xlsx": xlsx,
    "stata": stata,
    "spss": spss,
}
"""Export formats and the functions that write them."""
