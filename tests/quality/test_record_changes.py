"""What became of the records behind a value: changed, vanished, added, set aside or read differently."""

import polars as pl
import pytest

from sarcoma_pipeline.quality import record_changes
from tests.quality.movement_evidence import (
    ADDED,
    BASE,
    CHANGED,
    CHANGED_FILE,
    EXAM,
    NEW_FILE,
    NIGHT,
    OLD_FILE,
    SET_ASIDE,
    VANISHED,
    altered,
    evidence_of,
    frame_of,
    is_record,
    lineage_of,
    used_record,
    was_record,
)


def _kinds(evidence):
    found = record_changes.changes(evidence)
    return found.select("change", "cause", "explained", "record_before", "record_now").rows()


def test_a_record_of_the_same_key_with_other_content_has_changed_and_needs_a_finding():
    assert _kinds(CHANGED) == [("changed", "file changed", False, "r1", "r2")]


def test_a_new_finding_about_the_changed_record_explains_it_and_a_standing_one_does_not():
    finding = frame_of("record_id rule_id", [("r2", "date.in-future")])
    assert _kinds(altered(CHANGED, broken=finding))[0][2] is True
    stood = altered(
        CHANGED, broken=finding, before=lineage_of(used_record("r1", "f1", rules=["date.in-future"]))
    )
    assert _kinds(stood)[0][2] is False


def test_a_record_without_a_key_that_changed_in_its_place_is_paired_with_its_successor():
    unkeyed = evidence_of(
        [used_record("r1", "f1")],
        [used_record("r2", "f2")],
        [was_record("r1", "r1", "c1", "f1"), is_record("r2", "r2", "c2", "f2", since=NIGHT)],
        CHANGED_FILE,
    )
    assert _kinds(unkeyed) == [("changed", "file changed", False, "r1", "r2")]


def test_a_vanished_record_needs_a_finding_and_its_file_may_be_gone():
    assert _kinds(VANISHED) == [("vanished", "file changed", False, "r1", None)]
    assert _kinds(altered(VANISHED, files=VANISHED.files.head(1)))[0][:3] == (
        "vanished",
        "file removed",
        False,
    )


OTHER_FILE = ("f3", "obds/b.xml", "bytes 3", NIGHT, None)


@pytest.mark.parametrize(
    ("unread", "rules"),
    [([("f2", "file.truncated")], ["file.truncated"]), ([("f3", "file.truncated")], []), ([], [])],
)
def test_a_file_that_can_no_longer_be_read_explains_why_its_records_vanished(unread, rules):
    gone = [was_record("r1", "k", "c1", "f1")]
    damaged = evidence_of([used_record("r1", "f1")], [], gone, [*CHANGED_FILE, OTHER_FILE], unread=unread)
    assert _kinds(damaged) == [("vanished", "file changed", bool(rules), "r1", None)]
    assert record_changes.changes(damaged)["new_rules"].to_list() == [rules]


def test_an_added_record_explains_itself():
    assert _kinds(ADDED) == [("added", "file changed", True, None, "r2")]


def test_a_record_set_aside_needs_a_finding():
    assert _kinds(SET_ASIDE) == [("set aside", None, False, "r1", "r1")]
    finding = frame_of("record_id rule_id", [("r1", "record.corrected")])
    assert _kinds(altered(SET_ASIDE, broken=finding))[0][2] is True


def test_an_outranked_record_is_told_from_one_that_was_outranked_before():
    whole = [("f1", "a", "bytes", BASE, None)]
    versions = [is_record("r1", "k", "c1", "f1")]
    lost = [used_record("r1", "f1", role="overruled", rules=["record.corrected"])]
    outranked = evidence_of(
        [used_record("r1", "f1")], lost, versions, whole, broken=[("r1", "record.corrected")]
    )
    assert _kinds(outranked) == [("outranked", None, True, "r1", "r1")]
    assert _kinds(evidence_of(lost, lost, versions, whole)) == []


@pytest.mark.parametrize(
    ("record", "file"), [("r1", ("f2", "obds/b.xml", "bytes 9", NIGHT, None)), ("r9", NEW_FILE)]
)
def test_the_same_content_elsewhere_is_the_same_record(record, file):
    """A renamed, split or permuted delivery: places and even the names of records do not count."""
    again = evidence_of(
        [used_record("r1", "f1")],
        [used_record(record, "f2")],
        [was_record("r1", "k", "c1", "f1"), is_record(record, record, "c1", "f2", since=NIGHT)],
        [OLD_FILE, file],
    )
    assert _kinds(again) == []


def test_the_same_bytes_read_differently_are_no_change_of_the_sender():
    upgrade = evidence_of(
        [used_record("r1", "f1")],
        [used_record("r2", "f2")],
        [was_record("r1", "k", "c1", "f1"), is_record("r2", "k", "c2", "f2", since=NIGHT)],
        [OLD_FILE, ("f2", "obds/a.xml", "bytes 1", NIGHT, None)],
    )
    assert {row[0] for row in _kinds(upgrade)} == {"read differently"}
    assert all(row[2] for row in _kinds(upgrade))


def test_a_record_that_a_newer_program_names_anew_is_found_by_its_place():
    renamed = evidence_of(
        [("p1", "old name", EXAM, "f1", [], "supports")],
        [used_record("r1", "f1")],
        [is_record("r1", "k", "c1", "f1")],
        [("f1", "a", "bytes", BASE, None)],
    )
    placed = renamed.before.with_columns(position=pl.lit("at r1"))
    assert _kinds(altered(renamed, before=placed)) == []


def test_nothing_behind_nobody():
    assert _kinds(evidence_of([], [], [], [])) == []
