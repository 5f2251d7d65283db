"""The files that the report offers: each figure as SVG and PNG, each table as CSV, XLSX and Word."""

import csv
import datetime as dt
import re
import struct
import time
from base64 import b64decode
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import docx
import polars as pl
import pytest
from docx.enum.text import WD_ALIGN_PARAGRAPH
from lxml import etree
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report import downloads, raster, word_table
from sarcoma_pipeline.publish.report.drawing import Drawing
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure

NOW = dt.datetime(2026, 1, 1)


@pytest.fixture(scope="module")
def tree(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> Any:
    return lxml_html.document_fromstring(page(study, sources, frames, {}))


@pytest.fixture(scope="module")
def public(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> Any:
    policy = Disclosure()
    return lxml_html.document_fromstring(page(study, sources, disclosure.public(frames, policy), {}, policy))


def _content(link: str) -> bytes:
    return b64decode(link.partition(";base64,")[2])


def test_every_figure_and_table_is_offered(tree: Any) -> None:
    for figure in tree.xpath("//figure"):
        links = {a.get("download"): _content(a.get("href")) for a in figure.xpath(".//a[@download]")}
        drawn = [name for name in links if name.endswith(".svg")]
        assert len(drawn) == len(figure.xpath(".//*[local-name()='svg']"))
        assert set(links) == {*drawn, *(name.replace(".svg", ".png") for name in drawn)}
        for name in drawn:
            root = etree.fromstring(links[name])
            assert root.tag == "{http://www.w3.org/2000/svg}svg" and len(root)
            # The first chunk of a PNG file begins with its width and height (ISO 15948, 11.2.2).
            raster = links[name.replace(".svg", ".png")]
            assert raster.startswith(b"\x89PNG\r\n\x1a\n")
            width, height = struct.unpack(">II", raster[16:24])
            assert width == 1500
            drawn_width, drawn_height = (float(root.get(side) or 0) for side in ("width", "height"))
            assert height == pytest.approx(1500 * drawn_height / drawn_width, abs=1)
    for table in tree.xpath("//table"):
        names = [a.get("download") for a in table.getparent().xpath(".//a[@download]")]
        assert names == [f"{table.get('id')}.{kind}" for kind in ("csv", "xlsx", "docx")]
    names = tree.xpath("//a/@download")
    assert len(names) == len(set(names))


def test_a_csv_file_has_the_cells_of_its_table(tree: Any) -> None:
    for table in tree.xpath("//table"):
        (link,) = table.getparent().xpath(".//a[contains(@download, '.csv')]/@href")
        rows = list(csv.reader(StringIO(_content(link).decode("utf-8-sig"))))
        printed = [
            [cell.text_content() for cell in row.xpath("th|td")]
            for row in table.xpath(".//thead/tr|.//tbody/tr")
        ]
        assert [[c.lstrip("'") for c in row if c][:1] for row in rows] == [row[:1] for row in printed]
        assert len({len(row) for row in rows}) == 1


def test_a_word_file_has_the_cells_of_its_table(tree: Any, study: Study) -> None:
    for table in tree.xpath("//table"):
        (link,) = table.getparent().xpath(".//a[contains(@download, '.docx')]/@href")
        document = docx.Document(BytesIO(_content(link)))
        assert document.core_properties.author == study.owner
        created = document.core_properties.created
        assert created and created.replace(tzinfo=None) == NOW
        (made,) = document.tables
        printed = [
            [cell.text_content() for cell in row.xpath("th|td")]
            for row in table.xpath(".//thead/tr|.//tbody/tr")
        ]
        rows = list(made.rows)
        cells = [[cell.text for cell in row.cells] for row in rows]
        assert [row[: len(told)] for row, told in zip(cells, printed, strict=True)] == printed
        head = rows[0]
        repeated = [bool(row._tr.xpath("./w:trPr/w:tblHeader")) for row in rows]
        assert repeated == [True] + [False] * (len(rows) - 1)
        for column, title in enumerate(table.xpath("./thead/tr/th")):
            right = head.cells[column].paragraphs[0].alignment == WD_ALIGN_PARAGRAPH.RIGHT
            assert right == (title.get("class") == "num")
        caption, *notes = [p.text for p in document.paragraphs]
        assert caption == table.xpath("./caption")[0].text_content().replace("\u00a0", " ")
        below = [p.text_content() for p in table.getparent().xpath("./p[@class='below']")]
        # The page has typographic apostrophes and spaces at which no line ends.
        same = str.maketrans("’\u00a0", "' ")
        assert [n.translate(same) for n in notes] == [p.translate(same) for p in below]


def test_a_file_of_a_public_table_has_what_the_page_prints(public: Any) -> None:
    table, told = public.xpath("//table[@id='table-survival']")[0], {}
    for link in table.getparent().xpath(".//a[@download]"):
        kind, content = link.get("download").partition(".")[2], _content(link.get("href"))
        told[kind] = {
            "csv": lambda c: [cell for row in csv.reader(StringIO(c.decode("utf-8-sig"))) for cell in row],
            "xlsx": lambda c: [
                str(cell) for row in pl.read_excel(BytesIO(c), has_header=False).rows() for cell in row
            ],
            "docx": lambda c: [
                cell.text for row in docx.Document(BytesIO(c)).tables[0].rows for cell in row.cells
            ],
        }[kind](content)
    printed = {cell.text_content() for cell in table.xpath(".//td") if "(" in cell.text_content()}
    assert printed and all(printed <= set(cells) for cells in told.values())
    assert not [
        cell for cells in told.values() for cell in cells if re.search(r"\d\.\d", cell.removesuffix(".0"))
    ]


def test_without_fonts_a_figure_is_offered_as_svg_only(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing = Drawing(100, 50)
    drawing.text(5, 20, "OS")
    svg = drawing.svg("f", "title", "description")
    assert [f.name for f in downloads.of_figure("f", [svg])] == ["f.svg", "f.png"]
    monkeypatch.setattr(raster, "has_fonts", lambda: False)
    assert [f.name for f in downloads.of_figure("f", [svg])] == ["f.svg"]


def test_kept_figures_are_those_that_would_be_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (Drawing(60, 30), Drawing(60, 30))
    one.text(5, 20, "OS")
    other.text(5, 20, "DFS")
    first, second = one.svg("f", "t", "d"), other.svg("f", "t", "d")
    drawn: list[str] = []
    monkeypatch.setattr(raster, "png", lambda svg, draw=raster.png: drawn.append(svg) or draw(svg))
    kept = raster.KeptFigures(tmp_path / "figures")
    images = [kept.png(svg) for svg in (first, second)]
    assert images[0] != images[1] and [kept.png(svg) for svg in (first, second)] == images
    assert drawn == [first, second]
    # It is beside the warehouse, whose files are their owner's only.
    assert (tmp_path / "figures").stat().st_mode & 0o077 == 0
    # A damaged file, a cut one, and another machine's fonts: drawn anew.
    for name in ("damaged", "cut"):
        for path in (tmp_path / "figures").iterdir():
            content = path.read_bytes()
            path.write_bytes(content[:-1] + b"x" if name == "damaged" else content[:40])
        assert [kept.png(svg) for svg in (first, second)] == images
    assert len(drawn) == 6
    later = raster.KeptFigures(tmp_path / "figures")
    assert later.png(second) == images[1]
    later.forget_others()
    assert len(list((tmp_path / "figures").iterdir())) == 1
    monkeypatch.setattr(raster, "_circumstances", lambda: b"other fonts")
    assert later.png(second) == images[1] and drawn[6:] == [second]


def test_texts_of_a_word_file_are_read_as_they_were_written() -> None:
    texts = ('<b> & "c"', " a  b ", "one\ttwo", "one\ntwo", "ä≤ü’")
    lines = (Line(("Group", "", ""), heading=True), *(Line((t, "1", t), indent=True) for t in texts))
    last = Line(("Last", "", ""), heading=True)
    table = Table("t", "Table 1", "a < b", ("", "n", "x"), (*lines, last), (" note & note",))
    document = docx.Document(BytesIO(word_table.document(table, NOW, "A & B")))
    (made,) = document.tables
    rows = [[cell.text for cell in row.cells] for row in made.rows]
    # A merged cell is read once for each of its columns.
    expected = [["", "n", "x"], ["Group"] * 3, *([t, "1", t] for t in texts), ["Last"] * 3]
    assert rows == expected
    assert [p.text for p in document.paragraphs] == ["Table 1. a < b", " note & note"]
    assert document.core_properties.title == "Table 1. a < b" and document.core_properties.author == "A & B"
    widths = [sum(int(w) for w in row._tr.xpath("./w:tc/w:tcPr/w:tcW/@w:w")) for row in made.rows]
    grid = sum(int(w) for w in made._tbl.xpath("./w:tblGrid/w:gridCol/@w:w"))
    # A4 with margins of 2 cm: 17 cm of 1440 / 2.54 twentieths of a point.
    assert set(widths) == {grid} and grid == pytest.approx(17 * 1440 / 2.54, abs=3)
    ruled = [
        [e.tag.rpartition("}")[2] for e in row._tr.xpath("./w:tc[1]/w:tcPr/w:tcBorders/*")]
        for row in made.rows
    ]
    assert ruled == [["top", "bottom"], *([[]] * (len(rows) - 2)), ["bottom"]]
    with pytest.raises(etree.XMLSyntaxError):
        word_table.document(Table("t", "T", "x", ("a",), (Line(("\x00",)),)), NOW, "")


def _table(*rows: tuple[str, ...]) -> Table:
    head = tuple(f"c{i}" for i in range(len(rows[0])))
    return Table("t", "Table 1", "x", head, tuple(Line(row) for row in rows), ("note",))


def test_numbers_are_numbers_and_no_text_is_a_formula() -> None:
    offered = {
        f.kind: _content(f.link) for f in downloads.of_table(_table(("=1+1", "-0.5", "1.20 (0.3; 4)")), NOW)
    }
    assert list(csv.reader(StringIO(offered["CSV"].decode("utf-8-sig"))))[1] == [
        "'=1+1",
        "-0.5",
        "1.20 (0.3; 4)",
    ]
    book = pl.read_excel(BytesIO(offered["XLSX"]), has_header=False)
    assert book.row(2) == ("=1+1", "-0.5", "1.20 (0.3; 4)")
    assert book.row(0)[0] == "Table 1. x" and book.row(-1)[0] == "note"


def test_equal_tables_make_equal_files() -> None:
    one = downloads.of_table(_table(("a", "1")), NOW)
    downloads.of_table.cache_clear()
    later = time.gmtime(time.time() + 86_400)
    with pytest.MonkeyPatch.context() as patched:
        # An archive has the time of the clock if nobody sets it.
        patched.setattr(time, "localtime", lambda *_: later)
        assert downloads.of_table(_table(("a", "1")), NOW) == one
