"""Standardised differences by pencil, and Table 1 by group."""

from math import sqrt

import numpy as np
import polars as pl
import pytest

from sarcoma_pipeline.survival import balance, table_one, table_one_groups
from schemas.cohort import CohortPatient
from schemas.configuration import Covariate, Study, TableRow


def test_the_difference_of_means() -> None:
    one, other = np.array([1.0, 2, 3]), np.array([3.0, 4, 5])
    assert balance.of_means(one, other) == pytest.approx(2)
    assert balance.of_means(other, one) == pytest.approx(2)
    # Weights (1, 0, 1) keep the mean 2, (0, 0, 1) make it 5; the spread stays 1.
    weights = (np.array([1.0, 0, 1]), np.array([0.0, 0, 1]))
    assert balance.of_means(one, other, weights) == pytest.approx(3)
    assert balance.of_means(np.ones(3), np.ones(2)) == 0
    assert balance.of_means(np.ones(3), np.zeros(2)) is None


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        # 0.2 in units of the root of (0.25 + 0.21) / 2.
        ((0.5, 0.5), (0.3, 0.7), 0.2 / sqrt(0.23)),
        # The pooled covariance of the first two shares is ((0.185, -0.075), (-0.075, 0.21)).
        ((0.2, 0.3, 0.5), (0.3, 0.3, 0.4), sqrt(0.01 * 0.21 / (0.185 * 0.21 - 0.075**2))),
        ((0.2, 0.8, 0.0), (0.2, 0.8, 0.0), 0.0),
        ((0.5, 0.5, 0.0), (0.3, 0.7, 0.0), 0.2 / sqrt(0.23)),
        ((1.0,), (1.0,), 0.0),
        ((1.0, 0.0), (0.0, 1.0), None),
        ((1.0, 0.0, 0.0), (0.0, 0.5, 0.5), None),
    ],
)
def test_the_distance_of_shares(
    one: tuple[float, ...], other: tuple[float, ...], difference: float | None
) -> None:
    expected = difference if difference is None else pytest.approx(difference, abs=1e-12)
    assert balance.of_shares(one, other) == expected
    assert balance.of_shares(one[::-1], other[::-1]) == expected


def test_the_largest_pair_is_told_and_missing_values_are_left_out() -> None:
    groups = {"a": pl.Series([1.0, 2, 3, None]), "b": pl.Series([3.0, 4, 5]), "c": pl.Series([2.0, 3, 4])}
    assert balance.largest(groups, factor=False) == (pytest.approx(2), "a vs. b")
    assert balance.largest({"a": pl.Series([1.0, None]), "b": pl.Series([1.0, 2])}, factor=False) is None
    assert balance.largest({"a": pl.Series([1.0, 2])}, factor=False) is None
    texts = {"a": pl.Series(["x", "y", None]), "b": pl.Series(["x", "y"])}
    assert balance.largest(texts, factor=True) == (0.0, "a vs. b")


ROWS = (
    TableRow(title="Age", column="age_at_diagnosis_years", kind="median"),
    TableRow(title="Grade", column="fnclcc_grade", kind="factor", levels=("G1", "G2")),
    TableRow(title="Sex", column="sex", kind="factor", levels=("female", "male")),
)
SEX = Covariate(name="sex", column="sex", kind="factor", reference="male", levels=("female", "male"))


def _patients(*rows: tuple[str | None, float | None, str | None]) -> pl.DataFrame:
    frame = pl.DataFrame(
        [
            {"pseudonym": f"p{i}", "sex": s, "age_at_diagnosis_years": a, "fnclcc_grade": g, "record_ids": []}
            for i, (s, a, g) in enumerate(rows)
        ],
        infer_schema_length=None,
    )
    return CohortPatient.conform(frame)


PATIENTS = _patients(
    ("female", 50, "G1"), ("female", 60, "G3"), ("female", 70, None),
    ("male", 60, "G1"), ("male", 70, "G2"), ("male", 80, "G2"), (None, 99, "G1"),
)  # fmt: skip


