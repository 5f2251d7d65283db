"""The report as a page: how it aligns numbers, how its curves are drawn."""

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report import curve_names, curves, pdf
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.survival import calibration, subgroups, table_one_groups
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure


@pytest.fixture(scope="module")
def tree(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> Any:
    return lxml_html.document_fromstring(page(study, sources, frames, {}))


@pytest.fixture(scope="module")
def public(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> Any:
    policy = Disclosure()
    return lxml_html.document_fromstring(page(study, sources, disclosure.public(frames, policy), {}, policy))


def _table(*rows: tuple[str, ...]) -> Table:
    head = tuple(f"c{i}" for i in range(len(rows[0])))
    return Table("t", "Table 1", "x", head, tuple(Line(row) for row in rows), ("note",))


@pytest.mark.parametrize(
    ("cells", "right"),
    [
        (("0.436 (0.143; 1.329)", "–"), True),
        (("<0.0001", "12 (14)"), True),
        (("NR (75.7–NR)", "87.6 (56.3–NR)"), True),
        (("18 / 86", "not reached"), True),
        (("withheld", "5"), True),
        (("–", "NR"), True),
        (("–", "–"), False),
        (("12 patients", "3"), False),
        (("yes", "3"), False),
    ],
)
def test_a_column_of_numbers_is_aligned_to_the_right(cells: tuple[str, ...], right: bool) -> None:
    assert _table(*(("row", cell) for cell in cells)).numeric == (False, right)


def test_the_page_aligns_them(tree: Any) -> None:
    for name in ("table-2", "table-survival"):
        (table,) = tree.xpath(f"//table[@id='{name}']")
        assert table.xpath("./thead//th[@class='num']") and table.xpath(".//td[@class='num']")
        assert not table.xpath(".//tbody//th[@class='num']")


def test_every_section_can_be_folded_and_is_in_the_contents(tree: Any) -> None:
    sections = tree.xpath("//section/@id")
    assert [link[1:] for link in tree.xpath("//nav//a/@href")] == sections
    for section in tree.xpath("//section"):
        (details,) = section.xpath("./details")
        assert "open" in details.attrib and details[0].tag == "summary"
        assert section.xpath("./h2")[0].text in details[0].get("aria-label")


def _panel(tree: Any, key: str) -> Any:
    (svg,) = tree.xpath(f"//*[local-name()='svg'][starts-with(@aria-labelledby, '{key}-title')]")
    return svg


def _corners(path: Any) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path.get("d"))]


