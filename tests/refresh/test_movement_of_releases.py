"""The account of movement beside a draft, after a withdrawn release, a new key and an objection."""

import csv
import re

import pytest

from tests.refresh.test_movement import _EXAM, _in_days, _report
from tests.refreshed import Place

pytestmark = pytest.mark.slow

SILENT = "SELECT DISTINCT pseudonym, unnest(causes) AS cause, unexplained FROM meta.movement ORDER BY ALL"


def _replace_a_date(place: Place) -> str:
    """Move the last examination of a patient in silence; returns their pseudonym."""
    (silent,) = place.warehouse(_EXAM).head(1).rows(named=True)
    path = place.drop / silent["path"]
    text = path.read_text()
    start, end = _report(text, silent["report"])
    report = text[start:end].replace(silent["day"], _in_days(silent["day"], 14))
    path.write_text(text[:start] + report + text[end:])
    return silent["pseudonym"]


def _refreshed(place: Place, *options: str) -> str:
    told = place.refresh(*options)
    assert told.exit_code == 0, told.output
    return told.output


def _found(place: Place) -> list[str]:
    rule = "SELECT pseudonym FROM quality.findings WHERE rule_id = 'release.moved-unexplained' ORDER BY ALL"
    return place.warehouse(rule)["pseudonym"].to_list()


def test_a_draft_is_compared_with_nothing_and_hides_no_move_from_the_next_release(copy):
    who = _replace_a_date(copy)
    output = _refreshed(copy, "--draft")
    assert "draft published" in output and "MOVED" not in output
    draft = Place(copy.root, copy.study)
    assert copy.warehouse("FROM meta.movement").is_empty() and _found(copy) == []
    assert draft.published("FROM meta.movement").is_empty()
    assert "nothing says why" in _refreshed(copy)
    assert copy.warehouse(SILENT).rows() == [(who, "file changed", True)] and _found(copy) == [who]


def test_after_a_withdrawn_release_the_one_before_it_is_compared(copy):
    first = copy.published("SELECT refresh_id FROM meta.release").item()
    who = _replace_a_date(copy)
    _refreshed(copy)
    told = copy.sarcoma("release", "withdraw", "--reason", "wrong")
    assert told.exit_code == 0, told.output
    _refreshed(copy)
    assert copy.published("SELECT DISTINCT compared_with FROM meta.movement").item() == first
    assert copy.warehouse(SILENT).rows() == [(who, "file changed", True)] and _found(copy) == [who]


def test_after_the_only_release_was_withdrawn_nothing_is_compared(copy):
    _replace_a_date(copy)
    assert copy.sarcoma("release", "withdraw", "--reason", "wrong").exit_code == 0
    assert "MOVED" not in _refreshed(copy)
    assert copy.published("FROM meta.movement").is_empty() and _found(copy) == []


def _object(place: Place, pseudonym: str) -> None:
    """Let a patient object in every report that is delivered of them."""
    number = place.warehouse(
        "SELECT DISTINCT p.hospital_number FROM typed.person p JOIN curated.link USING (person_ref) "
        f"JOIN curated.patient USING (patient_id) WHERE pseudonym = '{pseudonym}'"
    )["hospital_number"].drop_nulls()
    changed = 0
    for path in sorted((place.drop / "obds").glob("*.xml")):
        text = path.read_bytes()
        for one in number:
            form = rf'<Patient Patient_ID="{one}">.*?</Patient>'.encode()
            for block in re.findall(form, text, re.S):
                objecting = re.sub(rb"(<Meldebegruendung>)\w(</)", rb"\1W\2", block)
                changed += objecting != block
                text = text.replace(block, objecting)
        path.write_bytes(text)
    assert changed


