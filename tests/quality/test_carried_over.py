"""Findings and decisions across versions of a reader that name a record in another way."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.quality import carried_over, ledger
from sarcoma_pipeline.quality.findings import stem
from schemas.ledger import Decision, LedgerEntry

NOW = dt.datetime(2030, 6, 1, tzinfo=dt.UTC)
RULE = ("date.in-future", "typed.surgery", "surgery_date")


def _names(*rows: tuple[str, str, str]) -> pl.DataFrame:
    """Records at ``position`` of one file: position, key, content."""
    return pl.DataFrame(
        [
            ("a.xml", "received.obds_surgery", position, "obds", key, content)
            for position, key, content in rows
        ],
        schema=list(carried_over.NAMES),
        orient="row",
    )


def _id(key: str, rule: tuple[str, str, str] = RULE) -> str:
    return stem((rule[0], key, rule[1], rule[2]))


def _ledger(
    *rows: tuple[str, str], status: str = "waived", rule: tuple[str, str, str | None] = RULE
) -> pl.DataFrame:
    return LedgerEntry.conform(
        pl.DataFrame(
            [
                {
                    "finding_id": finding, "rule_id": rule[0], "severity": "error", "status": status,
                    "first_seen": "R1", "last_seen": "R2", "times_seen": 2, "reopened_count": 0,
                    "content_hash": content, "path": "a.xml", "position": "line 2", "table_name": rule[1],
                    "column_name": rule[2], "what": "w", "remedy": "r",
                }
                for finding, content in rows
            ]
        )
    )  # fmt: skip


def _decision(
    finding: str, content: str, action: str = "waive", name: str = "d1", at: str = "2030-01-01"
) -> dict:
    return {
        "decision_id": name, "finding_id": finding, "action": action, "who": "S", "at": at, "reason": "why",
        "until": dt.date(2031, 1, 1) if action == "waive" else None, "content_hash": content,
        "reading_key": None,
    }  # fmt: skip


def _decisions(*rows: dict) -> pl.DataFrame:
    return Decision.conform(pl.DataFrame(list(rows), schema=Decision.polars_schema()))


@pytest.mark.parametrize(
    ("key", "content"), [("new", "C"), ("old", "more"), ("new", "more")], ids=["key", "content", "both"]
)
def test_a_waiver_holds_for_the_record_at_the_same_place_of_the_same_file(key, content):
    entries = _ledger((_id("old"), "C"))
    moved = carried_over.carried(entries, _names(("line 2", "old", "C")), _names(("line 2", key, content)))
    assert moved.rows() == [(_id("old"), _id(key), "C", content)]
    made = carried_over.decisions(_decisions(_decision(_id("old"), "C")), moved, NOW)
    assert made.select("finding_id", "action", "who", "until", "content_hash").rows() == [
        (_id(key), "waive", "S", dt.date(2031, 1, 1), content)
    ]
    assert made["reason"].item() == "why [decision d1 of 2030-01-01, carried over]"
    again = carried_over.decisions(_decisions(_decision(_id("old"), "C")), moved, NOW + dt.timedelta(days=1))
    assert again["decision_id"].to_list() == made["decision_id"].to_list()
    renamed = carried_over.ledger(entries, moved)
    assert renamed.select("finding_id", "content_hash", "first_seen", "times_seen").rows() == [
        (_id(key), content, "R1", 2)
    ]
    found = pl.DataFrame({"finding_id": [_id(key)], "content_hash": [content]})
    assert ledger.waived(made, found, NOW.date()).to_list() == [_id(key)]


def test_nothing_is_carried_over_where_nothing_changed_its_name():
    same = _names(("line 2", "old", "C"))
    assert carried_over.carried(_ledger((_id("old"), "C")), same, same).is_empty()


def test_a_record_that_is_elsewhere_now_is_not_guessed_at():
    moved = carried_over.carried(
        _ledger((_id("old"), "C")), _names(("line 2", "old", "C")), _names(("line 3", "new", "C"))
    )
    assert moved.is_empty()


def test_records_with_one_content_keep_their_own_decisions():
    entries = _ledger((_id("k1"), "C"), (_id("k2"), "C"))
    before = _names(("line 2", "k1", "C"), ("line 3", "k2", "C"))
    after = _names(("line 3", "n2", "C"), ("line 2", "n1", "C"))
    moved = carried_over.carried(entries, before, after)
    assert dict(moved.select("finding_id", "became").iter_rows()) == {
        _id("k1"): _id("n1"), _id("k2"): _id("n2"),
    }  # fmt: skip


def test_two_records_at_one_place_are_told_apart_and_a_suffix_stays():
    entries = _ledger((f"{_id('k')}-1", "D"))
    before = _names(("line 2", "k", "C"), ("line 2", "k", "D"))
    after = _names(("line 2", "n", "C"), ("line 2", "n", "D"))
    assert carried_over.carried(entries, before, after).select("became").item() == f"{_id('n')}-1"


def test_only_the_last_decision_and_only_one_in_force_is_taken_again():
    moved = carried_over.carried(
        _ledger((_id("k"), "C")), _names(("line 2", "k", "C")), _names(("line 2", "n", "C"))
    )
    lapsed = _decisions(_decision(_id("k"), "an earlier content"))
    assert carried_over.decisions(lapsed, moved, NOW).is_empty()
    both = _decisions(_decision(_id("k"), "C"), _decision(_id("k"), "C", "reopen", "d2", "2030-02-01"))
    assert carried_over.decisions(both, moved, NOW)["action"].to_list() == ["reopen"]
    assert carried_over.decisions(_decisions(), moved, NOW).is_empty()


def test_a_finding_of_a_whole_file_gets_the_source_for_its_path():
    rule = ("file.column-missing", "received.unread", None)
    entries = _ledger((stem((rule[0], "a.xml", rule[1], None)), "C"), rule=rule)
    same = _names(("line 1", "k", "C"))
    assert carried_over.carried(entries, same, same)["became"].item() == stem(
        (rule[0], "obds", rule[1], None)
    )
