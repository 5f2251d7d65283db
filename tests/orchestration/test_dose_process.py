"""What is said while volumes and doses are computed in a process of their own."""

import fcntl
from pathlib import Path

import pytest
from click.testing import CliRunner

from sarcoma_pipeline.cli import main
from sarcoma_pipeline.curation.planned_doses import ObjectAt, Work
from sarcoma_pipeline.operations import status
from sarcoma_pipeline.orchestration import dose_process
from sarcoma_pipeline.orchestration.dose_inbox import Computed, inbox
from sarcoma_pipeline.publish.report import steward
from sarcoma_pipeline.study import project as projects
from schemas.language import speaking
from tests.refreshed import Place, lay

WORK = Work(ObjectAt("RS.dcm", "file", "0" * 32, 1), (), (50.0,))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return lay(tmp_path / "root")


def command(place: Place) -> str:
    env = {"SARCOMA_ROOT": str(place.root), "COLUMNS": "200"}
    return CliRunner(env=env).invoke(main, ["doses", "--study", place.study], catch_exceptions=False).output


def test_while_a_process_computes_a_second_one_says_so(place: Place) -> None:
    study = projects.load(place.study, place.root)
    assert dose_process.missing(study) == dose_process.Missing(0, 0, False)
    assert command(place) == "Nothing to compute.\n"
    assert status._doses(study) == []
    box = inbox(study)
    box.write_work({"a": WORK, "b": WORK, "c": WORK})
    assert "no process computes the others" in str(dose_process.missing(study))
    box.put("b", Computed({}, 0.1, 1.0))
    with (box.folder / ".computing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert dose_process.missing(study) == dose_process.Missing(3, 1, True)
        told = (
            "3 plans have no volumes and doses in the release yet: 1 computed, a process computes the others"
        )
        assert command(place).startswith(f"Nothing computed here: {told}")
        assert status._doses(study)[0][1].startswith(told)
    box.put("a", Computed({}, 0.1, 1.0))
    box.put("c", Computed({}, 0.1, 1.0))
    assert dose_process.missing(study) == dose_process.Missing(3, 3, False)
    assert command(place) == f"Nothing computed here: {dose_process.missing(study)}.\n"
    assert str(dose_process.missing(study)).endswith("3 computed; the next refresh takes them")


def test_the_stewards_page_says_how_many_plans_have_no_doses() -> None:
    assert steward._to_compute(0) == []
    assert steward._to_compute(1)[0].startswith("1 plan has no volumes and doses yet")
    with speaking("de"):
        (told,) = steward._to_compute(149)
    assert told.startswith("149 Pläne haben noch keine Volumina und Dosen")
