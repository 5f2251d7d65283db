"""Commands that are killed at a chosen change of the disk, so that every kill falls into its window.

A process runs the command; before its n-th call that changes or syncs a file of the study it kills itself
with SIGKILL, as a power failure would. What the command had written until then stays.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from tests.refreshed import REPOSITORY, Place

_PROGRAM = """
import os, signal, sys
limit, log, beside = int(sys.argv[1]), sys.argv[2], sys.argv[3]
root = os.environ["SARCOMA_ROOT"]
counted = 0
stream = open(log, "w")

def counting(name):
    real = getattr(os, name)
    def call(*given, **options):
        global counted
        place = given[0]
        if isinstance(place, int):
            try:
                place = os.readlink(f"/proc/self/fd/{place}")
            except OSError:
                place = ""
        if str(place).startswith((root, beside)):
            counted += 1
            print(name, os.path.basename(str(place)), file=stream, flush=True)
            if counted == limit:
                os.kill(os.getpid(), signal.SIGKILL)
        return real(*given, **options)
    setattr(os, name, call)

words = sys.argv[4:]
from sarcoma_pipeline.cli import main
import sarcoma_pipeline.operations.backup, sarcoma_pipeline.quality.decision_log
import sarcoma_pipeline.operations.key_rotation
for name in ("replace", "rename", "link", "unlink", "fsync", "truncate", "ftruncate"):
    counting(name)
main(words)
"""


def moments(place: Place, *words: str, beside: str = "/nowhere") -> list[str]:
    """Run a command to its end and return the calls before which it can be killed.

    Args:
        place: the study, which the command changes.
        words: of the command, without the study.
        beside: start of a path outside the root that is watched as well.
    """
    done = _run(place, 0, words, beside)
    assert done.returncode == 0, done.stdout + done.stderr
    return _log(place).read_text().splitlines()


def kill_before(place: Place, call: int, *words: str, beside: str = "/nowhere") -> str:
    """Kill a command before its n-th call (from 1) and return that call.

    Args:
        place: the study, which the command changes.
        call: the call.
        words: of the command, without the study.
        beside: start of a path outside the root that is watched as well.
    """
    done = _run(place, call, words, beside)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    return _log(place).read_text().splitlines()[-1]


def _log(place: Place):
    return place.root.parent / f"{place.root.name}-calls.txt"


def _run(place: Place, call: int, words: Sequence[str], beside: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "SARCOMA_ROOT": str(place.root), "DAGSTER_HOME": str(place.home)}
    given = [str(call), str(_log(place)), beside, *words, "--study", place.study]
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, *given], env=env, cwd=REPOSITORY, capture_output=True, text=True
    )
