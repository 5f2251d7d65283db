"""``sarcoma refresh --as-of``: a release of the past built again, and what differs from it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click
import duckdb

from sarcoma_pipeline.cli.releases import made_of, named
from sarcoma_pipeline.operations import rebuild
from sarcoma_pipeline.publish import release_diff
from sarcoma_pipeline.publish.release import read
from sarcoma_pipeline.study.project import Project


def run(project: Project, name: str) -> bool:
    """Build a release again and print how it compares.

    Args:
        project: the study.
        name: a refresh, ``current`` or ``previous``.

    Returns:
        Whether its content is the one of then.

    Raises:
        click.UsageError: there is no such release.
        click.ClickException: what it was made of is not there any more, or another process has the warehouse.
    """
    refresh_id = str(made_of(named(project, name))["refresh_id"]) if name in ("current", "previous") else name
    if not project.warehouse.exists():
        raise click.UsageError(f"no warehouse yet: sarcoma refresh --study {project.study.name}")
    project.published.mkdir(parents=True, exist_ok=True)
    try:
        then = rebuild.label_of(project, refresh_id)
        # Beside the warehouse, for it holds the same identities and is as restricted.
        with tempfile.TemporaryDirectory(dir=project.warehouse.parent, prefix=".as-of-") as root:
            rebuilt = rebuild.rebuild(project, then, Path(root))
    except rebuild.CannotRebuild as why:
        raise click.UsageError(f"{why}; sarcoma release list names the kept ones") from None
    except duckdb.IOException:
        raise click.ClickException(
            "another process holds the warehouse: try again after its refresh"
        ) from None
    for failure in rebuilt.failures:
        click.echo(f"failed      {failure}")
    if rebuilt.path is None:
        return False
    click.echo(f"release     {rebuilt.path.relative_to(project.root)}")
    click.echo(
        f"content     {rebuilt.now['content_hash']}, {'the same as' if rebuilt.same else 'NOT as'} then"
    )
    if rebuilt.now["code_hash"] != then["code_hash"]:
        click.echo(f"program     another than then: {then['code_version']} {then['code_hash']} made it")
    if not rebuilt.same:
        _moved(project, rebuilt, refresh_id)
    return rebuilt.same


def _moved(project: Project, rebuilt: rebuild.Rebuilt, refresh_id: str) -> None:
    kept = read(project.published / "releases" / f"{refresh_id}.duckdb")
    if kept is None or rebuilt.path is None:
        click.echo("            its database is no longer kept, so that no value can be compared")
        return
    moved = release_diff.moved(kept, read(rebuilt.path) or {})
    for row in moved.iter_rows(named=True):
        click.echo(f"{row['table_name']}  {row['row']}  {row['column_name']}: {row['old']} → {row['new']}")
    click.echo(f"{moved.height} values moved")
