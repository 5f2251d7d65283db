"""The key of the pseudonyms over the years: made once, changed on purpose, the ones before it kept."""

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
    """There are published pseudonyms and no key: a new one would change them all without anybody's wish."""


@dataclass(frozen=True)
class Rotation:
    """What a rotation left.

    Attributes:
        patients: whose pseudonyms change.
        kept: the key before.
        crosswalk: old and new pseudonyms, as CSV.
    """

    patients: int
    kept: Path
    crosswalk: Path


def at_hand(project: Project) -> bytes:
    """The study's key, made now if nothing was published yet.

    Raises:
        KeyLost: it is gone; the message says what brings it back.
        ValueError: the file holds no key.
    """
    if project.release.exists() and not project.key.exists():
        name = project.study.name
        raise KeyLost(
            f"{project.key.name} is gone, and a new key would change every pseudonym: sarcoma restore "
            f"FILE.tar --replace brings it back; if it is lost for ever, sarcoma key new --study {name}"
        )
    return pseudonym_key(project.key)


def rotate(project: Project, now: dt.datetime) -> Rotation:
    """Replace the key; the next refresh gives every patient a new pseudonym.

    Args:
        project: the study, with no refresh running.
        now: names what is kept.

    Raises:
        FileNotFoundError: there is no key yet.
        FileExistsError: one was rotated in this second.
        duckdb.IOException: a refresh holds the warehouse.
    """
    if not project.key.exists():
        raise FileNotFoundError(project.key.name)
    stamp = f"{now.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"
    kept = project.key.with_name(f"{project.key.name}.{stamp}")
    crosswalk = project.key.with_name(f"{project.study.name}.crosswalk.{stamp}.csv")
    made = secrets.token_hex(KEY_BYTES)
    # A reader keeps every writer out: no refresh may start with one key and end with another.
    with duckdb.connect(str(project.warehouse), read_only=True) as held:
        ids = held.execute("SELECT DISTINCT patient_id FROM curated.patient").pl()["patient_id"]
        old = pseudonyms(ids, pseudonym_key(project.key))
        pairs = old.join(pseudonyms(ids, bytes.fromhex(made)), on="patient_id", suffix="_new")
        _write(crosswalk, _csv(pairs))
        _write(project.key.with_suffix(".next"), made + "\n")
        os.link(project.key, kept)
        # One rename: whenever the power goes, there is a whole key, the old or the new.
        project.key.with_suffix(".next").replace(project.key)
    return Rotation(pairs.height, kept, crosswalk)


def key_of(project: Project, refresh_id: str) -> Path:
    """The key that a refresh used: the first that was replaced after it, else today's."""
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
