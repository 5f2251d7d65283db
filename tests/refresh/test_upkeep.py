"""``sarcoma doctor`` detects damage, and ``sarcoma backup`` and ``restore`` recover from it."""

import fcntl
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path

import duckdb
import pytest


def _sql(path, statement):
    with duckdb.connect(str(path)) as connection:
        connection.execute(statement)


def _decide(place, reason, which="min"):
    finding = place.warehouse(f"SELECT {which}(finding_id) FROM quality.ledger WHERE status = 'open'").item()
    told = place.sarcoma("findings", "acknowledge", finding, "--by", "steward", "--reason", reason)
    assert told.exit_code == 0, told.output


def _flip(path, position):
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)


def test_the_doctor_finds_no_fault_after_a_refresh(demo):
    assert demo.release.exists()
    told = demo.sarcoma("doctor")
    assert told.exit_code == 0, told.output
    assert told.output.count("ok ") == 12


BREAK = {
    "files with identities": lambda p, w: w.chmod(0o644),
    "pages and Dagster's storage": lambda p, w: (p.release.parent / "steward.html").chmod(0o644),
    "the warehouse can be read": lambda p, w: w.write_bytes(b"\0" * 5000),
    "every record is accounted": lambda p, w: _sql(w, "UPDATE quality.accounting SET records = records + 1"),
    "every endpoint is traceable": lambda p, w: _sql(w, "DELETE FROM meta.lineage WHERE subject = 'OS'"),
    "the pseudonyms match": lambda p, w: w.with_suffix(".key").write_text("00" * 32),
    "the release matches": lambda p, w: _sql(p.release, "UPDATE endpoints SET time_days = 1"),
    "the kept releases": lambda p, w: _flip(next((p.release.parent / "releases").glob("*.duckdb")), 20),
    "no partial files": lambda p, w: (p.release.parent / ".building-x.duckdb").touch(),
}


@pytest.mark.parametrize("invariant", BREAK)
def test_the_doctor_names_fault_and_remedy(copy, invariant):
    BREAK[invariant](copy, copy.root / "data/warehouse/sts_imrt.duckdb")
    told = copy.sarcoma("doctor")
    assert told.exit_code == 1
    lines = told.output.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("FAULT") and invariant in line)
    assert any(line.startswith("       remedy: ") for line in lines[at:])


def test_a_file_that_a_process_is_writing_is_no_fault(copy):
    published = copy.release.parent
    (published / ".report.pdf.part").touch()
    with (published / ".report_files.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = copy.sarcoma("doctor")
        assert told.exit_code == 0, told.output
    told = copy.sarcoma("doctor")
    assert told.exit_code == 1 and ".report.pdf.part" in told.output


def test_a_decision_that_the_log_lost_is_named(copy):
    _decide(copy, "first")
    assert copy.refresh().exit_code == 0
    (copy.root / "data/decisions/sts_imrt.csv").unlink()
    told = copy.sarcoma("doctor")
    assert told.exit_code == 1 and "1 decisions of the warehouse are missing in it" in told.output


def test_restore_recovers_everything_and_keeps_decisions(copy, tmp_path):
    _decide(copy, "before the backup")
    archive = tmp_path / "safe/night.tar"
    assert copy.sarcoma("backup", "--into", str(archive)).exit_code == 0
    assert archive.stat().st_mode & 0o077 == 0
    _decide(copy, "after the backup", "max")
    hashed = copy.published("SELECT content_hash FROM meta.release").item()
    refused = copy.sarcoma("restore", str(archive))
    assert refused.exit_code == 2 and "would be replaced" in refused.output

    decisions = copy.root / "data/decisions/sts_imrt.csv"
    since = decisions.read_text()
    shutil.rmtree(copy.root / "data/warehouse")
    shutil.rmtree(copy.root / "data/published")
    told = copy.sarcoma("restore", str(archive))
    assert told.exit_code == 0, told.output
    assert decisions.read_text() == since and "before" in since and "after" in since
    assert copy.sarcoma("doctor").exit_code == 0
    assert copy.published("SELECT content_hash FROM meta.release").item() == hashed
    shutil.rmtree(copy.root / "data/decisions")
    assert copy.sarcoma("restore", str(archive), "--replace").exit_code == 0
    assert "before the backup" in decisions.read_text()


@pytest.mark.parametrize("where", [0.3, 0.9])
def test_a_damaged_archive_restores_nothing(demo, tmp_path, where):
    archive = tmp_path / "night.tar"
    assert demo.sarcoma("backup", "--into", str(archive)).exit_code == 0
    _flip(archive, int(archive.stat().st_size * where))
    before = demo.release.read_bytes()
    told = demo.sarcoma("restore", str(archive), "--replace")
    assert told.exit_code == 1 and "nothing was restored" in told.output
    assert demo.release.read_bytes() == before


@pytest.mark.parametrize(
    "name", ["../evil", "/tmp/evil", "data/warehouse/../../evil", "data/studies/sts_imrt/x"]
)
def test_an_archive_cannot_write_elsewhere(demo, tmp_path, name):
    archive = tmp_path / "evil.tar"
    label = {"study": "sts_imrt", "sha256": {name: hashlib.sha256(b"evil").hexdigest()}}
    with tarfile.open(archive, "w") as tar:
        for member, data in ((name, b"evil"), ("manifest.json", json.dumps(label).encode())):
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    told = demo.sarcoma("restore", str(archive), "--replace")
    assert told.exit_code == 1 and "does not belong to the study" in told.output
    assert not (demo.root / "evil").exists() and not Path("/tmp/evil").exists()


@pytest.mark.parametrize("file", ["sts_imrt.key", "sts_imrt.duckdb"])
def test_a_refresh_refuses_files_that_others_can_read(copy, file):
    path = copy.root / "data/warehouse" / file
    path.chmod(0o640)
    told = copy.refresh()
    assert told.exit_code == 2
    assert f"chmod 600 data/warehouse/{file}" in told.output
