"""Refreshes on a failing machine: full disk, missing write permission, a locked or damaged warehouse.

The published release is unchanged, the run says what to do, and the next refresh succeeds.
"""

import os
import re
import resource
import shutil
import subprocess
import sys

import dagster as dg
import duckdb
import pytest

from sarcoma_pipeline.cli import refresh_run
from sarcoma_pipeline.orchestration import warehouse_resource
from sarcoma_pipeline.orchestration.assets import received
from tests.reliability.kills import decided, whole


def _heals(place):
    told = place.refresh("--full")
    assert told.exit_code == 0, told.output
    told = place.sarcoma("doctor")
    assert told.exit_code == 0, told.output


def _names(place):
    """Return names of patients from the registry replies."""
    replies = place.warehouse("SELECT * FROM received.registry_reply LIMIT 20")
    cells = {c for row in replies.iter_rows() for c in row if isinstance(c, str)}
    return {c for c in cells if re.fullmatch(r"[A-ZÄÖÜ][a-zäöüß]{3,}", c)}


@pytest.mark.parametrize("megabytes", [1, 12])
def test_a_full_disk(copy, megabytes):
    """Limit the size of files, which fails large writes as a full disk does."""
    before, log = whole(copy), decided(copy)
    size = megabytes << 20
    told = copy.apart(
        "refresh", "--full", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    )
    if told.returncode != 0:
        assert whole(copy) == before
    assert not any(name in told.stdout + told.stderr for name in _names(copy))
    assert decided(copy) == log
    _heals(copy)
    assert whole(copy) == before


WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all")
"""Root ignores file permissions unless it lacks these capabilities."""


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs setpriv of util-linux")
@pytest.mark.parametrize("folder", ["data/published/sts_imrt", "data/published/sts_imrt/releases"])
def test_a_folder_without_write_permission(copy, folder):
    before = whole(copy)
    reply = next(copy.drop.rglob("*.dcm"))
    reply.unlink()
    place = copy.root / folder
    place.chmod(0o555)
    try:
        told = copy.apart("refresh", "--full", before=WITHOUT_RIGHTS if os.geteuid() == 0 else ())
    finally:
        place.chmod(0o755)
    assert told.returncode == 1, told.stdout
    assert "write" in told.stdout and "NOT PUBLISHED" in told.stdout
    assert whole(copy) == before
    _heals(copy)


def test_a_locked_warehouse(copy, monkeypatch):
    monkeypatch.setattr(warehouse_resource, "_LOCK_SECONDS", 0.2)
    monkeypatch.setattr(received, "RETRY", dg.RetryPolicy(max_retries=1, delay=0))
    before = whole(copy)
    script = "import duckdb,sys; c=duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    path = copy.root / "data/warehouse/sts_imrt.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    try:
        told = copy.refresh()
    finally:
        holder.communicate("")
    assert told.exit_code == 1 and "locked by another process" in told.output
    assert whole(copy) == before
    _heals(copy)


WRITER = """
import duckdb, os, sys
c = duckdb.connect(sys.argv[1])
c.execute("SET checkpoint_threshold = '1TB'")
c.execute("CREATE TABLE meta.half AS SELECT range AS n FROM range(50000)")
os._exit(9)
"""


