"""Fixtures of the tests of readers."""

import pytest

from sarcoma_pipeline.sources import sandboxed_reader
from schemas.configuration import DEFAULT_LIMITS
from tests.sources.sent_tables import Read, source_of


@pytest.fixture(scope="module")
def one_process():
    """Have one sandboxed process read all spreadsheets of a module; `test_kept_open` tests that it may."""
    limits = DEFAULT_LIMITS.held_bytes, DEFAULT_LIMITS.columns, DEFAULT_LIMITS.records
    with sandboxed_reader.kept_open(limits):
        yield


@pytest.fixture
def read(tmp_path):
    return lambda content, **more: Read(tmp_path, content, source_of(**more))
