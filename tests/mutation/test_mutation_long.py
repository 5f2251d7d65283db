"""At least nine of ten mutants of curation and of the cohort fail a test; a sample, ``make marathon``.

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
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import pytest

from tests.mutation.killing import KILLED, SURVIVED, TIMEOUT, failing, judge
from tests.mutation.mutants import Mutant, mutant, places
from tests.mutation.reach import ROOT, Reach, modules

SAMPLE, SEED = 150, 15
STAGES = (1.5, 6.0)
"""Seconds of tests after which a further stage begins: most mutants meet few test files."""
PATIENCE, SPARE = 6, 180
"""A mutant is given up after so many times the seconds of its tests, and seconds more for a busy machine."""


def stages_for(one: Mutant, reach: Reach) -> list[list[str]]:
    """The tests of a mutant by stage."""
    took, stages = 0.0, [[] for _ in range(len(STAGES) + 1)]
    for test in reach.of(one.statement, one.path):
        took += reach.tests[test][0]
        stages[sum(took > seconds for seconds in STAGES)].append(test)
    return stages


def sample(count: int, seed: int = SEED) -> list[Mutant]:
    """Mutants of all modules, drawn at random."""
    found = [(module, place) for module in modules() for place in places(module)]
    return [mutant(*one) for one in random.Random(seed).sample(found, count)]


def measure(chosen: list[Mutant], reach: Reach) -> tuple[Counter[str], list[Mutant]]:
    """Judge mutants and print how each one ends.

    Each one meets the first stages of its tests alone. Those that are left, of one module each, meet all
    other tests together; a test that fails then is run with each of them that reaches its statement.
    """
    outcomes: Counter[str] = Counter()
    alive: list[Mutant] = []
    left: list[dict[Path, tuple[Mutant, list[str]]]] = []

    def end(one: Mutant, outcome: str) -> None:
        outcomes[outcome] += 1
        if outcome == SURVIVED:
            alive.append(one)
        print(f"{time.monotonic() - began:6.0f} s {outcome:8} {one.name}", flush=True)

    def patience(tests: Iterable[str]) -> float:
        return PATIENCE * sum(reach.tests[test][0] for test in tests) + SPARE

    began = time.monotonic()
    for one in chosen:
        *first, last = stages_for(one, reach)
        outcome = judge(one.path, one.source, first, patience(chain(*first)))
        if outcome == SURVIVED and last:
            group = next((g for g in left if one.path not in g), None)
            if group is None:
                left.append(group := {})
            group[one.path] = one, last
        else:
            end(one, outcome)
    for group in left:
        tests = sorted(set(chain(*(tests for _, tests in group.values()))))
        sources = {path: one.source for path, (one, _) in group.items()}
        failed = failing(sources, [tests], patience(tests), first_only=False)
        for path, (one, own) in group.items():
            met = own if failed is None else [test for test in own if test in set(failed)]
            end(one, judge(path, one.source, [met], patience(met)) if met else SURVIVED)
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
