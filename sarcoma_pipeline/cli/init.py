"""``sarcoma init``: proposes the configuration of a new study from its files."""

from __future__ import annotations

from pathlib import Path

import click

from sarcoma_pipeline.cli.terminal import say
from sarcoma_pipeline.study import project as projects


@click.command()
@click.argument("name")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="FILE…"
)
@click.option("--copy", is_flag=True, help="Copy the files into the study's drop folder.")
def init(name: str, files: tuple[Path, ...], copy: bool) -> None:
    """Read files and propose a study in data/studies/NAME, with questions that only a person can answer.

    Reads tables (CSV, TSV, XLSX, Parquet), replies of registry offices, oBDS and DICOM: files or folders.
    Never overwrites a study. What no header or word says is written as "?"; `sarcoma check` names each.
    """
    from sarcoma_pipeline.operations import setup

    try:
        made = setup.set_up(projects.root(), name, files, copy=copy)
    except setup.CannotSetUp as why:
        raise click.UsageError(str(why)) from None
    say(f"written     data/studies/{name}/study.toml and sources.toml")
    for one in made.hidden:
        say(f"not read    {one.name}: its name begins with a dot; no refresh reads such files. Rename it")
    number = 0
    for one in made.proposals:
        say(f"{one.name}: {one.what}")
        for question in one.questions:
            number += 1
            say(f"  {number:2}. {question}")
    if made.to_copy:
        listed = " ".join(f'"{path}"' for path in made.to_copy[:5]) + (" …" if len(made.to_copy) > 5 else "")
        say(f"next        cp {listed} data/drop/{name}/")
    say(f"then        answer the questions in data/studies/{name}, and: sarcoma check --study {name}")
