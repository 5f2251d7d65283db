"""Two releases beside each other: what moved, because of which file, and the way back."""

import datetime as dt
import hashlib

import pytest


@pytest.fixture
def two(copy):
    """A second release, after an office put a death a day later."""
    patient, path, position = copy.warehouse(
        "SELECT l.pseudonym, m.path, r.position FROM meta.lineage l "
        "JOIN received.registry_reply r USING (record_id) JOIN meta.files m USING (file_id) "
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
    assert "because of the files: " in told.output
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
