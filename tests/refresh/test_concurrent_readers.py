"""Processes that read while releases are published: no errors, and never a mixture of two releases."""

import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.publish import release
from schemas.all_contracts import CONTRACTS
from schemas.release import RELEASED, MetaRelease

READERS = 8
PUBLICATIONS = 16

READER = """
import sys, time, duckdb
from pathlib import Path
path, stop = Path(sys.argv[1]), Path(sys.argv[2])
reads, seen = 0, set()
while not stop.exists():
    with duckdb.connect(str(path), read_only=True) as c:
        told = c.execute("SELECT eligible FROM meta.release").fetchone()[0]
        there = c.execute("SELECT count(*) FROM patients").fetchone()[0]
        strangers = c.execute(
            "SELECT count(*) FROM endpoints ANTI JOIN patients USING (pseudonym)").fetchone()[0]
    assert told == there and strangers == 0, (told, there, strangers)
    reads += 1
    seen.add(told)
    # Without a pause, eight readers leave no CPU time for the publication.
    time.sleep(0.01)
print(reads, len(seen))
"""


def _built(folder: Path, patients: int) -> Path:
    made = {t: CONTRACTS[t].empty() for t in RELEASED}
    names = [f"{i:016x}" for i in range(patients)]
    cohort = pl.DataFrame({"pseudonym": names, "relapse_pattern": ["none"] * patients})
    ends = pl.DataFrame({"pseudonym": names, "endpoint": ["OS"] * patients, "time_days": [1] * patients})
    made |= {
        "cohort.patients": CONTRACTS["cohort.patients"].conform(cohort),
        "cohort.endpoints": CONTRACTS["cohort.endpoints"].conform(ends),
    }
    row = {"study": "s", "refresh_id": f"R{patients:04}", "eligible": patients}
    path = folder / ".building.duckdb"
    release.build(path, release.released(made), MetaRelease.conform(pl.DataFrame([row])))
    return path


@pytest.mark.slow
def test_concurrent_readers_see_whole_releases(tmp_path):
    target, stop = tmp_path / "cohort.duckdb", tmp_path / "stop"
    release.publish(_built(tmp_path, 1), target, "R0001")
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(target), str(stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(READERS)
    ]
    for patients in range(2, PUBLICATIONS):
        release.publish(_built(tmp_path, patients), target, f"R{patients:04}")
        time.sleep(0.02)
    stop.touch()
    told = [reader.communicate(timeout=120) for reader in readers]
    for reader, (out, err) in zip(readers, told, strict=True):
        assert reader.returncode == 0, err
        assert int(out.splitlines()[-1].split()[0]) > 0
    assert max(int(out.splitlines()[-1].split()[1]) for out, _ in told) > 1, "somebody saw a change"
