"""Eight readers during twenty refreshes.

``pytest -m marathon tests/reliability/test_readers_long.py -s``
"""

import os
import subprocess
import sys

import pytest

from sarcoma_pipeline.synthetic import render
from tests.refresh.test_concurrent_readers import READER
from tests.refreshed import SEED, lay

READERS, REFRESHES = 8, 20


PLAN = """
SELECT min(f.path) FROM meta.files f JOIN received.dicom_plan d USING (file_id)
WHERE d.record_id IN (
    SELECT unnest(c.record_ids) FROM curated.radiotherapy_course c
    JOIN curated.patient USING (patient_id) JOIN cohort.patients USING (pseudonym)
)
"""
"""Selects the file of a plan on which a patient's eligibility depends."""


@pytest.mark.marathon
def test_eight_readers_during_twenty_refreshes(tmp_path):
    place, stop = lay(tmp_path), tmp_path / "stop"
    render.demo(place.drop, SEED, place.root / "data/demo")
    assert place.refresh().exit_code == 0
    eligible = place.warehouse("SELECT count(*) FROM cohort.patients").item()
    here, away = (place.drop / place.warehouse(PLAN).item()).parent, place.root / "away"
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(place.release), str(stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Lower priority: eight reading processes would leave the refresh a fifth of the CPU time.
            preexec_fn=lambda: os.nice(19),
        )
        for _ in range(READERS)
    ]
    for number in range(REFRESHES):
        # Without one plan there is no evidence of IMRT: every second release has one patient less. Without an
        # export would remove more patients than the release gate accepts.
        if number % 2:
            away.rename(here)
        else:
            here.rename(away)
        assert place.refresh().exit_code == 0
        now = place.warehouse("SELECT count(*) FROM cohort.patients").item()
        assert now == (eligible if number % 2 else eligible - 1)
    stop.touch()
    told = [reader.communicate(timeout=300) for reader in readers]
    for reader, (_, err) in zip(readers, told, strict=True):
        assert reader.returncode == 0, err
    # The last line, because on a slow machine DuckDB prints its progress first.
    counts = [[int(n) for n in out.splitlines()[-1].split()] for out, _ in told]
    reads = sum(n for n, _ in counts)
    print(f"{reads} readings by {READERS} processes during {REFRESHES} refreshes, none failed, none torn")
    assert min(changes for _, changes in counts) > 1, "every reader saw a change"
