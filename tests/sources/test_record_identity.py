"""Names of records: by source, key and content. Neither a line before nor another file name renames one."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.sources import received_record
from sarcoma_pipeline.sources.readers import reader
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import (
    DicomSource,
    Limits,
    ObdsSource,
    RegistrySource,
    SourceFiles,
    TableSource,
)
from tests.curation.rt_files import content, plan
from tests.sources.test_obds import _export, _meldung
from tests.sources.workbook import workbook

pytestmark = pytest.mark.usefixtures("one_process")

HEAD = ("Nr", "Tag", "cm", "Code")
ROWS = [(str(n), f"0{n}.03.2015", str(n), "") for n in range(1, 6)]
REPLIES = [(f"A{n}", str(n), "verstorben", f"0{n}.03.2015") for n in range(1, 6)]
Row = tuple[str, ...]


def _table(form: str, key: list[str]) -> TableSource:
    return TableSource.model_validate(
        {
            "name": "sheet", "kind": "table", "format": form, "files": ["*"], "key": key,
            "date_format": "%d.%m.%Y",
            "entities": [
                {"entity": "diagnosis", "columns": {"hospital_number": "Nr", "tumour_size_cm": "cm"}}
            ],
        }
    )  # fmt: skip


def _replies(key: str | None) -> RegistrySource:
    columns = {"hospital_number": "Nr", "answer": "Auskunft", "event_date": "Datum"}
    return RegistrySource.model_validate(
        {
            "name": "office", "kind": "registry", "files": ["*"], "delimiter": ";",
            "columns": columns | ({"reference": key} if key else {}),
        }
    )  # fmt: skip


def _csv(head: Row, delimiter: str) -> Callable[[list[Row]], bytes]:
    return lambda rows: "\n".join(delimiter.join(row) for row in [head, *rows]).encode()


def _parquet(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(rows, schema=list(HEAD), orient="row").write_parquet(out)
    return out.getvalue()


def _obds(rows: list[Row]) -> bytes:
    modules = ("Tod", "Verlauf", "OP", "Diagnose", "ST")
    return _export(*(_meldung(modules[int(n) % 5], int(n)) for n, *_ in rows)).encode()


KINDS: dict[str, tuple[SourceFiles, Callable[[list[Row]], bytes], list[Row]]] = {
    "CSV with a key": (_table("csv", ["Nr"]), _csv(HEAD, ","), ROWS),
    "CSV without a key": (_table("csv", ["Code"]), _csv(HEAD, ","), ROWS),
    "XLSX with a key": (_table("xlsx", ["Nr"]), lambda rows: workbook([HEAD, *rows]), ROWS),
    "Parquet with a key": (_table("parquet", ["Nr"]), _parquet, ROWS),
    "registry with a reference": (_replies("Az"), _csv(("Az", "Nr", "Auskunft", "Datum"), ";"), REPLIES),
    "registry without a reference": (_replies(None), _csv(("Az", "Nr", "Auskunft", "Datum"), ";"), REPLIES),
    "oBDS": (ObdsSource(kind="obds", name="obds", files=("*",)), _obds, ROWS),
}


class Folder:
    """A drop folder of one source."""

    def __init__(self, root: Path, source: SourceFiles) -> None:
        self.root, self.source = root, source

    def read(self, files: dict[str, bytes], centre: str = "") -> pl.DataFrame:
        """Return the records: their ids, keys and contents, files and positions."""
        batches = []
        for name, data in files.items():
            path = self.root / "file"
            path.write_bytes(data)
            file = SourceFile(name, path, name, self.source.name, centre, str(hash(data)))
            batches.append(reader(self.source.kind).read(file, self.source, "R1", Limits()))
        frames = received_record.frames(batches)
        columns = ("record_id", "record_key", "content_hash", "file_id", "position")
        made = pl.concat([f.select(columns) for _, f in sorted(frames.items())])
        assert made["record_id"].is_unique().all()
        return made


@pytest.fixture(params=KINDS, name="case")
def _case(request, tmp_path):
    source, write, rows = KINDS[request.param]
    return Folder(tmp_path, source), write, rows


def _names(frame: pl.DataFrame) -> set[tuple[str, ...]]:
    return set(frame.select("record_id", "record_key", "content_hash").iter_rows())


def test_a_record_before_others_renames_none_of_them(case):
    folder, write, rows = case
    fewer, more = folder.read({"a": write(rows[1:])}), folder.read({"a": write(rows)})
    assert _names(fewer) < _names(more) or folder.source.kind == "obds"
    # The master data of a Patient stand in every file.
    assert len(_names(more) - _names(fewer)) >= 1 and not _names(fewer) - _names(more)
    both = fewer.join(more, on="record_id", suffix="_more")
    assert (both["position"] != both["position_more"]).any()


def test_another_name_of_the_file_or_its_folder_renames_no_record(case):
    folder, write, rows = case
    made = folder.read({"2020/a": write(rows)})
    assert _names(folder.read({"2021/b": write(rows)})) == _names(made)


def test_records_in_another_order_have_the_same_names(case):
    folder, write, rows = case
    shuffled = random.Random(7).sample(rows, len(rows))
    assert shuffled != rows
    assert _names(folder.read({"a": write(shuffled)})) == _names(folder.read({"a": write(rows)}))


def test_what_is_delivered_twice_is_told_apart_by_path_and_place_whatever_comes_first(case):
    folder, write, rows = case
    once = folder.read({"b": write(rows)})
    twice = folder.read({"b": write(rows), "c": write(rows)})
    copies = twice.filter(pl.col("record_id").str.contains("-"))
    assert set(copies["file_id"]) == {"c"} and set(copies["record_id"].str.split("-").list.last()) == {"2"}
    assert _names(once) < _names(twice) and copies.height == once.height
    turned = folder.read({"c": write(rows), "b": write(rows)})
    order = ["record_id", "file_id", "position"]
    assert twice.select(order).sort(order).equals(turned.select(order).sort(order))
    assert _names(folder.read({"b": write(rows), "z": write(rows)})) == _names(twice)


def test_centres_and_sources_never_share_a_name(case):
    folder, write, rows = case
    one = folder.read({"a": write(rows)})
    north = folder.read({"a": write(rows)}, "north")
    assert not set(one["record_id"]) & set(north["record_id"])
    folder.source = folder.source.model_copy(update={"name": "another"})
    assert not set(one["record_id"]) & set(folder.read({"a": write(rows)})["record_id"])


def test_equal_rows_without_a_key_in_one_file_are_records_of_their_own(tmp_path):
    source, write, rows = KINDS["CSV without a key"]
    folder = Folder(tmp_path, source)
    made = folder.read({"a": write([rows[0], rows[1], rows[0]])})
    assert made["record_key"].is_unique().all()
    assert made.filter(pl.col("content_hash").is_duplicated())["record_id"].str.contains("-2").sum() == 1


def test_a_plan_keeps_its_name_under_another_file_name_and_its_copy_gets_another(tmp_path):
    folder = Folder(tmp_path, DicomSource(kind="dicom", name="rt", files=("*",)))
    data = content(plan("1.1"))
    one, other = folder.read({"x/RP.1.dcm": data}), folder.read({"y/RP.2.dcm": data})
    assert _names(one) == _names(other)
    both = folder.read({"x": data, "y": data})
    assert both["record_id"].to_list() == [one["record_id"].item(), f"{one['record_id'].item()}-2"]
    assert both["record_key"].n_unique() == 1


def test_a_note_about_a_whole_file_is_known_by_the_file_s_content(tmp_path):
    folder = Folder(tmp_path, KINDS["oBDS"][0])
    broken, other = b"no XML", b"no XML either"
    made = folder.read({"b": broken})
    assert _names(folder.read({"c": broken})) == _names(made)
    both = folder.read({"a": other, "b": broken})
    assert both.filter(pl.col("file_id") == "b")["record_id"].to_list() == made["record_id"].to_list()
