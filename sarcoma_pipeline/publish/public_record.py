"""Record public versions. Only the owner can read the file.

It has exact counts and a digest of each patient's values. A version is recorded before it is written: if the
program is killed in between, later versions are compared with one version too many, never too few.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.differences import COHORT, Comparison, TooAlike
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.release import MetaRelease

_SUFFIX = ".public.jsonl"


class NotRecorded(Exception):
    """No public version of this release is recorded."""


def record_of(project: Project) -> Path:
    """Return the file with the public versions of a study."""
    return project.warehouse.with_suffix(_SUFFIX)


def versions(project: Project) -> list[dict[str, Any]]:
    """Return the public versions of a study, oldest first.

    Raises:
        ValueError: the record is damaged.
    """
    return _read(record_of(project))


def publish(project: Project, tables: Mapping[str, pl.DataFrame], at: str) -> dict[str, pl.DataFrame]:
    """Apply disclosure control, compare with every earlier public version, and record this one.

    Args:
        project: the study.
        tables: tables of a release.
        at: the time, ISO 8601.

    Returns:
        The tables that may be published.

    Raises:
        TooFewPatients: the cohort is smaller than the threshold.
        TooAlike: an earlier version differs by few patients; the message names it.
        ValueError: the record is damaged.
    """
    label = tables[MetaRelease.table()].row(0, named=True)
    policy = project.study.disclosure
    columns, patients = _patients(tables)
    with _alone(project):
        own = versions(project)
        known = [v for v in (*own, *_of_other_studies(project, patients)) if not v.get("unissued")]
        for version in known:
            threshold = max(policy.threshold, version["threshold"])
            if 0 < _differing(version, columns, patients, tables) < threshold:
                raise TooAlike(_told(version, f"it differs in fewer than {threshold} patients"))
            size = version["counts"][COHORT][COHORT][0]
            if 0 < abs(patients.total() - size) < threshold:
                raise TooAlike(_told(version, f"its cohort differs by fewer than {threshold} patients"))
        comparison = Comparison(policy, [(v["counts"], v["threshold"]) for v in known])
        made = disclosure.public(tables, policy, comparison)
        version = {
            "study": project.study.name,
            "refresh_id": label["refresh_id"],
            "content_hash": label["content_hash"],
            "threshold": policy.threshold,
            "columns": columns,
            "patients": sorted(patients.elements()),
            "pseudonyms": sorted(tables[CohortPatient.table()]["pseudonym"]),
            "counts": comparison.counts,
        }
        same = json.loads(json.dumps(version))
        if not any({k: v[k] for k in same} == same for v in own if not v.get("unissued")):
            _write(project, [*own, {"at": at, **version}])
    return made


def keep(project: Project, versions_before: list[dict[str, Any]]) -> None:
    """Add versions that a restored record lacks because they were made after the backup."""
    with _alone(project):
        restored = versions(project)
        known = {(v["refresh_id"], v["at"]) for v in versions_before}
        older = [v for v in restored if (v["refresh_id"], v["at"]) not in known]
        if versions_before:
            _write(project, sorted([*older, *versions_before], key=lambda v: (v["at"], v["refresh_id"])))


def take_back(project: Project, refresh_id: str, who: str, at: str, reason: str) -> int:
    """Record that the public versions of a release were never given away; later versions ignore them.

    Returns:
        Number of versions.

    Raises:
        NotRecorded: there is none.
    """
    with _alone(project):
        known = versions(project)
        chosen = [v for v in known if v["refresh_id"] == refresh_id and not v.get("unissued")]
        if not chosen:
            raise NotRecorded(refresh_id)
        for version in chosen:
            version["unissued"] = {"who": who, "at": at, "reason": reason}
        _write(project, known)
    return len(chosen)


def _told(version: Mapping[str, Any], why: str) -> str:
    return f"the public version of release {version['refresh_id']} of {version['study']} exists, and {why}"


def _patients(tables: Mapping[str, pl.DataFrame]) -> tuple[list[str], Counter[str]]:
    """Return the columns in a patient's digest, and the number of patients per digest.

    Pseudonyms and record ids are left out: a rotated key or a renamed record does not change the patient.
    """
    rows: dict[str, list[str]] = {}
    columns = []
    for table in (CohortPatient.table(), CohortEndpoint.table()):
        frame = tables[table]
        kept = sorted(c for c, kind in frame.schema.items() if c != "pseudonym" and not kind.is_nested())
        columns += [f"{table}.{c}" for c in kept]
        for row in frame.select("pseudonym", *kept).iter_rows():
            rows.setdefault(row[0], []).append(repr((table, row[1:])))
    digests = (
        hashlib.blake2b("\n".join(sorted(r)).encode(), digest_size=16).hexdigest() for r in rows.values()
    )
    return columns, Counter(digests)


def _differing(
    version: Mapping[str, Any], columns: list[str], patients: Counter[str], tables: Mapping[str, pl.DataFrame]
) -> int:
    """Count the patients who are in one of two versions only, or whose values differ."""
    then = Counter(version["patients"])
    if version["columns"] != columns:
        # Another version of the program: digests cannot be compared, but pseudonyms can.
        then, patients = Counter(version["pseudonyms"]), Counter(tables[CohortPatient.table()]["pseudonym"])
    return max((then - patients).total(), (patients - then).total())


def _of_other_studies(project: Project, patients: Counter[str]) -> list[dict[str, Any]]:
    """Return public versions of studies that share patients with this one."""
    own = record_of(project)
    others = (p for p in sorted(own.parent.glob(f"*{_SUFFIX}")) if p != own)
    return [v for path in others for v in _read(path) if not patients.keys().isdisjoint(v["patients"])]


def _read(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _write(project: Project, known: list[dict[str, Any]]) -> None:
    path = record_of(project)
    partial = path.with_name(f".{path.name}.part")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.writelines(json.dumps(version, sort_keys=True) + "\n" for version in known)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Lock the folder, so that no other process decides on a public version of any study meanwhile."""
    project.warehouse.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(project.warehouse.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
