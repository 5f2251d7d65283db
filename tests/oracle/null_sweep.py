"""Sweeps over mutants: what changes for a copy that lacks something, and what the findings say of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from sarcoma_pipeline.quality.findings import places
from schemas.configuration import Sources, Study
from tests.oracle.grammar import Element
from tests.oracle.in_process import Built, cohort_findings, derive, read
from tests.oracle.nulls import Copies, Delivered, Mutant, copies, copy_of

Key = tuple[str, str, str]
"""Table, criterion or endpoint, column."""

_TABLES = {
    "cohort.eligibility": "criterion", "cohort.patients": None, "cohort.endpoints": "endpoint",
    "cohort.not_at_risk": "endpoint", "cohort.events": None,
}  # fmt: skip
_PROVENANCE = ("record_id", "record_ids", "evidence", "pseudonym", "patient_id", "centre")
_COVARIATE, _CRITERION = ("model.covariate-missing",), ("eligibility.not-known", "eligibility.assumed")


class Seen(NamedTuple):
    """A finding of a copy; ``record`` is the same for the same record of every copy."""

    rule: str
    table: str | None
    column: str | None
    note: str | None
    record: str


@dataclass(frozen=True)
class Outcome:
    """What is said of one copy, and what the rules find."""

    said: Mapping[Key, Any]
    found: frozenset[Seen]


@dataclass(frozen=True)
class Silent:
    """A change that no finding tells."""

    mutant: Mutant
    changes: Mapping[Key, tuple[Any, Any]]

    def __repr__(self) -> str:
        """Return what is missing and what changed for it."""
        told = ", ".join(f"{'.'.join(k)}: {a!r} -> {b!r}" for k, (a, b) in sorted(self.changes.items()))
        return f"without {self.mutant.what} ({self.mutant.where}): {told[:400]}"


@dataclass(frozen=True)
class Setting:
    """Where the mutants are read and derived.

    Attributes:
        folder: an empty one.
        heads: name of an oBDS file to its root.
        sources: of the study.
        study: whose cohort it is.
        night: ``refresh_id``, ``received_on``.
        files: ``file_id``, ``path``, ``source`` of the files that are no oBDS.
    """

    folder: Path
    heads: Mapping[str, Element]
    sources: Sources
    study: Study
    night: pl.DataFrame
    files: pl.DataFrame | None = None


def silent(mutants: Sequence[Mutant], setting: Setting) -> Iterator[Silent]:
    """Yield every change that no new finding tells; the first mutant is the one that lacks nothing."""
    base, *others = _outcomes([mutant.without for mutant in mutants], setting)
    assert base.said, "nothing is said of the patient who lacks nothing"
    shown = {c.column for c in setting.study.covariates}
    for mutant, other in zip(mutants[1:], others, strict=True):
        keys = base.said.keys() | other.said.keys()
        changes = {k: (base.said.get(k), other.said.get(k)) for k in keys}
        untold = {
            key: change
            for key, change in changes.items()
            if change[0] != change[1] and not _told(key, change, other.found, shown)
        }
        if untold and not other.found - base.found:
            yield Silent(mutant, untold)


def _told(key: Key, change: tuple[Any, Any], found: frozenset[Seen], shown: set[str]) -> bool:
    """Return whether a finding that was there before has words for it, or the cell itself says it.

    A value that becomes empty or unknown in a column that is no covariate changes no estimate, and Table 1
    counts the unknown ones.
    """
    table, of, column = key
    if table == "cohort.patients":
        empty = column not in shown and change[1] in (None, "unknown")
        return empty or any(f.rule in _COVARIATE and f.column == column for f in found)
    return table == "cohort.eligibility" and any(f.rule in _CRITERION and f.column == of for f in found)


def _outcomes(originals: Sequence[Delivered], setting: Setting) -> list[Outcome]:
    made = copies(originals, setting.heads)
    for name, content in made.reports.items():
        path = setting.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    received, files = read(setting.folder, setting.sources)
    for table, rows in made.rows.items():
        received[table] = pl.concat([received[table], rows], how="diagonal")
    if setting.files is not None:
        files = pl.concat([files, _copied(made, setting.files)])
    built = derive(received, setting.sources, files, setting.study, setting.night)
    where = places(received, files)
    seen = cohort_findings(built, setting.study, setting.sources, where)
    observed = pl.concat([built.made.observed, seen])
    said = _said(built, made)
    found = _found(observed, received, where, made)
    return [Outcome(s, frozenset(f)) for s, f in zip(said, found, strict=True)]


def _copied(made: Copies, files: pl.DataFrame) -> pl.DataFrame:
    ids = pl.concat(rows.select("file_id") for rows in made.rows.values()).unique(maintain_order=True)
    original = pl.col("file_id").str.replace(r"^\d+:", "")
    return (
        ids.with_columns(_of=original)
        .join(files, left_on="_of", right_on="file_id", maintain_order="left")
        .select("file_id", "path", "source")
    )


def _said(built: Built, made: Copies) -> list[dict[Key, Any]]:
    said: list[dict[Key, Any]] = [{} for _ in made.numbers]
    place_of = {number: place for place, number in enumerate(made.numbers)}
    for table, by in _TABLES.items():
        frame = built[table]
        kept = [c for c in frame.columns if not c.endswith(_PROVENANCE)]
        for (patient,), rows in frame.partition_by("pseudonym", as_dict=True).items():
            place = place_of.get(str(patient).removeprefix("number:"))
            if place is None:
                continue
            if table == "cohort.events":
                said[place][table, "", "kind, day"] = sorted(
                    map(repr, rows.select("kind", "day").drop_nulls().rows())
                )
                continue
            for row in rows.select(kept).iter_rows(named=True):
                of = str(row[by]) if by else ""
                said[place] |= {(table, of, column): value for column, value in row.items()}
    return said


def _found(
    observed: pl.DataFrame, received: Mapping[str, pl.DataFrame], where: pl.DataFrame, made: Copies
) -> list[set[Seen]]:
    found: list[set[Seen]] = [set() for _ in made.numbers]
    part = pl.col("position").str.extract(r"(/Bestrahlung.*)").fill_null("")
    reports = pl.concat(
        frame.select("record_id", report=pl.col("Meldung_ID") + part)
        for frame in received.values()
        if "Meldung_ID" in frame.columns
    )
    known = where.select("record_id", "path", "position").join(reports, on="record_id", how="left")
    for row in observed.join(known, on="record_id", how="left").iter_rows(named=True):
        place = copy_of(row["record_id"], row["position"], made.whose.get(row["path"], ()))
        if place is not None:
            # The number of a report ends with that of its copy.
            record = re.sub(rf"-{place}\b", "", row["report"] or "") or row["record_id"].partition(":")[2]
            seen = Seen(row["rule_id"], row["table_name"], row["column_name"], row["note"], record)
            found[place].add(seen)
    return found
