"""The record of what a test reaches, and the judgement over a module by it."""

import ast
import subprocess
import sys

import pytest

from tests.mutation.killing import KILLED, SURVIVED, failing, judge
from tests.mutation.reach import ROOT, Reach, Statement, modules, shared, statements

FILE = "tests/cohort/test_wide.py"


def test_a_statement_outside_of_functions_has_the_name_that_it_defines():
    path = modules()[0]
    tree = ast.parse("A = (\n 1,\n 2)\ndef f(x=3):\n    '''Text.'''\n    if x:\n        return [\n 4]\n")
    found = statements(tree, path)
    of = {node.value: found[id(node)] for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    told = {value: (one.scope, one.text, one.name) for value, one in of.items()}
    assert told == {
        1: ("", "A = (1, 2)", "A"), 2: ("", "A = (1, 2)", "A"), 3: ("", "def f(x=3):", "f"),
        "Text.": ("f", "'Text.'", None), 4: ("f", "return [4]", None),
    }  # fmt: skip


def test_the_most_specific_tests_come_first():
    path = next(path for path in modules() if path.stem == "wide")
    module = path.relative_to(ROOT).as_posix()
    one, other = (Statement(module, "table", text, None) for text in ("wide = patients", "return wide"))
    reach = Reach()
    reach.add(
        {
            "tests/oracle/test_all.py::test_a": (0.1, {one.key, other.key}),
            "tests/cohort/test_endpoints.py::test_b": (9.0, {one.key, other.key}),
            "tests/cohort/test_wide_rows.py::test_c": (9.0, {one.key}),
            "tests/cohort/test_endpoints.py::test_d": (9.0, {one.key}),
        },
        {},
    )
    assert [test[-1] for test in reach.of(one, path)] == ["c", "d", "b", "a"]
    assert [test[-1] for test in reach.of(other, path)] == ["b", "a"]
    assert len(reach.of(Statement(module, "table", "wide = nowhere", None), path)) == 4


@pytest.mark.slow
def test_a_changed_module_meets_the_tests_that_reach_it():
    subprocess.run([sys.executable, "-m", "tests.mutation.reach", FILE], cwd=ROOT, check=True)
    reach = Reach.load()
    path = next(path for path in modules() if path.stem == "wide")
    source = path.read_text("utf-8")
    found = statements(tree := ast.parse(source), path).values()
    join = next(one for one in found if one.text.startswith("wide = wide.join("))
    assert tree.body and join.name is None
    tests = [test for test in reach.of(join, path) if test.startswith(FILE)]
    fails = f"{FILE}::test_each_patient_has_one_row_with_every_endpoint"
    assert fails in tests and f"{FILE}::test_it_is_no_table_of_the_warehouse" not in tests
    assert judge(path, source, tests, 300) == SURVIVED
    inner = source.replace('how="left"', 'how="inner"')
    assert judge(path, inner, tests, 300) == KILLED
    assert fails in (failing({path: inner}, tests, 300, first_only=False) or ())


@pytest.fixture(scope="module")
def kept():
    return {}


def test_tests_that_share_a_fixture_are_recorded_together(kept, request, tmp_path):
    """Only the first of them may compute what the fixture keeps."""
    assert list(shared(request.node)) == [f"{__name__} kept"]
