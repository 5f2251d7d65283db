"""The study that a command is about: its option, and what is said when it is not configured."""

from __future__ import annotations

import click

from sarcoma_pipeline import project as places

study_option = click.option(
    "--study", default=places.DEFAULT_STUDY, show_default=True, help="Folder below data/studies."
)


def configured(name: str) -> places.Project:
    """The study by name.

    Raises:
        click.UsageError: it is not configured.
        click.ClickException: its configuration is wrong.
    """
    from pydantic import ValidationError

    try:
        return places.load(name)
    except places.UnknownStudy as unknown:
        raise click.UsageError(str(unknown)) from None
    except ValidationError as wrong:
        raise click.ClickException(f"the configuration of {name} is wrong:\n{wrong}") from None
