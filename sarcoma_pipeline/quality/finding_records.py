"""Show both sides of every finding: the record at fault and the records it is compared with, and who won.

A rule declares where its other side is (``schemas.sides``). Who won is read from the result, not from the
rule: a record in quarantine or set aside lost, and so did a record whose value a curated row does not have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import polars as pl

from sarcoma_pipeline.quality import findings as masks
from sarcoma_pipeline.quality import rule_catalogue
from schemas.all_contracts import CONTRACTS
from schemas.quality import FindingRecord
from schemas.sides import PATIENT, Side
from schemas.vocabularies import LOST, OTHER, WON

RESTING = tuple(
    table
    for table, contract in CONTRACTS.items()
    if table.startswith("curated.")
    and "record_ids" in contract.polars_schema()
    and table
    not in (
        "curated.vital_statement", "curated.diagnosis_report", "curated.radiotherapy_reading",
        "curated.dose_volume", "curated.target_margin",
    )
)  # fmt: skip
"""Curated tables with the values that are used; the tables left out keep every statement, or compute."""

_LISTED = {
    "icdo3_morphology": "histology_record_ids",
    "fnclcc_grade": "fnclcc_record_ids",
    "t_stage": "t_record_ids",
    "n_stage": "n_record_ids",
    "m_stage": "m_record_ids",
}
"""Columns whose records a curated table lists."""
_OF_STATEMENT = frozenset(("status_date", "status_day"))
_ROW = ["finding_id", "record_id"]


class Sources(Protocol):
    """Reads what the records of findings are shown with."""

    def rows(self, table: str, among: pl.Series) -> pl.DataFrame:
        """Return the rows whose value, in the column that the series is named after, is in the series."""
        ...

    def persons(self, records: pl.Series) -> pl.DataFrame:
        """Return ``record_id`` and ``person_ref`` of typed records."""
        ...

    def resting(self, records: pl.Series) -> Mapping[str, pl.DataFrame]:
        """Return the rows of the tables :data:`RESTING` that rest on one of the records."""
        ...

    def places(self, records: pl.Series) -> pl.DataFrame:
        """Return the places of records, as :func:`sarcoma_pipeline.quality.findings.places`."""
        ...

    def reasons(self) -> pl.DataFrame:
        """Return ``record_id`` and ``reason``: why records are in quarantine or set aside."""
        ...


def finding_records(
    found: pl.DataFrame, sources: Sources, patients: pl.DataFrame, link: pl.DataFrame, readings: pl.DataFrame
) -> pl.DataFrame:
    """Return every record of every finding.

    Args:
        found: ``quality.findings``.
        sources: reads received, typed and curated tables.
        patients: ``curated.patient``.
        link: ``curated.link``.
        readings: ``curated.identity_reading``: the patients whom an identity finding is about.

    Returns:
        ``quality.finding_records``.
    """
    rules = rule_catalogue.rules()
    own = found.select(
        "finding_id", "rule_id", "record_id", "table_name", "column_name", "value", "pseudonym",
        "path", "position", "file_id", at_fault=pl.lit(True),
    )  # fmt: skip
    compared = own.filter(pl.col("rule_id").is_in([name for name, rule in rules.items() if rule.sides]))
    pairs = _patients(compared, sources, link, readings)
    others = [_OTHERS]
    for (rule_id, table), group in compared.group_by("rule_id", "table_name", maintain_order=True):
        for side in rules[str(rule_id)].sides:
            others.append(_others(group, str(table), side, pairs, link, sources))
    others = _once(pl.concat(others), [*_ROW, "table_name", "column_name"])
    further = _further_columns(compared, others, sources)
    own = pl.concat([_as_read(own, sources), *further], how="diagonal_relaxed")
    others = others.join(own.select(*_ROW), on=_ROW, how="anti")
    people = _owners(others, sources, link).join(patients.select("patient_id", "pseudonym"), on="patient_id")
    at = sources.places(others["record_id"]).select("record_id", "file_id", "path", "position", "source")
    shown = others.join(_once(at, ["record_id"]), on="record_id", how="left").join(
        _once(people.select("record_id", "pseudonym"), ["record_id"]), on="record_id", how="left"
    )
    shown = shown.with_columns(at_fault=pl.lit(False), path=masks.masked_path(pl.col("path"), patients))
    of_own = _once(sources.places(own["record_id"]).select("record_id", "source"), ["record_id"])
    both = pl.concat([own.join(of_own, on="record_id", how="left"), shown], how="diagonal_relaxed")
    # Roles are decided on the values as read; what may identify is masked afterwards.
    both = both.with_columns(_roles(both, sources)).with_columns(
        pl.col("path", "position").fill_null("?"), value=masks.masked_value()
    )
    order = ["finding_id", pl.col("at_fault").not_(), "path", pl.col("position").str.len_chars(), "position"]
    return FindingRecord.conform(both.sort(*order, "record_id", "column_name", nulls_last=True))


def _as_read(own: pl.DataFrame, sources: Sources) -> pl.DataFrame:
    """Return the records at fault with identifying values as read: findings show only their shape."""
    hidden = own.filter(masks.is_identifying())
    place = ["record_id", "table_name", "column_name"]
    read = [pl.DataFrame(schema=dict.fromkeys((*place, "_value"), pl.String))]
    for (table, column), group in hidden.group_by("table_name", "column_name", maintain_order=True):
        values = _values(sources, str(table), str(column), group["record_id"])
        read.append(
            values.select(
                "record_id", pl.lit(table).alias("table_name"), pl.lit(column).alias("column_name"), "_value"
            )
        )
    return (
        own.join(pl.concat(read), on=place, how="left", maintain_order="left")
        .with_columns(value=pl.coalesce("_value", "value"))
        .drop("_value")
    )


def _values(sources: Sources, table: str, column: str, records: pl.Series) -> pl.DataFrame:
    """Return ``record_id`` and ``_value``: what records give in a column."""
    read = sources.rows(table, records.unique())
    return _once(read.select("record_id", _value=_text(read, column)).drop_nulls(), ["record_id"])


def _once(frame: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return one row for each key: the first one in the order of all other columns."""
    return frame.sort(frame.columns, nulls_last=True).unique(key, keep="first", maintain_order=True)