def _asked_last(place: Place, but: str) -> str:
    """Return the patient of the cohort whose registry answer is the newest: the data cut-off is its day."""
    return place.warehouse(
        "SELECT pseudonym FROM curated.vital_statement v JOIN curated.patient USING (patient_id) "
        "JOIN curated.diagnosis t USING (patient_id) JOIN cohort.patients USING (pseudonym) "
        f"WHERE source = 'registry office' AND pseudonym <> '{but}' "
        "ORDER BY t.diagnosis_date + coalesce(told_day, status_day) DESC, pseudonym LIMIT 1"
    ).item()


def test_a_rotated_key_moves_nobody_and_an_objection_explains_who_leaves(copy):
    who = _replace_a_date(copy)
    # Others' values move with the data cut-off when this patient leaves.
    leaves = _asked_last(copy, but=who)
    _object(copy, leaves)
    assert copy.sarcoma("key", "rotate", "--yes").exit_code == 0
    (walk,) = (copy.root / "data/warehouse").glob("*.crosswalk.*.csv")
    with walk.open() as lines:
        now = {row["pseudonym_before"]: row["pseudonym"] for row in csv.DictReader(lines)}
    _refreshed(copy)
    moved = copy.warehouse("SELECT pseudonym, column_name, causes, unexplained FROM meta.movement").rows(
        named=True
    )
    assert {row["pseudonym"] for row in moved if row["unexplained"]} == {now[who]}
    assert _found(copy) == [now[who]]
    by_calendar = {row["column_name"] for row in moved if "calendar" in row["causes"]}
    assert by_calendar == {"registry_answer_age_months"}
    # A patient who objected is not in the warehouse any more, and keeps the pseudonym of the earlier key.
    others = {row["pseudonym"] for row in moved if row["causes"] == ["calendar"]}
    (gone,) = {row["pseudonym"] for row in moved} - {now[who]} - others
    assert others and gone in (leaves, now[leaves])


def test_a_lost_key_is_the_cause_of_every_move(copy):
    (copy.root / "data/warehouse/sts_imrt.key").unlink()
    assert copy.sarcoma("key", "new", "--yes").exit_code == 0
    _refreshed(copy)
    causes = copy.warehouse("SELECT DISTINCT causes, unexplained FROM meta.movement")
    assert causes.rows() == [(["key"], False)] and _found(copy) == []


def test_a_folder_that_was_away_for_one_night_leaves_no_moves_behind(copy):
    """That night publishes nothing; in the next one nothing differs from the release any more."""
    plans, away = copy.drop / "dicom", copy.root / "away"
    plans.rename(away)
    told = copy.refresh()
    assert told.exit_code == 1 and "nobody" not in told.output and "no patient is eligible" in told.output
    assert copy.warehouse("FROM meta.movement WHERE new = 'absent'").height > 80 and _found(copy)
    estimates = "FROM analysis.estimate_movement"
    away.rename(plans)
    assert "MOVED" not in _refreshed(copy)
    assert copy.warehouse("FROM meta.movement").is_empty() and copy.warehouse(estimates).is_empty()
    assert copy.warehouse("FROM meta.movement_record").is_empty() and _found(copy) == []
    status = "SELECT DISTINCT status FROM quality.ledger WHERE rule_id = 'release.moved-unexplained'"
    assert copy.warehouse(status).rows() == [("resolved",)]


def test_a_release_has_the_records_of_its_own_moves_only(copy):
    """The account of the release before stays in the warehouse, where its moves wait for a decision."""
    who = _replace_a_date(copy)
    _refreshed(copy)
    changed = "SELECT DISTINCT pseudonym FROM meta.movement_record"
    assert who in copy.published(changed)["pseudonym"].to_list()
    study = copy.root / "data/studies/sts_imrt/study.toml"
    study.write_text(
        study.read_text().replace("horizons_months = [12, 24, 36, 60]", "horizons_months = [12]")
    )
    _refreshed(copy)
    assert copy.published("FROM meta.movement").is_empty()
    assert copy.published("FROM meta.movement_record").is_empty()
    assert who in copy.warehouse(changed)["pseudonym"].to_list() and _found(copy) == [who]
