"""Assets of the report: the audit of the published numbers, and the report itself (HTML and PDF)."""

import time
from pathlib import Path

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import data_versions, links
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import UNCHANGED, StepOutput, asset_key, redacted_errors, step
from sarcoma_pipeline.orchestration.assets.steward_page import write_whole
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.report import column_lineage, methods, page, pdf, raster
from sarcoma_pipeline.published_study import audit
from sarcoma_pipeline.quality.column_lineage import origins
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas.audit import PublishedAudit
from schemas.disclosure import Disclosure
from schemas.language import speaking
from schemas.quality import Accounting, Finding
from schemas.release import RELEASED, MetaRelease
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
    kept: raster.KeptFigures | None = None,
) -> tuple[Path, str]:
    """Write the HTML report and print it as PDF, each replaced in one step.

    Args:
        project: the study.
        frames: the tables to print.
        folder: folder to write to; created if missing.
        policy: policy of disclosure control, if it was applied to the frames.
        kept: figures of the last page, of which those that did not change are taken.

    Returns:
        The page, and the name of the PDF or the reason why there is none.
    """
    target = folder / "index.html"
    with speaking(project.study.language):
        png = kept.png if kept else raster.png
        html = page.page(project.study, project.sources, frames, methods.versions(), policy, png)
    if kept:
        kept.forget_others()
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


def _figures(project: Project) -> Path:
    """Return the folder of the figures that are kept; not beside the page, which people copy."""
    return project.warehouse.with_suffix(".figures")


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the audit of the published numbers and the report."""
    name = project.study.name

    def audit_publication(warehouse: Warehouse) -> StepOutput:
        """Check the published numbers against each other."""
        frame = published_audit(project)
        return StepOutput(
            {PublishedAudit.table(): frame}, metadata={PublishedAudit.table(): audit.summary(frame)}
        )

    @dg.asset(
        key=dg.AssetKey([name, "report", "report"]),
        deps=[release_key(project), *(asset_key(project, t) for t in (*_QUALITY, PublishedAudit.table()))],
        description=(
            f"data/published/{name}/report/index.html: the released tables as a paper would print them, in "
            "one self-contained file, and report.pdf where a Chromium is installed."
        ),
        group_name=links.group(project, "report"),
        metadata=links.of_layer(project, "report"),
        kinds={"html"},
        owners=[project.study.owner],
    )
    def report(warehouse: Warehouse) -> dg.MaterializeResult:
        began = time.perf_counter()
        target = project.published / "report/index.html"

        def circumstances() -> str:
            label = release.read_label(project.release) or {}
            inputs = (label.get("refresh_id"), label.get("released_at"), pdf.browser(), raster.has_fonts())
            return step_cache.circumstances(project, repr(inputs)) if target.exists() else "no page yet"

        if warehouse.kept("report", circumstances()):
            return dg.MaterializeResult(
                metadata={UNCHANGED: True, "report": links.published(project, "report/index.html")},
                data_version=data_versions.of_content(target.read_text()),
            )
        with redacted_errors(project), warehouse.recorded_reads() as reads:
            unreleased = {t: warehouse.read(t) for t in (*_QUALITY, PublishedAudit.table())}
            reviewed = {ChartReview.table(): release.chart_review(project.release)}
            frames = {**unreleased, **reviewed, **(release.read(project.release) or {})}
            target, pdf_name = write(
                project, frames, project.published / "report", kept=raster.KeptFigures(_figures(project))
            )
            lineage_page = column_lineage.page(project.study.title, origins(), list(RELEASED))
            write_whole(target.with_name("column_lineage.html"), lineage_page)
            warehouse.note_step("report", circumstances(), reads)
        return dg.MaterializeResult(
            metadata={
                "report": links.published(project, "report/index.html"),
                UNCHANGED: False,
                "pdf": links.published(project, "report/report.pdf")
                if pdf_name == "report.pdf"
                else pdf_name,
                "column lineage": links.published(project, "report/column_lineage.html"),
                "content hash": frames[MetaRelease.table()]["content_hash"][0],
                "bytes": target.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            },
            data_version=data_versions.of_content(target.read_text()),
        )

    return [
        step(project, "published_audit", {PublishedAudit.table(): []}, audit_publication, kinds={"polars"}),
        report,
    ]
