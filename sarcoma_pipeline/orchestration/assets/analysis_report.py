"""Report: the audit of the paper, and the published page of the released tables with its print."""

import time
from pathlib import Path

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.assets.step import KEPT, Made, asset_key, discreet, step
from sarcoma_pipeline.orchestration.assets.steward_page import write_whole
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.report import column_lineage, methods, page, pdf
from sarcoma_pipeline.published_study import audit
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from schemas.audit import PublishedAudit
from schemas.column_lineage import origins
from schemas.disclosure import Disclosure
from schemas.quality import Accounting, Finding
from schemas.release import RELEASED, MetaRelease

_QUALITY = (Accounting.table(), Finding.table())
"""Printed as counts only."""


def published_audit(project: Project) -> pl.DataFrame:
    """The paper's numbers checked against each other; empty where the study names no paper."""
    study = project.study
    if not (study.published and study.published_map and study.published_audit):
        return PublishedAudit.empty()
    paper = [
        pl.read_csv(project.root / path, infer_schema=False)
        for path in (study.published, study.published_map, study.published_audit)
    ]
    return audit.audit(*paper)


def write(
    project: Project, frames: dict[str, pl.DataFrame], folder: Path, policy: Disclosure | None = None
) -> tuple[Path, str]:
    """Write the page and print it, each swapped in whole.

    Args:
        project: the study.
        frames: what to print.
        folder: where to; made if it is not there.
        policy: of disclosure control, if the frames went through it.

    Returns:
        Where the page is, and what became of the print.
    """
    target = folder / "index.html"
    write_whole(target, page.page(project.study, project.sources, frames, methods.versions(), policy))
    printed, chromium = folder / "report.pdf", pdf.browser()
    if chromium is None:
        # A print of an older page beside the new one would be taken for its own.
        printed.unlink(missing_ok=True)
        return target, f"not printed: none of {', '.join(pdf.BROWSERS)} is installed"
    if not pdf.print_pdf(target, printed, chromium):
        printed.unlink(missing_ok=True)
        return target, f"not printed: {Path(chromium).name} failed"
    return target, printed.name


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """The audit of the paper and the report."""
    name = project.study.name

    def check_paper(warehouse: Warehouse) -> Made:
        """Check the paper's numbers against each other."""
        frame = published_audit(project)
        return Made({PublishedAudit.table(): frame}, metadata={PublishedAudit.table(): audit.summary(frame)})

    @dg.asset(
        key=dg.AssetKey([name, "report", "report"]),
        deps=[release_key(project), *(asset_key(project, t) for t in (*_QUALITY, PublishedAudit.table()))],
        description=(
            f"data/published/{name}/report/index.html: the released tables as a paper would print them, in "
            "one self-contained file, and report.pdf where a Chromium is installed."
        ),
        group_name="report",
        kinds={"html"},
        owners=[project.study.owner],
    )
    def report(warehouse: Warehouse) -> dg.MaterializeResult:
        began = time.perf_counter()
        target = project.published / "report/index.html"

        def made_in() -> str:
            label = release.read_label(project.release) or {}
            found = (label.get("refresh_id"), label.get("released_at"), pdf.browser())
            return step_cache.circumstances(project, repr(found)) if target.exists() else "no page yet"

        if warehouse.kept("report", made_in()):
            return dg.MaterializeResult(metadata={KEPT: True})
        with discreet(project), warehouse.noting() as reads:
            further = {t: warehouse.read(t) for t in (*_QUALITY, PublishedAudit.table())}
            frames = {**further, **(release.read(project.release) or {})}
            target, printed = write(project, frames, project.published / "report")
            drawn = column_lineage.page(project.study.title, origins(), list(RELEASED))
            write_whole(target.with_name("column_lineage.html"), drawn)
            warehouse.note_step("report", made_in(), reads)
            if printed == "report.pdf":
                printed = f"data/published/{name}/report/{printed}"
        return dg.MaterializeResult(
            metadata={
                "path": f"data/published/{name}/report/index.html",
                KEPT: False,
                "pdf": printed,
                "column lineage": f"data/published/{name}/report/column_lineage.html",
                "content hash": frames[MetaRelease.table()]["content_hash"][0],
                "bytes": target.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            }
        )

    return [
        step(project, "published_audit", {PublishedAudit.table(): []}, check_paper, kinds={"polars"}),
        report,
    ]
