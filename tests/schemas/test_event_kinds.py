"""Kinds of events have one vocabulary: no module of the program writes them again."""

import ast
from pathlib import Path

from schemas import vocabularies as v

ROOT = Path(__file__).parents[2]
KINDS = {*v.RELAPSES, v.SECOND_MALIGNANCY, v.DEATH_BY_TUMOUR, v.OTHER_DEATH}
EXAMPLES = {"schemas/vocabularies.py", "schemas/configuration_examples.py"}


def test_the_constants_are_kinds_of_the_vocabulary():
    assert set(v.EVENT_KIND) >= KINDS
    assert {*v.RELAPSES, v.SECOND_MALIGNANCY} <= set(v.COHORT_EVENT)


def test_no_other_module_writes_a_kind():
    written = {
        str(path.relative_to(ROOT)): node.value
        for path in [*ROOT.glob("sarcoma_pipeline/**/*.py"), *ROOT.glob("schemas/**/*.py")]
        for text in [path.read_text("utf-8")]
        if any(kind in text for kind in KINDS)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and node.value in KINDS
    }
    assert {path: kind for path, kind in written.items() if path not in EXAMPLES} == {}
