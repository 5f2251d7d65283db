"""The hash of the program: every source file and its place count, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from sarcoma_pipeline.study import provenance


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in ("schemas", "sarcoma_pipeline"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "inner/one.py").write_text("one")
        (tmp_path / name / "inner/page.j2").write_text("page")
        package = SimpleNamespace(__file__=str(tmp_path / name / "__init__.py"))
        monkeypatch.setattr(provenance, name, package)
    yield tmp_path
    provenance.code_hash.cache_clear()


def _hash() -> str:
    provenance.code_hash.cache_clear()
    return provenance.code_hash()


def test_every_source_file_and_its_place_count(program: Path):
    seen = {_hash()}
    inner = program / "sarcoma_pipeline/inner"
    (inner / "one.py").write_text("two")
    seen.add(_hash())
    (inner / "page.j2").write_text("another")
    seen.add(_hash())
    (program / "schemas/inner/one.py").rename(program / "schemas/inner/two.py")
    seen.add(_hash())
    (inner / "deeper").mkdir()
    (inner / "one.py").rename(inner / "deeper/one.py")
    seen.add(_hash())
    assert len(seen) == 5


def test_other_files_and_the_folder_of_the_program_do_not_count(program: Path, tmp_path_factory):
    before = _hash()
    (program / "schemas/inner/__pycache__").mkdir()
    (program / "schemas/inner/__pycache__/one.pyc").write_text("compiled")
    (program / "schemas/notes.txt").write_text("notes")
    assert _hash() == before
    moved = tmp_path_factory.mktemp("elsewhere") / "deep"
    program.rename(moved)
    for name in ("schemas", "sarcoma_pipeline"):
        getattr(provenance, name).__file__ = str(moved / name / "__init__.py")
    assert _hash() == before
