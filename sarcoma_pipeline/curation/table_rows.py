"""Convert rows of tables to typed records, using the mapping in ``sources.toml``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from sarcoma_pipeline.curation import death_beside_life
from sarcoma_pipeline.curation.parse import MISSING, Reading, code, constant, date, number, whole, with_steps
from sarcoma_pipeline.curation.spreadsheet_cells import BIRTHS_COUNTED_FROM, DAYS_COUNTED_FROM
from sarcoma_pipeline.curation.typed_columns import read
from sarcoma_pipeline.curation.value_rules import NUMBER_DAMAGED, damaged
from schemas import typed
from schemas.configuration import ColumnMapping, EntityMapping, MappedSource
from schemas.contract import CONTRACTS, ColumnSpec, Contract
from schemas.mapped_columns import dates_of
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule

SEVERAL_VALUES = Rule(
    "value.several",
    "warning",
    what=(
        "The cell contains several values. It is read only if sources.toml declares that the first one "
        "counts."
    ),
    remedy=(
        "In the table, leave only the value that counts in this cell. Or set first_of for the column in"
        " sources.toml."
    ),
)

CONDITION_UNMATCHED = Rule(
    "value.condition-unmatched",
    "warning",
    what=(
        "The cell is filled, but meets none of the conditions (when) for its column in sources.toml: no "
        "record is made from it."
    ),
    remedy="Add the word to its condition in sources.toml, or correct the cell in the table.",
)

CONDITION_EMPTY = Rule(
    "value.condition-empty",
    "warning",
    what=(
        "The date is filled, but the cell that says what happened on it is empty: no condition (when) of "
        "sources.toml is met, and no record is made from it."
    ),
    remedy="In the table, fill in the cell that the note names, or delete the date.",
)

NUMBER_MISSING = Rule(
    "identity.number-missing",
    "warning",
    on="received.table_row",
    what="The row has no patient number. It counts as a patient of its own, to whom nothing else can be "
    "linked.",
    remedy="Fill in the patient number in the table. If the row is a remark or a heading, name it in "
    "skipped_rows, comment or totals in sources.toml.",
)


def typed_frames(
    received: pl.DataFrame, source: MappedSource
) -> Iterator[tuple[type[Contract], pl.DataFrame, pl.DataFrame]]:
    """Yield one typed frame per entity of the mapping.

    Args:
        received: rows of ``received.table_row`` of this source, or of a table of its own whose columns are
            its headers, with ``received_on`` (Date) joined on.
        source: the mapping.
    """
    headers = source.headers()
    if "values" in received.columns:
        cells = pl.col("values").str.json_decode(pl.Struct(dict.fromkeys(headers, pl.String)))
    else:
        cells = pl.struct(headers)
    rows = received.with_columns(cells.alias("_cells")).with_columns(
        _present(pl.col("_cells").struct.field(h), source).alias(f"_cell_{h}") for h in headers
    )
    # As a column, because every date of the row is compared with it.
    birth = _birth(source)
    rows = with_steps(rows, [birth]).with_columns(_birth=birth.value)
    matches = {at: _fulfils(entity) for at, entity in enumerate(source.entities)}
    unread_deaths = death_beside_life.in_rows(rows, source, matches)
    of_rows = pl.concat(
        [
            _unmatched(rows, source),
            _left_empty(rows, source),
            _damaged(rows, source),
            _unnumbered(rows, source),
            unread_deaths,
        ]
    )
    for entity in source.entities:
        contract, made, seen = _entity(rows, entity, source)
        yield contract, made, pl.concat([seen, of_rows])
        of_rows = of_rows.clear()


def _numbers(source: MappedSource) -> list[str]:
    """Return the columns of patient numbers."""
    columns = {e.columns["hospital_number"].column for e in source.entities if "hospital_number" in e.columns}
    return sorted(c for c in columns if c is not None)


def _unnumbered(rows: pl.DataFrame, source: MappedSource) -> pl.DataFrame:
    """Return rows without a patient number, of tables that have such numbers."""
    seen = [Observation.empty()]
    for column in _numbers(source):
        lost = rows.filter(pl.col(f"_cell_{column}").is_null())
        note = pl.lit(f"column {column!r}")
        seen.append(observation(lost, NUMBER_MISSING, "received.table_row", "values", note=note))
    return pl.concat(seen)


def _damaged(rows: pl.DataFrame, source: MappedSource) -> pl.DataFrame:
    """Return rows whose patient number a spreadsheet damaged."""
    seen = [Observation.empty()]
    for column in _numbers(source):
        cell = pl.col(f"_cell_{column}")
        note = pl.lit(f"column {column!r}")
        lost = rows.filter(damaged(cell))
        seen.append(observation(lost, NUMBER_DAMAGED, "received.table_row", "values", cell, note))
    return pl.concat(seen)


def fold(word: str) -> str:
    """Return a word as conditions compare it: in lower case, without outer blanks."""
    return word.strip().lower()


def _folded(cell: pl.Expr) -> pl.Expr:
    return cell.str.strip_chars().str.to_lowercase()


def _unmatched(rows: pl.DataFrame, source: MappedSource) -> pl.DataFrame:
    """Return rows whose filled cell meets none of the conditions on its column: they yield no entity."""
    words: dict[str, set[str]] = {}
    any_filled: set[str] = set()
    for entity in source.entities:
        for when in entity.when:
            words.setdefault(when.column, set()).update(fold(word) for word in when.equals)
            if when.filled:
                any_filled.add(when.column)
    seen = [Observation.empty()]
    for column in sorted(set(words) - any_filled):
        if not words[column]:
            continue
        cell = pl.col(f"_cell_{column}")
        lost = rows.filter(cell.is_not_null() & ~_folded(cell).is_in(sorted(words[column])))
        note = pl.lit(f"column {column!r}")
        seen.append(observation(lost, CONDITION_UNMATCHED, "received.table_row", "values", cell, note))
    return pl.concat(seen)


def _left_empty(rows: pl.DataFrame, source: MappedSource) -> pl.DataFrame:
    """Return rows with a date whose kind of event is not filled in: they yield no entity."""
    seen = [Observation.empty()]
    conditions = {when.column for entity in source.entities for when in entity.when if when.equals}
    for column in sorted(conditions):
        on_it = [e for e in source.entities if any(when.column == column for when in e.when)]
        if any(when.column == column and not when.equals for e in on_it for when in e.when):
            continue
        others = [entity for entity in source.entities if entity not in on_it]
        dates = sorted(set(dates_of(on_it, None)) - set(dates_of(others, None)))
        if not dates:
            continue
        date = pl.coalesce(*(pl.col(f"_cell_{header}") for header in dates))
        lost = rows.filter(pl.col(f"_cell_{column}").is_null() & date.is_not_null())
        note = pl.lit(f"column {column!r}")
        seen.append(observation(lost, CONDITION_EMPTY, "received.table_row", "values", date, note))
    return pl.concat(seen)


def _fulfils(entity: EntityMapping) -> pl.Expr:
    """Return whether a row fulfils the conditions of an entity."""
    holds = [pl.lit(True)]
    for when in entity.when:
        cell = pl.col(f"_cell_{when.column}")
        if when.filled is not None:
            holds.append(cell.is_not_null() if when.filled else cell.is_null())
        if when.equals:
            holds.append(_folded(cell).is_in([fold(word) for word in when.equals]).fill_null(False))
    return pl.all_horizontal(holds)


def _present(cell: pl.Expr, source: MappedSource) -> pl.Expr:
    return pl.when(~cell.str.strip_chars().is_in(list(source.missing))).then(cell)


def _entity(
    rows: pl.DataFrame, entity: EntityMapping, source: MappedSource
) -> tuple[type[Contract], pl.DataFrame, pl.DataFrame]:
    contract = CONTRACTS[f"typed.{entity.entity}"]
    rows = rows.filter(_fulfils(entity))
    specs = {c.name: c for c in contract.columns()}
    mapped = dict(entity.columns)
    number_mapping = mapped.pop("hospital_number", None)
    hospital = _cell(number_mapping).str.strip_chars() if number_mapping else MISSING
    hospital = pl.when(~damaged(hospital)).then(hospital)
    readings: dict[str, Reading] = {
        "record_id": Reading(pl.col("record_id")),
        "source": constant("table"),
        "person_ref": Reading(
            pl.coalesce([pl.lit("number:") + hospital, pl.lit("record:") + pl.col("record_id")])
        ),
        "received_on": Reading(pl.col("received_on")),
    }
    if source.exported_on is not None:
        readings["reported_on"] = _exported(source, source.exported_on)
    if contract is typed.Person:
        readings |= {"hospital_number": Reading(hospital), "master": constant(True, pl.Boolean)}
    if contract is typed.Diagnosis:
        dated = [_cell(mapped[c]) for c in ("diagnosis_date", "diagnosis_day") if c in mapped]
        readings["origin"] = constant("table")
        readings["complete"] = Reading(
            pl.any_horizontal(c.is_not_null() for c in dated) if dated else pl.lit(False)
        )
    if contract is typed.Radiotherapy:
        readings["irradiated"] = constant(True, pl.Boolean)
    for name, mapping in mapped.items():
        readings[name] = _reading(specs[name], mapping, source)
    return contract, *read(rows, contract, readings)


def _birth(source: MappedSource) -> Reading:
    """Return the reading of the birth date in the row, null if the table has none: no event is earlier."""
    for entity in source.entities:
        mapping = entity.columns.get("birth_date")
        if mapping is not None and mapping.column is not None:
            return date(
                _cell(mapping),
                source.date_formats(mapping),
                exact_to=mapping.precision,
                counted_from=BIRTHS_COUNTED_FROM if source.spreadsheet else None,
            )
    return constant(None, pl.Date)


def _exported(source: MappedSource, on: str | dt.date) -> Reading:
    """Return the day of the export, from a column or as declared."""
    if isinstance(on, dt.date):
        return Reading(pl.lit(on))
    return date(
        pl.col(f"_cell_{on}"),
        source.date_formats(ColumnMapping(column=on)),
        counted_from=DAYS_COUNTED_FROM if source.spreadsheet else None,
    )


def _cell(mapping: ColumnMapping) -> pl.Expr:
    if mapping.column is None:
        return pl.lit(mapping.constant, dtype=pl.String)
    return pl.col(f"_cell_{mapping.column}")


def _reading(spec: ColumnSpec, mapping: ColumnMapping, source: MappedSource) -> Reading:
    cell = _cell(mapping)
    several = pl.lit(False)
    separator = mapping.first_of or source.separator
    if separator and mapping.column:
        several = cell.str.contains(separator, literal=True)
        first = cell.str.split(separator).list.first() if mapping.first_of else pl.lit(None, dtype=pl.String)
        cell = pl.when(several).then(first).otherwise(cell)
    told_apart = {"decimal": source.decimal, "native": source.native, "spreadsheet": source.spreadsheet}
    if spec.dtype == "Date":
        born = spec.name == "birth_date"
        # The precision of a table's dates is the same in every row, so it is not reported per row.
        reading = date(
            cell,
            source.date_formats(mapping),
            exact_to=mapping.precision,
            notices=mapping.precision == "day",
            not_before=None if born else pl.col("_birth"),
            counted_from=(BIRTHS_COUNTED_FROM if born else DAYS_COUNTED_FROM) if source.spreadsheet else None,
        )
    elif spec.dtype == "Float64":
        reading = number(cell, scale=mapping.scale, **told_apart)
    elif spec.dtype == "Int32":
        reading = whole(cell, scale=mapping.scale, **told_apart)
    elif spec.dtype == "Boolean":
        as_text = code(cell, mapping.codes, fold=True)
        reading = Reading(as_text.value == "true", as_text.text, as_text.rule)
    elif mapping.codes:
        reading = code(cell, mapping.codes, fold=True)
    else:
        reading = Reading(cell)
    if not (separator and mapping.column):
        return reading
    note = (SEVERAL_VALUES, several)
    return replace(reading, text=_cell(mapping), notes=(*reading.notes, note))
