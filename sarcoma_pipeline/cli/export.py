"""``sarcoma export``: the published release as files for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from sarcoma_pipeline.cli.study_option import configured, released, study_option


@click.command()
@study_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["parquet", "csv", "stata", "spss"]),
    required=True,
    help="Of the files.",
)
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new or empty folder."
)
@click.option(
    "--public", "for_public", is_flag=True, help="Small counts withheld, at risk rounded, no row-level data."
)
@click.option("--tables", multiple=True, help="Only this table, e.g. cohort.patients; may be given again.")
def export(study: str, form: str, into: Path, for_public: bool, tables: tuple[str, ...]) -> None:
    """Write the published release as Parquet, CSV, Stata or SPSS files, with dictionary and code lists.

    In CSV a text that a spreadsheet would run as a formula gets an apostrophe before it; numbers stay so.
    """
    from sarcoma_pipeline.publish import export as files

    project = configured(study)
    frames = released(project, public=for_public)
    try:
        made = files.write(frames, form, into, tables)
    except KeyError as unknown:
        raise click.UsageError(unknown.args[0]) from None
    except files.NotEmpty as full:
        raise click.UsageError(str(full)) from None
    click.echo(f"{len(made)} files in {into}")
