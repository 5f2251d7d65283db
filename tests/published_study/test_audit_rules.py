"""Each rule of the audit: a case that breaks it, one that does not, one without a number, and a sibling."""

import polars as pl
import pytest

from sarcoma_pipeline.published_study.audit import audit_table
from sarcoma_pipeline.published_study.audit_rules import RULES
from tests.published_study.cases_of_rules import CASES, Row


def audited(rows: list[Row]) -> pl.DataFrame:
    """Audit rows that are given with the cells that matter."""
    names = sorted({"id", "section", "where", *(name for row in rows for name in row)})
    cells = [{"id": str(i), "section": "Results", **row} for i, row in enumerate(rows, 1)]
    return audit_table(
        pl.DataFrame(
            [{n: row.get(n) for n in names} for row in cells], schema=dict.fromkeys(names, pl.String)
        )
    )


@pytest.mark.parametrize(
    ("rule", "name", "rows", "verdict"), CASES, ids=[f"{r}: {n}" for r, n, _, _ in CASES]
)
def test_a_rule(rule: str, name: str, rows: list[Row], verdict: str | None) -> None:
    found = audited(rows).filter(pl.col("rule") == rule)["verdict"].to_list()
    worst = [v for v in found if v != "consistent"]
    if verdict is None:
        assert not found
    elif verdict == "consistent":
        assert found and not worst
    else:
        assert set(worst) == {verdict}


def test_every_rule_has_a_case_that_breaks_it_and_one_that_does_not() -> None:
    broken = {rule for rule, _, _, verdict in CASES if verdict not in (None, "consistent")}
    kept = {rule for rule, _, _, verdict in CASES if verdict in (None, "consistent")}
    assert broken == set(RULES)
    assert kept == set(RULES)


def test_an_impossible_cell_leaves_the_other_rows_as_they_were() -> None:
    sound = [
        {"statistic": "count", "n": "86", "section": "Table 1"},
        {"statistic": "count", "where": "sex=female", "n": "38", "denominator": "86", "pct": "44"},
        {"statistic": "survival", "endpoint": "OS", "value": "87.8", "ci_low": "77.8", "ci_high": "93.5"},
    ]  # fmt: skip
    before = audited(sound).filter(pl.col("ids") == "2").drop("position")
    for cell in ("110", "NE", "what", "-3"):
        wrong = [*sound[:2], {**sound[2], "ci_high": cell}]
        assert audited(wrong).filter(pl.col("ids") == "2").drop("position").equals(before)


def test_the_order_of_the_rows_decides_nothing() -> None:
    for _, _, rows, _ in CASES:
        numbered = [{**row, "id": str(i)} for i, row in enumerate(rows, 1)]
        assert audited(numbered).equals(audited(numbered[::-1]))
