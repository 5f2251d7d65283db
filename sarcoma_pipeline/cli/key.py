"""``sarcoma key``: the key of the pseudonyms."""

from __future__ import annotations

import datetime as dt

import click

from sarcoma_pipeline.cli.study_option import configured, in_one_file, study_option


@click.group()
def key() -> None:
    """The key of the pseudonyms."""


@key.command()
@study_option
@click.confirmation_option(prompt="Every pseudonym will change, and none can be carried over. Go on?")
def new(study: str) -> None:
    """Make a key where the one before is lost for ever, and no backup has it."""
    from sarcoma_pipeline.publish.release import pseudonym_key

    project = configured(study)
    if project.key.exists():
        raise click.UsageError(f"{study} has a key: sarcoma key rotate replaces it and keeps it")
    pseudonym_key(project.key)
    click.echo(f"every pseudonym changes with the next refresh: sarcoma refresh --study {study}")


@key.command()
@study_option
@click.confirmation_option(prompt="Every pseudonym will change. Rotate the key?")
def rotate(study: str) -> None:
    """Take a new key: with the next refresh every pseudonym changes, and nothing else does.

    The key before and a table of old and new pseudonyms stay beside the warehouse, for their owner only.
    """
    import duckdb

    from sarcoma_pipeline.publish import pseudonym_key as keys

    project = configured(study)
    in_one_file(project, "key rotate")
    try:
        done = keys.rotate(project, dt.datetime.now(dt.UTC))
    except FileNotFoundError:
        raise click.UsageError(f"{study} has no key yet: its first refresh makes one") from None
    except FileExistsError:
        raise click.ClickException("the key was rotated a moment ago") from None
    except duckdb.Error:
        raise click.ClickException("the warehouse cannot be opened: is a refresh running?") from None
    click.echo(f"{done.patients} pseudonyms change with the next refresh: sarcoma refresh --study {study}")
    for what, path in (("key before", done.kept), ("crosswalk", done.crosswalk)):
        click.echo(f"{what:10} {path.relative_to(project.root)}")
