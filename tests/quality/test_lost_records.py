"""Records that are no longer delivered: what is gone is named, and a replacement is no loss."""

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.quality import lost_records
from schemas.printable import ID_SHOWN

BASE, TONIGHT = "R1", "R2"
Version = dict[str, Any]


def _old(
    record: str, file: str = "a1", *, until: str | None = BASE, key: str = "", **other: object
) -> Version:
    """A record that was there last night, in the first version of the file a.xml by default."""
    return {
        "table_name": "received.obds_follow_up", "record_id": record, "record_key": key or f"key of {record}",
        "content_hash": f"text of {record}", "file_id": file, "position": f"line {record}", "ordinal": 1,
        "first_refresh": "R0", "last_refresh": until,
    } | other  # fmt: skip


def _new(record: str, file: str = "a2", **other: object) -> Version:
    return _old(record, file, until=None, first_refresh=TONIGHT) | other


FILES = {
    # File of a version to its path, its bytes and its last refresh.
    "a1": ("a.xml", "bytes of a", BASE), "a2": ("a.xml", "other bytes of a", None),
    "b1": ("b.xml", "bytes of b", BASE), "c1": ("c.xml", "bytes of c", None),
    "d1": ("d.csv", "bytes of d", BASE), "d2": ("d.csv", "other bytes of d", None),
}  # fmt: skip


def _files(**other: tuple[str, str, str | None]) -> pl.DataFrame:
    rows = [(f, *of) for f, of in (FILES | other).items()]
    return pl.DataFrame(rows, schema=["file_id", "path", "content_hash", "last_refresh"], orient="row")


def _lost(*versions: Version, files: pl.DataFrame | None = None, turned: bool = False) -> list[str]:
    frame = pl.DataFrame(versions[::-1] if turned else versions, infer_schema_length=None)
    found = lost_records.lost(frame, _files() if files is None else files, BASE)
    return found["record_id"].to_list()


@pytest.mark.parametrize("turned", [False, True])
def test_a_record_that_its_file_no_longer_holds_is_lost(turned):
    stays = _old("2", until=BASE), _new("2")
    assert _lost(_old("1"), *stays, turned=turned) == ["1"]


def test_so_is_every_record_of_a_file_that_is_gone():
    assert _lost(_old("1", "b1"), _old("2", "b1"), _old("3", "c1", until=None)) == ["1", "2"]


@pytest.mark.parametrize(
    "instead",
    [
        _new("9", "c1", record_key="key of 1"),  # a newer report under its number
        _new("9", "c1", content_hash="text of 1"),  # the same report in an export of another name
        _new("9", record_key="another number", position="line 1"),  # another one at its place
    ],
    ids=["a newer report", "another export", "another number"],
)
def test_what_replaces_a_record_is_no_loss(instead):
    assert _lost(_old("1"), instead) == []
    assert _lost(_old("1"), instead | {"table_name": "received.obds_death"}) == ["1"], "of another kind"


def test_a_renamed_file_and_one_that_is_read_in_another_way_lose_nothing():
    assert _lost(_old("1", "b1"), _new("1", "c1")) == []
    read_again = _files(b2=("b.xml", "bytes of b", None))
    assert _lost(_old("1", "b1"), _new("9", "b2"), files=read_again) == []


def _row(record: str, at: int, **other: Any) -> Version:
    return {"record_key": record, "table_name": "received.table_row", "ordinal": at, **other}


def test_a_changed_row_without_a_key_is_no_loss_but_a_missing_one_is():
    before = [_old(r, "d1", **_row(r, n)) for n, r in enumerate("123")]
    one_changed = [_new("9", "d2", **_row("9", 7)), _new("2", "d2", **_row("2", 8))]
    assert _lost(*before, *one_changed, _new("8", "d2", **_row("8", 9))) == []
    assert _lost(*before, *one_changed) == ["3"]


def test_what_was_gone_before_last_night_and_what_is_still_there_is_not_lost_tonight():
    assert _lost(_old("1", until="R0"), _old("2", "c1", until=None)) == []
    assert _lost(_old("1", until=None, file="c1")) == []


def _observed(*records: tuple[str, str, str, str | None, int]) -> pl.DataFrame:
    """Observe records that are lost: id, file, path, patient, place in the file."""
    frame = pl.DataFrame(
        [
            {
                "table_name": "received.obds_follow_up", "record_id": record, "file_id": file, "path": path,
                "patient": patient, "position": f"line {at}", "ordinal": at, "source": "obds",
                "pseudonym": None if patient == "number:1" else patient,
            }
            for record, file, path, patient, at in records
        ]
    )  # fmt: skip
    counts = pl.DataFrame({"path": ["a.xml", "b.xml"], "before": [5, 3], "now": [3, 0]})
    return lost_records.observe(frame, _files(), counts)


def test_a_finding_counts_a_patients_records_and_names_files_and_places():
    file = "0123456789abcdef"
    seen = _observed(
        ("2", file, "a.xml", "P", 20), ("1", file, "a.xml", "P", 3), ("7", "b1", "b.xml", "Q", 1)
    )
    first, second = seen.sort("record_id").rows(named=True)
    assert first["rule_id"] == "delivery.records-lost"
    assert (first["record_id"], first["value"]) == ("1", "2 records of obds_follow_up")
    assert file[:ID_SHOWN] in first["note"] and file not in first["note"]
    assert "3 records, 5 before" in first["note"] and "line 3, " in first["note"]
    assert first["note"].startswith("patient P; file ")
    assert second["note"].startswith("patient Q; file b1 is gone") and second["severity"] == "warning"


def test_records_of_nobody_known_are_one_finding_per_file_and_a_long_list_is_cut():
    many = [(str(n), "a1", "a.xml", None, n) for n in range(20)]
    (row,) = _observed(*many).rows(named=True)
    assert row["value"] == "20 records of obds_follow_up" and "12 more" in row["note"]
    (row,) = _observed(("7", "b1", "b.xml", "number:1", 1)).rows(named=True)
    assert row["note"].startswith("file b1 is gone"), "nobody has a pseudonym for who is lost"
    assert _observed(*many[:1], ("x", "b1", "b.xml", None, 1)).height == 2


def test_nothing_lost_is_no_finding():
    none = pl.DataFrame(schema={"record_id": pl.String})
    assert lost_records.observe(none, _files(), pl.DataFrame()).is_empty()
