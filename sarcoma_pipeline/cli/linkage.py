"""``sarcoma linkage``: prints the error rates of the linkage on labelled pairs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from sarcoma_pipeline.cli.terminal import json_option, say, say_json


@click.command()
@click.argument("pairs", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="PAIRS.csv")
@json_option
def linkage(pairs: Path, as_json: bool) -> None:
    """Print how many labelled pairs are linked, offered as near matches, missed, or linked wrongly.

    PAIRS.csv has a row per record, with the columns family_name, given_names, birth_date (or birth_year,
    birth_month, birth_day), identity (equal for records of one person) and optionally sex. The first record
    of an identity is the patient, the others are replies without a number. Nothing is stored.
    """
    from sarcoma_pipeline.operations import linkage as measuring

    try:
        found = measuring.rates(measuring.read(pairs))
    except measuring.NoPairs as why:
        raise click.UsageError(str(why)) from None
    if as_json:
        say_json(dataclasses.asdict(found))
        return
    say(f"patients      {found.patients:6}")
    say(f"pairs         {found.pairs:6}")
    for name, count, of, what in (
        ("linked", found.linked, found.pairs, "pairs"),
        ("offered", found.offered, found.pairs, "pairs"),
        ("missed", found.missed, found.pairs, "pairs"),
        ("wrong links", found.wrong_links, found.patients, "patients"),
        ("wrong offers", found.wrong_offers, found.patients, "patients"),
    ):
        share = f"{100 * count / of:6.2f} % of {of} {what}" if of else ""
        say(f"{name:13} {count:6}  {share}".rstrip())