def test_subgroup_curves_have_bands_colours_styles_and_names(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    factors = [c for c in study.covariates if c.name == "sex"]
    ends = frames["cohort.endpoints"].filter(endpoint="DFS")
    found = subgroups.subgroups(frames["cohort.patients"], ends, factors, study.horizons_months)
    made = {**frames, "analysis.subgroup_curve": found.curves, "analysis.log_rank": found.tests}
    panel = _panel(lxml_html.document_fromstring(page(study, sources, made, {})), "svg-subgroup-dfs-sex")
    paths = panel.xpath("./*[local-name()='path']")
    bands, lines = (
        [p for p in paths if p.get("fill") != "none"],
        [p for p in paths if p.get("fill") == "none"],
    )
    assert len(bands) == len(lines) == 2
    assert len({p.get("stroke") for p in lines}) == len({p.get("stroke-dasharray") for p in lines}) == 2
    names = [t for t in panel.xpath("./*[local-name()='text']") if t.text in ("female", "male")]
    for level, line in zip(("female", "male"), lines, strict=True):
        at = [t for t in names if t.text == level][-1]
        x, y = _corners(line)[-1]
        assert float(at.get("x")) == pytest.approx(x + 6, abs=0.2)
        assert abs(float(at.get("y")) - y) < 20
        # The curve ends at the last time with five patients at risk.
        mine = found.curves.filter(covariate="sex", level=level)
        last = max(mine.filter(pl.col("at_risk") >= 5)["time_months"].to_list())
        assert max(mine["time_months"].to_list()) > last
        steps = [c[0] for c in _corners(line)]
        share = (steps[-1] - steps[0]) / (466 - 150)
        (end,) = [int(t.text) for t in panel.xpath("./*[local-name()='text'][@y='315']")][-1:]
        assert share * end == pytest.approx(last, abs=0.1)


def test_names_of_curves_that_end_together_stand_apart() -> None:
    ends = [(10, 100, "a"), (12, 101, "b"), (14, 295, "c"), (14, 296, "d")]
    placed = curve_names.apart(ends, 44, 296, {"a": 2})
    ys = {level: y for _, y, level in placed}
    assert ys["b"] - ys["a"] >= 26 and ys["c"] - ys["b"] >= 13 and ys["d"] - ys["c"] >= 13
    assert set(ys) == set("abcd") and min(ys.values()) >= 44 and max(ys.values()) <= 296


def test_a_name_that_would_cover_another_curve_stands_in_the_margin() -> None:
    curves_ = {"short": [(0.0, 40.0), (50.0, 40.0)], "long": [(0.0, 44.0), (200.0, 44.0)]}
    names = {level: [level] for level in curves_}
    by = {name.level: name for name in curve_names.placed(curves_, names, 0, 296, 220)}
    assert (by["short"].x, by["short"].leader[0]) == (220, (50.0, 40.0))
    assert (by["long"].x, by["long"].leader) == (206, ())
    # Without the other curve below, the name stands beside its own.
    far = {**curves_, "long": [(0.0, 144.0), (200.0, 144.0)]}
    assert all(not name.leader for name in curve_names.placed(far, names, 0, 296, 220))


def test_public_numbers_are_printed_as_they_were_rounded(public: Any) -> None:
    (table,) = public.xpath("//table[@id='table-survival']")
    cells = [cell.text_content() for cell in table.xpath(".//td")]
    assert any("(" in cell for cell in cells) and not [cell for cell in cells if "." in cell]
    told = " ".join(public.xpath("//section[@id='summary']//text()"))
    assert "%" in told and not re.search(r"\d\.\d+(?: ?%|–| months)", told)
    for key in ("svg-km-os", "svg-km-dfs"):
        words = " ".join(_panel(public, key).itertext())
        assert not re.search(r"\d\.\d", words)


def test_a_public_curve_falls_by_steps_through_the_published_values(
    public: Any, frames: dict[str, pl.DataFrame]
) -> None:
    panel = _panel(public, "svg-km-dfs")
    (line,) = [p for p in panel.xpath("./*[local-name()='path']") if p.get("fill") == "none"]
    corners = _corners(line)
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(corners))
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in pairwise(corners))
    dots = [(float(c.get("cx")), float(c.get("cy"))) for c in panel.xpath("./*[local-name()='circle']")]
    curve = disclosure.public(frames, Disclosure())["analysis.survival_curve"].filter(endpoint="DFS")
    known = curve.filter(pl.col("survival").is_not_null(), pl.col("time_months") > 0)
    assert len(dots) == known.height > 2
    assert all(any(abs(x - a) < 0.2 and abs(y - b) < 0.2 for a, b in corners) for x, y in dots)


def test_equal_steps_between_two_known_times() -> None:
    filled = curves._in_equal_steps([(0, 1.0), (12, 0.8), (18, 0.7)], 6)
    assert [t for t, _ in filled] == [0, 6, 12, 18]
    assert [s for _, s in filled] == pytest.approx([1.0, 0.9, 0.8, 0.7])
    assert curves._in_equal_steps([(0, 1.0)], 6) == [(0, 1.0)]
    assert curves._in_equal_steps([], 6) == []


