"""The audit of the paper finds all errors that a reader found, and accepts a paper without errors."""

from statistics import NormalDist

import polars as pl
import pytest

from sarcoma_pipeline.published_study.audit import audit
from sarcoma_pipeline.published_study.audit_estimates import standard_error, wald_p, wald_p_range


@pytest.fixture(scope="module")
def checks(paper: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return _audited(paper)


def _audited(paper: dict[str, pl.DataFrame], **changes: pl.DataFrame) -> pl.DataFrame:
    all_of = {**paper, **changes}
    return audit(all_of["published"], all_of["published_map"], all_of["audit"])


def _failing(checks: pl.DataFrame) -> set[tuple[str, str]]:
    recomputed = checks.filter(pl.col("check") != "read, not recomputed", verdict="contradiction")
    return set(recomputed.select("check", "ids").rows())


def _with(published: pl.DataFrame, row: int, **values: str) -> pl.DataFrame:
    changed = [
        pl.when(pl.col("id") == str(row)).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    ]
    return published.with_columns(changed)


@pytest.mark.parametrize(("kind", "verdict"), [("ERROR", "contradiction"), ("TENSION", "tension")])
def test_what_a_reader_found_is_recomputed(
    checks: pl.DataFrame, paper: dict[str, pl.DataFrame], kind: str, verdict: str
) -> None:
    read = set(paper["audit"].filter(pl.col("class") == kind)["id"])
    same = checks.filter((pl.col("verdict") == verdict) & (pl.col("check") != "read, not recomputed"))
    found = {entry for entries in same["read"].drop_nulls() for entry in entries.split(";")}
    assert read and read == found


def test_no_entry_of_the_reader_is_lost(checks: pl.DataFrame, paper: dict[str, pl.DataFrame]) -> None:
    named = {entry for entries in checks["read"].drop_nulls() for entry in entries.split(";")}
    assert named == set(paper["audit"]["id"])


def test_the_only_wrong_p_of_a_table_is_the_synovial_one(checks: pl.DataFrame) -> None:
    p_values = checks.filter((pl.col("check") == "p value from HR and CI") & ~pl.col("ids").str.contains(";"))
    tables = p_values.filter(pl.col("section").str.starts_with("Table"))
    assert tables.height == 27
    assert tables.filter(pl.col("verdict") != "consistent")["ids"].to_list() == ["104"]
    assert "p = 0.7936" in tables.filter(ids="104")["expected"][0]


def test_p_values_are_those_of_the_wald_test() -> None:
    row = {"value": "0.432", "ci_low": "0.140", "ci_high": "1.332"}
    error = standard_error(row)
    below = NormalDist().cdf(-abs(-0.8393297) / error)
    assert wald_p(0.432, error) == pytest.approx(2 * below, abs=1e-6)
    lowest, highest = wald_p_range(row)
    # The range due to rounding, computed independently by the reader.
    assert (round(lowest, 4), round(highest, 4)) == (0.1429, 0.1454)


def test_a_ratio_that_may_be_one_may_have_any_high_p() -> None:
    lowest, highest = wald_p_range({"value": "1.00", "ci_low": "0.50", "ci_high": "2.00"})
    assert highest == 1 and lowest > 0.98


def test_limits_that_may_be_equal_allow_any_small_p() -> None:
    # A ratio of 0.16 with limits 0.149 and 0.172 is printed so: ln 0.16 / (ln(0.172 / 0.149) / 3.92) = -50.
    lowest, _ = wald_p_range({"value": "0.2", "ci_low": "0.1", "ci_high": "0.2"})
    assert lowest == 0


def test_a_paper_without_its_errors_passes(paper: dict[str, pl.DataFrame]) -> None:
    sound = paper["published"]
    for row, values in {
        46: {"n": "5"}, 67: {"value": "0.432", "ci_low": "0.140", "ci_high": "1.332"}, 74: {"pct": "31"},
        104: {"p": "0.7936"}, 135: {"pct": "28"}, 137: {"n": "53"}, 138: {"n": "15"}, 140: {"n": "27"},
        142: {"n": "35"}, 143: {"pct": "43", "denominator": "35"},
    }.items():  # fmt: skip
        sound = _with(sound, row, **values)
    assert _failing(_audited(paper, published=sound)) == set()


@pytest.mark.parametrize(
    ("row", "values", "check"),
    [
        (72, {"pct": "54"}, "percentage of a count"),
        (56, {"n": "9"}, "parts and whole"),
        (31, {"n": "7", "pct": ""}, "same patients, same count"),
        (100, {"value": "1.400"}, "value within its limits"),
        (120, {"value": "0.700"}, "HR is the geometric mean of its CI"),
        (121, {"p": "0.0290"}, "p value from HR and CI"),
        (65, {"value": "40"}, "order of the medians"),
        (64, {"value": "44"}, "same estimate, same number"),
        (61, {"ci_low": "87.0", "ci_high": "88.4"}, "patients behind a survival rate"),
        (121, {"ci_low": "0.600", "ci_high": "0.776"}, "events that the interval needs"),
        (144, {"denominator": "30"}, "denominator"),
    ],
)
def test_a_new_error_is_found(
    checks: pl.DataFrame, paper: dict[str, pl.DataFrame], row: int, values: dict[str, str], check: str
) -> None:
    wrong = _audited(paper, published=_with(paper["published"], row, **values))
    new = _failing(wrong) - _failing(checks)
    assert check in {kind for kind, _ in new}, new
