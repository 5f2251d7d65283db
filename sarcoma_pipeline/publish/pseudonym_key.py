"""Manages the key of the pseudonyms: created once, rotated on request; earlier keys are kept."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from sarcoma_pipeline.publish.release import KEY_BYTES, pseudonym_key, pseudonyms
from sarcoma_pipeline.study.project import Project


class KeyLost(Exception):
    """There are published pseudonyms but no key; a new key would silently change all of them."""


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


def ensure_key(project: Project) -> bytes:
    """Return the study's key; creates it if nothing has been published yet.

    Raises:
        KeyLost: the key file is missing; the message says how to recover.
        ValueError: the file is no valid key.
    """
    published = (project.as_released().release, project.as_draft().release)
    if any(path.exists() for path in published) and not project.key.exists():
        name = project.study.name
        raise KeyLost(
            f"{project.key.name} is missing, and a new key would change every pseudonym. Recover it with "
            f"sarcoma restore FILE.tar --replace. If no backup has it: sarcoma key new --study {name}"
        )
    return pseudonym_key(project.key)


def rotate(project: Project, now: dt.datetime) -> Rotation:
    """Replace the key; the next refresh gives every patient a new pseudonym.

    Args:
        project: the study, with no refresh running.
        now: the current time, which becomes part of the names of the kept files.

    Raises:
        FileNotFoundError: there is no key yet.
        FileExistsError: a key was rotated within this second.
        duckdb.IOException: a refresh has locked the warehouse.
    """
    if not project.key.exists():
        raise FileNotFoundError(project.key.name)
    stamp = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    kept = project.key.with_name(f"{project.key.name}.{stamp}")
    crosswalk = project.key.with_name(f"{project.study.name}.crosswalk.{stamp}.csv")
    new_key = secrets.token_hex(KEY_BYTES)
    # An open reader locks out writers: a refresh must not start with one key and end with another.
    with duckdb.connect(str(project.warehouse), read_only=True) as warehouse:
        ids = warehouse.execute("SELECT DISTINCT patient_id FROM curated.patient").pl()["patient_id"]
        old = pseudonyms(ids, pseudonym_key(project.key))
        pairs = old.join(pseudonyms(ids, bytes.fromhex(new_key)), on="patient_id", suffix="_new")
        _write(crosswalk, _csv(pairs))
        _write(project.key.with_suffix(".next"), new_key + "\n")
        os.link(project.key, kept)
        # A single rename: after a crash there is either the old key or the new one.
        project.key.with_suffix(".next").replace(project.key)
    return Rotation(pairs.height, kept, crosswalk)


def key_of(project: Project, refresh_id: str) -> Path:
    """Return the key file that a refresh used: the first one replaced after it, else the current one."""
    later = sorted(p for p in project.key.parent.glob(f"{project.key.name}.*") if p.suffix[1:] > refresh_id)
    return later[0] if later else project.key


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
