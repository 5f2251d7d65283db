"""``sarcoma key``: creates or rotates the key from which pseudonyms are computed."""

from __future__ import annotations

import datetime as dt

import click

from sarcoma_pipeline.cli.study_option import configured, in_one_file, study_option
from sarcoma_pipeline.cli.terminal import say


@click.group()
def key() -> None:
    """Create or rotate the key from which pseudonyms are computed."""


@key.command()
@study_option
@click.confirmation_option(
    prompt="Every pseudonym will change, and the old ones cannot be matched to the new ones. Continue?"
)
def new(study: str) -> None:
    """Create a new key if the old one is lost and no backup contains it."""
    from sarcoma_pipeline.publish.release import pseudonym_key

    project = configured(study)
    if project.key.exists():
        raise click.UsageError(f"{study} has a key. To replace it (the old one is kept): sarcoma key rotate")
    pseudonym_key(project.key)
    say(f"every pseudonym changes with the next refresh: sarcoma refresh --study {study}")


@key.command()
@study_option
@click.confirmation_option(prompt="Every pseudonym will change. Rotate the key?")
def rotate(study: str) -> None:
    """Replace the key: the next refresh gives every patient a new pseudonym; nothing else changes.

    The old key and a crosswalk of old and new pseudonyms are kept beside the warehouse, readable by its owner
    only.
    """
    from sarcoma_pipeline.operations import key_rotation
    from sarcoma_pipeline.warehouse import opening

    project = configured(study)
    in_one_file(project, "key rotate")
    try:
        done = key_rotation.rotate(project, dt.datetime.now(dt.UTC))
    except FileNotFoundError:
        raise click.UsageError(f"{study} has no key yet: its first refresh makes one") from None
    except (FileExistsError, BlockingIOError):
        raise click.ClickException("the key was rotated a moment ago") from None
    except opening.CannotOpen as why:
        raise click.ClickException(str(why)) from None
    say(f"{done.patients} pseudonyms change with the next refresh: sarcoma refresh --study {study}")
    for what, path in (("key before", done.kept), ("crosswalk", done.crosswalk)):
        say(f"{what:10} {path.relative_to(project.root)}")
