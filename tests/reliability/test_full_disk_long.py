"""Refreshes on a full file system: ``pytest -m marathon tests/reliability/test_full_disk_long.py -s``.

Must be run as root, because it mounts a small file system.
"""

import os
import subprocess

import pytest

from sarcoma_pipeline.synthetic import render
from tests.refreshed import SEED, lay
from tests.reliability.kills import decided, whole

MEGABYTES_LEFT = (0, 1, 2, 3, 5, 8, 12, 16, 24, 32)


@pytest.mark.marathon
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_refreshes_on_a_full_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "full", str(disk)], check=True)
    try:
        place = lay(disk / "root")
        render.demo(place.drop, SEED, place.root / "data/demo")
        assert place.refresh().exit_code == 0
        failed = 0
        for megabytes in MEGABYTES_LEFT:
            before, log, ballast = whole(place), decided(place), disk / "ballast"
            room = os.statvfs(disk)
            with ballast.open("wb") as stream:
                os.posix_fallocate(stream.fileno(), 0, room.f_bavail * room.f_frsize - (megabytes << 20))
            told = place.apart("refresh", "--full")
            assert decided(place) == log
            if told.returncode != 0:
                failed += 1
                assert whole(place) == before
                assert "Traceback (most" not in told.stdout + told.stderr, told.stdout + told.stderr
            print(f"{megabytes:3} MB left: {'failed' if told.returncode else 'refreshed'}")
            print(told.stdout[-600:] + told.stderr[-600:])
            if told.returncode:
                assert megabytes > 8 or "MB free" in place.apart("doctor").stdout
            ballast.unlink()
            healed = place.apart("refresh", "--full")
            assert healed.returncode == 0, healed.stdout + healed.stderr
            assert whole(place) == before
            assert place.sarcoma("doctor").exit_code == 0
        assert 3 <= failed < len(MEGABYTES_LEFT), "some had room and some had not"
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
