"""``sarcoma report``: writes the report of the published release on demand, also for the public."""

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
@public_option
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to write to. Default: report_public or report_release next to the release.",
)
@release_option
def report(study: str, for_public: bool, into: Path | None, of: str) -> None:
    """Write the report of the published release.

    A public version is compared with every earlier one, and refused where few patients differ.

    The report that every refresh writes also counts records and findings; this one uses the release only.
    """
    from sarcoma_pipeline.orchestration.assets import analysis_report
    from sarcoma_pipeline.publish import release
    from schemas.audit import PublishedAudit
    from schemas.review import ChartReview

    project = configured(study)
    audit = {PublishedAudit.table(): analysis_report.published_audit(project)}
    frames = {**audit, **released(project, public=for_public, path=named(project, of))}
    if not for_public:
        frames[ChartReview.table()] = release.chart_review(named(project, of))
    policy = project.study.disclosure if for_public else None
    folder = into or project.published / ("report_public" if for_public else "report_release")
    page, pdf = analysis_report.write(project, frames, folder, policy)
    say(str(page))
    say(str(page.parent / pdf) if pdf.endswith(".pdf") else pdf)
