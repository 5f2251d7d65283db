"""The study that a command is about: its option, and what is said when it is not configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.study import project as places
from schemas.configuration_faults import ConfigurationWrong

if TYPE_CHECKING:
    import polars as pl

study_option = click.option(
    "--study", default=places.DEFAULT_STUDY, show_default=True, help="Folder below data/studies."
)


def configured(name: str) -> places.Project:
    """Return the study of this name.

    Raises:
        click.UsageError: it is not configured, or its configuration is wrong.
    """
    try:
        return places.load(name)
    except (places.UnknownStudy, ConfigurationWrong) as wrong:
        raise click.UsageError(str(wrong)) from None


def in_one_file(project: places.Project, what: str) -> None:
    """Refuse what works on the one DuckDB file of a study only.

    Raises:
        click.UsageError: the study has several centres, or its tables lie in a catalog.
    """
    from sarcoma_pipeline.warehouse import ducklake

    if project.centres or ducklake.named():
        raise click.UsageError(f"{what} is for studies in one DuckDB file; see docs/several_centres.md")


def released(project: places.Project, *, public: bool) -> dict[str, pl.DataFrame]:
    """The tables of the published release, through disclosure control if they are for the public.

    Raises:
        click.UsageError: nothing is published yet.
        click.ClickException: the cohort is too small to tell the public anything.
    """
    from sarcoma_pipeline.publish import disclosure, release

    frames = release.read(project.release)
    if frames is None:
        name = project.study.name
        raise click.UsageError(f"nothing published yet: sarcoma refresh --study {name}")
    if not public:
        return frames
    try:
        return disclosure.public(frames, project.study.disclosure)
    except disclosure.TooFewPatients as few:
        raise click.ClickException(str(few)) from None