def _further_columns(own: pl.DataFrame, others: pl.DataFrame, sources: Sources) -> Iterator[pl.DataFrame]:
    """Yield the records at fault in the other columns in which records of their table are compared."""
    asked = others.select("finding_id", "table_name", other_column="column_name").unique()
    further = own.join(asked, on=["finding_id", "table_name"]).filter(
        pl.col("other_column").ne_missing(pl.col("column_name"))
    )
    for (table, column), group in further.group_by("table_name", "other_column", maintain_order=True):
        values = _values(sources, str(table), str(column), group["record_id"])
        yield (
            group.join(values, on="record_id")
            .with_columns(column_name="other_column", value="_value")
            .drop("_value", "other_column")
        )


_OTHERS = pl.DataFrame(
    schema=dict.fromkeys(
        ("finding_id", "rule_id", "record_id", "table_name", "column_name", "value"), pl.String
    )
)


def _owners(records: pl.DataFrame, sources: Sources, link: pl.DataFrame) -> pl.DataFrame:
    """Return ``record_id`` and ``patient_id`` of records."""
    return sources.persons(records["record_id"]).join(link.select("person_ref", PATIENT), on="person_ref")


def _patients(
    compared: pl.DataFrame, sources: Sources, link: pl.DataFrame, readings: pl.DataFrame
) -> pl.DataFrame:
    """Return the patients of each finding: of its record, and those whom it asks about."""
    asked = readings.drop_nulls(PATIENT).select("rule_id", "record_id", PATIENT)
    owners = _owners(compared, sources, link).select("record_id", PATIENT)
    return pl.concat(
        [
            compared.select("finding_id", "record_id").join(owners, on="record_id").drop("record_id"),
            compared.select("finding_id", "rule_id", "record_id")
            .join(asked, on=["rule_id", "record_id"])
            .select("finding_id", PATIENT),
        ]
    ).unique()


