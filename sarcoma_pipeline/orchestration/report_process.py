"""Add the files that take long to make to the report, in a separate process: no refresh waits for them.

These are the figures as PNG, the tables as workbooks and Word documents, the PDF, and the page on the origin
of columns. The refresh writes the page without links to them, and what they are made from beside it. The
result is written to a file that ``sarcoma status`` reads, and to the check ``report_files`` in Dagster.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sarcoma_pipeline.orchestration import separate_process
from sarcoma_pipeline.orchestration.page_file import write_whole
from sarcoma_pipeline.study import project as projects
from sarcoma_pipeline.study.project import Project

if TYPE_CHECKING:
    from sarcoma_pipeline.publish.report.unfinished import Unfinished

SWITCH = "SARCOMA_REPORT_FILES"
"""Environment variable; ``off`` starts no process: the refresh makes the files itself."""
CHECK = "report_files"
PDF = "report.pdf"
COLUMNS = "column_lineage.html"
_ORDER = ".report_unfinished.json"
_RESULT = "report_files.json"
_MAKING, _WRITING = ".report_files.lock", ".report.lock"
_NICE = 10


@dataclass(frozen=True)
class Made:
    """What became of the files of the present page.

    Attributes:
        pdf: name of the PDF, or why there is none.
        failure: type of the error that stopped it; None if it finished.
    """

    pdf: str = ""
    failure: str | None = None

    def __str__(self) -> str:
        """Return this as a sentence."""
        if self.failure:
            return f"The process that adds PNG, Excel, Word and PDF files ended with {self.failure}."
        return f"The report has all its files; PDF: {self.pdf}."


def page_of(project: Project) -> Path:
    """Return the path of the report."""
    return project.published / "report/index.html"


def write_page(project: Project, html: str, lacking: Unfinished) -> None:
    """Write a page without its files, and what they are made from."""
    page = page_of(project)
    page.parent.mkdir(parents=True, exist_ok=True)
    with _alone(project, _WRITING):
        (project.published / _RESULT).unlink(missing_ok=True)
        # A PDF of an older page must not stay beside the new page.
        page.with_name(PDF).unlink(missing_ok=True)
        write_whole(project.published / _ORDER, lacking.text())
        write_whole(page, html)


def start(project: Project) -> None:
    """Add the files to the present page: in a process of its own, or at once if there shall be none."""
    found = made(project)
    if found is not None and found.failure is None:
        return
    if os.environ.get(SWITCH) == "off":
        finish(project)
        return
    separate_process.start(project, __name__, *(["draft"] if project.draft else []))


def finish(project: Project) -> Made:
    """Add the files to the present page; do nothing if it has them."""
    with _alone(project, _MAKING):
        found = made(project)
        if found is not None and found.failure is None:
            return found
        order = _text(project)
        try:
            if order is None:
                raise FileNotFoundError(_ORDER)
            result = Made(_add(project, order))
        except Exception as error:
            # An error message may contain values; the error type does not.
            result = Made(failure=type(error).__name__)
        with _alone(project, _WRITING):
            # If there is a newer page by now, its own process adds the files.
            if _text(project) == order:
                write_whole(project.published / _RESULT, json.dumps(asdict(result), indent=1))
    return result


def made(project: Project) -> Made | None:
    """Return what became of the files of the present page; None if that is not known yet."""
    with suppress(OSError, ValueError, TypeError):
        return Made(**json.loads((project.published / _RESULT).read_text("utf-8")))
    return None


def is_waited_for(project: Project) -> bool:
    """Return whether a page has been written whose files are not made yet."""
    return made(project) is None and (project.published / _ORDER).exists()


def is_running(project: Project) -> bool:
    """Return whether a process makes files of the report at this moment."""
    return separate_process.is_locked(project.published / _MAKING)


def digest(project: Project) -> str:
    """Return the hash of the present page, without the files that were added to it."""
    # Imported on demand: a status needs none of it.
    from sarcoma_pipeline.publish.report import unfinished

    text = _text(project)
    try:
        return unfinished.read(text or "").page
    except (ValueError, KeyError, TypeError):
        return unfinished.digest(page_of(project).read_text("utf-8"))


def _add(project: Project, order: str) -> str:
    """Add the files, and return the name of the PDF or why there is none."""
    # Imported on demand: a refresh that starts this process needs none of it.
    from sarcoma_pipeline.publish.report import column_lineage, pdf, raster, unfinished
    from sarcoma_pipeline.quality.column_lineage import origins
    from schemas.release import RELEASED

    page = page_of(project)
    figures = raster.KeptFigures(project.warehouse.with_suffix(".figures"))
    html = unfinished.read(order).finished(page.read_text("utf-8"), figures.png)
    if not _if_present(project, order, lambda: write_whole(page, html)):
        return ""
    figures.forget_others()
    columns = column_lineage.page(project.study.title, origins(), list(RELEASED))
    write_whole(page.with_name(COLUMNS), columns)
    chromium = pdf.browser()
    if chromium is None:
        return f"not printed: none of {', '.join(pdf.BROWSERS)} is installed"
    printed = page.with_name(f".{PDF}.part")
    if not pdf.print_pdf(page, printed, chromium, project.study.owner):
        return f"not printed: {Path(chromium).name} failed"
    if not _if_present(project, order, lambda: printed.replace(page.with_name(PDF))):
        printed.unlink()
    return PDF


def _if_present(project: Project, order: str, write: Callable[[], object]) -> bool:
    """Write if the present page is still that of an order, and return whether it is."""
    with _alone(project, _WRITING):
        if _text(project) != order:
            return False
        write()
    return True


def _text(project: Project) -> str | None:
    with suppress(OSError):
        return (project.published / _ORDER).read_text("utf-8")
    return None


@contextmanager
def _alone(project: Project, name: str) -> Iterator[None]:
    """Let one process at a time do this."""
    with (project.published / name).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str]) -> None:
    """Add the files to the report of the study of this name, and report it to Dagster."""
    name, *draft = arguments
    os.nice(_NICE)
    study = projects.load(name)
    study = study.as_draft() if draft else study
    result = finish(study)
    # Imported on demand: Dagster is not needed to make the files.
    from sarcoma_pipeline.orchestration.assets.analysis_report import files_result, report_key

    separate_process.report(report_key(study), CHECK, files_result(study, result))


if __name__ == "__main__":
    main(sys.argv[1:])
