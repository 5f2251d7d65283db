"""Print the comparison of two releases: moved values with their causes, then files, records and decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sarcoma_pipeline.cli.warehouse_rows import identity_gate, rows
from sarcoma_pipeline.publish import release, release_diff
from sarcoma_pipeline.quality import decision_log, moved_values
from sarcoma_pipeline.quality.identity_gate import IdentityGate
from sarcoma_pipeline.quality.record_changes import open_at
from sarcoma_pipeline.study.project import Project
from schemas.all_contracts import CONTRACTS
from schemas.movement import EstimateMovement, Movement

Label = Mapping[str, Any]

_PLACE = list(moved_values.PLACE)
_FILES = 50
"""Maximum number of files listed; of others only the number is printed."""


@dataclass(frozen=True)
class Differences:
    """What differs between two releases.

    Attributes:
        moved: the values that changed, each with its explanation (``why``).
        further: sentences on program, files, records and decisions.
    """

    moved: pl.DataFrame
    further: list[str]


def lines(found: Differences) -> Iterator[str]:
    """Yield the lines of the comparison of two releases."""
    for row in found.moved.iter_rows(named=True):
        yield moved_values.sentence(row) + (f"  ← {row['why']}" if row["why"] else "")
    yield f"{found.moved.height} values changed"
    yield from found.further


def differences(project: Project, old: Path, new: Path) -> Differences:
    """Compare two releases.

    Args:
        project: the study.
        old: the older release.
        new: the newer release.
    """
    before, after = (release.read(path) or {} for path in (old, new))
    labels = [release.read_label(path) or {} for path in (old, new)]
    moved = moved_values.moved(before, after, moved_values.EVERYTHING)
    why = _causes(new, labels[0])
    told = moved.join(why, on=_PLACE, how="left", nulls_equal=True, maintain_order="left")
    return Differences(told, list(_further(project, before, after, labels, moved)))


def _further(
    project: Project,
    before: Mapping[str, pl.DataFrame],
    after: Mapping[str, pl.DataFrame],
    labels: Sequence[Label],
    moved: pl.DataFrame,
) -> Iterator[str]:
    for column, what in (
        ("code_version", "program"),
        ("configuration_hash", "configuration"),
        ("manifest_hash", "files"),
    ):
        if labels[0].get(column) != labels[1].get(column):
            yield f"changed {what}: {labels[0].get(column)} → {labels[1].get(column)}"
    gate = identity_gate(project)
    if not project.centres:
        yield from _files(project, gate, labels)
    yield from _evidence(project, gate, before, after, moved)
    yield from _decisions(project, gate, labels)


def _causes(new: Path, old: Label) -> pl.DataFrame:
    """Return the explanation of each moved value, if the newer release was compared with the older one."""
    account = release.account(new)
    parts = [pl.DataFrame(schema={**dict.fromkeys(_PLACE, pl.String), "why": pl.String})]
    for table in (Movement.table(), EstimateMovement.table()):
        if table in account:
            frame = account[table].filter(pl.col("compared_with") == old.get("refresh_id"))
            silent = (
                pl.when("unexplained").then(pl.lit(["UNEXPLAINED"])).otherwise(pl.lit([], pl.List(pl.String)))
            )
            why = pl.col("causes").list.concat(silent).list.join("; ")
            who = [] if "pseudonym" in frame.columns else [pl.lit(None, pl.String).alias("pseudonym")]
            parts.append(frame.with_columns(*who, why=why).select(*_PLACE, "why"))
    return pl.concat(parts)


def _files(project: Project, gate: IdentityGate, labels: Sequence[Label]) -> Iterator[str]:
    """Yield the files that were added, removed or changed between two releases."""
    files = rows(project, "SELECT file_id, path, content_hash, first_refresh, last_refresh FROM meta.files")
    sides = [open_at(files, str(label.get("refresh_id"))) for label in labels]
    sides = [
        f.select("path", "file_id", "content_hash")
        .sort(pl.all())
        .unique("path", keep="first", maintain_order=True)
        for f in sides
    ]
    both = sides[0].join(sides[1], on="path", how="full", coalesce=True, suffix="_new").sort("path")
    changed = both.filter(pl.col("content_hash").ne_missing(pl.col("content_hash_new")))
    for row in changed.head(_FILES).iter_rows(named=True):
        what = "added" if row["file_id"] is None else "removed" if row["file_id_new"] is None else "changed"
        yield f"  file {what}: {gate.path(row['path'], row['file_id_new'] or row['file_id'])}"
    if changed.height > _FILES:
        yield f"  and {changed.height - _FILES} more files"


def _evidence(
    project: Project,
    gate: IdentityGate,
    before: Mapping[str, pl.DataFrame],
    after: Mapping[str, pl.DataFrame],
    moved: pl.DataFrame,
) -> Iterator[str]:
    """Yield the files through which each patient gained or lost records, and whether a value moved."""
    files = rows(project, "SELECT file_id, path FROM meta.files ORDER BY ALL")
    ids = dict(files.select("path", "file_id").iter_rows())
    received = [table for table in sorted(CONTRACTS) if table.startswith("received.")]
    names = " UNION ".join(release_diff.SAME_RECORDS.format(table=table) for table in received)
    patients = set(moved["pseudonym"].drop_nulls())
    for row in release_diff.causes(before, after, files, rows(project, names)).iter_rows(named=True):
        path = gate.path(row["path"], ids.get(row["path"]))
        still = "" if row["pseudonym"] in patients else "; no value moved"
        yield f"  {row['pseudonym']}  {path}: {row['gone']} records gone, {row['new']} new{still}"


def _decisions(project: Project, gate: IdentityGate, labels: Sequence[Label]) -> Iterator[str]:
    """Yield the decisions between two releases, with their rules and patients."""
    times = sorted(str(label.get("released_at")) for label in labels)
    about = {
        row["finding_id"]: row
        for row in rows(project, "SELECT finding_id, rule_id, pseudonym FROM quality.ledger").iter_rows(
            named=True
        )
    }
    for row in decision_log.read(project.decisions).iter_rows(named=True):
        if times[0] < row["at"] <= times[1]:
            known = about.get(row["finding_id"], {})
            patient = f", patient {known['pseudonym']}" if known.get("pseudonym") else ""
            rule = f" ({known['rule_id']}{patient})" if known else ""
            reason = gate.remark(row["reason"])
            yield f"  decision of {row['who']}: {row['action']} {row['finding_id']}{rule}: {reason}"
