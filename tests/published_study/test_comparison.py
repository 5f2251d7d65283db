"""Comparison of the paper with the demo cohort."""

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.published_study.comparison import compare


@pytest.fixture(scope="module")
def frames(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    demo_estimates: pl.DataFrame,
    demo_hazard_ratios: pl.DataFrame,
) -> dict[str, Any]:
    return {
        "patients": patients,
        "endpoints": endpoints,
        "estimates": demo_estimates,
        "hazard_ratios": demo_hazard_ratios,
    }


@pytest.fixture(scope="module")
def compared(paper: dict[str, pl.DataFrame], frames: dict[str, Any]) -> pl.DataFrame:
    return compare(**paper, **frames)


def _row(compared: pl.DataFrame, number: int) -> dict:
    return compared.filter(pl.col("id") == number).row(0, named=True)


def test_contradictions_of_the_paper_are_the_papers(compared: pl.DataFrame) -> None:
    found = compared.filter(pl.col("verdict") == "paper contradicts itself")
    assert found["id"].to_list() == [46, 67, 74, 104, 135, 137, 138, 140, 142, 143]
    assert found["reason"].str.contains("ERROR").all()
    assert (_row(compared, 74)["published_percent"], _row(compared, 74)["our_n"]) == (32, 27)
    assert _row(compared, 137)["our_text"].startswith("53/62")


def test_the_demo_agrees_with_the_paper(compared: pl.DataFrame) -> None:
    assert (
        compared.filter(pl.col("verdict") == "differs").select("id", "published_text", "our_text").rows()
        == []
    )


def test_not_computable_rows_have_a_reason(compared: pl.DataFrame) -> None:
    missing = compared.filter(pl.col("verdict") == "not computable")
    assert missing.height == 16
    assert missing["reason"].null_count() == 0


def test_verdicts(compared: pl.DataFrame) -> None:
    verdicts = {number: _row(compared, number)["verdict"] for number in (62, 64, 75, 6, 99, 61)}
    assert verdicts == {
        62: "equal",
        64: "within rounding",
        75: "equal",
        6: "within rounding",
        99: "within rounding",
        61: "within rounding",
    }
    assert _row(compared, 61)["interval_verdict"] == "close"


def test_another_cohort_differs(paper: dict[str, pl.DataFrame], frames: dict[str, Any]) -> None:
    fewer = frames["patients"].filter(pl.col("sex") == "male")
    found = compare(**paper, **{**frames, "patients": fewer})
    assert (_row(found, 20)["verdict"], _row(found, 20)["our_n"]) == ("differs", 0)
    assert _row(found, 19)["verdict"] == "differs", "48 of 48 is 100 %, the paper has 56 %"


def test_endpoints_that_are_not_derivable(paper: dict[str, pl.DataFrame], frames: dict[str, Any]) -> None:
    os_only = {
        k: f.filter(pl.col("endpoint") == "OS") if "endpoint" in f.columns else f for k, f in frames.items()
    }
    found = compare(**paper, **os_only)
    assert _row(found, 106)["verdict"] == "not computable"
    assert _row(found, 64)["reason"] == "DFS is not derivable."


def test_every_published_row_must_be_mapped(paper: dict[str, pl.DataFrame], frames: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="'150'"):
        compare(**{**paper, "published_map": paper["published_map"].head(149)}, **frames)


@pytest.mark.parametrize(
    ("row", "cells", "verdict"),
    [
        (64, {"value": "NR"}, "differs"),
        (62, {"value": "NR"}, "equal"),
        (64, {"value": "48,0"}, "close"),
        (64, {"value": "47,9 months"}, "within rounding"),
        (64, {"value": ">40"}, "within rounding"),
        (64, {"value": "NE"}, "not computable"),
        (64, {"value": "about four years"}, "not computable"),
        (75, {"n": "22/86 (26 %)", "pct": "", "denominator": ""}, "equal"),
        (101, {"p": "<0.05"}, "within rounding"),
    ],
)
def test_ordinary_printing_is_compared(
    paper: dict[str, pl.DataFrame],
    frames: dict[str, Any],
    row: int,
    cells: dict[str, str],
    verdict: str,
) -> None:
    changed = [
        pl.when(pl.col("id") == str(row)).then(pl.lit(text)).otherwise(pl.col(name)).alias(name)
        for name, text in cells.items()
    ]
    found = compare(**{**paper, "published": paper["published"].with_columns(changed)}, **frames)
    assert _row(found, row)["verdict"] == verdict


def test_a_cell_that_is_no_number_is_named(paper: dict[str, pl.DataFrame], frames: dict[str, Any]) -> None:
    name = pl.when(pl.col("id") == "64").then(pl.lit("four years")).otherwise(pl.col("value"))
    published = paper["published"].with_columns(name.alias("value"))
    found = compare(**{**paper, "published": published}, **frames)
    assert _row(found, 64)["reason"] == "value “four years” is no number."
