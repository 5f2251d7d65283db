"""Writes released tables as Parquet, CSV, Stata or SPSS files, described by their contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from schemas.all_contracts import CONTRACTS
from schemas.contract import ColumnSpec
from schemas.meta import MetaDictionary, MetaVocabulary, dictionary, vocabularies
from schemas.spreadsheet import neutralised
from schemas.vocabularies import VOCABULARIES

LIST_SEPARATOR = "; "
"""Separator of list items in formats without lists."""


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
    if unknown := sorted(set(names) - set(tables)):
        raise KeyError(f"no table {', '.join(unknown)}; there are: {', '.join(sorted(tables))}")
    if into.exists() and any(into.iterdir()):
        raise NotEmpty(f"{into} is not empty")
    into.mkdir(parents=True, exist_ok=True)
    chosen = {name: frame for name, frame in tables.items() if not names or name in names}
    write_one = FORMS[form]
    files = [write_one(name, frame, into / name) for name, frame in chosen.items()]
    documentation = {
        "dictionary": (MetaDictionary.table(), dictionary(list(chosen))),
        "vocabularies": (MetaVocabulary.table(), vocabularies()),
    }
    return files + [write_one(table, frame, into / file) for file, (table, frame) in documentation.items()]


def parquet(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """Write Parquet; descriptions of table and columns are in the schema's metadata."""
    import pyarrow.parquet as pq

    arrow = frame.to_arrow()
    specs = _specs(table)
    fields = [f.with_metadata(_metadata(specs[f.name])) if f.name in specs else f for f in arrow.schema]
    schema = arrow.schema
    for i, field in enumerate(fields):
        schema = schema.set(i, field)
    about = {"table": table, "description": CONTRACTS[table].describe()}
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


def csv(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """Write CSV in UTF-8 with a header; no text cell is a formula for a spreadsheet."""
    target = path.with_name(path.name + ".csv")
    neutralised(flat(frame)).write_csv(target)
    return target


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Join lists of texts into one text."""
    return frame.with_columns(pl.col(pl.List(pl.String)).list.join(LIST_SEPARATOR))


def stata(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """Write Stata 15 (``.dta``) with variable and value labels."""
    import pyreadstat

    target = path.with_name(path.name + ".dta")
    coded, meta = labelled(table, frame)
    pyreadstat.write_dta(coded, str(target), version=15, file_label=_short(table, 80), **meta)
    return target


def spss(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """Write SPSS (``.sav``) with variable and value labels."""
    import pyreadstat

    target = path.with_name(path.name + ".sav")
    coded, meta = labelled(table, frame)
    pyreadstat.write_sav(coded, str(target), file_label=_short(table, 64), **meta)
    return target


def labelled(table: str, frame: pl.DataFrame) -> tuple[Any, dict[str, Any]]:
    """Convert a table for statistics programs: codes with value labels instead of texts.

    A value of a vocabulary becomes its position in it, starting at 1; a Boolean becomes 0 or 1. A column with
    a value outside its vocabulary stays text. Lists are joined.

    Returns:
        The frame, and pyreadstat's ``column_labels`` and ``variable_value_labels``.
    """
    specs, labels, columns = _specs(table), {}, []
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


def _specs(table: str) -> dict[str, ColumnSpec]:
    return {c.name: c for c in CONTRACTS[table].columns()}


FORMS: dict[str, Callable[[str, pl.DataFrame, Path], Path]] = {
    "parquet": parquet,
    "csv": csv,
    "stata": stata,
    "spss": spss,
}
"""Export formats and the functions that write them."""
