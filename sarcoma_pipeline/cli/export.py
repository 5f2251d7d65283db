"""``sarcoma export``: writes the published release as files for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from sarcoma_pipeline.cli.releases import named
from sarcoma_pipeline.cli.study_option import (
    configured,
    public_option,
    release_option,
    released,
    study_option,
)
from sarcoma_pipeline.cli.terminal import say


@click.command()
@study_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "xlsx", "stata", "spss"]),
    required=True,
    help="File format.",
)
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new or empty folder."
)
@public_option
@click.option(
    "--tables",
    multiple=True,
    help="Export only this table, e.g. cohort.wide: one row per patient, all endpoints. Repeatable.",
)
@release_option
def export(study: str, form: str, into: Path, for_public: bool, tables: tuple[str, ...], of: str) -> None:
    """Write the published release as Parquet, CSV, Excel, Stata or SPSS files, with dictionary and codes.

    A public version is compared with every earlier one, and refused where few patients differ.

    In CSV, text that a spreadsheet would run as a formula gets a leading apostrophe; numbers are unchanged.
    """
    from sarcoma_pipeline.publish import export as files

    project = configured(study)
    frames = released(project, public=for_public, path=named(project, of))
    try:
        written = files.write(frames, form, into, tables)
    except KeyError as unknown:
        raise click.UsageError(unknown.args[0]) from None
    except files.NotEmpty as full:
        raise click.UsageError(str(full)) from None
    except ValueError as too_large:
        raise click.ClickException(str(too_large)) from None
    say(f"{len(written)} files in {into}")