def test_a_damaged_log_has_one_command_that_heals_it(copy):
    before, log = whole(copy), decided(copy)
    path = copy.root / "data/warehouse/sts_imrt.duckdb"
    assert subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False).returncode == 9
    written = path.with_name(f"{path.name}.wal")
    data = bytearray(written.read_bytes())
    data[len(data) // 2] ^= 255
    written.write_bytes(data)
    command = "sarcoma doctor --repair --study sts_imrt"
    for told in (
        copy.sarcoma("status"),
        copy.sarcoma("doctor"),
        copy.refresh(),
        copy.sarcoma("findings", "list"),
    ):
        assert told.exit_code == 1, told.output
        assert command in told.output and "sarcoma restore" not in told.output, told.output
    assert whole(copy) == before
    assert "the write-ahead log was damaged" in copy.sarcoma(*command.split()[1:]).output
    assert "no write-ahead log is damaged" in copy.sarcoma(*command.split()[1:]).output
    assert command not in copy.sarcoma("status").output
    _heals(copy)
    assert decided(copy) == log


def test_a_second_refresh_is_refused_in_words(copy):
    """Another process refreshes; its run is the first one's, so that its steps need not be waited for."""
    script = (
        "import sys, dagster as dg\n"
        "from sarcoma_pipeline.orchestration import run_process\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    run = dg.DagsterRun(\n"
        "        job_name='refresh', tags={'study': 'sts_imrt'}, status=dg.DagsterRunStatus.STARTED)\n"
        "    instance.add_run(run)\n"
        "    instance.add_run_tags(run.run_id, run_process.mark(run.run_id))\n"
        "    print(run.run_id, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    env = {**os.environ, "DAGSTER_HOME": str(copy.home)}
    first = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
    )
    assert first.stdout
    run_id = first.stdout.readline().strip()
    assert run_id
    before = copy.warehouse("SELECT count(*) FROM meta.refreshes").item()
    try:
        told = copy.refresh("--verify")
    finally:
        first.communicate("")
    assert told.exit_code == 1
    assert "another refresh of sts_imrt is running since" in told.output and run_id in told.output
    assert copy.warehouse("SELECT count(*) FROM meta.refreshes").item() == before
    # Its process has ended: nothing is in the way any more.
    assert copy.refresh("--verify").exit_code == 0


def test_a_good_night_ends_well_while_another_holds_the_warehouse(copy, monkeypatch):
    script = "import duckdb,sys; c=duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    path = copy.root / "data/warehouse/sts_imrt.duckdb"
    holders = []
    summary = refresh_run._summary

    def held(*given):
        holder = subprocess.Popen(
            [sys.executable, "-c", script, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        assert holder.stdout and holder.stdout.readline() == "held\n"
        summary(*given)

    monkeypatch.setattr(refresh_run, "_summary", held)
    try:
        told = copy.refresh("--verify")
    finally:
        for holder in holders:
            holder.communicate("")
    assert holders and told.exit_code == 0, told.output
    assert "another process has locked the warehouse" in told.output
    assert "release     data/published/sts_imrt/cohort.duckdb" in told.output


DAMAGE = {
    "zeros": lambda p: p.write_bytes(b"\0" * p.stat().st_size),
    "cut": lambda p: os.truncate(p, p.stat().st_size // 2),
    "empty": lambda p: os.truncate(p, 0),
    "text": lambda p: p.write_text("this was a database"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_warehouse_names_its_remedy(copy, tmp_path, kind):
    before, log = whole(copy), decided(copy)
    archive = tmp_path / "safe.tar"
    assert copy.sarcoma("backup", "--into", str(archive)).exit_code == 0
    DAMAGE[kind](copy.root / "data/warehouse/sts_imrt.duckdb")
    told = copy.refresh()
    assert whole(copy) == before
    if told.exit_code != 0:
        assert "sarcoma restore" in told.output and "sarcoma doctor" in told.output
        assert copy.sarcoma("restore", str(archive), "--replace").exit_code == 0
        _heals(copy)
    assert decided(copy) == log
    assert whole(copy) == before


def _alter(release):
    with duckdb.connect(str(release)) as connection:
        connection.execute("UPDATE endpoints SET time_days = 1")


@pytest.mark.parametrize("kind", ["cut", "altered"])
def test_a_damaged_release_is_reported_and_published_again(copy, kind):
    before = whole(copy)
    {**DAMAGE, "altered": _alter}[kind](copy.release)
    assert copy.sarcoma("doctor").exit_code == 1
    told = copy.sarcoma("status")
    assert kind == "altered" or (told.exit_code == 1 and "sarcoma release rollback" in told.output)
    told = copy.refresh()
    assert told.exit_code == 0 and "published" in told.output, told.output
    assert whole(copy) == before
    told = copy.sarcoma("doctor")
    assert told.exit_code == 0, told.output


def test_a_damaged_release_can_be_rolled_back(copy):
    before = whole(copy)
    DAMAGE["zeros"](copy.release)
    told = copy.sarcoma("release", "rollback", "--reason", "damaged")
    assert told.exit_code == 0, told.output
    assert whole(copy) == before and copy.sarcoma("doctor").exit_code == 0


def test_a_lost_key_is_not_replaced_without_confirmation(copy, tmp_path):
    before, archive, key = whole(copy), tmp_path / "safe.tar", copy.root / "data/warehouse/sts_imrt.key"
    assert copy.sarcoma("backup", "--into", str(archive)).exit_code == 0
    key.unlink()
    told = copy.refresh("--full")
    assert told.exit_code == 1 and "sarcoma restore" in told.output and "sarcoma key new" in told.output
    assert not key.exists() and whole(copy) == before
    assert copy.sarcoma("restore", str(archive), "--replace").exit_code == 0
    _heals(copy)
    assert whole(copy) == before
    key.unlink()
    assert copy.sarcoma("key", "new", "--yes").exit_code == 0
    _heals(copy)
    assert whole(copy) != before
    assert copy.sarcoma("key", "new", "--yes").exit_code == 2


def test_a_damaged_decision_log_fails_the_refresh(copy):
    before, log = whole(copy), copy.root / "data/decisions/sts_imrt.csv"
    finding = copy.warehouse("SELECT min(finding_id) FROM quality.ledger WHERE status = 'open'").item()
    decide = ("findings", "acknowledge", finding, "--by", "steward", "--reason", "seen")
    assert copy.sarcoma(*decide).exit_code == 0 and copy.refresh().exit_code == 0
    sound = log.read_bytes()
    before = whole(copy)
    log.write_bytes(sound[:20] + b"\0\0\n" + sound[40:])
    damaged = log.read_bytes()
    told = copy.refresh("--full")
    assert told.exit_code == 1 and "decision log sts_imrt.csv is damaged" in told.output
    assert whole(copy) == before and log.read_bytes() == damaged
    assert "repair the file" in copy.sarcoma("doctor").output
    log.unlink()
    _heals(copy)
    assert log.read_bytes() == sound


def test_an_interrupted_large_delivery_is_resumed(demo, place, monkeypatch):
    cut = place()
    shutil.copytree(demo.drop, cut.drop, dirs_exist_ok=True, copy_function=shutil.copy2)
    (cut.root / "data/warehouse").mkdir(mode=0o700)
    shutil.copy2(demo.root / "data/warehouse/sts_imrt.key", cut.root / "data/warehouse")
    whole_delivery = received.read_parallel.read_all

    def read_some(*words, **options):
        yield next(whole_delivery(*words, **options))
        raise OSError("the share went away")

    with monkeypatch.context() as patch:
        patch.setattr(received, "_PIECE_BYTES", 1)
        patch.setattr(received.read_parallel, "read_all", read_some)
        assert cut.refresh().exit_code == 1
    files = cut.warehouse("SELECT count(*) FROM meta.files").item()
    assert 0 < files < cut.delivered
    assert cut.refresh().exit_code == 0
    assert f"{cut.delivered - files} new, 0 changed, 0 gone, {files} unchanged" in cut.outcome.output
    made = "SELECT content_hash FROM meta.release"
    assert cut.published(made).item() == demo.published(made).item()
    assert cut.sarcoma("doctor").exit_code == 0
