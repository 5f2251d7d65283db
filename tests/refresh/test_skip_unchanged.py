"""A nightly refresh is skipped only if no input has changed, and the schedule says so."""

import datetime as dt
import shutil

import dagster as dg
import pytest

from sarcoma_pipeline.orchestration import jobs, schedules, skip_unchanged
from sarcoma_pipeline.orchestration.assets.publication import release_key
from sarcoma_pipeline.study import project
from tests.refreshed import Place

pytestmark = pytest.mark.slow
TODAY = dt.datetime.now(dt.UTC).date()


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
