"""Explain why each released value differs from the release before.

A value of a patient is explained by the records behind it: an added record is an explanation by itself; a
record that changed, vanished, was outranked or set aside needs a finding about it. If no record differs, a
decision, the program, the configuration or the calendar explains the move. A value that none of them
explains is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import polars as pl

from sarcoma_pipeline.quality.column_lineage import origins
from sarcoma_pipeline.quality.moved_values import ABSENT, PLACE, PRESENT, ROW
from sarcoma_pipeline.quality.movement_findings import MOVED_UNEXPLAINED
from sarcoma_pipeline.quality.record_changes import NEEDS_FINDING
from schemas.column_lineage import upstream
from schemas.language import gettext as _
from schemas.language import marked, ngettext
from schemas.movement import EstimateMovement, Movement, MovementRecord
from schemas.vocabularies import MOVEMENT_CAUSE

_A_FINDING = marked("a finding")
_CUT_OFF = "registry_answer_age_months"
"""Column that depends on the data cut-off, and so on the newest registry answer of any patient.

Its other origins are records of the patient. If none of them differs, the data cut-off moved: an answer came,
or the patient with the newest answer was linked anew, objected, or is no longer delivered.
"""
_BY_FILE = ("added", "changed", "vanished")
_BY_CHOICE = ("no longer used", "of another patient")
"""Changes that another explained change, or a cause that concerns the whole study, may have caused."""

RowsOf = Callable[[str, pl.Series], pl.DataFrame]
"""Function that takes a received table name and record ids, and returns the rows with earlier versions."""


@dataclass(frozen=True)
class Circumstances:
    """The other differences to the release before.

    Attributes:
        refresh_id: this refresh.
        compared_with: refresh of the release before.
        program: whether the program changed.
        configuration: whether the study's configuration changed.
        key: whether the pseudonym key changed and no file maps the old pseudonyms to the new ones.
        cut_off: whether the data cut-off depends on the registry answers; False if it is declared.
        decided: pseudonyms of patients with a decision on a finding since then.
        decided_all: whether a decision since then concerns no single patient.
        lapsed: pseudonyms of patients with a waiver that lapsed since then.
    """

    refresh_id: str
    compared_with: str
    program: bool = False
    configuration: bool = False
    key: bool = False
    cut_off: bool = False
    decided: frozenset[str] = frozenset()
    decided_all: bool = False
    lapsed: frozenset[str] = frozenset()

    def of(self, pseudonym: str) -> set[str]:
        """Return the causes, other than files, that may have moved a patient's values."""
        found = {"key": self.key, "program": self.program, "configuration": self.configuration}
        found["decision"] = self.decided_all or pseudonym in self.decided
        found["calendar"] = pseudonym in self.lapsed
        return {name for name, holds in found.items() if holds}


@dataclass(frozen=True)
class Account:
    """The explanations of one refresh.

    Attributes:
        values: ``meta.movement``.
        records: ``meta.movement_record``.
    """

    values: pl.DataFrame = field(default_factory=Movement.empty)
    records: pl.DataFrame = field(default_factory=MovementRecord.empty)


def account(
    moved: pl.DataFrame,
    changed: pl.DataFrame,
    eligibility: pl.DataFrame,
    circumstances: Circumstances,
    rows_of: RowsOf,
) -> Account:
    """Explain every moved value.

    Args:
        moved: moved values of patients, from :func:`moved_values.moved`.
        changed: changed records behind these patients' values, from :func:`record_changes.changes`.
        eligibility: ``cohort.eligibility`` of this refresh.
        circumstances: the other differences.
        rows_of: reads received records, to find their differing columns.
    """
    changed = changed.with_columns(differing=_differing(changed, rows_of))
    records: dict[str, list[dict[str, Any]]] = {}
    for row in changed.with_row_index("at").iter_rows(named=True):
        records.setdefault(row["pseudonym"], []).append(row)
    why = {
        row["pseudonym"]: row
        for row in eligibility.filter("excluded_here").sort("pseudonym", "position").iter_rows(named=True)
    }
    values, through = [], set()
    for row in moved.iter_rows(named=True):
        relevant = _relevant(records.get(row["pseudonym"], []), row, circumstances)
        through.update(r["at"] for r in relevant)
        left = why.get(row["pseudonym"], {}) if row["new"] == ABSENT else {}
        values.append(
            row
            | _explained(relevant, row, circumstances)
            | {"criterion": left.get("criterion"), "reason": left.get("reason")}
        )
    frame = pl.DataFrame(values, schema_overrides=_schema(Movement), infer_schema_length=None)
    frame = frame.with_columns(
        refresh_id=pl.lit(circumstances.refresh_id), compared_with=pl.lit(circumstances.compared_with)
    )
    part = pl.int_range(pl.len()).is_in(sorted(through))
    changed = changed.with_columns(moved=part, compared_with=pl.lit(circumstances.compared_with))
    return Account(Movement.conform(frame), MovementRecord.conform(changed))


