"""One process reads several spreadsheets: with the same result, and none is lost when it dies."""

import io

import polars as pl
import pytest

from sarcoma_pipeline.sources import sandboxed_reader
from tests.sources.workbook import workbook

LIMITS = (2 * 1024**2, 100, 1000)
SHEET = workbook([("Pat", "Größe"), (1, 1.5), (2, "k. A.")])
ROWS = [("Pat", "Größe"), ("1", "1.5"), ("2", "k. A.")]


def _parquet() -> bytes:
    whole = io.BytesIO()
    pl.DataFrame({"Pat": ["1"], "Größe": [1.5]}).write_parquet(whole)
    return whole.getvalue()


def _read(data: bytes, kind: str = "xlsx", limits: tuple[int, int, int] = LIMITS) -> list[tuple]:
    return sandboxed_reader.read(data, kind, None, limits, 60).rows()


@pytest.fixture
def started(monkeypatch):
    """Arguments of every process that is started."""
    seen: list[str] = []
    whole = sandboxed_reader.subprocess.Popen

    def popen(words, **more):
        seen.append(words[3])
        return whole(words, **more)

    monkeypatch.setattr(sandboxed_reader.subprocess, "Popen", popen)
    return seen


def test_one_process_reads_all_files_and_their_faults(started):
    with sandboxed_reader.kept_open(LIMITS):
        assert _read(SHEET) == ROWS
        with pytest.raises(sandboxed_reader.Refused) as refused:
            _read(b"PK\x03\x04 no archive")
        assert refused.value.args[0] == "file.unreadable"
        assert _read(_parquet(), "parquet") == [("Pat", "Größe"), ("1", "1.5")]
        assert _read(SHEET) == ROWS
    assert started == ["each"]
    assert _read(SHEET) == ROWS and started == ["each", "xlsx"]


def test_a_process_that_died_loses_no_file(started):
    with sandboxed_reader.kept_open(LIMITS):
        sandboxed_reader._open._process.kill()  # pyright: ignore[reportOptionalMemberAccess]
        assert _read(SHEET) == ROWS
        assert _read(SHEET) == ROWS
    assert started == ["each", "xlsx", "xlsx"]


def test_other_limits_have_a_process_of_their_own(started):
    with sandboxed_reader.kept_open(LIMITS), pytest.raises(sandboxed_reader.Refused) as refused:
        _read(SHEET, limits=(2 * 1024**2, 1, 1000))
    assert refused.value.args[0] == "file.too-many-columns" and started == ["each", "xlsx"]
