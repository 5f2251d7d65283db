"""Retries of steps: for transient errors only."""

import errno

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration.assets import step as steps
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse, WarehouseBusy
from sarcoma_pipeline.quality.rule_catalogue import catalogue
from sarcoma_pipeline.study import project
from schemas.quality import QualityRule
from tests.refreshed import lay


def _run(tmp_path, monkeypatch, faults):
    study = project.load("sts_imrt", lay(tmp_path).root)
    waiting = list(faults)
    tried = []

    def compute(warehouse):
        """Fail as told, then succeed."""
        tried.append(1)
        if waiting:
            raise waiting.pop(0)
        return steps.StepOutput({QualityRule.table(): catalogue()})

    quick = dg.RetryPolicy(max_retries=steps.RETRY.max_retries, delay=0)
    monkeypatch.setattr(steps, "RETRY", quick)
    made = steps.step(study, "probe", {QualityRule.table(): []}, compute, kinds={"polars"})
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [made],
            instance=instance,
            resources={"warehouse": Warehouse(path=str(study.warehouse))},
            raise_on_error=False,
        )
    return result.success, len(tried)


@pytest.mark.parametrize(
    "fault", [WarehouseBusy("held"), OSError(errno.ESTALE, "stale"), OSError(errno.EIO, "io")]
)
def test_transient_errors_are_retried(tmp_path, monkeypatch, fault):
    assert _run(tmp_path, monkeypatch, [fault, fault]) == (True, 3)


@pytest.mark.parametrize(
    "fault", [ValueError("wrong"), OSError(errno.ENOSPC, "full"), PermissionError(13, "no")]
)
def test_other_errors_are_not_retried(tmp_path, monkeypatch, fault):
    assert _run(tmp_path, monkeypatch, [fault]) == (False, 1)


def test_it_gives_up_after_the_last_retry(tmp_path, monkeypatch):
    faults = [WarehouseBusy("held")] * 9
    assert _run(tmp_path, monkeypatch, faults) == (False, 1 + steps.RETRY.max_retries)


def test_the_backoff_is_exponential():
    assert steps.RETRY.backoff == dg.Backoff.EXPONENTIAL
