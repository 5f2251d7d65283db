"""Assets of the report: the audit of the published numbers, and the report itself (HTML and PDF)."""

import time
from pathlib import Path

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import data_versions, links, report_process
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import UNCHANGED, StepOutput, asset_key, redacted_errors, step
from sarcoma_pipeline.orchestration.page_file import write_whole
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.report import methods, page, pdf, raster
from sarcoma_pipeline.published_study import audit
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas.audit import PublishedAudit
from schemas.disclosure import Disclosure
from schemas.language import speaking
from schemas.quality import Accounting, Finding
from schemas.release import MetaRelease
from schemas.review import ChartReview

_QUALITY = (Accounting.table(), Finding.table())
"""Tables of which the report prints only counts."""


def published_audit(project: Project) -> pl.DataFrame:
    """Check the published numbers against each other; empty for a study without a publication."""
    study = project.study
    if not (study.published and study.published_map and study.published_audit):
        return PublishedAudit.empty()
    paper = [
        pl.read_csv(project.root / path, infer_schema=False)
        for path in (study.published, study.published_map, study.published_audit)
    ]
    return audit.audit(*paper)


def write(
    project: Project,
    frames: dict[str, pl.DataFrame],
    folder: Path,
    policy: Disclosure | None = None,
) -> tuple[Path, str]:
    """Write the HTML report and print it as PDF, each replaced in one step.

    Args:
        project: the study.
        frames: the tables to print.
        folder: folder to write to; created if missing.
        policy: policy of disclosure control, if it was applied to the frames.

    Returns:
        The page, and the name of the PDF or the reason why there is none.
    """
    target = folder / "index.html"
    with speaking(project.study.language):
        html = page.page(project.study, project.sources, frames, methods.versions(), policy)
    write_whole(target, html)
    pdf_path, chromium = folder / "report.pdf", pdf.browser()
    if chromium is None:
        # A PDF of an older page must not stay beside the new page.
        pdf_path.unlink(missing_ok=True)
        return target, f"not printed: none of {', '.join(pdf.BROWSERS)} is installed"
    if not pdf.print_pdf(target, pdf_path, chromium, project.study.owner):
        pdf_path.unlink(missing_ok=True)
        return target, f"not printed: {Path(chromium).name} failed"
    return target, pdf_path.name


def report_key(project: Project) -> dg.AssetKey:
    """Return the asset key of the report."""
    return dg.AssetKey([project.study.name, "report", "report"])


def files_key(project: Project) -> dg.AssetCheckKey:
    """Return the key of the check on the report's files."""
    return dg.AssetCheckKey(report_key(project), report_process.CHECK)


def files_result(project: Project, made: report_process.Made) -> dg.AssetCheckResult:
    """Return what became of the report's files as the result of their check."""
    has_pdf = made.pdf == report_process.PDF
    return dg.AssetCheckResult(
        asset_key=report_key(project),
        check_name=report_process.CHECK,
        passed=made.failure is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=str(made),
        metadata={
            "report": links.published(project, "report/index.html"),
            "pdf": links.published(project, f"report/{report_process.PDF}") if has_pdf else made.pdf,
            "column lineage": links.published(project, f"report/{report_process.COLUMNS}"),
        },
    )


def assets(project: Project) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """Return the audit of the published numbers, the report, and the check of its files."""
    name = project.study.name

    def audit_publication(warehouse: Warehouse) -> StepOutput:
        """Check the published numbers against each other."""
        frame = published_audit(project)
        return StepOutput(
            {PublishedAudit.table(): frame}, metadata={PublishedAudit.table(): audit.summary(frame)}
        )

    @dg.asset(
        key=report_key(project),
        deps=[release_key(project), *(asset_key(project, t) for t in (*_QUALITY, PublishedAudit.table()))],
        description=(
            f"data/published/{name}/report/index.html: the released tables as a paper would print them, in "
            "one self-contained file. A process after the refresh adds PNG and Word files, and report.pdf "
            "where a Chromium is installed."
        ),
        group_name=links.group(project, "report"),
        metadata=links.of_layer(project, "report"),
        kinds={"html"},
        owners=[project.study.owner],
    )
    def report(warehouse: Warehouse) -> dg.MaterializeResult:
        began = time.perf_counter()
        target = report_process.page_of(project)

        def circumstances() -> str:
            label = release.read_label(project.release) or {}
            inputs = (label.get("refresh_id"), label.get("released_at"), pdf.browser(), raster.has_fonts())
            return step_cache.circumstances(project, repr(inputs)) if target.exists() else "no page yet"

        if warehouse.kept("report", circumstances()):
            # Unless the process was ended before its work was done, this starts none.
            report_process.start(project)
            return dg.MaterializeResult(
                metadata={UNCHANGED: True, "report": links.published(project, "report/index.html")},
                data_version=data_versions.of_content(report_process.digest(project)),
            )
        with redacted_errors(project), warehouse.recorded_reads() as reads:
            unreleased = {t: warehouse.read(t) for t in (*_QUALITY, PublishedAudit.table())}
            reviewed = {ChartReview.table(): release.chart_review(project.release)}
            frames = {**unreleased, **reviewed, **(release.read(project.release) or {})}
            with speaking(project.study.language):
                html, lacking = page.unfinished_page(
                    project.study, project.sources, frames, methods.versions()
                )
            report_process.write_page(project, html, lacking)
            warehouse.note_step("report", circumstances(), reads)
        report_process.start(project)
        return dg.MaterializeResult(
            metadata={
                "report": links.published(project, "report/index.html"),
                UNCHANGED: False,
                "PNG, Excel, Word and PDF": f"added by a process of its own: check `{report_process.CHECK}`",
                "content hash": frames[MetaRelease.table()]["content_hash"][0],
                "bytes": target.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            },
            data_version=data_versions.of_content(lacking.page),
        )

    @dg.asset_check(
        asset=report_key(project),
        name=report_process.CHECK,
        description=(
            "A process after the refresh adds PNG, Excel and Word files to the report and prints it. Running "
            "this check makes what is missing."
        ),
    )
    def report_files() -> dg.AssetCheckResult:
        with redacted_errors(project):
            return files_result(project, report_process.finish(project))

    return [
        step(
            project, "published_audit", {PublishedAudit.table(): []}, audit_publication, kinds={"polars"},
            keyed=False,
        ),
        report,
        report_files,
    ]  # fmt: skip
