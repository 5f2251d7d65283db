"""Comparison of two releases (what changed, through which file), rollback, and rebuilding an earlier one."""

import datetime as dt
import hashlib

import duckdb
import pytest


@pytest.fixture
def two(copy):
    """A second release, after a registry office corrected a date of death by one day."""
    patient, path, position = copy.warehouse(
        "SELECT l.pseudonym, m.path, r.position FROM meta.lineage l "
        "JOIN received.registry_reply r USING (record_id) JOIN meta.files m ON m.file_id = r.file_id "
        "WHERE l.subject = 'OS' AND l.role = 'decided' AND r.answer = 'verstorben' "
        "AND length(r.event_date) = 10 ORDER BY 1"
    ).row(0)
    lines = (copy.drop / path).read_text("latin-1").splitlines(keepends=True)
    date = lines[0].strip().split(";").index("Datum")
    line = int(position.split()[1]) - 1
    cells = lines[line].split(";")
    died = dt.datetime.strptime(cells[date], "%d.%m.%Y") + dt.timedelta(days=1)
    cells[date] = died.strftime("%d.%m.%Y")
    lines[line] = ";".join(cells)
    (copy.drop / path).write_text("".join(lines), "latin-1", newline="")
    assert copy.refresh().exit_code == 0
    return copy, patient, path


def test_the_diff_names_the_patient_the_endpoint_and_the_file(two):
    place, patient, path = two
    told = place.sarcoma("release", "diff", "previous", "current")
    assert told.exit_code == 0
    changed = [line for line in told.output.splitlines() if line.startswith("cohort.endpoints")]
    assert changed and all(patient in line for line in changed)
    assert any("OS" in line for line in changed)
    assert "changed files: " in told.output
    assert f"  {patient}  {path}: 1 records gone, 1 new" in told.output


def test_list_marks_the_published_one_and_rollback_goes_back(two):
    place, _, _ = two
    listed = place.sarcoma("release", "list").output.splitlines()
    assert [line[0] for line in listed] == [" ", "*"]
    oldest = listed[0].split()[0]
    back = place.sarcoma("release", "rollback", "--reason", "the file was wrong")
    assert back.exit_code == 0
    assert place.published("SELECT refresh_id FROM meta.release").item() == oldest
    log = (place.release.parent / "releases/log.csv").read_text()
    assert "the file was wrong" in log and oldest in log
    assert [line[0] for line in place.sarcoma("release", "list").output.splitlines()] == ["*", " "]


@pytest.mark.parametrize("words", [["diff", "nobody"], ["rollback", "nobody", "--reason", "r"], ["rollback"]])
def test_what_does_not_exist_is_wrong_usage_and_changes_nothing(demo, words):
    before = hashlib.sha256(demo.release.read_bytes()).hexdigest()
    told = demo.sarcoma("release", *words)
    assert told.exit_code == 2 and "Error: " in told.output
    assert hashlib.sha256(demo.release.read_bytes()).hexdigest() == before


def test_an_earlier_release_is_rebuilt_with_the_same_content(two):
    place, _, _ = two
    first, second = [
        line.split()[1] if line[0] == "*" else line.split()[0]
        for line in place.sarcoma("release", "list").output.splitlines()
    ]
    hashes = dict(place.warehouse("SELECT refresh_id, content_hash FROM meta.release").rows())
    assert hashes[first] != hashes[second]
    finding = place.warehouse("SELECT min(finding_id) FROM quality.ledger WHERE severity = 'warning'").item()
    decided = place.sarcoma("findings", "acknowledge", finding, "--by", "steward", "--reason", "seen")
    assert decided.exit_code == 0, decided.output
    study = place.root / "data/studies/sts_imrt/study.toml"
    study.write_text(study.read_text().replace("horizons_months = [12", "horizons_months = [6, 12"))
    before = place.release.read_bytes()
    for name in (first, "current"):
        told = place.sarcoma("refresh", "--as-of", name)
        assert told.exit_code == 0, told.output
        assert "same as before" in told.output
    assert hashes[first] in place.sarcoma("refresh", "--as-of", "previous").output
    assert place.release.read_bytes() == before
    assert not list((place.root / "data/warehouse").glob(".as-of-*"))


def test_a_rebuild_from_changed_records_is_reported(copy):
    name = copy.warehouse("SELECT refresh_id FROM meta.release").item()
    with duckdb.connect(str(copy.root / "data/warehouse/sts_imrt.duckdb")) as warehouse:
        warehouse.execute(
            "UPDATE received.registry_reply SET event_date = '01.01.2021' WHERE answer = 'verstorben'"
        )
    told = copy.sarcoma("refresh", "--as-of", name)
    assert told.exit_code == 1
    assert "NOT the same as before" in told.output and "cohort.endpoints" in told.output


def test_an_unknown_release_cannot_be_rebuilt(demo):
    told = demo.sarcoma("refresh", "--as-of", "nobody")
    assert told.exit_code == 2 and "Error: " in told.output
