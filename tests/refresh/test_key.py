"""Rotation of the pseudonym key: every pseudonym changes, and nothing else."""

import csv

import pytest

from sarcoma_pipeline.publish import pseudonym_key as keys
from sarcoma_pipeline.study import project
from tests.refreshed import lay

ENDPOINTS = "SELECT * FROM endpoints ORDER BY ALL"


@pytest.fixture
def rotated(copy):
    finding = copy.warehouse("SELECT min(finding_id) FROM quality.ledger WHERE status = 'open'").item()
    told = copy.sarcoma("findings", "acknowledge", finding, "--by", "steward", "--reason", "seen")
    assert told.exit_code == 0 and copy.refresh().exit_code == 0
    copy.finding = finding
    copy.before = copy.published(ENDPOINTS)
    copy.label = copy.published("FROM meta.release").row(0, named=True)
    told = copy.sarcoma("key", "rotate", "--yes")
    assert told.exit_code == 0, told.output
    copy.told = told.output
    return copy


def test_every_pseudonym_changes_and_nothing_else(rotated):
    assert rotated.refresh().exit_code == 0
    now = rotated.published(ENDPOINTS)
    assert not set(now["pseudonym"]) & set(rotated.before["pseudonym"])
    crosswalk = next((rotated.root / "data/warehouse").glob("*.crosswalk.*.csv"))
    with crosswalk.open() as lines:
        new = {row["pseudonym_before"]: row["pseudonym"] for row in csv.DictReader(lines)}
    carried = rotated.before.with_columns(rotated.before["pseudonym"].replace_strict(new))
    columns = [c for c in now.columns if c not in ("lineage", "evidence")]
    assert carried.select(columns).sort(columns).equals(now.select(columns).sort(columns))
    state = rotated.warehouse(f"SELECT status FROM quality.ledger WHERE finding_id = '{rotated.finding}'")
    assert state.item() == "acknowledged"
    assert rotated.sarcoma("doctor").exit_code == 0


def test_old_keys_are_private_and_in_the_backup(rotated, tmp_path):
    kept = [p for p in (rotated.root / "data/warehouse").iterdir() if p.suffix != ".wal"]
    assert len([p for p in kept if ".key" in p.name]) == 2
    assert all(p.stat().st_mode & 0o077 == 0 for p in kept)
    for path in kept:
        if ".key" in path.name:
            assert path.read_text().strip() not in rotated.told
    archive = tmp_path / "safe.tar"
    assert rotated.sarcoma("backup", "--into", str(archive)).exit_code == 0
    for path in kept:
        if ".key" in path.name or "crosswalk" in path.name:
            assert path.name.encode() in archive.read_bytes()


def test_an_earlier_release_is_built_again_with_the_key_of_then(rotated):
    assert rotated.refresh().exit_code == 0
    then = rotated.label["refresh_id"]
    study = project.load("sts_imrt", rotated.root)
    assert keys.key_of(study, then) != study.key
    assert keys.key_of(study, rotated.published("SELECT refresh_id FROM meta.release").item()) == study.key
    told = rotated.sarcoma("refresh", "--as-of", then)
    assert told.exit_code == 0, told.output


def test_a_missing_key_cannot_be_rotated(tmp_path):
    told = lay(tmp_path).sarcoma("key", "rotate", "--yes")
    assert told.exit_code == 2 and "no key yet" in told.output
