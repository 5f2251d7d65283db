"""Replace the key of the pseudonyms, and count the pseudonyms that do not come from a key."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sarcoma_pipeline.publish.pseudonym_key import (
    begun_crosswalk,
    finish_rotation,
    key_locked,
    next_key,
    replaced_key,
    sync_folder,
)
from sarcoma_pipeline.publish.release import KEY_BYTES, pseudonym_key, pseudonyms
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening, read_only


@dataclass(frozen=True)
class Rotation:
    """The result of a rotation.

    Attributes:
        patients: number of patients whose pseudonyms change.
        kept: file with the old key.
        crosswalk: CSV file with old and new pseudonyms.
    """

    patients: int
    kept: Path
    crosswalk: Path


def rotate(project: Project, now: dt.datetime) -> Rotation:
    """Replace the key; the next refresh gives every patient a new pseudonym.

    Args:
        project: the study, with no refresh running.
        now: the current time, which becomes part of the names of the kept files.

    Raises:
        FileNotFoundError: there is no key yet.
        FileExistsError: a key was rotated within this second.
        BlockingIOError: another process is rotating it.
        CannotOpen: a refresh has locked the warehouse, or it is damaged.
    """
    if not project.key.exists():
        raise FileNotFoundError(project.key.name)
    stamp = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    kept = replaced_key(project, stamp)
    crosswalk = project.key.with_name(f"{project.study.name}.crosswalk.{stamp}.csv")
    new_key = secrets.token_hex(KEY_BYTES)
    with key_locked(project):
        finish_rotation(project)
        if kept.exists() or crosswalk.exists():
            raise FileExistsError(kept.name)
        # An open reader blocks writers: a refresh must not start with one key and end with another.
        with opening.connect(project.warehouse, read_only=True) as warehouse:
            ids = warehouse.execute("SELECT DISTINCT patient_id FROM curated.patient").pl()["patient_id"]
            old = pseudonyms(ids, pseudonym_key(project.key))
            pairs = old.join(pseudonyms(ids, bytes.fromhex(new_key)), on="patient_id", suffix="_new")
            _write(begun_crosswalk(crosswalk), _csv(pairs))
            _write(next_key(project), new_key + "\n")
            os.link(project.key, kept)
            sync_folder(project.key.parent)
            # A single rename: after a crash there is either the old key or the new one.
            next_key(project).replace(project.key)
            begun_crosswalk(crosswalk).replace(crosswalk)
            sync_folder(project.key.parent)
    return Rotation(pairs.height, kept, crosswalk)


def differing(project: Project, key: Path) -> tuple[int, int]:
    """Count the pseudonyms of the warehouse that do not come from a key.

    Args:
        project: the study, or its files in another root.
        key: a key file.

    Returns:
        The number of differing pseudonyms, and the number of all.
    """
    wrong, total = 0, 0
    for centre in project.centres or ("",):
        with read_only.connect(project, centre) as warehouse:
            pairs = warehouse.execute("SELECT patient_id, pseudonym FROM curated.patient").fetchall()
        made = pseudonyms(pl.Series([p for p, _ in pairs], dtype=pl.String), pseudonym_key(key, centre))
        wrong += len(set(pairs) - set(made.iter_rows()))
        total += len(pairs)
    return wrong, total


def _csv(pairs: pl.DataFrame) -> str:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("pseudonym_before", "pseudonym"))
    lines.writerows(sorted(pairs.select("pseudonym", "pseudonym_new").iter_rows()))
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if path.suffix == ".next" else os.O_EXCL)
    with os.fdopen(os.open(path, flags, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
