"""A set of values is looked up in rows, not within groups: polars would copy the whole set for each group."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_IN_GROUPS = ("agg", "over")


def looked_up_in_groups(source: str) -> Iterator[int]:
    """Yield the lines of ``implode()`` within the arguments of ``agg``, or in what ``over`` is asked of."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr not in _IN_GROUPS:
            continue
        grouped = [*node.args, *(k.value for k in node.keywords)]
        if node.func.attr == "over":
            grouped = [node.func.value]
        for part in (inner for one in grouped for inner in ast.walk(one)):
            if isinstance(part, ast.Attribute) and part.attr == "implode":
                yield part.lineno


def test_no_set_is_looked_up_within_groups():
    """It took 24 GB when all plans of 10 000 patients vanished in one night."""
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in [*ROOT.glob("sarcoma_pipeline/**/*.py"), *ROOT.glob("schemas/**/*.py")]
        for line in looked_up_in_groups(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('f.group_by("g").agg(\n    aside=pl.col("r").is_in(ids.implode()).all())', [2]),
        ('f.with_columns(a=pl.col("r").is_in(ids.implode()).any().over("g"))', [1]),
        ('f.with_columns(a=pl.col("r").is_in(ids.implode())).group_by("g").agg(pl.col("a").any())', []),
    ],
    ids=["agg", "over", "before grouping"],
)
def test_a_lookup_within_groups_is_found(source, lines):
    assert list(looked_up_in_groups(source)) == lines
