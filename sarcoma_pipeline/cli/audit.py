"""``sarcoma audit``: checks the published numbers of any study against each other, without any data."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sarcoma_pipeline.cli.terminal import json_option, say, say_json

if TYPE_CHECKING:
    import polars as pl

_SHOWN = ("contradiction", "tension", "by definition", "wording", "not computable")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--map",
    "groups",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="CSV with further columns (statistic, where, of …) of the rows of FILE, by id.",
)
@click.option(
    "--text",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The paper's words: citations in square brackets are checked too.",
)
@json_option
@click.option("--rules", "list_rules", is_flag=True, help="Print the rules as the table of docs/audit.md.")
def audit(file: Path | None, groups: Path | None, text: Path | None, as_json: bool, list_rules: bool) -> None:
    """Check a table of published numbers (FILE.csv) against each other; docs/audit.md describes its format.

    Exit code 0: no contradiction. 1: at least one contradiction. 2: wrong usage, or FILE is no such table.
    """
    from sarcoma_pipeline.published_study import audit_file, audit_rules

    if list_rules:
        click.echo(audit_rules.page(), nl=False)
        return
    if file is None:
        raise click.UsageError("name a table of published numbers, or give --rules")
    try:
        checks = audit_file.audit_file(file, groups, text)
    except audit_file.NotATable as wrong:
        if as_json:
            say_json({"file": file.name, "exit": 2, "error": str(wrong)})
            sys.exit(2)
        raise click.UsageError(str(wrong)) from None
    found = checks.filter(checks["verdict"] != "consistent")
    code = int((checks["verdict"] == "contradiction").any())
    if as_json:
        _print_json(file, checks, found, code)
    else:
        _print(checks, found)
    sys.exit(code)


def _counted(checks: pl.DataFrame) -> dict[str, int]:
    from schemas.audit import VERDICTS

    return {verdict: checks.filter(checks["verdict"] == verdict).height for verdict in VERDICTS}


def _print_json(file: Path, checks: pl.DataFrame, found: pl.DataFrame, code: int) -> None:
    from sarcoma_pipeline.published_study.audit_rules import RULES

    findings = [
        {
            **{k: v for k, v in row.items() if k not in ("position", "read")},
            "ids": row["ids"].split(";"),
            "must_hold": RULES[row["rule"]].words,
            "source": RULES[row["rule"]].source,
        }
        for row in found.iter_rows(named=True)
    ]
    told = {
        "file": file.name,
        "exit": code,
        "checks": checks.height,
        "verdicts": _counted(checks),
        "findings": findings,
    }
    say_json(told)


def _print(checks: pl.DataFrame, found: pl.DataFrame) -> None:
    from sarcoma_pipeline.published_study.audit_rules import RULES

    for verdict in _SHOWN:
        for row in found.filter(found["verdict"] == verdict).iter_rows(named=True):
            rule = RULES[row["rule"]]
            ids = row["ids"].replace(";", ", ")
            say(f"{verdict:14} {rule.id}  row {ids}: {row['what']} ({row['section']})")
            say(f"               printed:  {row['printed']}")
            say(f"               possible: {row['expected']}")
            say(f"               rule:     {rule.words} [{rule.source}]")
            if row["quote"]:
                say(f"               quote:    {row['quote']}")
    counted = ", ".join(f"{verdict}: {n}" for verdict, n in _counted(checks).items() if n)
    say(f"{checks.height} checks; {counted or 'nothing to check'}")
