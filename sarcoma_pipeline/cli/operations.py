"""``sarcoma status``, ``doctor``, ``backup`` and ``restore``: what keeps years of nights."""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
from pathlib import Path

import click

from sarcoma_pipeline.cli.study_option import configured, in_one_file, study_option


@click.command()
@study_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object, for a monitor.")
def status(study: str, as_json: bool) -> None:
    """Tell when the last good release was, what is due, what is stuck.

    Exit code 1 if an operator must look: nothing published, a release older than 36 hours, a refresh that did
    not succeed, a run that is stuck.
    """
    project = configured(study)
    os.environ.setdefault("DAGSTER_HOME", str(project.root / "dagster_home"))
    import dagster as dg

    from sarcoma_pipeline.operations import status as nights

    with dg.DagsterInstance.get() as instance:
        told = nights.status(project, instance, dt.datetime.now(dt.UTC))
    if as_json:
        said = {"study": study, "good": not told.faults, "faults": told.faults, "lines": told.lines}
        click.echo(json.dumps(said))
        sys.exit(1 if told.faults else 0)
    for topic, words in told.lines:
        click.echo(f"{topic:12} {words}")
    for fault in told.faults:
        click.echo(f"{'LOOK':12} {fault}")
    sys.exit(1 if told.faults else 0)


@click.command()
@study_option
def doctor(study: str) -> None:
    """Check the invariants; exit code 1 if one is broken, with what heals it."""
    from sarcoma_pipeline.operations import doctor as surgery

    project = configured(study)
    sound = True
    for found in surgery.examine(project):
        click.echo(f"{'FAULT' if found.faults else 'ok':6} {found.what}")
        for fault in found.faults:
            click.echo(f"       {fault}")
        if found.faults:
            click.echo(f"       remedy: {found.remedy}")
            sound = False
    sys.exit(0 if sound else 1)


@click.command()
@study_option
@click.option("--into", type=click.Path(path_type=Path), required=True, help="The archive, FILE.tar.")
def backup(study: str, into: Path) -> None:
    """Write warehouse, key, decisions and releases into one archive, and read it back.

    It holds identities and the key: store it as you store the warehouse.
    """
    import duckdb

    from sarcoma_pipeline.operations import backup as archive

    project = configured(study)
    in_one_file(project, "backup")
    try:
        names = archive.backup(project, into)
    except duckdb.IOException:
        raise click.ClickException("the warehouse cannot be opened: is a refresh running?") from None
    click.echo(f"{len(names)} files, {into.stat().st_size / 1e6:.1f} MB in {into}, verified")


@click.command()
@study_option
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace the warehouse and the key that are there.")
def restore(study: str, archive: Path, replace: bool) -> None:
    """Put an archive back; decisions that were taken since stay."""
    from sarcoma_pipeline.operations import backup as archives

    project = configured(study)
    in_one_file(project, "restore")
    try:
        names = archives.restore(project, archive, replace=replace)
    except archives.WouldReplace as refused:
        raise click.UsageError(f"{refused}: say --replace if that is meant") from None
    except archives.ArchiveDamaged as damaged:
        raise click.ClickException(f"{damaged}; nothing was restored") from None
    click.echo(f"{len(names)} files restored; sarcoma doctor --study {study} looks at them")
