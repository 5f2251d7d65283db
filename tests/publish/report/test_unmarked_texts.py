"""No text of the program stands in report, steward's page or letters without a mark for the catalogue."""

import ast
import csv
import tomllib
from pathlib import Path

import pytest

import sarcoma_pipeline.survival
from sarcoma_pipeline.publish.report import stored_notes
from sarcoma_pipeline.publish.report.page import page
from schemas.configuration import Sources, Study
from tests.language.pseudo import speaking_pseudo, texts_of, unmarked, unmarked_of_page

ROOT = Path(__file__).parents[3]
NAMES = ("Efron", "Python", "Word")


def configured(name: str) -> frozenset[str]:
    """Return the texts of a study's configuration, and of the paper: they are in the study's own language."""
    folder = ROOT / "data/studies" / name
    texts = [t for file in folder.glob("*.toml") for t in texts_of(tomllib.loads(file.read_text("utf-8")))]
    texts += [cell for file in folder.glob("*.csv") for row in csv.reader(file.open()) for cell in row]
    # The page prints typographic apostrophes.
    texts += [text.replace("'", "’") for text in texts]
    # A reason after a colon is quoted without what stands before it; the invented release has no hash of its
    # program.
    return frozenset((*texts, *(text.partition(":")[2].strip() for text in texts), "None"))


def test_the_report_has_no_unmarked_text(study: Study, sources: Sources, frames, monkeypatch):
    with speaking_pseudo(monkeypatch):
        shown = page(study, sources, frames, {})
    assert not (left := unmarked_of_page(shown, configured(study.name), NAMES)), "\n".join(left)


def test_an_unmarked_text_is_found(study: Study, sources: Sources, frames, monkeypatch):
    """Beside marked texts, in an attribute and within a drawing; data and abbreviations are none."""
    with speaking_pseudo(monkeypatch):
        shown = page(study, sources, frames, {})
    planted = shown.replace("<h2", '<p title="Beware of this">⟦Median⟧ of Overall survival HR</p><h2', 1)
    planted = planted.replace("</svg>", "<text>Shown here</text></svg>", 1)
    left = unmarked_of_page(planted, configured(study.name), (*NAMES, "of"))
    assert left == ["p title: Beware of this", "text: Shown here"]


def _reasons() -> set[str]:
    """Return the constant reasons for which the estimators have no estimate."""
    found = set()
    for path in Path(sarcoma_pipeline.survival.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "NoEstimate"
            ):
                found |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
    return found


@pytest.mark.parametrize("form", ["{}", "no estimate: {}"])
def test_every_reason_for_no_estimate_is_translated(form, monkeypatch):
    reasons = _reasons()
    assert len(reasons) > 10
    with speaking_pseudo(monkeypatch):
        left = {r for r in reasons if unmarked(stored_notes.told(form.format(r)), ())}
    assert not left
