"""``sarcoma limits``: lists what no rule can know, with its share in a release."""

from __future__ import annotations

import click

from sarcoma_pipeline.cli.releases import named
from sarcoma_pipeline.cli.study_option import configured, release_option, released, study_option
from sarcoma_pipeline.cli.terminal import json_option, say, say_json


@click.command()
@study_option
@release_option
@click.option("--markdown", is_flag=True, help="Print docs/limits.md.")
@json_option
def limits(study: str, of: str, markdown: bool, as_json: bool) -> None:
    """List what no rule can know, and how much of a release it could affect.

    The numbers are those of the release itself: for the study team, not for the public.
    """
    from sarcoma_pipeline.publish import limits as catalogue

    if markdown:
        for line in catalogue.markdown().splitlines():
            say(line)
        return
    project = configured(study)
    shares = catalogue.counted(released(project, public=False, path=named(project, of)))
    if as_json:
        say_json(
            [
                {
                    "id": one.id, "what": one.what, "why": one.why, "helps": one.helps,
                    "counts": one.counts or None,
                    "number": shares[one.id][0] if one.id in shares else None,
                    "of": shares[one.id][1] if one.id in shares else None,
                }
                for one in catalogue.LIMITS
            ]
        )  # fmt: skip
        return
    for one in catalogue.LIMITS:
        say(f"{one.id}: {one.what}")
        say(f"    {one.why} What helps: {one.helps}")
        counts = f", {one.counts}" if one.id in shares else ""
        say(f"    {catalogue.said(shares.get(one.id))}{counts}")