@pytest.mark.parametrize("author", ["team@example.org", "Müller (Köln) <x>"])
def test_an_author_is_added_to_the_last_information_object(author: str) -> None:
    body = b"%PDF-1.4\n1 0 obj\n<</Title (x \\(y\\))>>\nendobj\n2 0 obj\n<</Type /Catalog>>\nendobj\n"
    start = len(body)
    old = body + (
        b"xref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000045 00000 n \n"
        b"trailer\n<</Size 3\n/Root 2 0 R\n/Info 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start
    )
    new = pdf.with_author(old, author)
    assert new.startswith(old)
    at = int(new.rsplit(b"startxref\n", 1)[1].split()[0])
    assert new[at:].startswith(b"xref\n1 1\n")
    entry = int(new[at:].split(b"\n")[2].split()[0])
    assert new[entry:].startswith(b"1 0 obj\n<</Title (x \\(y\\))")
    (named,) = re.findall(rb"/Author <([0-9a-f]+)>", new[entry:])
    assert bytes.fromhex(named.decode()).decode("utf-16") == author
    assert b"/Prev %d" % start in new[at:]
    assert pdf.with_author(new, "another") == new
    assert pdf.with_author(b"no PDF", author) == b"no PDF"


@pytest.mark.slow
@pytest.mark.skipif(pdf.browser() is None, reason="no Chromium here")
def test_the_pdf_has_bookmarks_and_an_author(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    html = tmp_path / "index.html"
    html.write_text(page(study, sources, frames, {}), encoding="utf-8")
    target = tmp_path / "report.pdf"
    assert pdf.print_pdf(html, target, str(shutil.which(pdf.browser() or "")), "a@b.org")
    made = target.read_bytes()
    assert b"/Outlines" in made and made.count(b"/Title") > 10
    assert "a@b.org".encode("utf-16-be").hex().encode() in made


def test_table_one_by_group_prints_the_groups_side_by_side(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    (factor,) = [c for c in study.covariates if c.name == study.table_one_by]
    groups = table_one_groups.table_one_by_group(frames["cohort.patients"], study.table_one, factor)
    tree: Any = lxml_html.document_fromstring(
        page(study, sources, {**frames, "analysis.table_one_by_group": groups}, {})
    )
    (table,) = tree.xpath("//table[@id='table-1-by-group']")
    head = [cell.text_content() for cell in table.xpath("./thead//th")]
    assert head == ["Characteristic", "Preoperative (n = 62)", "Postoperative (n = 24)", "SMD"]
    rows = [[cell.text_content() for cell in row] for row in table.xpath(".//tbody/tr")]
    assert {len(row) for row in rows} == {4}
    gender = rows.index(next(row for row in rows if row[0] == "Gender"))
    mine = groups.filter(block="Gender")
    assert rows[gender][3] == f"{mine['standardised_difference'][0]:.2f}"
    assert [text for row in rows[gender + 1 : gender + 3] for text in row[1:3]] == mine["text"].to_list()
    assert "analysis.table_one_by_group" not in disclosure.public(
        {**frames, "analysis.table_one_by_group": groups}, Disclosure()
    )


def test_the_calibration_has_a_point_per_group(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    made = calibration.calibration(
        frames["cohort.patients"], frames["cohort.endpoints"], study.models, study.covariates,
        study.horizons_months,
    )  # fmt: skip
    told = {**frames, "analysis.calibration": made}
    tree: Any = lxml_html.document_fromstring(page(study, sources, told, {}))
    panels = tree.xpath("//figure[@id='figure-calibration']//*[local-name()='svg']")
    at = made.filter(horizon_months=24)
    assert len(panels) == at["model"].n_unique() == 4
    for panel, part in zip(panels, at.partition_by("model", maintain_order=True), strict=True):
        dots = panel.xpath("./*[local-name()='circle']")
        groups = part.filter(pl.col("risk_group") > 0)
        assert len(dots) == groups.height - groups["observed"].null_count() >= 2
    rows = [
        [c.text_content() for c in row] for row in tree.xpath("//table[@id='table-calibration']//tbody/tr")
    ]
    printed = [row[3] for row in rows if len(row) == 5]
    assert printed == [f"{100 * p:.1f}" for p in at["predicted"]]
    assert "analysis.calibration" not in disclosure.public(told, Disclosure())
