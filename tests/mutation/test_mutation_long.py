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

from tests.mutation.forked import QUERY_AT_IMPORT, judge_all
from tests.mutation.killing import KILLED, SURVIVED, TIMEOUT, failing, judge
from tests.mutation.mutants import Mutant, changed, mutant, places
from tests.mutation.reach import ROOT, Reach, modules

SAMPLE, SEED = 400, 15
FIRST = 4.0
"""Seconds of tests that each mutant meets alone; most are killed by them."""
STARTED = 0.012
"""Seconds that pytest needs for a test of any length."""
GROUP = 40
"""Mutants, of one function each, that meet all other tests together."""
PATIENCE, SPARE = 6, 180
"""A mutant is given up after so many times the seconds of its tests, and seconds more for a busy machine."""


def stages_for(one: Mutant, reach: Reach) -> tuple[list[str], list[str]]:
    """The tests that a mutant meets alone, and the others."""
    took, first, others = 0.0, [], []
    for test in reach.of(one.statement, one.path):
        if took >= FIRST or test.startswith(QUERY_AT_IMPORT):
            others.append(test)
        else:
            first.append(test)
            took += reach.tests[test][0] + STARTED
    return first, others


def sample(count: int, seed: int = SEED) -> list[Mutant]:
    """Mutants of all modules, drawn at random."""
    found = [(module, place) for module in modules() for place in places(module)]
    return [mutant(*one) for one in random.Random(seed).sample(found, count)]


def groups_of(chosen: Iterable[Mutant]) -> list[list[Mutant]]:
    """Put mutants into groups in which none is in the function of another."""
    groups: list[dict[tuple[Path, str], Mutant]] = []
    for one in chosen:
        where = one.path, one.statement.scope or one.statement.text
        group = next((g for g in groups if where not in g and len(g) < GROUP), None)
        if group is None:
            groups.append(group := {})
        group[where] = one
    return [list(group.values()) for group in groups]


def measure(chosen: list[Mutant], reach: Reach) -> tuple[Counter[str], list[Mutant]]:
    """Judge mutants and print how each one ends.

    Each one meets its first tests alone. Groups of those that are left meet all other tests together; a test
    that fails then is run with each mutant of the group that reaches it.
    """
    outcomes: Counter[str] = Counter()
    alive: list[Mutant] = []

    def patience(tests: Iterable[str]) -> float:
        return PATIENCE * sum(reach.tests[test][0] for test in tests) + SPARE

    def end(one: Mutant, outcome: str) -> None:
        outcomes[outcome] += 1
        if outcome == SURVIVED:
            alive.append(one)
        print(f"{time.monotonic() - began:6.0f} s {outcome:8} {one.name}", flush=True)

    began = time.monotonic()
    stages = {id(one): stages_for(one, reach) for one in chosen}
    inside = [one for one in chosen if one.statement.name is None]
    found = judge_all([(one, stages[id(one)][0]) for one in inside])
    told = {id(one): outcome for one, outcome in zip(inside, found, strict=True)}
    left: list[Mutant] = []
    for one in chosen:
        first, others = stages[id(one)]
        outcome = told.get(id(one)) or judge(one.path, one.source, first, patience(first))
        # In a fork, nothing that is computed at import is changed.
        if outcome == SURVIVED and (others or id(one) in told):
            left.append(one)
        else:
            end(one, outcome)
    for group in groups_of(left):
        own = {id(one): [*stages[id(one)][0], *stages[id(one)][1]] for one in group}
        tests = sorted(set(chain(*own.values())))
        by_module: dict[Path, list[tuple[int, int]]] = {}
        for one in group:
            by_module.setdefault(one.path, []).append(one.place)
        sources = {path: changed(path, places) for path, places in by_module.items()}
        failed = failing(sources, tests, patience(tests), first_only=False)
        of_test = Counter(chain(*own.values()))
        for one in group:
            met = [test for test in own[id(one)] if failed is None or test in set(failed)]
            # A test that few mutants of the group reach fails because of one of these.
            met.sort(key=lambda test: (of_test[test], reach.tests[test][0], test))
            end(one, judge(one.path, one.source, met, patience(met)) if met else SURVIVED)
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
