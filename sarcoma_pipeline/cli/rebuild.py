"""``sarcoma refresh --as-of``: rebuilds an earlier release and prints what differs from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from sarcoma_pipeline.cli.releases import named, release_label
from sarcoma_pipeline.cli.terminal import say, whole
from sarcoma_pipeline.operations import rebuild
from sarcoma_pipeline.orchestration.standing_release import kept
from sarcoma_pipeline.publish.release import read
from sarcoma_pipeline.quality import moved_values
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import opening


def run(project: Project, name: str) -> bool:
    """Rebuild a release and print how it compares with the original.

    Args:
        project: the study.
        name: a refresh id, ``current`` or ``previous``.

    Returns:
        Whether the rebuilt content is the same as the original.

    Raises:
        click.UsageError: there is no such release. click.ClickException: something it was built from is
            missing, or another process has locked the warehouse.
    """
    refresh_id = (
        str(release_label(named(project, name))["refresh_id"]) if name in ("current", "previous") else name
    )
    if not project.warehouse.exists():
        raise click.UsageError(f"no warehouse yet: sarcoma refresh --study {project.study.name}")
    project.published.mkdir(parents=True, exist_ok=True)
    try:
        known = rebuild.released_ids(project)
        where = f"sarcoma release list --study {project.study.name} shows the kept releases"
        refresh_id = whole("release", refresh_id, known, where)
        then = rebuild.label_of(project, refresh_id)
        # Next to the warehouse: the temporary folder has the same identities and needs the same permissions.
        with tempfile.TemporaryDirectory(dir=project.warehouse.parent, prefix=".as-of-") as root:
            rebuilt = rebuild.rebuild(project, then, Path(root))
    except rebuild.CannotRebuild as why:
        raise click.UsageError(f"{why}; sarcoma release list shows the kept releases") from None
    except opening.CannotOpen as why:
        raise click.ClickException(str(why)) from None
    for failure in rebuilt.failures:
        say(f"failed      {failure}")
    if rebuilt.path is None:
        return False
    say(f"release     {rebuilt.path.relative_to(project.root)}")
    say(f"content     {rebuilt.now['content_hash']}, {'same' if rebuilt.same else 'NOT the same'} as before")
    if rebuilt.now["code_hash"] != then["code_hash"]:
        say(f"program     changed; the release was built by {then['code_version']} {then['code_hash']}")
    if not rebuilt.same:
        _moved(project, rebuilt, refresh_id)
    return rebuilt.same


def _moved(project: Project, rebuilt: rebuild.Rebuilt, refresh_id: str) -> None:
    earlier = read(kept(project, refresh_id))
    if earlier is None or rebuilt.path is None:
        say("            its database was deleted, so values cannot be compared")
        return
    moved = moved_values.moved(earlier, read(rebuilt.path) or {}, moved_values.EVERYTHING)
    for row in moved.iter_rows(named=True):
        say(moved_values.sentence(row))
    say(f"{moved.height} values changed")
