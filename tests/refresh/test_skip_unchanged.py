"""A nightly refresh is skipped only if no input has changed, and the schedule says so."""

import datetime as dt
import os
import shutil
import subprocess
import sys

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import jobs, schedules, skip_unchanged
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.orchestration.run_history import Run
from sarcoma_pipeline.study import project
from tests.refreshed import Place

pytestmark = pytest.mark.slow
TODAY = project.load("sts_imrt").now().date()


def _look(place, today=TODAY):
    return skip_unchanged.check(project.load(place.study, place.root), today)


@pytest.fixture(scope="module")
def settled(demo, tmp_path_factory):
    """The demo after a second refresh of the same files."""
    root = tmp_path_factory.mktemp("settled") / "root"
    shutil.copytree(demo.root, root, copy_function=shutil.copy2)
    made = Place(root, demo.study)
    assert made.refresh().exit_code == 0
    return made


@pytest.fixture
def place(settled, tmp_path):
    shutil.copytree(settled.root, tmp_path / "root", copy_function=shutil.copy2)
    return Place(tmp_path / "root", settled.study)


def test_the_second_refresh_is_computed_because_rules_compare_two(demo):
    assert _look(demo) is None


def test_nothing_changed_for_two_nights(settled):
    found = _look(settled)
    assert found is not None and found.files == settled.delivered
    assert found.content_hash == settled.published("SELECT content_hash FROM meta.release").item()
    assert "Nothing changed since refresh" in str(found)


def test_a_folder_scan_that_times_out_does_not_skip(settled, monkeypatch):
    monkeypatch.setattr(skip_unchanged, "_SCAN_SECONDS", 0.0)
    assert _look(settled) is None


def _new_file(place):
    (place.drop / "new.txt").write_text("x")


def _changed_file(place):
    reply = next(place.drop.rglob("*.csv"))
    reply.write_bytes(reply.read_bytes() + b"x")


def _touched_file(place):
    next(place.drop.rglob("*.csv")).touch()


def _gone_file(place):
    next(place.drop.rglob("*.dcm")).unlink()


def _configuration(place):
    path = place.root / "data/studies/sts_imrt/study.toml"
    path.write_text(path.read_text() + "\n# another word\n")


def _decision(place):
    finding = place.warehouse("SELECT finding_id FROM quality.ledger WHERE status = 'open' LIMIT 1").item()
    told = place.sarcoma("findings", "acknowledge", finding, "--by", "S", "--reason", "seen")
    assert told.exit_code == 0


def _no_report(place):
    (place.root / "data/published/sts_imrt/report/index.html").unlink()


def _damaged_release(place):
    with place.release.open("r+b") as stream:
        stream.seek(5000)
        stream.write(b"\0" * 5000)


def _other_key(place):
    (place.root / "data/warehouse/sts_imrt.key").write_text("00" * 32 + "\n")


def _no_warehouse(place):
    (place.root / "data/warehouse/sts_imrt.duckdb").unlink()


@pytest.mark.parametrize(
    "change",
    [
        _new_file, _changed_file, _touched_file, _gone_file, _configuration, _decision, _no_report,
        _damaged_release, _other_key, _no_warehouse,
    ],
)  # fmt: skip
def test_any_changed_input_is_computed(place, change):
    change(place)
    assert _look(place) is None


def test_an_expired_waiver_is_computed(place):
    finding = place.warehouse(
        "SELECT finding_id FROM quality.ledger JOIN quality.rules USING (rule_id) "
        "WHERE status = 'open' AND waivable LIMIT 1"
    ).item()
    words = ("findings", "waive", finding, "--by", "S", "--reason", "seen", "--until")
    told = place.sarcoma(*words, f"{TODAY + dt.timedelta(days=3)}")
    assert told.exit_code == 0, told.output
    # One refresh applies the waiver; after the next one, two refreshes have the same volumes.
    for _ in range(2):
        assert place.refresh().exit_code == 0
    assert _look(place) is not None
    assert _look(place, TODAY + dt.timedelta(days=3)) is not None
    assert _look(place, TODAY + dt.timedelta(days=4)) is None


