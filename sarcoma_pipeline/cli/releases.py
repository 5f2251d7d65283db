"""``sarcoma release``: lists the kept releases, compares two of them, and rolls back to one."""

from __future__ import annotations

import csv
import datetime as dt
import getpass
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json, whole
from sarcoma_pipeline.study.project import Project

if TYPE_CHECKING:
    import polars as pl


@click.group()
def release() -> None:
    """List the kept releases, compare two, roll back to one."""


@release.command("list")
@study_option
@json_option
def list_(study: str, as_json: bool) -> None:
    """List the kept releases, oldest first. A star marks the published one."""
    project = configured(study)
    current = _published_id(project)
    labels = {name: release_label(path) for name, path in _kept(project).items()}
    if as_json:
        say_json([{**label, "published": name == current} for name, label in labels.items()])
        return
    for name, label in labels.items():
        mark = "*" if name == current else " "
        say(f"{mark} {name}  {label['released_at']}  {label['eligible']} patients  {label['content_hash']}")


@release.command()
@study_option
@click.argument("old")
@click.argument("new", default="current")
@json_option
def diff(study: str, old: str, new: str, as_json: bool) -> None:
    """Show which values changed between two releases, and what explains it: files, decisions, program.

    It also names records that changed without changing a value.

    OLD and NEW are refresh ids as shown by `sarcoma release list`, or `current` or `previous`.
    """
    from sarcoma_pipeline.cli import release_differences

    project = configured(study)
    paths = [named(project, name) for name in (old, new)]
    found = release_differences.differences(project, *paths)
    if as_json:
        say_json({"moved": found.moved.to_dicts(), "further": [line.strip() for line in found.further]})
        return
    for line in release_differences.lines(found):
        say(line)


@release.command()
@study_option
@click.argument("to", default="previous")
@click.option("--reason", required=True, help="Why. Recorded in releases/log.csv.")
def rollback(study: str, to: str, reason: str) -> None:
    """Publish a kept release again, in one step. The next successful refresh publishes its own."""
    project = configured(study)
    source = named(project, to)
    partial = project.published / ".rollback.part"
    replaced = _published_id(project)
    shutil.copyfile(source, partial)
    partial.replace(project.release)
    _log(project, replaced, source.stem, reason)
    say(f"published again: {source.stem}, instead of {replaced or 'nothing'}")


@release.command()
@study_option
@click.option("--reason", required=True, help="Why. Recorded in releases/log.csv.")
def withdraw(study: str, reason: str) -> None:
    """Withdraw the published release without putting another in its place, e.g. a first one that was wrong.

    Database and report move to the folder `withdrawn`. No later release is compared with a withdrawn one.
    """
    project = configured(study)
    name = _published_id(project)
    if not name:
        raise click.UsageError("nothing is published that could be withdrawn")
    into = project.withdrawn / (name if name != _DAMAGED else "damaged")
    into.mkdir(parents=True, exist_ok=True)
    _log(project, name, "", reason)
    for path in (project.release, project.published / "report"):
        if path.exists():
            target = into / path.name
            shutil.rmtree(target, ignore_errors=True)
            path.replace(target)
    say(f"withdrawn: {name}; moved to {into.relative_to(project.root)}")


@release.command()
@study_option
@json_option
def public(study: str, as_json: bool) -> None:
    """List the public versions that later ones are compared with, oldest first."""
    from sarcoma_pipeline.publish import public_record

    versions = public_record.versions(configured(study))
    if as_json:
        say_json([*versions])
        return
    for version in versions:
        back = version.get("unissued")
        words = f"  never issued: {back['reason']} ({back['who']}, {back['at']})" if back else ""
        say(f"{version['refresh_id']}  {version['at']}{words}")


@release.command()
@study_option
@click.argument("refresh_id")
@click.option("--reason", required=True, help="How you know that it was never given to anyone. Recorded.")
def unissued(study: str, refresh_id: str, reason: str) -> None:
    """Declare that the public versions of a release were never given to anyone: later ones ignore them.

    Delete their files first. If anybody has one, the difference to the next version may tell them a patient's
    values.
    """
    from sarcoma_pipeline.publish import public_record

    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    project = configured(study)
    known = [str(v["refresh_id"]) for v in public_record.versions(project) if not v.get("unissued")]
    refresh_id = whole("public version", refresh_id, known, f"sarcoma release public --study {study}")
    number = public_record.take_back(project, refresh_id, _who(), now, reason)
    say(f"{number} public versions of {refresh_id} are no longer compared with")


def _log(project: Project, replaced: str, by: str, reason: str) -> None:
    """Record that a person replaced a release with another, or with none."""
    log = project.published / "releases" / LOG
    log.parent.mkdir(parents=True, exist_ok=True)
    is_new = not log.exists()
    with log.open("a", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        if is_new:
            rows.writerow(["at", "who", "from", "to", "reason"])
        rows.writerow([dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), _who(), replaced, by, reason])


LOG = "log.csv"
"""Log file in ``releases/`` of releases that a person withdrew or published again."""

_DAMAGED = "a damaged release"


def _published_id(project: Project) -> str:
    """Return the refresh id of the published release; a damaged release must not prevent its rollback."""
    from sarcoma_pipeline.publish.release import read_label

    label = read_label(project.release)
    return label["refresh_id"] if label else _DAMAGED if project.release.exists() else ""


def _who() -> str:
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _kept(project: Project) -> dict[str, Path]:
    return {path.stem: path for path in sorted((project.published / "releases").glob("*.duckdb"))}


def named(project: Project, name: str) -> Path:
    """Return the database of a release.

    Args:
        project: the study.
        name: a refresh id or its beginning, `current` or `previous`.

    Raises:
        click.UsageError: there is none.
        NotFound: there is no such release, or it is no longer kept.
    """
    kept = _kept(project)
    if name == "current":
        if not project.release.exists():
            raise click.UsageError(f"nothing published yet: sarcoma refresh --study {project.study.name}")
        return project.release
    if name == "previous":
        current = _published_id(project)
        # The refresh id of a damaged release is unknown: its predecessor is the newest kept one.
        earlier = [stem for stem in kept if stem < current or current == _DAMAGED]
        if not earlier:
            raise click.UsageError("there is no earlier release")
        return kept[earlier[-1]]
    return kept[whole("release", name, kept, f"sarcoma release list --study {project.study.name}")]


def release_label(path: Path) -> dict[str, object]:
    """Read ``meta.release`` from a release's database."""
    import duckdb

    with duckdb.connect(str(path), read_only=True) as connection:
        frame: pl.DataFrame = connection.execute("FROM meta.release").pl()
    return frame.row(0, named=True)
