"""Which files are typed anew: those of which anything that typing depends on has changed, and no others."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import touched_files
from sarcoma_pipeline.curation.typed_records import Result
from schemas.quality import Disposition, Observation

TABLES = ("received.obds_diagnosis", "received.dicom_plan")
DAYS = pl.DataFrame({"refresh_id": ["N1", "N2"], "received_on": [dt.date(2021, 1, 1), dt.date(2021, 1, 2)]})


def _records() -> pl.DataFrame:
    """Return records of three files, the first with records of two tables."""
    rows = [
        ("a", "N1", 0, "r1", "k1"), ("a", "N1", 0, "r2", "k2"), ("a", "N1", 1, "r3", "k3"),
        ("b", "N1", 1, "r4", "k4"), ("c", "N2", 0, "r5", "k5"), ("c", "N2", 0, "r5-2", "k5"),
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=[*touched_files.FILE, "table", "record_id", "record_key"], orient="row")


FILES = pl.DataFrame({"file_id": ["a", "b", "c"], "source": ["s", "s", "t"], "path": ["1", "2", "3"]})
ASIDE = pl.DataFrame({"file_id": ["a"], "first_refresh": ["N1"], "record_id": ["r2"], "why": ["replaced"]})


def _counted(records: pl.DataFrame) -> list[pl.DataFrame]:
    return [touched_files.of_records(t, records.filter(table=number)) for number, t in enumerate(TABLES)]


def _inputs(records=None, files=FILES, aside=ASIDE, days=DAYS) -> pl.DataFrame:
    records = _records() if records is None else records
    return touched_files.inputs(_counted(records), [aside.clear(), aside], files, days)


def _set(frame: pl.DataFrame, row: int, **values: object) -> pl.DataFrame:
    rows = frame.to_dicts()
    rows[row] |= values
    return pl.DataFrame(rows, schema=frame.schema)


def test_every_file_has_its_number_of_records_and_order_does_not_matter():
    made = _inputs()
    assert made.select("file_id", "records").rows() == [("a", 3), ("b", 1), ("c", 2)]
    assert made.schema == touched_files.INPUTS
    assert _inputs(_records().reverse(), FILES.reverse()).equals(made)
    unchanged = touched_files.touched(made, _inputs())
    assert unchanged.now.is_empty() and unchanged.gone.is_empty()


CHANGES = {
    "an id": ({"records": _set(_records(), 1, record_id="r9")}, "a"),
    "a key": ({"records": _set(_records(), 4, record_key="k9")}, "c"),
    "two ids swapped": ({"records": _set(_set(_records(), 0, record_id="r2"), 1, record_id="r1")}, "a"),
    "the table": ({"records": _set(_records(), 2, table=0)}, "a"),
    "a record less": ({"records": _records().head(5)}, "c"),
    "a record more": ({"records": pl.concat([_records(), _set(_records(), 3, record_id="x")[3:4]])}, "b"),
    "the path": ({"files": _set(FILES, 1, path="4")}, "b"),
    "the source": ({"files": _set(FILES, 2, source="s")}, "c"),
    "the day": ({"days": _set(DAYS, 1, received_on=dt.date(2021, 1, 3))}, "c"),
    "another record aside": ({"aside": _set(ASIDE, 0, record_id="r1")}, "a"),
    "none aside": ({"aside": ASIDE.clear()}, "a"),
    "aside for another reason": ({"aside": _set(ASIDE, 0, why="repeated")}, "a"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_touches_its_file_only(change):
    changed, file = CHANGES[change]
    touched = touched_files.touched(_inputs(**changed), _inputs())
    assert touched.now["file_id"].to_list() == touched.gone["file_id"].to_list() == [file]


def test_a_file_that_is_read_again_is_both_new_and_gone():
    again = _records().with_columns(
        first_refresh=pl.when(file_id="b").then(pl.lit("N2")).otherwise("first_refresh")
    )
    touched = touched_files.touched(_inputs(again), _inputs())
    assert touched.now.select(touched_files.FILE).rows() == [("b", "N2")]
    assert touched.gone.select(touched_files.FILE).rows() == [("b", "N1")]


def test_records_with_another_name_than_before_are_noticed():
    gone = _inputs().filter(pl.col("file_id") != "b")
    theirs = _records().filter(pl.col("file_id") != "b")
    assert not touched_files.renamed(gone, _counted(theirs))
    assert touched_files.renamed(gone, _counted(_set(theirs, 0, record_id="r9")))
    assert touched_files.renamed(gone, _counted(theirs.head(3)))
    assert touched_files.renamed(gone, _counted(theirs.clear()))


def test_what_is_said_of_a_record_of_another_file_is_noticed():
    records = pl.Series("record_id", ["a"])
    row = {"record_id": ["a"], "disposition": ["duplicate"], "reason": ["x"]}
    made = Result({}, Observation.empty(), Disposition.conform(pl.DataFrame(row)))
    assert touched_files.is_local(made, records)
    assert not touched_files.is_local(made, pl.Series("record_id", ["b"]))
