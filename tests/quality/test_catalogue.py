"""The rule catalogue: complete, in a steward's words, and shown to work rule by rule."""

import re
from pathlib import Path

import polars as pl

from sarcoma_pipeline.quality.rule_catalogue import catalogue, markdown, rules


def test_every_rule_of_the_catalogue_is_shown_to_fire():
    """Here, or by a defect of the demo, where test_render shows that it fires there and nowhere else."""
    demo = pl.read_csv(Path(__file__).parents[2] / "data/demo/defects.csv")["rule_id"]
    tests = Path(__file__).parents[1]
    cases = [p for p in (tests / "quality/rule_cases").glob("*.py") if p.stem != "owed"]
    elsewhere = "\n".join(p.read_text() for p in [*tests.rglob("test_*.py"), *cases])
    named = set(re.findall(r"\"([a-z-]+\.[a-z0-9-]+)\"", elsewhere))
    known = set(rules())
    assert known - {*demo, *named} == set()


def test_the_catalogue_is_what_a_steward_needs():
    rules_ = catalogue()
    assert rules_.height >= 80
    assert set(rules_["scope"]) >= {"record", "patient", "source", "dataset"}
    for column in ("what", "remedy", "source"):
        assert (rules_[column].str.len_chars() >= 5).all(), column


def test_the_page_in_the_docs_is_the_catalogue():
    """Made anew with: sarcoma rules --markdown > docs/rules.md"""
    page = (Path(__file__).parents[2] / "docs/rules.md").read_text()
    assert page == markdown()
