"""The report of tables after disclosure control."""

import re

import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report.page import page
from schemas.configuration import Sources, Study
from schemas.disclosure import WITHHELD, Disclosure

POLICY = Disclosure()


@pytest.fixture(scope="module")
def public(frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    made = disclosure.public(frames, POLICY)
    assert made["analysis.table_one"]["n"].null_count()
    return made


@pytest.fixture(scope="module")
def tree(study: Study, sources: Sources, public: dict[str, pl.DataFrame]) -> lxml_html.HtmlElement:
    return lxml_html.fromstring(page(study, sources, public, {}, POLICY))


def _rows(tree: lxml_html.HtmlElement, key: str) -> list[list[str]]:
    table = tree.xpath(f"//table[@id='{key}'] | //*[@id='{key}']//table")[0]
    return [[" ".join(c.text_content().split()) for c in r.xpath("./td|./th")] for r in table.xpath(".//tr")]


def test_table_one_prints_no_small_count(tree):
    cells = [cell for row in _rows(tree, "table-1") for cell in row[1:]]
    assert WITHHELD in cells
    counts = [int(found[1]) for cell in cells if (found := re.fullmatch(r"(\d+) \(\d+\)", cell))]
    assert counts
    assert not [n for n in counts if 0 < n < POLICY.threshold]


def test_numbers_at_risk_are_rounded_and_events_are_not_printed(tree):
    drawings = tree.xpath("//*[@id='figure-survival']//*[local-name()='svg']")
    assert len(drawings) == 4
    for drawing in drawings:
        words = [t.text_content() for t in drawing.xpath(".//*[local-name()='text']")]
        assert not {"Censored", "Events"} & set(words)
        printed = words[words.index("At risk") + 1 :]
        assert printed
        assert all(n == f"<{POLICY.threshold}" or int(n) % POLICY.rounding == 0 for n in printed)


def test_a_suppressed_ratio_is_printed_as_withheld(tree, public):
    few = public["analysis.hazard_ratio"].filter(pl.col("hazard_ratio").is_null(), model="OS")["contrast"]
    assert few.len()
    rows = {row[0]: row[1] for row in _rows(tree, "table-2") if len(row) > 1}
    assert {rows[c] for c in few} == {WITHHELD}


def test_a_level_with_suppressed_counts_does_not_show_those_of_the_model(tree, public):
    drawing = tree.xpath("//*[@id='figure-forest-os']//*[local-name()='svg']")[0]
    words = [t.text_content() for t in drawing.xpath(".//*[local-name()='text']")]
    row = public["analysis.hazard_ratio"].filter(model="OS").row(0, named=True)
    for contrast in public["analysis.hazard_ratio"].filter(pl.col("level").is_not_null(), model="OS")[
        "contrast"
    ]:
        assert words[words.index(contrast) + 1] == "– / –"
    assert f"{row['events']} / {row['n']}" in words


def test_the_public_page_says_so_and_has_no_pseudonym(tree, patients):
    text = tree.text_content()
    assert "public version" in text
    assert not [p for p in patients["pseudonym"] if re.search(rf"\b{re.escape(p)}\b", text)]


def test_a_study_of_one_endpoint_has_a_public_page(tcga, tcga_sources, tcga_frames):
    text = page(tcga, tcga_sources, disclosure.public(tcga_frames, POLICY), {}, POLICY)
    assert "public version" in text
    assert "nan" not in re.findall(r"[a-z]+", text)
