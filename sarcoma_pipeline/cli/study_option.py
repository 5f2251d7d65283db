"""Options that several commands have, and errors for studies that are not configured or not yet released."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.study import project as projects
from schemas.configuration_faults import ConfigurationWrong

if TYPE_CHECKING:
    import polars as pl

study_option = click.option(
    "--study", default=projects.DEFAULT_STUDY, show_default=True, help="Name of a folder in data/studies."
)


public_option = click.option(
    "--public",
    "for_public",
    is_flag=True,
    help="Apply disclosure control: suppress small counts, round numbers at risk, leave out row-level data.",
)

release_option = click.option(
    "--release", "of", default="current", help="A kept release: sarcoma release list. Default: current."
)


def know_formats() -> None:
    """Import the readers' registry, which registers the kinds of sources with the configuration."""
    from sarcoma_pipeline.sources import readers

    assert readers.READERS


def configured(name: str, *, thresholds: bool = True) -> projects.Project:
    """Load a study's configuration.

    Args:
        name: the study.
        thresholds: whether the rules that ``[[thresholds]]`` names must exist. A command that only lists
            leaves this to the refresh: it would import every module that declares rules.

    Raises:
        click.UsageError: it is not configured, or its configuration is wrong.
    """
    know_formats()
    try:
        project = projects.load(name)
    except (projects.UnknownStudy, ConfigurationWrong) as wrong:
        raise click.UsageError(str(wrong)) from None
    if thresholds and (unknown := unknown_rules(project)):
        raise click.UsageError("\n".join(unknown))
    return project


def unknown_rules(project: projects.Project) -> list[str]:
    """Return what is wrong with the rules that ``[[thresholds]]`` names; the schema does not know rules."""
    if not project.study.thresholds:
        return []
    from sarcoma_pipeline.quality import rule_catalogue

    return rule_catalogue.unknown(project.study.thresholds)


def dagster_home(project: projects.Project) -> None:
    """Tell Dagster its folder: ``DAGSTER_HOME``, else ``dagster_home`` of the project root.

    Raises:
        click.UsageError: the folder does not exist.
    """
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(project.root / "dagster_home")))
    if not home.is_dir():
        raise click.UsageError(
            f"Dagster's folder {home.name} does not exist. Make it in {project.root.name}, and put the "
            "program's dagster_home/dagster.yaml there; or set DAGSTER_HOME to the folder that you use"
        )


def in_one_file(project: projects.Project, what: str) -> None:
    """Refuse a command that works only on a study in one DuckDB file.

    Raises:
        click.UsageError: the study has several centres, or its tables are in a DuckLake catalog.
    """
    from sarcoma_pipeline.warehouse import ducklake

    if project.centres or ducklake.catalog_address():
        raise click.UsageError(
            f"{what} works only for studies in one DuckDB file; see docs/several_centres.md"
        )


def released(project: projects.Project, *, public: bool, path: Path | None = None) -> dict[str, pl.DataFrame]:
    """Read the tables of a release, with disclosure control if they are for the public.

    Args:
        project: the study.
        public: whether the result is for the public.
        path: the database of a release; by default the published one.

    Raises:
        click.UsageError: nothing is published yet. click.ClickException: the cohort is too small for a public
        version, or too similar to that of an earlier one.
    """
    import datetime as dt

    from sarcoma_pipeline.publish import disclosure, public_record, release
    from sarcoma_pipeline.publish.differences import TooAlike

    frames = release.read(path or project.release)
    if frames is None:
        name = project.study.name
        raise click.UsageError(f"nothing published yet: sarcoma refresh --study {name}")
    if not public:
        return frames
    try:
        return public_record.publish(project, frames, dt.datetime.now(dt.UTC).isoformat(timespec="seconds"))
    except disclosure.TooFewPatients as few:
        raise click.ClickException(str(few)) from None
    except TooAlike as alike:
        raise click.ClickException(
            f"{alike}. Whoever has both could subtract them: nothing was written. Wait until more patients "
            "differ, or write that version again: --public --release ID. If nobody outside ever had it, "
            "delete its files, then: sarcoma release unissued ID --reason WHY"
        ) from None
    except ValueError:
        name = public_record.record_of(project).name
        raise click.ClickException(
            f"the record of public versions {name} is damaged: repair it, or sarcoma restore"
        ) from None