def _schema(contract: type[Movement]) -> dict[str, pl.DataType]:
    return dict(contract.polars_schema())


def _differing(changed: pl.DataFrame, rows_of: RowsOf) -> pl.Series:
    """Return the received columns in which the two versions of each changed record differ."""
    found: dict[tuple[str, str], list[str]] = {}
    pairs = changed.filter(pl.col("change") == "changed").drop_nulls(["record_before", "record_now"])
    for (table,), some in pairs.group_by(["table_name"], maintain_order=True):
        ids = pl.concat([some["record_before"], some["record_now"]]).unique().sort()
        rows = {row["record_id"]: row for row in rows_of(str(table), ids).iter_rows(named=True)}
        for before, now in some.select("record_before", "record_now").iter_rows():
            one, other = rows.get(before), rows.get(now)
            if one and other:
                found[before, now] = sorted(c for c in one if c != "record_id" and one[c] != other[c])
    return pl.Series(
        "differing",
        [found.get(pair, []) for pair in changed.select("record_before", "record_now").iter_rows()],
        dtype=pl.List(pl.String),
    )


@cache
def _sources(table: str, column: str) -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """Return the received columns from which a released value is computed, and their tables."""
    known = origins()
    columns = [column] if column != ROW else [c for c in known[table] if c != "pseudonym"]
    found = {s for c in columns for _, s in upstream(known, (table, c)) if s[0].startswith("received.")}
    return frozenset(found), frozenset(t for t, _ in found)


def _relevant(
    records: list[dict[str, Any]], value: Mapping[str, Any], circumstances: Circumstances
) -> list[dict[str, Any]]:
    """Return the changes that may have moved a value: changes of columns from which it is computed.

    Membership in the cohort depends on every record; so does a value whose columns did not change.
    """
    if value["column_name"] == ROW:
        return records
    columns, tables = _sources(value["table_name"], value["column_name"])

    def matters(change: Mapping[str, Any]) -> bool:
        table = change["table_name"]
        if change["differing"]:
            return any((table, c) in columns for c in change["differing"])
        return table in tables

    found = [change for change in records if matters(change)]
    return found or ([] if circumstances.of(value["pseudonym"]) else records)


def _explained(
    relevant: list[dict[str, Any]], value: Mapping[str, Any], circumstances: Circumstances
) -> dict[str, Any]:
    """Return ``causes``, ``file_ids``, ``unexplained`` and ``record_id`` of a moved value."""
    others = circumstances.of(value["pseudonym"])
    # The data cut-off depends on other patients' records too.
    if circumstances.cut_off and value["column_name"] == _CUT_OFF:
        others = others | {"calendar"}
    causes = {c["cause"] for c in relevant if c["change"] in _BY_FILE and c["cause"]}
    chosen = bool(others) or any(c["explained"] for c in relevant)
    silent = [c for c in relevant if not c["explained"] and not (c["change"] in _BY_CHOICE and chosen)]
    if any(c["change"] not in _BY_FILE for c in relevant) or not causes:
        causes |= others
    told = any(c["explained"] and c["change"] in NEEDS_FINDING for c in relevant)
    unexplained = bool(silent) or not (causes or told)
    if circumstances.key:
        causes, unexplained = {"key"}, False
    look_at = sorted(silent or relevant, key=_order) if unexplained else []
    files = {c[side] for c in relevant if c["cause"] for side in ("file_before", "file_now")} - {None}
    return {
        "causes": [c for c in MOVEMENT_CAUSE if c in causes],
        "file_ids": sorted(files),
        "unexplained": unexplained,
        "record_id": (look_at[0]["record_now"] or look_at[0]["record_before"]) if look_at else None,
    }


def _order(change: Mapping[str, Any]) -> tuple[bool, str, str, str]:
    names = ("table_name", "record_now", "record_before")
    table, now, before = (change[name] or "" for name in names)
    # A changed record is more informative than a missing one.
    return change["change"] != "changed", table, now, before