def test_each_group_has_every_line() -> None:
    table = table_one_groups.table_one_by_group(PATIENTS, ROWS, SEX)
    lines = table.select("block", "level", "statistic", "group", "n", "denominator", "text").rows()
    assert lines == [
        ("Age", None, "median", "female", 3, 3, "60"), ("Age", None, "median", "male", 3, 3, "70"),
        ("Age", None, "Q1–Q3", "female", 3, 3, "55–65"), ("Age", None, "Q1–Q3", "male", 3, 3, "65–75"),
        ("Grade", "G1", "n (%)", "female", 1, 3, "1 (33)"), ("Grade", "G1", "n (%)", "male", 1, 3, "1 (33)"),
        ("Grade", "G2", "n (%)", "female", 0, 3, "0 (0)"), ("Grade", "G2", "n (%)", "male", 2, 3, "2 (67)"),
        ("Grade", "G3", "n (%)", "female", 1, 3, "1 (33)"), ("Grade", "G3", "n (%)", "male", 0, 3, "0 (0)"),
        ("Grade", "Missing", "n (%)", "female", 1, 3, "1 (33)"),
        ("Grade", "Missing", "n (%)", "male", 0, 3, "0 (0)"),
    ]  # fmt: skip
    assert set(table["group_n"]) == {3}
    age = table.filter(block="Age")
    assert age["standardised_difference"].to_list() == pytest.approx([1.0] * 4)
    assert set(age["compared"]) == {"female vs. male"}


def test_no_factor_no_table() -> None:
    assert table_one_groups.table_one_by_group(PATIENTS, ROWS, None).is_empty()
    assert table_one_groups.table_one_by_group(PATIENTS, (), SEX).is_empty()
    assert table_one_groups.table_one_by_group(PATIENTS.clear(), ROWS, SEX).is_empty()


def test_a_group_without_numbers_has_a_dash() -> None:
    patients = _patients(
        ("female", None, "G1"), ("female", None, "G1"), ("male", 60, "G1"), ("male", 61, "G1")
    )
    table = table_one_groups.table_one_by_group(patients, ROWS[:1], SEX)
    told = {(r["statistic"], r["group"]): (r["text"], r["n"]) for r in table.iter_rows(named=True)}
    assert told[("median", "female")] == ("–", 0) and told[("Q1–Q3", "female")] == ("–", 0)
    assert table["standardised_difference"].null_count() == table.height


def test_the_order_of_the_patients_decides_nothing() -> None:
    one, other = (table_one_groups.table_one_by_group(p, ROWS, SEX) for p in (PATIENTS, PATIENTS.reverse()))
    assert one.equals(other)


def test_the_demos_groups_add_up_to_table_one(study: Study, patients: pl.DataFrame) -> None:
    (factor,) = [c for c in study.covariates if c.name == "sequence"]
    groups = table_one_groups.table_one_by_group(patients, study.table_one, factor)
    whole = table_one.table_one(patients, study.table_one)
    added = groups.filter(statistic="n (%)").group_by("block", "level").agg(n=pl.col("n").sum())
    both = added.join(whole, on=["block", "level"])
    assert both.height == added.height > 10
    assert both["n"].to_list() == both["n_right"].to_list()


def test_equal_numbers_have_no_spread_whatever_their_last_digit() -> None:
    # The mean of 0.1, 0.1 and 0.1 is not 0.1 in binary: the spread was 1e-17, and the difference 8e15.
    tenths, same, zeros = np.full(3, 0.1), np.full(10, 0.1), np.zeros(4)
    assert balance.of_means(tenths, zeros) is None
    assert balance.of_means(tenths, same) == 0
    assert balance.of_means(tenths, same, (np.array([2.5, 0.1, 0.1]), np.arange(1.0, 11))) == 0
