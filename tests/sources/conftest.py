"""Fixtures of the tests of readers."""

import pytest

from tests.sources.sent_tables import Read, source_of


@pytest.fixture
def read(tmp_path):
    return lambda content, **more: Read(tmp_path, content, source_of(**more))
