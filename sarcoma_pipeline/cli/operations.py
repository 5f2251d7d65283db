"""``sarcoma status``, ``doctor``, ``backup`` and ``restore``: the operator's commands."""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
from pathlib import Path

import click

from sarcoma_pipeline.cli.study_option import configured, dagster_home, in_one_file, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json
from sarcoma_pipeline.study.project import Project


@click.command()
@study_option
@json_option
def status(study: str, as_json: bool) -> None:
    """Show the age of the last good release, what is due, and what is stuck.

    Exit code 1 if an operator must act: nothing published, a release older than 36 hours, a failed refresh, a
    stuck run, a damaged warehouse, or nothing that starts the next refresh. Where cron starts it, set
    SARCOMA_NIGHTLY=off.
    """
    project = configured(study)
    dagster_home(project)
    from sarcoma_pipeline.operations import status as operations_status
    from sarcoma_pipeline.orchestration import run_history

    now = dt.datetime.now(dt.UTC)
    try:
        with run_history.opened(run_history.home_of(project.root)) as history:
            report = operations_status.status(project, history, now)
    except run_history.Unfamiliar:
        import dagster as dg

        from sarcoma_pipeline.orchestration.dagster_history import DagsterHistory

        with dg.DagsterInstance.get() as instance:
            report = operations_status.status(project, DagsterHistory(instance), now)
    if as_json:
        fields = {"study": study, "good": not report.faults, "faults": report.faults, "lines": report.lines}
        say_json(fields)
        sys.exit(1 if report.faults else 0)
    for topic, words in report.lines:
        say(f"{topic:12} {words}")
    for fault in report.faults:
        say(f"{'PROBLEM':12} {fault}")
    sys.exit(1 if report.faults else 0)


@click.command()
@study_option
@click.option(
    "--repair",
    is_flag=True,
    help="First set a damaged write-ahead log aside. The next refresh reads again what is lost with it.",
)
@json_option
def doctor(study: str, repair: bool, as_json: bool) -> None:
    """Check that warehouse, key, decisions and releases are consistent; exit code 1 and a remedy if not."""
    from sarcoma_pipeline.operations import doctor as checks

    project = configured(study)
    told = _repaired(project) if repair else ""
    if as_json:
        found = [dataclasses.asdict(diagnosis) for diagnosis in checks.examine(project)]
        good = not any(diagnosis["faults"] for diagnosis in found)
        say_json({"study": study, "good": good, "repaired": told, "checks": found})
        sys.exit(0 if good else 1)
    if repair:
        say(told or "repair   no write-ahead log is damaged: nothing was changed")
    faultless = True
    for diagnosis in checks.examine(project):
        say(f"{'FAULT' if diagnosis.faults else 'ok':6} {diagnosis.what}")
        for fault in diagnosis.faults:
            say(f"       {fault}")
        if diagnosis.faults:
            say(f"       remedy: {diagnosis.remedy}")
            faultless = False
    sys.exit(0 if faultless else 1)


def _repaired(project: Project) -> str:
    """Set a damaged write-ahead log aside; return what was done, or an empty text.

    Raises:
        click.ClickException: a refresh is running.
    """
    from sarcoma_pipeline.warehouse import ducklake, opening

    if ducklake.catalog_address():
        return ""
    try:
        aside = opening.set_log_aside(project.warehouse)
    except opening.Busy as why:
        raise click.ClickException(str(why)) from None
    if aside is None:
        return ""
    return (
        f"repair   the write-ahead log was damaged and is now {aside.name}. The next refresh reads again "
        f"what is lost with it: sarcoma refresh --study {project.study.name}. Then delete that file, which "
        "holds identities"
    )


@click.command()
@study_option
@click.option("--into", type=click.Path(path_type=Path), required=True, help="Archive to write, FILE.tar.")
def backup(study: str, into: Path) -> None:
    """Write warehouse, key, decisions and releases into one archive, then read it back to verify it.

    The archive holds identities and the key: protect it like the warehouse.
    """
    from sarcoma_pipeline.operations import backup as archive
    from sarcoma_pipeline.warehouse import opening

    project = configured(study)
    in_one_file(project, "backup")
    try:
        names = archive.backup(project, into)
    except opening.CannotOpen as why:
        raise click.ClickException(f"{why}; no backup was written") from None
    except archive.KeyOfAnother as other:
        remedy = f"refresh first (sarcoma refresh --study {study}), or restore the right key"
        raise click.ClickException(f"{other}; no backup was written: {remedy}") from None
    except archive.ArchiveDamaged as damaged:
        raise click.ClickException(f"{damaged}; no backup was written") from None
    say(f"{len(names)} files, {into.stat().st_size / 1e6:.1f} MB in {into}, verified")


@click.command()
@study_option
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace an existing warehouse and key.")
def restore(study: str, archive: Path, replace: bool) -> None:
    """Restore an archive. Decisions that were taken since the backup are kept."""
    from sarcoma_pipeline.operations import backup as archives

    project = configured(study)
    in_one_file(project, "restore")
    try:
        names = archives.restore(project, archive, replace=replace)
    except archives.WouldReplace as refused:
        raise click.UsageError(f"{refused}: use --replace to confirm") from None
    except (archives.ArchiveDamaged, archives.KeyOfAnother) as damaged:
        raise click.ClickException(f"{damaged}; nothing was restored") from None
    say(f"{len(names)} files restored; check them with: sarcoma doctor --study {study}")
