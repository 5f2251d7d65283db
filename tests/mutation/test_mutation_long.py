"""At least nine of ten mutants of curation and of the cohort fail a fast test; a sample, ``make marathon``.

All mutants of some modules: ``python -m tests.mutation.test_mutation_long surgery``; a sample, or its mutants
FIRST to LAST: ``python -m tests.mutation.test_mutation_long NUMBER SEED FIRST LAST``. Both use the record of
``tests/mutation/reach.py``.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from itertools import groupby

import pytest

from tests.mutation.killing import KILLED, SURVIVED, TIMEOUT, judge
from tests.mutation.mutants import Mutant, mutant, places
from tests.mutation.reach import ROOT, Reach, modules

SAMPLE, SEED = 150, 15
STAGES = (3.0, 20.0)
"""Seconds of tests after which a further stage begins: most mutants meet few test files."""
PATIENCE, SPARE = 4, 180
"""A mutant is given up after so many times the seconds of its tests, and seconds more for a busy machine."""


def stages_for(one: Mutant, reach: Reach) -> tuple[list[list[str]], float]:
    """The tests of a mutant by stage, and their seconds."""
    took, staged = 0.0, []
    for test in reach.of(one.statement, one.path):
        took += reach.tests[test][0]
        staged.append((sum(took > seconds for seconds in STAGES), test))
    return [[test for _, test in stage] for _, stage in groupby(staged, key=lambda s: s[0])], took


def sample(count: int, seed: int = SEED) -> list[Mutant]:
    """Mutants of all modules, drawn at random."""
    found = [(module, place) for module in modules() for place in places(module)]
    return [mutant(*one) for one in random.Random(seed).sample(found, count)]


def measure(chosen: list[Mutant], reach: Reach) -> tuple[Counter[str], list[Mutant]]:
    """Judge mutants and print how each one ends."""
    outcomes: Counter[str] = Counter()
    alive = []
    for one in chosen:
        began = time.monotonic()
        stages, took = stages_for(one, reach)
        outcome = judge(one.path, one.source, stages, PATIENCE * took + SPARE)
        outcomes[outcome] += 1
        if outcome == SURVIVED:
            alive.append(one)
        met = sum(len(stage) for stage in stages)
        print(f"{outcome:8} {time.monotonic() - began:5.0f} s {met:5} tests  {one.name}", flush=True)
    print(dict(outcomes), flush=True)
    return outcomes, alive


@pytest.mark.marathon
def test_nine_of_ten_mutants_are_killed():
    recorder = [sys.executable, "-m", "tests.mutation.reach", "tests"]
    subprocess.run(recorder, cwd=ROOT, check=True)  # a process that has imported nothing of the program
    outcomes, alive = measure(sample(SAMPLE), Reach.load())
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
        drawn = sample(int(wanted[0]), int(wanted[1]) if wanted[1:] else SEED)
        first, last = (int(wanted[2]), int(wanted[3])) if wanted[3:] else (0, len(drawn))
        measure(drawn[first:last], Reach.load())
    else:
        found = [mutant(path, place) for path in modules() if path.stem in wanted for place in places(path)]
        measure(found, Reach.load())
