"""At least nine of ten mutants of curation and of the cohort fail a fast test; a sample, ``make marathon``.

All mutants of one module: ``python -m tests.mutation.test_mutation_long surgery``.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.killing import KILLED, ROOT, SURVIVED, TIMEOUT, judge
from tests.mutation.mutants import Mutant, mutant, places

ROOMS = ("sarcoma_pipeline/curation", "sarcoma_pipeline/cohort")
ALWAYS = (
    "tests/oracle/test_oracle.py", "tests/spec/test_protocol.py", "tests/curation/test_worked_examples.py",
    "tests/curation/test_reports_differ.py", "tests/curation/test_baseline.py",
    "tests/curation/test_baseline_histology.py",
    "tests/cohort/test_endpoints.py", "tests/curation/test_tumours.py",
)  # fmt: skip
"""What runs after the tests that are named like the module; then all others of its room."""
SAMPLE, SEED, SECONDS = 150, 15, 1200


def modules() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).glob("*.py")) if path.stem != "__init__"]


def files_for(module: Path) -> list[str]:
    """The test files of a module: those of its name, those that see everything, and those of its room."""
    named = sorted((ROOT / "tests").glob(f"*/test_{module.stem}*.py"))
    room = sorted((ROOT / "tests" / module.parent.name).glob("test_*.py"))
    first, others = ([p.relative_to(ROOT).as_posix() for p in paths] for paths in (named, room))
    return list(dict.fromkeys([*first, *ALWAYS, *others]))


def sample(count: int, seed: int = SEED) -> list[Mutant]:
    """Mutants of all modules, drawn at random."""
    found = [(module, place) for module in modules() for place in places(module)]
    return [mutant(*one) for one in random.Random(seed).sample(found, count)]


def measure(chosen: list[Mutant]) -> tuple[Counter[str], list[Mutant]]:
    """Judge mutants and print how each one ends."""
    outcomes: Counter[str] = Counter()
    alive = []
    for one in chosen:
        began = time.monotonic()
        outcome = judge(one.path, one.source, files_for(one.path), SECONDS)
        outcomes[outcome] += 1
        if outcome == SURVIVED:
            alive.append(one)
        print(f"{outcome:8} {time.monotonic() - began:5.0f} s  {one.name}", flush=True)
    print(dict(outcomes), flush=True)
    return outcomes, alive


@pytest.mark.marathon
def test_nine_of_ten_mutants_are_killed():
    outcomes, alive = measure(sample(SAMPLE))
    judged = outcomes[KILLED] + outcomes[SURVIVED]
    assert outcomes[TIMEOUT] <= SAMPLE // 20
    assert outcomes[KILLED] >= 0.9 * judged, "\n".join(one.name for one in alive)


def test_a_mutant_changes_one_place_and_can_be_compiled():
    module = next(path for path in modules() if path.stem == "surgery")
    found = [mutant(module, place) for place in places(module)]
    assert len(found) > 30
    assert len({(m.line, m.what, m.source) for m in found}) == len(found)
    assert module.read_text("utf-8") not in {m.source for m in found}
    for one in found:
        compile(one.source, "m", "exec")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    if wanted and wanted[0].isdigit():
        measure(sample(int(wanted[0]), int(wanted[1]) if wanted[1:] else SEED))
    else:
        measure([mutant(path, p) for path in modules() if path.stem in wanted for p in places(path)])
