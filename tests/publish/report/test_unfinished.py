"""A page to which its files are added later is the page that is made with them at once."""

from typing import Any

import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish.report import raster, unfinished
from sarcoma_pipeline.publish.report.page import page, unfinished_page
from schemas.configuration import Sources, Study
from schemas.language import speaking


@pytest.mark.parametrize("language", ["de"])
def test_the_finished_page_is_the_page(
    language, study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    drawn: list[str] = []

    def png(svg: str) -> bytes:
        drawn.append(svg)
        return b"drawn " + unfinished.digest(svg).encode()

    with speaking(language):
        whole = page(study, sources, frames, {}, None, png)
        html, lacking = unfinished_page(study, sources, frames, {})
    links: Any = lxml_html.document_fromstring(html).xpath("//a/@download")
    assert {name.rpartition(".")[2] for name in links} == {"svg", "csv"}
    assert (lacking.page, lacking.language) == (unfinished.digest(html), language)
    wanted, drawn[:] = sorted(drawn), []
    # In another process, another language is set.
    read = unfinished.read(lacking.text())
    assert read == lacking
    assert read.finished(html, png) == whole
    assert sorted(drawn) == wanted
    # A page that has its files already stays as it is.
    assert read.finished(whole, png) == whole


def test_without_fonts_no_png_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    svg = ("<svg/>", "<svg/>")
    assert [panel.name for panel in unfinished.drawings("f", svg)] == ["f-a.png", "f-b.png"]
    monkeypatch.setattr(raster, "has_fonts", lambda: False)
    assert not list(unfinished.drawings("f", svg))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"made": "2026-01-01", "panels": [], "tables": []}'])
def test_what_is_damaged_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        unfinished.read(text)
