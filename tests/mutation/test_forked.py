"""Mutants by the code of their function, and the groups of those that are left."""

import pytest

from sarcoma_pipeline.curation import spreadsheet_cells
from tests.mutation.forked import replaced
from tests.mutation.mutants import Mutant, changed, mutant, places
from tests.mutation.reach import ROOT, Statement, modules
from tests.mutation.test_mutation_long import GROUP, groups_of

MODULE = ROOT / "sarcoma_pipeline/curation/spreadsheet_cells.py"


def of_function(name: str) -> list[Mutant]:
    found = (mutant(MODULE, place) for place in places(MODULE))
    return [one for one in found if one.statement.scope == name and one.statement.name is None]


def test_a_function_gets_the_code_of_a_mutant_and_nothing_else_does():
    function = spreadsheet_cells.number_of_a_day
    before, others = function.__code__, dict(vars(spreadsheet_cells))
    one = next(m for m in of_function("number_of_a_day") if "60 becomes 61" in m.what)
    try:
        assert replaced(one)
        assert function.__code__ is not before
        assert 61 in function.__code__.co_consts and 61 not in before.co_consts
        assert vars(spreadsheet_cells) == others
    finally:
        function.__code__ = before


def test_what_runs_at_import_is_not_replaced():
    outside = next(m for m in (mutant(MODULE, p) for p in places(MODULE)) if m.statement.name)
    assert not replaced(outside)


def test_several_changes_stand_in_one_source():
    one, other = of_function("number_of_a_day")[:2]
    both = changed(MODULE, [one.place, other.place])
    assert both not in {one.source, other.source}
    assert both == changed(MODULE, [other.place, one.place])


@pytest.mark.parametrize("count", [1, GROUP, GROUP + 1])
def test_no_group_is_larger_than_its_limit(count):
    path = modules()[0]
    chosen = [
        Mutant(path, n, "", "", Statement("m", f"function {n}", "return 1", None), (n, 0))
        for n in range(count)
    ]
    assert [len(group) for group in groups_of(chosen)] == ([count] if count <= GROUP else [GROUP, 1])


def test_a_group_has_one_mutant_of_a_function():
    one, other, *_ = of_function("number_of_a_day")
    apart = next(
        m for m in (mutant(MODULE, p) for p in places(MODULE)) if m.statement.scope != "number_of_a_day"
    )
    assert groups_of([one, other, apart]) == [[one, apart], [other]]