def standing(
    earlier: pl.DataFrame, tonight: pl.DataFrame, values: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Return the unexplained moves of earlier refreshes whose value has not changed since.

    Args:
        earlier: ``meta.movement`` after the last refresh.
        tonight: moved values of this refresh, which replace earlier moves of the same value.
        values: released tables of patients of this refresh.
    """
    open_ = earlier.filter("unexplained").join(tonight, on=list(PLACE), how="anti", nulls_equal=True)
    if open_.is_empty():
        return Movement.empty()
    cells = _cells(open_, values)
    kept = open_.join(cells, on=list(PLACE), how="left", nulls_equal=True).filter(
        pl.col("new").eq_missing(pl.col("cell"))
    )
    return Movement.conform(kept)


def undone(earlier: Account, release: str) -> Account:
    """Return an account without what it says of a release from which nothing differs any more.

    A refresh that published nothing compared itself with that release, too, and what it saw was then undone,
    such as a folder that could not be reached for a night.

    Args:
        earlier: the account after the last refresh.
        release: refresh of the release.
    """
    others = pl.col("compared_with") != release
    return Account(earlier.values.filter(others), earlier.records.filter(others))


def _cells(wanted: pl.DataFrame, values: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the present text of each wanted value."""
    schema = {c: pl.String() for c in (*PLACE, "cell")}
    rows = []
    for table, frame in sorted(values.items()):
        who = frame.join(wanted.select("pseudonym").unique(), on="pseudonym", how="semi")
        texts = who.select(pl.all().exclude(pl.List).cast(pl.String)).rows(named=True)
        known = {(r["pseudonym"], r.get("endpoint")): r for r in texts}
        for one in wanted.filter(pl.col("table_name") == table).iter_rows(named=True):
            row = known.get((one["pseudonym"], one["row"]))
            if one["column_name"] == ROW:
                cell = ABSENT if row is None else PRESENT
            else:
                cell = None if row is None else row.get(one["column_name"])
            rows.append((table, one["pseudonym"], one["row"], one["column_name"], cell))
    return pl.DataFrame(rows, schema=schema, orient="row").unique()


def summary(values: pl.DataFrame) -> list[str]:
    """Return a summary in sentences, unexplained moves first; empty if no value moved.

    Args:
        values: ``pseudonym``, ``causes``, ``unexplained`` of ``meta.movement``.
    """
    silent = values.filter("unexplained")
    sentences = []
    if silent.height:
        sentences.append(
            _("{values} moved, and nothing says why: {command}").format(
                values=_counted(silent), command=f"sarcoma findings --rule {MOVED_UNEXPLAINED.id}"
            )
        )
    told = values.filter(~pl.col("unexplained"))
    if told.height:
        by = told.select(pl.col("causes").list.join(" and ").replace("", _A_FINDING)).to_series()
        counts = by.value_counts().sort("count", "causes", descending=[True, False])
        causes = [(_(" and ").join(_(c) for c in cause.split(" and ")), n) for cause, n in counts.iter_rows()]
        named = ", ".join(f"{cause} {n}" for cause, n in causes)
        sentences.append(_("{values} moved: {causes}").format(values=_counted(told), causes=named))
    return sentences


def _counted(values: pl.DataFrame) -> str:
    n, patients = values.height, values["pseudonym"].n_unique()
    released = ngettext("{number} released value", "{number} released values", n).format(number=n)
    of = ngettext("of {number} patient", "of {number} patients", patients).format(number=patients)
    return f"{released} {of}"


def of_estimates(
    moved: pl.DataFrame, patients: pl.DataFrame, compared_with: str, whole: frozenset[str]
) -> pl.DataFrame:
    """Explain moved estimates by moved patients, program or configuration.

    Args:
        moved: moved estimates, from :func:`moved_values.moved`.
        patients: ``meta.movement``.
        compared_with: refresh of the release before.
        whole: ``program``, ``configuration`` if they changed.

    Returns:
        ``analysis.estimate_movement``.
    """
    tonight = patients.filter(pl.col("compared_with") == compared_with)
    causes = whole | ({"patients"} if tonight.height else frozenset())
    named = [c for c in MOVEMENT_CAUSE if c in causes]
    return EstimateMovement.conform(
        moved.with_columns(
            compared_with=pl.lit(compared_with),
            causes=pl.lit(named, dtype=pl.List(pl.String)),
            unexplained=pl.lit(not named),
        )
    )
