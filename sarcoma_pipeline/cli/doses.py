"""``sarcoma doses``: computes volumes and doses now, instead of in the process started by a refresh."""

from __future__ import annotations

import click

from sarcoma_pipeline.cli.study_option import configured, study_option
from sarcoma_pipeline.cli.terminal import say


@click.command()
@study_option
@click.option(
    "--processes", default=1, show_default=True, type=click.IntRange(1, 64), help="Worker processes."
)
def doses(study: str, processes: int) -> None:
    """Compute volumes and doses of the plans that have none yet.

    The last refresh has listed them; the next one takes the results.
    """
    from sarcoma_pipeline.orchestration import dose_process

    project = configured(study)
    written = dose_process.compute(project, processes)
    missing = dose_process.missing(project)
    if written:
        say(f"{written} plans computed. The next refresh takes them.")
    elif missing.plans:
        say(f"Nothing computed here: {missing}.")
    else:
        say("Nothing to compute.")
