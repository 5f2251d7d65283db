"""Deletion of old runs with their logs; unfinished runs and runs of other studies are kept."""

import dagster as dg

from sarcoma_pipeline.orchestration.retention import delete_old_runs

S = dg.DagsterRunStatus


def test_the_newest_runs_stay(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:

        def add(name, study="a", status=S.SUCCESS):
            run = dg.DagsterRun("refresh", run_id=name, status=status, tags={"study": study})
            instance.add_run(run)
            instance.report_engine_event("said", run)

        add("stuck", status=S.STARTED)
        add("other", "b")
        for night in range(5):
            add(f"night-{night}")
        logs = tmp_path / "storage/night-0/compute_logs"
        logs.mkdir(parents=True)
        (logs / "x.out").write_text("x")
        assert delete_old_runs(instance, "a", keep=2) == 3
        left = {run.run_id for run in instance.get_runs()}
        assert left == {"stuck", "other", "night-3", "night-4"}
        assert not instance.all_logs("night-0") and not logs.exists()
        assert delete_old_runs(instance, "a", keep=2) == 0
