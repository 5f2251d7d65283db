"""Readers name faults by their id: each is declared, and each declared one has a reader that names it."""

import re
from pathlib import Path

from sarcoma_pipeline import sources
from schemas.file_faults import FILE_FAULTS


def test_the_faults_that_readers_name_are_the_declared_ones():
    code = "\n".join(p.read_text() for p in Path(sources.__path__[0]).glob("*.py"))
    assert set(re.findall(r'"(file\.[a-z-]+)"', code)) == set(FILE_FAULTS)
