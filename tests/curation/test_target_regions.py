"""Codes of target regions: the final dot of the list of 2014, and codes of the other list."""

import polars as pl
import pytest

from sarcoma_pipeline.curation import target_regions

CODES = {
    # what: code, list; code that counts, whether it is a finding
    "of its list": ("4.7", "2021", "4.7", False),
    "of its list, with its dot": ("4.8.", "2014", "4.8.", False),
    "without its dot": ("4.8", "2014", "4.8.", True),
    "of 2021 under 2014": ("7.3", "2014", "7.3", True),
    "of 2014 under 2021": ("4.8.", "2021", "4.8.", True),
    "without its dot, list unknown": ("3.3", None, "3.3", False),
    "of 2014, list unknown": ("4.8.", None, "4.8.", False),
    "in no list": ("99", "2014", "99", False),
    "no code": (None, "2014", None, False),
}


@pytest.mark.parametrize(("code", "list_", "region", "found"), CODES.values(), ids=CODES)
def test_a_code_is_read_with_the_list_that_it_names(code, list_, region, found):
    row = pl.DataFrame(
        {"Zielgebiet": [code], "Zielgebiet_CodeVersion": [list_]},
        schema={"Zielgebiet": pl.String, "Zielgebiet_CodeVersion": pl.String},
    )
    reading = target_regions.reading()
    ((rule, condition),) = reading.notes
    assert row.select(reading.value, found=condition).row(0) == (region, found)
    assert rule is target_regions.OTHER_LIST
