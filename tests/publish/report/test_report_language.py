"""The report in German: its texts, numbers and files; and in English, which stays as it was."""

import base64
import csv
import io
import re
from gettext import NullTranslations
from typing import Any

import fastexcel
import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report.page import page
from schemas import language
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure
from schemas.language import speaking
from tests.language.messages import messages

OPEN, CLOSE = "⟦", "⟧"
FILE = re.compile(r'"data:[^"]*"')


class Bracketed(NullTranslations):
    """Translates every text to itself in brackets."""

    def gettext(self, message: str) -> str:
        return f"{OPEN}{message}{CLOSE}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        return self.gettext(message)


@pytest.fixture(scope="module", params=[pytest.param("all", marks=pytest.mark.slow), "public"])
def printed(request, study: Study, sources: Sources, frames: dict[str, pl.DataFrame]):
    """Return a function that prints the report, for everybody or for the public."""
    policy = Disclosure() if request.param == "public" else None
    shown = disclosure.public(frames, policy) if policy else frames
    return lambda: page(study, sources, shown, {}, policy)


@pytest.fixture(scope="module")
def german(printed) -> str:
    with speaking("de"):
        return printed()


def parsed(text: str) -> Any:
    return lxml_html.document_fromstring(text)


def shown(text: str) -> str:
    """Return the page without the files that it offers."""
    return FILE.sub('""', text)


def test_a_translation_changes_texts_and_nothing_else(printed, monkeypatch):
    """Every marked text in brackets, without the brackets, is the English report, except for capitals."""
    english = printed()
    monkeypatch.setattr(language, "_translations", lambda _: Bracketed())
    other = shown(printed())
    assert other.count(OPEN) > 300

    # Drawings break lines by length; the first letter of a text is its bracket, and numbers have some, too.
    def texts(text: str) -> str:
        text = text.replace(OPEN, "").replace(CLOSE, "").replace(' class="num"', "")
        text = re.sub(r'<span class="kept">(.*?)</span>', r"\1", text)
        return "".join(text.split()).casefold()

    drawings = re.compile(r"<svg.*?</svg>", re.DOTALL)
    assert texts(drawings.sub("", other)) == texts(drawings.sub("", shown(english)))


def test_the_german_report_has_no_english_text_of_the_program(german):
    tree = parsed(german)
    assert tree.get("lang") == "de"
    words = "\n".join(tree.itertext())
    left = set()
    for one in messages():
        for form in (one.text,) if isinstance(one.text, str) else one.text:
            part = max(re.split(r"\{\w+\}", form), key=len).strip()
            if len(part) > 25 and part in words:
                left.add(part)
    # Shorter texts are also words of the study's own titles and of the paper, which are in English.
    assert not left


def test_numbers_have_a_decimal_comma_in_the_german_report(german):
    tree = parsed(german)
    (table,) = tree.xpath('//table[@id="table-2"]')
    cells = [cell.text_content() for cell in table.xpath(".//td")]
    ratios = [cell for cell in cells if "(" in cell]
    assert ratios and all(re.fullmatch(r"\d+,\d{3} \(\d+,\d{3}; \d+,\d{3}\)|unterdrückt", r) for r in ratios)


def test_no_number_differs_between_the_languages(printed, german):
    numbers = []
    for text in (printed(), german):
        table = parsed(text).get_element_by_id("table-survival")
        numbers.append(re.findall(r"\d+(?:[.,]\d+)?", re.sub("95(?:[ \u00a0]|‑)%", "", table.text_content())))
    english, translated = numbers
    assert english and [n.replace(",", ".") for n in translated] == english


def test_the_german_report_offers_csv_in_english_and_a_workbook_in_german(printed, german):
    def content(text: str, name: str) -> bytes:
        (link,) = parsed(text).xpath(f'//a[@download="{name}"]/@href')
        return base64.b64decode(str(link).partition("base64,")[2])

    name = "table-1"
    assert content(german, f"{name}.csv") == content(printed(), f"{name}.csv")
    head = next(csv.reader(io.StringIO(content(german, f"{name}.csv").decode("utf-8-sig"))))
    assert head[0].startswith("Patient characteristics")
    sheet = fastexcel.read_excel(content(german, f"{name}.xlsx")).load_sheet(0, header_row=1).to_polars()
    assert sheet.columns[0].startswith("Patientenmerkmale")