def _tick(place, state):
    study = project.load(place.study, place.root)
    with dg.instance_for_test() as instance:
        run = dg.DagsterRun(job_name=jobs.REFRESH, status=state, tags={"study": place.study})
        instance.add_run(run)
        with dg.build_schedule_context(instance=instance) as context:
            told = schedules.nightly(study).evaluate_tick(context)
        return told, instance.get_latest_materialization_event(release_key(study))


def test_the_schedule_skips_and_confirms_the_release(settled):
    told, said = _tick(settled, dg.DagsterRunStatus.SUCCESS)
    assert not told.run_requests and "Nothing changed since" in (told.skip_message or "")
    assert said is not None and said.asset_materialization is not None
    assert said.asset_materialization.metadata["files"].value == settled.delivered


def test_after_a_failed_run_the_schedule_does_not_skip(settled):
    told, said = _tick(settled, dg.DagsterRunStatus.FAILURE)
    assert len(told.run_requests or ()) == 1 and said is None


def test_a_refresh_looks_before_it_imports_dagster(place):
    """It says that nothing changed, starts no run, and the release counts as confirmed."""
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        "try: main(['refresh'])\nexcept SystemExit as end: print('exit', end.code)\n"
        "print('imports', *sorted({'dagster', 'sqlalchemy', 'pandas', 'pydicom', 'lxml'} & set(sys.modules)))"
    )
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    runs = place.home / "history/runs"
    before = sorted(path.name for path in runs.glob("*.db"))
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert "Nothing changed since refresh" in told.stdout
    assert told.stdout.splitlines()[-2:] == ["exit 0", "imports"]
    assert sorted(path.name for path in runs.glob("*.db")) == before
    study = project.load(place.study, place.root)
    content = place.published("SELECT content_hash FROM meta.release").item()
    at = skip_unchanged.confirmed(study, content)
    assert at is not None and dt.datetime.now(dt.UTC) - at < dt.timedelta(minutes=5)
    assert skip_unchanged.confirmed(study, "another") is None
    assert (study.published / "confirmed.json").stat().st_mode & 0o777 == 0o640
    assert "last confirmed 0 min ago" in place.sarcoma("status").output


class _Runs:
    """A history of which only the states of the runs are told."""

    def __init__(self, *runs: tuple[str, bool]) -> None:
        now = dt.datetime.now(dt.UTC)
        self._runs = [Run(str(n), state, {"draft": "true"} if d else {}, now, None)
                      for n, (state, d) in enumerate(runs)]  # fmt: skip

    def runs(self, study, job=None, states=None, most=50):
        return [run for run in self._runs if states is None or run.state in states][:most]

    def materialised(self, asset):
        return None

    def heartbeat(self):
        return None

    def is_switched_off(self, study, schedule):
        return False


@pytest.mark.parametrize(
    ("runs", "looked"),
    [
        ([("success", False)], True),
        ([("failure", False), ("success", False)], False),
        ([("started", False), ("success", False)], False),
        ([("success", True), ("failure", False)], False),  # a draft heals nothing
        ([("failure", True), ("success", False)], True),
        ([], False),
    ],
    ids=str,
)
def test_after_a_failed_run_a_refresh_is_always_a_run(settled, runs, looked):
    study = project.load(settled.study, settled.root)
    assert (skip_unchanged.look(study, _Runs(*runs), TODAY) is not None) is looked


def test_no_step_imports_pandas(place):
    """DuckDB would for a statement with values; only Great Expectations needs it, in its own process."""
    changed, touched = sorted(place.drop.rglob("*.xml"))[:2]
    changed.write_bytes(changed.read_bytes() + b"\n")
    os.utime(touched)
    script = (
        "import sys\nfrom sarcoma_pipeline.cli import main\n"
        "try: main(['refresh', '--full'])\nexcept SystemExit as end: print('exit', end.code)\n"
        "print('imports', *sorted({'pandas', 'great_expectations', 'matplotlib'} & set(sys.modules)))"
    )
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env)
    assert told.stdout.splitlines()[-2:] == ["exit 0", "imports"]
    closed = "SELECT count(*) FROM meta.files WHERE last_refresh NOT NULL"
    assert place.warehouse(closed).item() == 1
