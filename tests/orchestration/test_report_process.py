"""The files of the report are added by a process whose failure is told; a newer page is never overwritten."""

import datetime as dt
import fcntl
import json
from pathlib import Path

import pytest

from sarcoma_pipeline.operations import status
from sarcoma_pipeline.orchestration import report_process
from sarcoma_pipeline.orchestration.assets.analysis_report import files_result
from sarcoma_pipeline.publish.report import pdf, raster, unfinished
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.publish.report.unfinished import Panel, Unfinished
from sarcoma_pipeline.study import project as projects
from sarcoma_pipeline.study.project import Project
from tests.refreshed import lay

TABLE = Table("t", "Table 1", "Patients", ("", "n"), (Line(("men", "3")),))
PAGE = "<p><!--f.png--></p><p><!--t.docx--></p>"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(raster, "png", lambda svg: b"png")
    monkeypatch.setattr(pdf, "browser", lambda: None)
    return projects.load("sts_imrt", lay(tmp_path / "root").root)


def write(study: Project, html: str = PAGE) -> None:
    made, panel = dt.datetime(2026, 1, 1), Panel("f.png", "PNG", "<svg/>")
    lacking = Unfinished(unfinished.digest(html), made, "Author", "en", (panel,), (TABLE,))
    report_process.write_page(study, html, lacking)


def told(study: Project) -> tuple[list[tuple[str, str]], list[str]]:
    faults: list[str] = []
    return status._report_files(study, faults), faults


def page(study: Project) -> str:
    return report_process.page_of(study).read_text("utf-8")


def test_the_files_are_added_and_told(study: Project) -> None:
    assert told(study) == ([], [])
    (study.published / "report").mkdir(parents=True)
    (study.published / "report/report.pdf").write_bytes(b"of the page before")
    write(study)
    assert not (study.published / "report/report.pdf").exists()
    assert "href" not in page(study)
    assert "ended early" in told(study)[1][0]
    with (study.published / ".report_files.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lines, faults = told(study)
        assert "are being made" in lines[0][1] and not faults
    made = report_process.finish(study)
    assert 'download="f.png"' in page(study) and 'download="t.docx"' in page(study)
    assert (study.published / "report/column_lineage.html").is_file()
    assert made.failure is None and made.pdf.startswith("not printed: none of")
    assert told(study) == ([("report", str(made))], [])
    assert files_result(study, made).passed
    assert report_process.digest(study) == unfinished.digest(PAGE)
    # They are made once.
    before = report_process.page_of(study).stat().st_mtime_ns
    assert report_process.finish(study) == made
    assert report_process.page_of(study).stat().st_mtime_ns == before


def test_a_failure_is_told_without_its_message_and_tried_again(
    study: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(svg: str) -> bytes:
        raise MemoryError("of Erika Musterfrau")

    write(study)
    with monkeypatch.context() as broken:
        broken.setattr(raster, "png", breaks)
        made = report_process.finish(study)
    assert made == report_process.Made(failure="MemoryError")
    assert not files_result(study, made).passed
    (fault,) = told(study)[1]
    assert "MemoryError" in fault and "Musterfrau" not in fault
    assert page(study) == PAGE
    report_process.start(study)  # at once, for tests start no process
    assert report_process.made(study) == report_process.Made(pdf="not printed: none of " + ", ".join(pdf.BROWSERS) + " is installed")  # fmt: skip # noqa: E501


def test_a_newer_page_is_not_overwritten(study: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = "<p>newer</p>"

    def slowly(svg: str) -> bytes:
        write(study, newer)
        return b"png"

    write(study)
    monkeypatch.setattr(raster, "png", slowly)
    report_process.finish(study)
    assert page(study) == newer
    assert report_process.made(study) is None and report_process.is_waited_for(study)


def test_without_an_order_the_check_says_what_is_missing(study: Project) -> None:
    study.published.mkdir(parents=True)
    assert report_process.finish(study).failure == "FileNotFoundError"
    (study.published / "report_files.json").write_text(json.dumps({"failure": 3, "other": 1}), "utf-8")
    assert report_process.made(study) is None
