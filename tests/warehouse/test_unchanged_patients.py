"""Nights with a cumulative export leave the received tables as if every file had been read as a whole."""

import dataclasses
import datetime as dt
import random

import polars as pl
import pytest

from sarcoma_pipeline.orchestration.assets import received
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.sources import export_parts, manifest, read_parallel, readers
from sarcoma_pipeline.sources.received_record import frames
from sarcoma_pipeline.study import project as places
from schemas.all_contracts import CONTRACTS
from schemas.meta import MetaExportPatient, MetaFile, MetaValueAccount
from tests.refreshed import lay
from tests.sources.exports import ORDINARY, OTHER_FORMS, UNUSUAL, Export, cumulative

TABLES = (*readers.reader("obds").tables, readers.UNREAD)


class Delivered:
    """A study whose drop folder holds cumulative exports."""

    def __init__(self, folder, export: Export) -> None:
        self.project = places.load("sts_imrt", lay(folder).root)
        self.path = self.project.drop / "obds/export.xml"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.export = export
        self.warehouse = Warehouse(path=str(self.project.warehouse), study="sts_imrt")
        self.serial = 0

    def night(self, content: bytes | None = None) -> received.Tally:
        self.path.write_bytes(self.export.content if content is None else content)
        self.serial += 1
        _, tally = received.read_drop_folder(self.project, self.warehouse, f"run{self.serial}", verify=True)
        return tally

    def rows(self, table: str) -> pl.DataFrame:
        return self.warehouse.read(table, noted=False)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    return cumulative(tmp_path_factory.mktemp("crowd"), 24)


@pytest.fixture
def delivered(export, tmp_path):
    found = Delivered(tmp_path, export)
    yield found
    found.warehouse.close()


def _check(delivered: Delivered, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare with the streaming reader, which cuts nothing and takes over nothing."""
    now = dt.date.today().isoformat()
    scan = manifest.scan(delivered.project.drop, delivered.project.sources, MetaFile.empty(), now)
    with monkeypatch.context() as patch:
        patch.setattr(export_parts, "WORTH_BYTES", 1 << 60)
        batches = [manifest.read(one, now) for one in scan.to_read]
        (read,) = read_parallel.read_all(scan.to_read, now, delivered.project.sources.limits, 1)
    expected = {**frames(batches), MetaValueAccount.table(): read.tables[MetaValueAccount.table()]}
    for table in (*TABLES, MetaValueAccount.table()):
        _equal(table, expected.get(table, CONTRACTS[table].empty()), delivered.rows(table))
    _equal(MetaFile.table(), manifest.files_frame(read.files), delivered.rows(MetaFile.table()))


def _equal(table: str, wanted: pl.DataFrame, have: pl.DataFrame) -> None:
    pair = [frame.drop("first_refresh", "last_refresh") for frame in (wanted, have)]
    one, other = (frame.sort(frame.columns) for frame in pair)
    assert one.equals(other), table


@pytest.mark.slow
def test_a_sequence_of_ordinary_nights(delivered, monkeypatch):
    delivered.night()
    chosen = random.Random(11)
    for what, change in ORDINARY.items():
        before = set(delivered.export.patients)
        delivered.export = change(delivered.export, chosen)
        tally = delivered.night()
        stayed = sum(patient in before for patient in delivered.export.patients)
        assert (tally.taken, tally.whole) == (stayed, 0), what
        _check(delivered, monkeypatch)


@pytest.mark.parametrize(
    "what",
    [
        "a broken patient",
        *(pytest.param(w, marks=pytest.mark.slow) for w in ("cut off", "UTF-16", "a comment")),
    ],
)
def test_a_night_that_cannot_be_compared_is_read_whole_and_says_so(delivered, monkeypatch, what):
    delivered.night()
    assert delivered.night(UNUSUAL[what](delivered.export)).whole == 1
    _check(delivered, monkeypatch)
    # Nothing is known of a file that was not cut: the next one is read, and known from then on.
    assert delivered.night().taken == 0
    _check(delivered, monkeypatch)
    assert delivered.night(ORDINARY["changed"](delivered.export, random.Random(1)).content).taken > 0
    _check(delivered, monkeypatch)


@pytest.mark.slow
def test_other_forms_of_the_same_export(delivered, monkeypatch):
    delivered.night()
    for form in OTHER_FORMS.values():
        delivered.night(form(delivered.export))
        _check(delivered, monkeypatch)


@pytest.mark.slow
def test_exports_under_new_names_beside_the_old_one(delivered, monkeypatch):
    delivered.night()
    first = delivered.path
    for number in range(2):
        delivered.path = first.with_name(f"export-{number}.xml")
        delivered.export = ORDINARY["added"](delivered.export, random.Random(number))
        assert delivered.night().taken == len(delivered.export.patients) - 1
        _check(delivered, monkeypatch)
    first.unlink()
    delivered.night()
    _check(delivered, monkeypatch)


def test_records_that_are_missing_in_the_warehouse_are_read(delivered, monkeypatch):
    delivered.night()
    with delivered.warehouse.transaction() as tables:
        tables.execute("DELETE FROM received.obds_patient WHERE ordinal = 1")
    delivered.export = ORDINARY["changed"](delivered.export, random.Random(2))
    tally = delivered.night()
    assert (tally.taken, tally.whole) == (0, 1)
    _check(delivered, monkeypatch)


@pytest.mark.slow
def test_another_version_of_the_reader_takes_over_nothing(delivered, monkeypatch):
    delivered.night()
    newer = dataclasses.replace(readers.READERS["obds"], behaviour=7)
    monkeypatch.setitem(readers.READERS, "obds", newer)
    assert delivered.night().taken == 0
    _check(delivered, monkeypatch)


def test_only_exports_that_are_there_are_remembered(delivered):
    delivered.night()
    known = delivered.rows(MetaExportPatient.table())
    assert known["part"].to_list() == list(range(1, len(delivered.export.patients) + 1))
    delivered.path.unlink()
    received.read_drop_folder(delivered.project, delivered.warehouse, "gone")
    delivered.warehouse.forget(MetaExportPatient.table())
    assert delivered.rows(MetaExportPatient.table()).is_empty()


def test_earlier_refreshes_keep_what_they_received(delivered):
    delivered.night()
    before = delivered.rows("received.obds_follow_up")
    for change in ("reordered", "Meldedatum"):
        delivered.export = ORDINARY[change](delivered.export, random.Random(3))
    delivered.night()
    closed = delivered.warehouse.read_versions("received.obds_follow_up").filter(
        pl.col("last_refresh").is_not_null()
    )
    assert _bare(closed).equals(_bare(before))


def _bare(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("last_refresh").sort("record_id", "ordinal")