def _others(
    group: pl.DataFrame, table: str, side: Side, pairs: pl.DataFrame, link: pl.DataFrame, sources: Sources
) -> pl.DataFrame:
    """Return the records on one side of the findings of a rule, a row for each compared column."""
    at_fault = group.select("finding_id", "rule_id", own_record_id="record_id", own_column="column_name")
    if table in CONTRACTS and (table.startswith(("typed.", "received."))):
        mine = sources.rows(table, group["record_id"].unique())
        mine = mine.rename({c: f"own_{c}" for c in mine.columns})
        at_fault = at_fault.join(mine, on="own_record_id", how="left")
    other_table = side.table or table
    schema = CONTRACTS[other_table].polars_schema() if other_table in CONTRACTS else {}
    by = [(mine, theirs) for mine, theirs in side.pairs if mine != PATIENT]
    if side.of not in (None, table) or any(
        f"own_{mine}" not in at_fault.columns or theirs not in schema for mine, theirs in by
    ):
        return _OTHERS
    if len(by) < len(side.pairs):
        at_fault = at_fault.join(pairs, on="finding_id").rename({PATIENT: f"own_{PATIENT}"})
        if "person_ref" not in schema:
            return _OTHERS
        refs = link.filter(pl.col(PATIENT).is_in(at_fault[f"own_{PATIENT}"].unique().implode()))["person_ref"]
        theirs = sources.rows(other_table, refs).join(link.select("person_ref", PATIENT), on="person_ref")
    elif not by:
        theirs = sources.rows(other_table, link["person_ref"])
    else:
        mine, key = by[0]
        theirs = sources.rows(other_table, at_fault[f"own_{mine}"].drop_nulls().unique().alias(key))
    keys = side.pairs
    left, right = [f"own_{mine}" for mine, _ in keys], [other for _, other in keys]
    met = (
        at_fault.join(theirs, left_on=left, right_on=right, how="inner", coalesce=False)
        if keys
        else at_fault.join(theirs, how="cross")
    ).filter(pl.col("record_id") != pl.col("own_record_id"))
    if side.where is not None:
        met = met.filter(side.where.fill_null(False))
    columns = side.columns or tuple(c for c in group["column_name"].drop_nulls().unique().sort())
    present = [c for c in columns if c in theirs.columns]
    given = [
        met.filter(pl.col(c).is_not_null(), _asked(side, c)).select(
            "finding_id", "rule_id", "record_id", table_name=pl.lit(other_table), column_name=pl.lit(c),
            value=_text(met, c),
        )
        for c in present
    ]  # fmt: skip
    shown = pl.concat([_OTHERS, *given] if columns else [_OTHERS])
    of_same = bool(by) and len(by) == len(side.pairs)
    if not present or not columns or of_same:
        # Another version of the same report is shown, too, if it has no value: both may have no Meldedatum.
        bare = pl.lit(None, dtype=pl.String)
        rest = met.select(
            "finding_id", "rule_id", "record_id", table_name=pl.lit(other_table), column_name=bare, value=bare
        )
        shown = pl.concat([shown, rest.join(shown, on=["finding_id", "record_id"], how="anti")])
    if side.one_per_value:
        same = ["finding_id", "column_name", "value"]
        shown = shown.sort("record_id").unique(same, keep="first", maintain_order=True)
    return shown


def _asked(side: Side, column: str) -> pl.Expr:
    """Return whether a record is compared in this column: in the finding's own, where the side names none."""
    return pl.lit(True) if side.columns else pl.col("own_column").eq_missing(pl.lit(column))


def _text(frame: pl.DataFrame, column: str) -> pl.Expr:
    kind = frame.schema[column]
    if isinstance(kind, pl.List):
        return pl.col(column).cast(pl.List(pl.String)).list.join(", ")
    return pl.col(column).cast(pl.String)


