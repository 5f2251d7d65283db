"""No text is a formula for a spreadsheet, wherever it splits the cell; all else stays as it is."""

import polars as pl
import pytest

from schemas.spreadsheet import neutralised


def one(text: str | None) -> str | None:
    return neutralised(pl.DataFrame({"text": [text]}, schema={"text": pl.String}))["text"].item()


@pytest.mark.parametrize("sign", list("=+-@＝＋－＠﹦−"))
@pytest.mark.parametrize("before", ["", " ", "  ", "\u00a0", "\u200b", "\ufeff"])
def test_a_sign_is_neutralised_after_blanks_that_a_spreadsheet_skips(sign, before):
    assert one(f"{before}{sign}cmd") == f"{before}'{sign}cmd"


@pytest.mark.parametrize("separator", list(";,|\t\r\n"))
@pytest.mark.parametrize("blank", ["", " "])
def test_a_sign_is_neutralised_after_each_separator(separator, blank):
    assert one(f"a{separator}{blank}=1") == f"a{separator}{blank}'=1"
    assert one(f"a{separator}b{separator}{blank}@x") == f"a{separator}b{separator}{blank}'@x"


@pytest.mark.parametrize("text", ["a=b", "C49.2", "Müller-Lüdenscheidt", "1-2", "a; b", "", None])
def test_a_plain_text_is_unchanged(text):
    assert one(text) == text


def test_numbers_are_unchanged():
    frame = pl.DataFrame({"number": [-0.5, 0.0, None], "whole": [-1, 2, None]})
    assert neutralised(frame).equals(frame)
