"""TNM categories with their signs, FNCLCC grades and sides of OPS codes, as they are written."""

import polars as pl
import pytest

from sarcoma_pipeline.curation import tnm


def read(value: pl.Expr, **columns: str | None):
    return pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).select(v=value)["v"].item()


@pytest.mark.parametrize(
    ("letter", "text", "category"),
    [
        ("T", "2b", "T2"), ("T", "ypT2(m)", "T2"), ("T", "0", "T0"), ("T", "4", "T4"), ("T", "x", "TX"),
        ("T", "5", None), ("T", "is", None), ("T", "a", None), ("T", "N1", None), ("T", None, None),
        ("N", "0(i+)", "N0"), ("N", "1", "N1"), ("N", "2b", "N1"), ("N", "3", "N1"), ("N", "4", None),
        ("M", "1a", "M1"), ("M", "0", "M0"), ("M", "2", None),
    ],
)  # fmt: skip
def test_a_category_without_its_subcategory_and_signs(letter, text, category):
    assert read(tnm.category("t", letter).value, t=text) == category


@pytest.mark.parametrize(
    ("element", "t", "n", "stated", "unknown"),
    [
        ("y", "2", None, True, False), ("Y ", "2", None, True, False), (None, "2", None, False, False),
        ("", "2", None, False, False), ("r", "2", None, False, True), ("1", None, None, False, True),
        (None, "ypT2", None, True, False), (None, "2", "ypN0", True, False),
        (None, "pT2", "pN0", False, False), ("z", "ypT2", None, True, True), (None, None, None, False, False),
    ],
)  # fmt: skip
def test_y_is_its_element_or_a_letter_before_any_category(element, t, n, stated, unknown):
    reading = tnm.symbol("y_Symbol", ("t", "n", "m"), "y")
    told = {"y_Symbol": element, "t": t, "n": n, "m": None}
    assert read(reading.value, **told) is stated
    ((_, doubtful),) = reading.notes
    assert read(doubtful, **told) is unknown


@pytest.mark.parametrize(
    ("text", "element", "kind", "prefix", "unknown"),
    [
        ("2", None, "TNM", "c", False), ("2", None, "pTNM", "p", False), ("2", "p", "TNM", "p", False),
        ("2", " C", "pTNM", "c", False), ("2", "u", "TNM", "u", False), ("pT2", None, "TNM", "p", False),
        ("uT2", None, "TNM", "u", False), ("cT2", None, "TNM", "c", False), ("pT2", "c", "TNM", "c", False),
        ("2", "q", "TNM", "c", True), ("2", "", "TNM", "c", False), (None, "q", "pTNM", None, False),
    ],
)  # fmt: skip
def test_the_prefix_is_the_element_then_the_letter_then_the_kind(text, element, kind, prefix, unknown):
    reading = tnm.prefix("t", "c_p_u_Praefix_T", "T", "kind")
    told = {"t": text, "c_p_u_Praefix_T": element, "kind": kind}
    assert read(reading.value, **told) == prefix
    ((_, doubtful),) = reading.notes
    assert read(doubtful, **told) is unknown


@pytest.mark.parametrize(
    ("text", "suffix"),
    [("1(m)", "(m)"), ("0 (sn)", "(sn)"), ("1mi(sn)", "mi(sn)"), ("1", None), (None, None)],
)
def test_the_suffix_is_kept_as_delivered(text, suffix):
    assert read(tnm.suffix("n", "N").value, n=text) == suffix


@pytest.mark.parametrize(
    ("codes", "side"),
    [
        (["5-782.1aR"], "right"), (["5-782.1a:l"], "left"), (["5-782.1aB"], "bilateral"),
        (["5-782.1aR", "5-893.1b L"], "bilateral"), (["5-782.1aR", "5-893.1b"], "right"),
        (["5-782.1aR", "5-893.1bB"], "bilateral"), (["5-782.1a"], None), ([], None), (["rechts"], None),
    ],
)  # fmt: skip
def test_the_side_in_a_list_of_codes(codes, side):
    frame = pl.DataFrame({"codes": [codes]}, schema={"codes": pl.List(pl.String)})
    assert frame.select(tnm.ops_side(pl.col("codes")).alias("side"))["side"].to_list() == [side]


@pytest.mark.parametrize(
    ("text", "code"), [("5-782.1aR", "5-782.1a"), ("5-782.1a:L", "5-782.1a"), ("5-782.1a", "5-782.1a"),
                       ("rechts", "rechts"), (None, None)]
)  # fmt: skip
def test_a_code_without_its_side(text, code):
    assert read(tnm.ops_code(pl.col("c")), c=text) == code
