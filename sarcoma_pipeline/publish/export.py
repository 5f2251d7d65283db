"""Released tables as files for other programs: Parquet, CSV, Stata and SPSS, described by their contracts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from schemas.all_contracts import CONTRACTS
from schemas.contract import ColumnSpec
from schemas.meta import MetaDictionary, MetaVocabulary, dictionary, vocabularies
from schemas.vocabularies import VOCABULARIES

LIST_SEPARATOR = "; "
"""Joins the texts of a list where a format has no lists."""

_SIGNS = "=+\\-@＝＋－＠"
_FORMULA = rf"^([{_SIGNS}\t\r\n])"
"""First characters that make a spreadsheet run or split a cell (OWASP, CSV Injection)."""
_LATER_FORMULA = rf"([;\t\r\n]\s*)([{_SIGNS}])"
"""The same where a spreadsheet of another locale begins a cell: the comma is not every one's separator."""


class NotEmpty(Exception):
    """The folder holds something already; nothing was written."""


def write(
    tables: Mapping[str, pl.DataFrame], form: str, into: Path, names: tuple[str, ...] = ()
) -> list[Path]:
    """Write tables to a folder, a file each, with the data dictionary and the code lists beside them.

    Args:
        tables: of a release, by the names of their contracts.
        form: a key of `FORMS`.
        into: a new or an empty folder.
        names: only these tables.

    Returns:
        The files.

    Raises:
        KeyError: there is no such table.
        NotEmpty: the folder holds something.
    """
    if unknown := sorted(set(names) - set(tables)):
        raise KeyError(f"no table {', '.join(unknown)}; there are: {', '.join(sorted(tables))}")
    if into.exists() and any(into.iterdir()):
        raise NotEmpty(f"{into} is not empty")
    into.mkdir(parents=True, exist_ok=True)
    chosen = {name: frame for name, frame in tables.items() if not names or name in names}
    one = FORMS[form]
    made = [one(name, frame, into / name) for name, frame in chosen.items()]
    further = {
        "dictionary": (MetaDictionary.table(), dictionary(list(chosen))),
        "vocabularies": (MetaVocabulary.table(), vocabularies()),
    }
    return made + [one(table, frame, into / file) for file, (table, frame) in further.items()]


def parquet(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """Parquet; the table's description and each column's stand in the schema's metadata."""
    import pyarrow.parquet as pq

    arrow = frame.to_arrow()
    specs = _specs(table)
    fields = [f.with_metadata(_described(specs[f.name])) if f.name in specs else f for f in arrow.schema]
    schema = arrow.schema
    for i, field in enumerate(fields):
        schema = schema.set(i, field)
    about = {"table": table, "description": CONTRACTS[table].describe()}
    target = path.with_name(path.name + ".parquet")
    pq.write_table(arrow.cast(schema.with_metadata(about)), target)
    return target


def _described(spec: ColumnSpec) -> dict[str, str]:
    values = VOCABULARIES.get(spec.vocabulary or "", ())
    told = {
        "title": spec.title,
        "description": spec.description,
        "unit": spec.unit,
        "vocabulary": spec.vocabulary,
        "values": json.dumps(values, ensure_ascii=False) if values else None,
    }
    return {k: v for k, v in told.items() if v}


def csv(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """CSV in UTF-8 with a header; no cell of text is a formula to a spreadsheet."""
    target = path.with_name(path.name + ".csv")
    neutralised(flat(frame)).write_csv(target)
    return target


def neutralised(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts that begin with ``= + - @``, wide or not, a tab or an end of line get an apostrophe before them.

    So does the rest of a text behind a semicolon, a tab or an end of line. A column of numbers stays as it
    is: -0.5 is a number and no formula.
    """
    text = pl.col(pl.String)
    return frame.with_columns(
        text.str.replace(_FORMULA, "'${1}").str.replace_all(_LATER_FORMULA, "${1}'${2}")
    )


def flat(frame: pl.DataFrame) -> pl.DataFrame:
    """Lists of texts joined to one text."""
    return frame.with_columns(pl.col(pl.List(pl.String)).list.join(LIST_SEPARATOR))


def stata(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """Stata 15 (``.dta``) with variable and value labels."""
    import pyreadstat

    target = path.with_name(path.name + ".dta")
    coded, meta = labelled(table, frame)
    pyreadstat.write_dta(coded, str(target), version=15, file_label=_short(table, 80), **meta)
    return target


def spss(table: str, frame: pl.DataFrame, path: Path) -> Path:
    """SPSS (``.sav``) with variable and value labels."""
    import pyreadstat

    target = path.with_name(path.name + ".sav")
    coded, meta = labelled(table, frame)
    pyreadstat.write_sav(coded, str(target), file_label=_short(table, 64), **meta)
    return target


def labelled(table: str, frame: pl.DataFrame) -> tuple[Any, dict[str, Any]]:
    """A table as programs for statistics want it: codes with labels instead of texts.

    A column of a vocabulary holds the position of its value in it, from 1, and a Boolean 0 or 1; a column
    with a value from outside its vocabulary stays text. Lists are joined.

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
    """So many bytes of UTF-8 at most, as the formats allow."""
    return text.encode()[:limit].decode(errors="ignore")


def _specs(table: str) -> dict[str, ColumnSpec]:
    return {c.name: c for c in CONTRACTS[table].columns()}


FORMS: dict[str, Callable[[str, pl.DataFrame, Path], Path]] = {
    "parquet": parquet,
    "csv": csv,
    "stata": stata,
    "spss": spss,
}
"""What can be written."""
