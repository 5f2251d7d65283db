"""Lines of 5 GB of ordinary text, in bounded memory.

``pytest -m marathon tests/reliability/test_endless_lines_long.py -s``

Needs 5 GB below the temporary folder.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.sources import confined

GIGABYTES = 5
MEGABYTES = 512
WORDS = "Müller Anna, am 03.04.1950 geboren, hat geantwortet und wohnt noch dort. ".encode()
HEADS = {
    "registry/one-line.csv": b"Az;Auskunft\n1;",
    "tables/one-line.csv": b"Nr;Text\n1;",
    "obds/one-line.xml": b'<?xml version="1.0" encoding="UTF-8"?><oBDS Schema_Version="3.0.4"><Absender>',
    "dicom/one-line.dcm": b"",
}


@pytest.mark.marathon
@pytest.mark.parametrize("name", HEADS)
def test_a_line_of_five_gigabytes(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir()
    block = WORDS * ((8 << 20) // len(WORDS))
    with path.open("wb") as stream:
        stream.write(HEADS[name])
        while stream.tell() < GIGABYTES << 30:
            stream.write(block)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, confined.__file__, str(tmp_path), str(MEGABYTES)],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    path.unlink()
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)[name]
    print(f"{name}: {found['unread']} in {time.monotonic() - began:.0f} s, within {MEGABYTES} MB more")
    assert found["unread"], "it is told of"
