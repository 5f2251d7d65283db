"""Great Expectations and the gate come to one verdict, whatever is wrong with a release."""

import datetime as dt
import random
from dataclasses import replace

import polars as pl
import pytest

from sarcoma_pipeline.quality import second_opinion as opinion
from sarcoma_pipeline.quality.expectations import expected
from sarcoma_pipeline.quality.release_gate import Verdict, gate, judge
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.gate import Gate
from tests.quality.test_release_gate import tables

RELEASES = 100
JUDGED = (CohortPatient.table(), CohortEndpoint.table(), "cohort.derivability", "analysis.survival_estimate")
"""Four tables of each mutated release, with every kind of expectation; Great Expectations is slow on all."""

KEYS = ("pseudonym", "endpoint", "event", "derivable")
"""Columns that the expectations themselves are built from: a release without them is no release."""


def base() -> dict[str, pl.DataFrame]:
    return {table: frame for table, frame in tables().items() if table in JUDGED}


def mutated(seed: int) -> dict[str, pl.DataFrame]:
    """A release with one to four faults in columns drawn by the seed."""
    draw, made = random.Random(seed), base()
    for _ in range(draw.randint(1, 4)):
        table = draw.choice([t for t in made if made[t].height])
        column = draw.choice(made[table].columns)
        made[table] = draw.choice(FAULTS)(draw, made[table], column)
    return made


def _cell(draw, frame, column, values):
    row = draw.randrange(frame.height)
    value = draw.choice(values)
    here = pl.int_range(pl.len()) == row
    return frame.with_columns(pl.when(here).then(pl.lit(value)).otherwise(pl.col(column)).alias(column))


def _odd_value(draw, frame, column):
    dtype = frame.schema[column]
    if dtype == pl.String:
        return _cell(
            draw, frame, column, ["Frau", "", " ", "1950-03-04", "am 3.4.1950", "19500304", "ß", "\n"]
        )
    if dtype.is_float():
        return _cell(draw, frame, column, [float("nan"), float("inf"), float("-inf"), -1.0, 1e300, 0.0])
    if dtype.is_integer():
        return _cell(draw, frame, column, [-1, 0, 40_000, 2**30])
    return _missing(draw, frame, column)


def _missing(draw, frame, column):
    return _cell(draw, frame, column, [None])


def _all_missing(_, frame, column):
    return frame.with_columns(pl.lit(None, frame.schema[column]).alias(column))


def _row_twice(draw, frame, _):
    row = frame[draw.randrange(frame.height)]
    return pl.concat([frame, row])


def _rows_lost(draw, frame, _):
    return frame.head(draw.randrange(frame.height))


def _no_column(_, frame, column):
    return frame.drop(column) if column not in KEYS else frame


def _a_date(_, frame, column):
    return frame.with_columns(pl.lit(dt.date(2020, 1, 1)).alias(column)) if column not in KEYS else frame


def _stranger(draw, frame, _):
    return frame.with_columns(pl.lit("x").alias(draw.choice(["family_name", "note", "birth_date"])))


def _shifted(_, frame, column):
    numeric = frame.schema[column].is_numeric()
    return frame.with_columns(pl.col(column) + 10) if numeric else frame


FAULTS = (
    _odd_value, _odd_value, _odd_value, _missing, _all_missing, _row_twice, _rows_lost, _no_column, _a_date,
    _stranger, _shifted,
)  # fmt: skip


@pytest.mark.slow
def test_gate_and_great_expectations_agree_on_mutated_releases():
    broken = 0
    for seed in range(RELEASES):
        made = mutated(seed)
        for last in (None, base()) if seed % 4 == 0 else (base(),):
            assert opinion.second_opinion(made, last, Gate()) == [], f"seed {seed}"
        broken += bool(gate(made, base(), Gate()))
    assert broken > RELEASES / 2, "the mutations do break expectations"


def test_a_gate_that_errs_is_told(monkeypatch):
    """The gate misses a value outside the code list, and miscounts another; both are said."""

    def wrong(page):
        found = judge(page)
        once = [replace(v, met=True) if v.unexpected == 1 else v for v in found]
        return [replace(v, unexpected=5) if v.unexpected == 2 else v for v in once]

    made = base()
    patients = made[CohortPatient.table()]
    made[CohortPatient.table()] = patients.with_columns(
        sex=pl.when(pl.int_range(pl.len()) < 1).then(pl.lit("Frau")).otherwise("sex"),
        histology_group=pl.when(pl.int_range(pl.len()) < 2).then(pl.lit("?")).otherwise("histology_group"),
    )
    monkeypatch.setattr(opinion, "judge", wrong)
    one, two = opinion.second_opinion(made, None, Gate())
    assert "The gate counts 5 rows that break it, Great Expectations counts 2." in one
    assert "The gate says met, Great Expectations says not met." in two


def test_an_expectation_that_one_of_both_did_not_judge_is_told(monkeypatch):
    monkeypatch.setattr(opinion, "judge", lambda page: judge(page)[1:])
    pages = list(expected(base(), {}, Gate()))
    found = opinion.second_opinion(base(), None, Gate())
    assert found == sorted(f"{page.name}: the gate did not judge an expectation." for page in pages)


def test_a_kind_of_expectation_that_nobody_judges_is_an_error():
    page = next(expected(base(), {}, Gate()))
    odd = {"type": "expect_column_to_sing", "kwargs": {"column": "column"}, "severity": "critical"}
    with pytest.raises(KeyError, match="sing"):
        judge(replace(page, expectations=[{**odd, "description": "It sings."}]))


def test_a_median_of_no_value_is_not_met():
    """The last release had values; none is left: null is no number between two bounds."""
    made = base()
    made[CohortPatient.table()] = made[CohortPatient.table()].with_columns(
        fractions=pl.lit(None, made[CohortPatient.table()].schema["fractions"])
    )
    page = next(p for p in expected(made, base(), Gate()) if p.name == CohortPatient.table())
    (verdict,) = [v for v in judge(page) if "median of Fractions" in v.expectation["description"]]
    assert verdict == Verdict(verdict.expectation, met=False)
