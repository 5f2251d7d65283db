"""Stewards' decisions in refreshes: from the command line or the UI, kept through a rebuild."""

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration.code_location import build_definitions
from sarcoma_pipeline.orchestration.decide_job import DECIDE
from sarcoma_pipeline.study import project

FAR = "2999-12-31"


def _finding(place, rule: str) -> tuple[str, str]:
    return place.warehouse(
        f"SELECT finding_id, record_id FROM quality.findings WHERE rule_id = '{rule}' ORDER BY 1"
    ).row(0)


def _status(place, *ids: str) -> list[str]:
    known = dict(place.warehouse("SELECT finding_id, status FROM quality.ledger").iter_rows())
    return [known[i] for i in ids]


def _held(place) -> set[str]:
    return set(place.warehouse("SELECT record_id FROM quality.quarantine")["record_id"])


def _from_the_launchpad(place, **config: object) -> dg.ExecuteInProcessResult:
    job = build_definitions(project.load(place.study, place.root)).resolve_job_def(DECIDE)
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            run_config={"ops": {"record_decisions": {"config": config}}},
            instance=instance,
            raise_on_error=False,
        )


@pytest.fixture
def log(copy):
    return copy.root / "data/decisions/sts_imrt.csv"


def test_a_waived_record_is_used_and_a_rebuild_keeps_the_decisions(copy, log):
    waived, record = _finding(copy, "date.in-future")
    known, still_held = _finding(copy, "surgery.before-diagnosis")
    assert {record, still_held} <= _held(copy)
    said = copy.sarcoma("findings", "waive", waived, "--by", "S", "--reason", "so meant", "--until", FAR)
    assert said.exit_code == 0
    asked = _from_the_launchpad(copy, action="acknowledge", finding_ids=[known], by="S", reason="asked")
    assert asked.success

    for rebuilt in (False, True):
        if rebuilt:
            (copy.root / "data/warehouse/sts_imrt.duckdb").unlink()
        assert copy.refresh().exit_code == 0
        assert _status(copy, waived, known) == ["waived", "acknowledged"]
        assert record not in _held(copy) and still_held in _held(copy)
        used = copy.warehouse("SELECT unnest(record_ids) AS record_id FROM curated.assessment")
        assert record in used["record_id"].to_list()
        assert copy.warehouse("SELECT sum(unaccounted) AS n FROM quality.accounting")["n"].item() == 0
        nights = copy.warehouse(
            "SELECT refresh_id, sum(waived) AS n FROM quality.trend GROUP BY 1 ORDER BY 1"
        )
        assert nights["n"].to_list() == ([1] if rebuilt else [0, 1])
    assert copy.warehouse("FROM quality.decisions").height == 2


def test_every_error_that_may_be_waived_can_be_and_every_record_is_accounted_for(copy):
    ids = copy.warehouse(
        "SELECT finding_id FROM quality.findings JOIN quality.rules USING (rule_id) "
        # Not waived here: its follow-up of a hundred years fails the release gate.
        "WHERE findings.severity = 'error' AND waivable AND rule_id <> 'diagnosis.before-birth'"
    )["finding_id"].to_list()
    assert len(ids) > 9
    said = copy.sarcoma("findings", "waive", *ids, "--by", "S", "--reason", "all of it", "--until", FAR)
    assert said.exit_code == 0
    assert copy.refresh().exit_code == 0
    assert copy.warehouse(
        "SELECT DISTINCT waivable FROM quality.quarantine, unnest(rule_ids) AS held(rule_id) "
        "JOIN quality.rules USING (rule_id) WHERE rule_id <> 'diagnosis.before-birth'"
    )["waivable"].to_list() == [False]
    wrong = "SELECT sum(unaccounted) + sum(counted_twice) AS n FROM quality.accounting"
    assert copy.warehouse(wrong)["n"].item() == 0


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"finding_ids": ["nobody"]}, "there is no such finding"),
        ({"reason": " "}, "the reason is missing"),
        ({"until": "2020-01-31"}, "2020-01-31 is in the past"),
        ({"until": None}, "a waiver needs its last day"),
        ({"finding_ids": []}, "nothing is requested"),
    ],
)
def test_a_refused_decision_fails_its_run_with_the_reason_and_changes_nothing(demo, change, why):
    finding, _ = _finding(demo, "date.in-future")
    config = {"action": "waive", "finding_ids": [finding], "by": "S", "reason": "r", "until": FAR} | change
    outcome = _from_the_launchpad(demo, **{k: v for k, v in config.items() if v is not None})
    assert not outcome.success
    (failed,) = [e for e in outcome.all_events if e.is_step_failure]
    assert why in (failed.step_failure_data.error.message if failed.step_failure_data.error else "")
    assert not list((demo.root / "data/decisions").glob("*"))
