"""``sarcoma schema``: writes the description of the configuration files, for editors and for people."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sarcoma_pipeline.cli.study_option import know_formats
from sarcoma_pipeline.cli.terminal import say


@click.command()
@click.option("--markdown", is_flag=True, help="Print docs/configuration.md.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write study.schema.json and sources.schema.json into this folder.",
)
@click.argument("file", required=False, type=click.Choice(["study", "sources"]))
def schema(markdown: bool, into: Path | None, file: str | None) -> None:
    """Print the JSON Schema of study.toml or sources.toml, or the page of all keys."""
    from schemas import configuration_reference as reference

    know_formats()
    if markdown:
        click.echo(reference.markdown(), nl=False)
    elif into is not None:
        into.mkdir(parents=True, exist_ok=True)
        for name in reference.FILES:
            (into / f"{name}.schema.json").write_text(written(name), "utf-8")
        say(f"2 schemas in {into}")
    elif file in reference.FILES:
        click.echo(written(file), nl=False)
    else:
        raise click.UsageError("name study or sources, or give --markdown or --into")


def written(file: str) -> str:
    """Return the JSON Schema of a file as text."""
    from schemas import configuration_reference as reference

    return json.dumps(reference.schema(file), indent=1, ensure_ascii=False) + "\n"
