"""A data steward chooses between the readings of a course: in real refreshes, from shell and UI."""

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.decide_job import DECIDE
from sarcoma_pipeline.study import project
from tests.curation.rt_files import Field, content, plan
from tests.refresh.nights import Nights
from tests.refreshed import Place, lay
from tests.sources.obds_exports import export, meldung

pytestmark = pytest.mark.slow

DIAGNOSIS = (
    "<Diagnose Diagnose_ID='D1'><Primaertumor_Topographie_ICD_O><Code>C49.2</Code><Version>33</Version>"
    "</Primaertumor_Topographie_ICD_O><Diagnosesicherung>7.1</Diagnosesicherung></Diagnose>"
)
REST = [Field(1.0, 310.0), Field(1.0, 310.0, turns="CC")]


def _plan(place: Place, uid: str, *values: object, **more: object) -> None:
    """Put a plan of the patient into the drop folder."""
    dataset = plan(uid, *values, patient="17", **more)  # type: ignore[arg-type]
    dataset.PatientName = "Muster^Eva"
    path = place.drop / f"dicom/17/{uid}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(dataset))


@pytest.fixture
def place(tmp_path) -> Place:
    """A patient with two plans of which nobody knows whether the doses add: 84, 50 or 34 Gy."""
    place = lay(tmp_path)
    export_of = place.drop / "obds/export.xml"
    export_of.parent.mkdir(parents=True)
    export_of.write_text(export(meldung(DIAGNOSIS)), "utf-8")
    _plan(place, "1.1")
    _plan(place, "1.2", 34, 17, date="20150312", beams=REST)
    return place


def _course(place: Place) -> tuple[float | None, int | None, str]:
    return place.warehouse(
        "SELECT prescribed_dose_gy, fractions, origin FROM curated.radiotherapy_course"
    ).row(0)


def _finding(place: Place) -> tuple[str, str]:
    return place.warehouse(
        "SELECT finding_id, status FROM quality.ledger WHERE rule_id = 'course.undecided'"
    ).row(0)


def _from_the_launchpad(place: Place, **config: object) -> dg.ExecuteInProcessResult:
    job = build_definitions(project.load(place.study, place.root)).resolve_job_def(DECIDE)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            run_config={"ops": {"record_decisions": {"config": config}}},
            instance=instance, raise_on_error=False,
        )  # fmt: skip


def test_a_reading_is_chosen_kept_and_lapses_when_the_plans_change(place):
    nights = Nights(place.root)
    nights.refresh()
    assert _course(place)[:2] == (None, None)
    finding, status = _finding(place)
    assert status == "open"

    said = place.sarcoma(
        "findings", "decide", finding, "--reading", "2", "--by", "S", "--reason", "treatment sheet"
    )
    assert said.exit_code == 0, said.output
    nights.refresh()
    assert _course(place) == (50.0, 25, "decision")
    assert _finding(place) == (finding, "resolved")
    notice = place.warehouse("SELECT count(*) AS n FROM quality.findings WHERE rule_id = 'course.decided'")
    assert notice["n"].item() == 1

    # A third plan: what was chosen among two readings says nothing about it.
    _plan(place, "1.3", 10, 5, date="20150320", beams=REST)
    nights.refresh()
    assert _course(place)[:2] == (None, None)
    finding, status = _finding(place)
    assert status == "reopened"

    refused = _from_the_launchpad(
        place, action="decide", finding_ids=[finding], by="S", reason="r", reading=99
    )
    assert not refused.success
    readings = place.warehouse("SELECT reading, prescribed_dose_gy FROM curated.radiotherapy_reading").rows()
    (wanted,) = [number for number, dose in readings if dose == 34]
    done = _from_the_launchpad(
        place, action="decide", finding_ids=[finding], by="S", reason="the other sheet", reading=wanted
    )
    assert done.success
    nights.refresh()
    assert _course(place) == (34.0, 17, "decision")
    decided = place.warehouse("SELECT count(*) AS n FROM quality.decisions")
    assert decided["n"].item() == 2
