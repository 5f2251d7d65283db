"""Readers name faults by their id: each is declared, and each declared one has a reader that names it."""

import re
from pathlib import Path

from sarcoma_pipeline import sources
from schemas import file_faults
from schemas.file_faults import FILE_FAULTS


def test_the_faults_that_readers_name_are_the_declared_ones():
    code = "\n".join(p.read_text() for p in Path(sources.__path__[0]).glob("*.py"))
    by_declaration = {
        getattr(file_faults, name).id for name in re.findall(r"file_faults\.([A-Z_]+)\.id", code)
    }
    assert set(re.findall(r'"(file\.[a-z-]+)"', code)) | by_declaration == set(FILE_FAULTS)
