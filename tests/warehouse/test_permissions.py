"""Pages and Dagster's storage are closed to all outside the group, through whatever door they are made."""

import os
import shutil
import subprocess
import sys

import pytest

from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.page_file import write_whole
from sarcoma_pipeline.study import project
from sarcoma_pipeline.warehouse import permissions
from tests.refreshed import REPOSITORY, lay


@pytest.fixture
def study(tmp_path, monkeypatch):
    before = os.umask(0o022)
    shutil.copytree(REPOSITORY / "data/studies", tmp_path / "data/studies")
    made = project.load("sts_imrt", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster_home"))
    for folder in (tmp_path / "dagster_home/history/runs", made.published / "report", made.notifications):
        folder.mkdir(parents=True)
    for file in ("dagster_home/history/runs/r.db", "dagster_home/dagster.yaml"):
        (tmp_path / file).write_text("x")
    (made.published / "report/index.html").write_text("x")
    (made.notifications / "mail.txt").write_text("x")
    yield made
    os.umask(before)


def _modes(study):
    shared = (study.root / "dagster_home", study.published, study.notifications)
    return {p: p.stat().st_mode & 0o777 for folder in shared for p in (folder, *folder.rglob("*"))}


def test_what_is_open_is_named_and_closed(study):
    faults = permissions.shared_faults(study)
    assert [fault.split(" are ")[0] for fault in faults] == [
        "5 files and folders in dagster_home",
        "3 files and folders in data/published/sts_imrt",
        "2 files and folders in data/notifications/sts_imrt",
    ]
    assert all("chmod -R g-w,o-rwx " in fault for fault in faults)
    permissions.close_shared(study)
    assert set(_modes(study).values()) == {0o640, 0o750}
    assert permissions.shared_faults(study) == []


def test_what_is_stricter_stays(study):
    page = study.published / "report/index.html"
    page.chmod(0o600)
    study.published.chmod(0o700)
    permissions.close_shared(study)
    assert (page.stat().st_mode & 0o777, study.published.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_link_is_not_followed(study, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o666)
    (study.published / "link").symlink_to(outside)
    permissions.close_shared(study)
    assert outside.stat().st_mode & 0o777 == 0o666


def test_a_code_location_closes_them_and_makes_no_open_file(study):
    """The door of ``dagster dev``, of the schedule and of every worker."""
    build_definitions(study)
    assert set(_modes(study).values()) == {0o640, 0o750}
    (study.published / "new").write_text("x")
    (study.published / "folder").mkdir()
    assert set(_modes(study).values()) == {0o640, 0o750}


def test_a_stricter_umask_is_kept(study):
    os.umask(0o077)
    permissions.close_umask()
    assert os.umask(0o077) == 0o077


def test_a_page_is_written_closed(study):
    os.umask(0)
    write_whole(study.published / "steward.html", "x")
    assert (study.published / "steward.html").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("command", ["doctor", "status"])
def test_a_command_makes_no_open_file(tmp_path, command):
    place = lay(tmp_path / "root")
    (place.root / "dagster_home").chmod(0o750)
    (place.root / "dagster_home/dagster.yaml").chmod(0o640)
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    script = "import os; os.umask(0); from sarcoma_pipeline.cli import main; main()"
    told = subprocess.run([sys.executable, "-c", script, command], env=env, capture_output=True, text=True)
    assert "Traceback" not in told.stderr, told.stderr
    made = [p for p in (place.home, *place.home.rglob("*")) if p.stat().st_mode & 0o027]
    assert made == []
