"""Each rule of the audit: a case that breaks it, one that does not, one without a number, and a sibling."""

import polars as pl
import pytest

from sarcoma_pipeline.published_study.audit import audit_table
from sarcoma_pipeline.published_study.audit_rules import RULES
from tests.published_study.cases_of_counts import COUNTS
from tests.published_study.cases_of_estimates import ESTIMATES
from tests.published_study.paper_rows import Row

CASES = [*COUNTS, *ESTIMATES]


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


def _by_words(*rows: str) -> dict[str, set[str]]:
    """Audit rows without `statistic` and `where`; return the rules by verdict."""
    names = ("id", "section", "quantity", "group/level", "n", "denominator", "value", "ci", "unit")
    cells = [dict(zip(names, row.split("|"), strict=True)) for row in rows]
    checks = audit_table(pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)))
    return {v: set(checks.filter(verdict=v)["rule"]) for v in checks["verdict"].unique()}


FOLLOW_UP = "1|Results|follow-up|median (range)|||30|2-60|months"


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("2|Results|median OS||||75|50-NR|months", True),
        ("2|Results|OS|median|||55|50-NR|months", False),
        ("2|Results|overall survival|median|||6|5-NR|years", True),
        ("2|Results|OS at 6 years||||70|60-78|%", True),
        ("2|Results|disease-free survival|5-year|||70|60-78|%", False),
        ("2|Results|median age||||75||years", False),
        ("2|Results|toxicity at 6 years||||70|60-78|%", False),
    ],
)
def test_words_say_what_a_median_or_rate_is(row: str, wrong: bool) -> None:
    assert ("follow-up.reach" in _by_words(FOLLOW_UP, row).get("contradiction", set())) == wrong


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (("OS at 2 years|all|70", "OS at 5 years|all|75"), True),
        (("OS at 2 years|all|70", "OS at 5 years|all|65"), False),
        (("OS at 2 years|UPS|70", "OS at 5 years|liposarcoma|75"), False),
        (("OS at 2 years|UPS|70", "UPS|OS, 5 years|75"), True),
        (("2-year OS||70", "2-year DFS||75"), True),
        (("2-year distant metastasis-free survival||75", "2-year OS||70"), True),
        (("2-year OS and DFS||70", "2-year OS||75"), False),
    ],
)
def test_words_say_whose_rate_it_is(rows: tuple[str, str], wrong: bool) -> None:
    cells = [f"{i}|Results|{q}|{g}|||{v}||%" for i, (q, g, v) in enumerate((r.split("|") for r in rows), 1)]
    assert ("survival.order" in _by_words(*cells).get("contradiction", set())) == wrong


@pytest.mark.parametrize(("male", "wrong"), [("82", True), ("80", False)])
def test_a_denominator_above_the_total_is_wrong_where_another_level_has_the_total(
    male: str, wrong: bool
) -> None:
    rows = (
        "1|Table 1|patients|all|80||||",
        "2|Table 1|sex|female|40|80|||",
        f"3|Table 1|sex|male|40/{male}||||",
    )
    assert ("count.denominator" in _by_words(*rows).get("contradiction", set())) == wrong


def test_what_is_counted_otherwise_may_be_more_than_the_patients() -> None:
    rows = (
        "1|Table 1|patients|all|80||||",
        "2|Table 1|tumours|thigh|40|82|||",
        "3|Table 1|tumours|arm|42|82|||",
    )
    assert "contradiction" not in _by_words(*rows)


@pytest.mark.parametrize(
    ("horizon", "verdict"), [("24 months", None), ("2 years", None), ("soon", "not computable")]
)
def test_a_horizon_with_its_unit_is_read(horizon: str, verdict: str | None) -> None:
    rate = {"statistic": "survival", "endpoint": "OS", "value": "80", "horizon": horizon, "unit": "%"}
    later = {**rate, "value": "85", "horizon": "36"}
    checks = audited([rate, later])
    assert checks.filter(rule="survival.order").height == (verdict is None)
    assert checks.filter(rule="value.readable")["verdict"].to_list() == ([verdict] if verdict else [])