def _roles(both: pl.DataFrame, sources: Sources) -> list[pl.Series]:
    """Return ``role`` and ``why`` of every record of every finding."""
    ids = both["record_id"].unique()
    asked = sources.reasons().filter(pl.col("record_id").is_in(ids.implode()))
    set_aside = dict(asked.select("record_id", "reason").iter_rows())
    overruled = {name for name, rule in rule_catalogue.rules().items() if rule.overruled}
    states = [(False, "")] * both.height
    numbered = both.with_row_index("_row")
    tables = {table: rows for table, rows in sources.resting(ids).items() if rows.height}
    for some in ids.sort().to_frame().iter_slices(_RECORDS):
        resting = _resting(some["record_id"], tables)
        for row in numbered.join(some, on="record_id", how="semi").iter_rows(named=True):
            flagged = row["at_fault"] and row["rule_id"] in overruled
            states[row["_row"]] = _state(row, set_aside, resting, flagged)
    lost: dict[str, set[str]] = defaultdict(set)
    for finding, record, (out, _) in zip(both["finding_id"], both["record_id"], states, strict=True):
        if out:
            lost[finding].add(record)
    roles, why = [], []
    for finding, record, (out, reason) in zip(both["finding_id"], both["record_id"], states, strict=True):
        # A record whose value lost in one column may stand in another: its column says which.
        roles.append(LOST if out else WON if lost[finding] - {record} else OTHER)
        why.append(reason)
    return [pl.Series("role", roles, dtype=pl.String), pl.Series("why", why, dtype=pl.String)]


_RECORDS = 5_000
"""Records whose curated rows are in Python at a time: a row takes some 10 kB there."""


def _resting(
    ids: pl.Series, tables: Mapping[str, pl.DataFrame]
) -> Mapping[str, list[tuple[str, dict[str, Any]]]]:
    """Map each record to the curated rows that rest on it, with their tables."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    wanted = set(ids)
    for table, rows in tables.items():
        one_of_them = pl.element().is_in(ids.implode())
        for row in rows.filter(pl.col("record_ids").list.eval(one_of_them).list.any()).iter_rows(named=True):
            for record in wanted.intersection(row["record_ids"]):
                found[record].append((table, row))
    return found


def _state(
    row: Mapping[str, Any],
    set_aside: Mapping[str, str],
    resting: Mapping[str, list[tuple[str, dict[str, Any]]]],
    flagged: bool,
) -> tuple[bool, str]:
    """Return whether a record's value is not used, and why."""
    record, column = row["record_id"], row["column_name"]
    if record in set_aside:
        return True, set_aside[record]
    if record not in resting:
        return False, "not a record of a curated value"
    outcomes = list(_outcomes(resting[record], record, column, row["value"]))
    used = [place for place, same in outcomes if same]
    if used:
        return False, f"its value is that of {used[0]}"
    if outcomes:
        return True, f"{outcomes[0][0]} has another value"
    if flagged:
        return True, "another record takes precedence"
    # Every plan and image also says whose it is; what it is used for says more.
    return False, f"used in {min((t == 'curated.patient', t) for t, _ in resting[record])[1]}"


def _outcomes(
    curated: Iterable[tuple[str, dict[str, Any]]], record: str, column: str | None, value: str | None
) -> Iterator[tuple[str, bool]]:
    """Yield each curated column that could have the record's value, and whether it has it."""
    for table, row in curated:
        if column in _OF_STATEMENT and table == "curated.vital_status":
            died, alive = (record in (row[c] or ()) for c in ("death_record_ids", "last_alive_record_ids"))
            yield f"{table}{'.death_date' if died else '.last_alive_date' if alive else ''}", died or alive
        elif listed := row.get(_LISTED.get(column or "", "")):
            yield f"{table}.{column}", record in listed
        elif column in row and row[column] is not None and value is not None:
            yield f"{table}.{column}", _same(row[column], value)


def _same(curated: Any, value: str) -> bool:
    """Return whether a curated value is the value of a record, which is text."""
    text = ", ".join(map(str, curated)) if isinstance(curated, list) else str(curated)
    if text == value:
        return True
    try:
        return float(text) == float(value)
    except ValueError:
        return False
