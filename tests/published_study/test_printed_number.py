"""Numbers are read as papers print them."""

from math import inf

import pytest

from sarcoma_pipeline.published_study import printed_number
from sarcoma_pipeline.published_study.printed_number import NOT_ESTIMABLE, NOT_REACHED, Unreadable, box, read


@pytest.mark.parametrize(
    ("printed", "column", "canonical"),
    [
        ("0.432", "value", "0.432"),
        ("0,432", "value", "0.432"),
        ("0·432", "value", "0.432"),
        (".432", "value", "0.432"),
        ("1.080", "ci_high", "1.080"),
        ("−0.5", "value", "-0.5"),
        ("50,4 Gy", "value", "50.4"),
        ("48 months", "value", "48"),
        ("1.234,5", "value", "1234.5"),
        ("1,234.5", "value", "1234.5"),
        ("1,234", "n", "1234"),
        ("1.234", "n", "1234"),
        ("1 234", "n", "1234"),
        ("n = 86", "n", "86"),
        ("12†", "n", "12"),
        ("100 %", "pct", "100"),
        ("(72)", "pct", "72"),
        ("< 1", "pct", "<1"),
        ("p < 0.001", "p", "<0.001"),
        ("<.001", "p", "<0.001"),
        ("P=.04", "p", "0.04"),
        ("≤0.05", "p", "<0.05"),
        (">0.99", "p", ">0.99"),
        ("0.000", "p", "0.000"),
        ("n.s.", "p", ">0.05"),
        ("p = n.s.", "p", ">0.05"),
        ("NS", "p", ">0.05"),
        ("0.03*", "p", "0.03"),
        ("0.03a", "p", "0.03"),
        ("1.2 × 10^-5", "p", "0.000012"),
        ("2×10−4", "p", "0.0002"),
        ("3e-4", "p", "0.0003"),
        ("NR", "value", NOT_REACHED),
        ("Not yet reached", "value", NOT_REACHED),
        ("not met", "value", NOT_REACHED),
        ("∞", "ci_high", NOT_REACHED),
        ("NE", "ci_high", NOT_ESTIMABLE),
        ("not estimable", "ci_high", NOT_ESTIMABLE),
        ("–", "value", ""),
        ("NA", "p", ""),
        ("NR", "pct", ""),
        ("", "n", ""),
        (None, "n", ""),
    ],
)
def test_ordinary_printing_is_read(printed: str | None, column: str, canonical: str) -> None:
    assert read(printed, column) == canonical


@pytest.mark.parametrize("printed", ["abc", "0.62-0.97", "1e400", "9" * 60, "12 of", "--5", "0.1.2"])
def test_what_is_no_number_is_refused(printed: str) -> None:
    with pytest.raises(Unreadable):
        read(printed)


@pytest.mark.parametrize(
    ("printed", "limits"),
    [
        ("0.217–0.973", ("0.217", "0.973")),
        ("(0.217; 0.973)", ("0.217", "0.973")),
        ("[77.8, 93.5]", ("77.8", "93.5")),
        ("0,217–0,973", ("0,217", "0,973")),
        ("95 % CI: 1.7 to 2.0", ("1.7", "2.0")),
        ("−0.5–0.7", ("-0.5", "0.7")),
        ("48–NR", ("48", "NR")),
        ("0.217", None),
    ],
)
def test_an_interval_in_one_cell_is_split(printed: str, limits: tuple[str, str] | None) -> None:
    assert printed_number.interval(printed) == limits


@pytest.mark.parametrize(
    ("canonical", "numbers"),
    [
        ("0.46", (0.455, 0.465)),
        ("0.460", (0.4595, 0.4605)),
        ("48", (47.5, 48.5)),
        ("<0.001", (-inf, 0.001)),
        (">0.99", (0.99, inf)),
        (NOT_REACHED, (inf, inf)),
    ],
)
def test_a_printed_number_stands_for_all_that_round_to_it(
    canonical: str, numbers: tuple[float, float]
) -> None:
    assert box(canonical) == pytest.approx(numbers)
