"""Fuzz all readers for a long time: ``python -m tests.reliability.fuzz --count 10000 --seed 1``."""

import argparse
import tempfile
import time
from pathlib import Path

from tests.sources import fuzzing


def main() -> int:
    """Run, print the outcomes, and return 1 if a guarantee was violated."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--count", type=int, default=10_000)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--keep", type=Path, help="existing folder for the files that break a promise")
    asked = words.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        outcome = fuzzing.run(Path(folder), asked.count, asked.seed, asked.keep)
    print(f"{outcome.files} files in {time.monotonic() - began:.0f} s, {len(outcome.failures)} failures")
    for title, counted in (
        ("records", outcome.records), ("notes", outcome.rules), ("gave up", outcome.gave_up),
    ):  # fmt: skip
        print(title, dict(counted.most_common()))
    for number, failure in outcome.failures.items():
        print(f"FAILED {number}: {failure[:300]}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
