"""The registry of readers: every kind has one entry, and a version that follows what is read."""

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from sarcoma_pipeline.sources import manifest, readers
from sarcoma_pipeline.sources.readers import READERS, Reader
from schemas.all_contracts import CONTRACTS
from schemas.configuration import KINDS, ObdsSource, Sources
from schemas.contract import column
from schemas.meta import MetaFile
from schemas.received import Received, Unread


def test_every_kind_of_source_has_one_reader_and_every_received_table_is_filled():
    assert {kind: one.configuration for kind, one in READERS.items()} == KINDS
    filled = [table for one in READERS.values() for table in one.tables]
    received = {t for t in CONTRACTS if t.startswith("received.")}
    assert sorted(filled) == sorted(received - {Unread.table()})


def test_an_unknown_kind_is_an_error_of_the_configuration_that_names_the_known_ones():
    for given, told in (({"kind": "dicmo"}, "'dicom', 'obds', 'registry', 'table'"), ({}, "required")):
        with pytest.raises(ValidationError, match=told) as raised:
            Sources.model_validate({"source": [{"name": "a", "files": ["*"], **given}]})
        assert [error["loc"] for error in raised.value.errors()] == [("source", 0, "kind")]


def test_an_error_within_a_source_names_its_place():
    wrong = {"name": "a", "kind": "registry", "files": ["*"], "columns": {}, "delimitr": ";"}
    with pytest.raises(ValidationError) as told:
        Sources.model_validate({"source": [wrong]})
    (error,) = told.value.errors()
    assert error["loc"] == ("source", 0, "delimitr")


def test_a_kind_that_nothing_reads_is_never_read_as_another(tmp_path, monkeypatch):
    (tmp_path / "a.xml").write_text("<a/>")
    sources = Sources.model_validate({"source": [{"name": "o", "kind": "obds", "files": ["*"]}]})
    (found,) = manifest.scan(tmp_path, sources, MetaFile.empty(), "R1").to_read
    monkeypatch.delitem(READERS, "obds")
    with pytest.raises(readers.UnknownKind, match="'obds'; there are: dicom, registry, table"):
        manifest.read(found, "R1")
    with pytest.raises(readers.UnknownKind):
        manifest.scan(tmp_path, sources, MetaFile.empty(), "R1")


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A reader of two modules."""
    folder = tmp_path / "a_format"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "reading.py").write_text(
        '"""Read."""\nfrom a_format.parts import first\n\n\ndef read(file):\n    """Say."""\n'
        "    # why\n    return first(file)\n"
    )
    (folder / "parts.py").write_text("def first(file):\n    return file[0]\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def _version(*tables: str, behaviour: int = 1) -> str:
    readers._version.cache_clear()
    return Reader(ObdsSource, "a_format.reading", tables, icon="", label="", behaviour=behaviour).version()


def test_a_version_follows_the_code_that_reads(package):
    before = _version()
    parts = package / "parts.py"
    for content, same in (
        ("def first(file):\n    return file[1]\n", False),
        ('"""New words."""\n\n\ndef first(file):\n    # and a reason\n    return file[0]\n', True),
    ):
        parts.write_text(content)
        assert (_version() == before) is same, content
    (package / "unrelated.py").write_text("X = 1")
    assert _version() == before
    assert _version(behaviour=2) != before
    assert "a_format.reading" not in sys.modules


def test_a_version_follows_the_columns_that_are_filled(package, monkeypatch):
    class Short(Received, table="received.short"):
        a: pl.String = column("A", "A.")

    before = _version("received.short")

    class Longer(Short, table="received.short"):
        b: pl.String = column("B", "B.")

    try:
        assert _version("received.short") != before
    finally:
        del CONTRACTS["received.short"]


def test_a_version_is_the_same_in_another_process_and_needs_no_pydicom():
    script = (
        "import sys; from sarcoma_pipeline.sources.readers import READERS\n"
        "print(*(r.version() for r in READERS.values())); assert 'pydicom' not in sys.modules"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert set(told.split()) == {r.version() for r in READERS.values()}
    assert len(set(told.split())) == len(READERS)


def test_a_version_rests_on_every_module_of_the_reader():
    names = {"sarcoma_pipeline.sources.dicom": ["dicom_walk", "drop_folder", "received_record"],
             "sarcoma_pipeline.sources.obds": ["obds_modules", "drop_folder", "received_record"],
             "sarcoma_pipeline.sources.table_file": ["delimited", "sandboxed_reader", "received_record"],
             "sarcoma_pipeline.sources.registry_reply": ["delimited", "received_record"]}  # fmt: skip
    for module, parts in names.items():
        code = set(readers._code(module))
        for part in parts:
            assert set(readers._code(f"sarcoma_pipeline.sources.{part}")) <= code, (module, part)
