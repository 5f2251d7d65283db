"""The text of the steward's page: escaped, counted, self-contained, without identifying data."""

import base64
import datetime as dt
import hashlib
import json
import re
from typing import Any

import polars as pl
import pytest
from lxml import html as parser

from sarcoma_pipeline.publish.report import steward
from tests.publish.report.pages import HOSTILE, findings, hostile, html, judged


def parsed(text: str) -> Any:
    return parser.document_fromstring(text)


def carried(text: str) -> dict:
    """Return the page's data as its script reads it."""
    return json.loads(parsed(text).get_element_by_id("data").text)


def column(data: dict, name: str) -> list:
    coded = data["findings"][name]
    return [coded["values"][i] for i in coded["index"]]


def counts(text: str) -> dict[str, list[int]]:
    """Return status to errors, warnings and notices as printed on the page."""
    rows = parsed(text).find_class("counts")[0].find("tbody").iter("tr")
    return {row.find("th").text: [int(cell.text) for cell in row.iter("td")] for row in rows}


def test_values_with_html_are_escaped():
    text = html(hostile(), title=HOSTILE)
    page = parsed(text)
    assert [s.get("type") for s in page.iter("script")] == ["application/json", None]
    assert not list(page.iter("img"))
    assert column(carried(text), "value") == [HOSTILE] * 3
    assert page.find(".//header/p").text == HOSTILE


def test_values_with_template_syntax_are_not_expanded():
    assert column(carried(html(findings(1, value=pl.lit("{{script}}")))), "value") == ["{{script}}"]


def test_without_a_ledger_every_finding_is_open():
    assert counts(html(findings(31))) == {"open": [11, 10, 10]}


def test_the_ledgers_statuses_are_counted():
    turn = pl.Series(["open", "waived", "open"] * 10)
    text = html(findings(30, status=turn, who=pl.lit("A. Steward"), until=pl.lit("2030-01-01").str.to_date()))
    assert counts(text) == {"open": [10, 0, 10], "waived": [0, 10, 0]}
    assert column(carried(text), "until") == ["2030-01-01"] * 30


def test_a_page_without_findings():
    text = html(findings(1).clear())
    assert counts(text) == {"open": [0, 0, 0]}
    assert column(carried(text), "finding_id") == []


def test_every_finding_arrives_in_its_columns():
    found = findings(50)
    data = carried(html(found))
    for name in ("finding_id", "rule_id", "pseudonym", "path", "position", "value", "remedy"):
        assert column(data, name) == found[name].to_list()


def test_files_have_their_record_counts():
    assert carried(html(findings(1)))["files"] == {"obds/0.xml": {"records": 10, "quarantined": 1}}
    assert "30 records read = 27 curated + 1 quarantined + 2 exact duplicates" in html(findings(1))


def test_the_page_loads_nothing_and_runs_only_its_own_script():
    text = html(hostile(), nights=3)
    page = parsed(text)
    assert not list(page.iter("link", "iframe", "img", "object", "form[@action]"))
    assert [e.get("href") for e in page.iter("a") if not e.get("href", "").startswith("#")] == []
    assert not [e for e in page.iter() if isinstance(e.tag, str) and (e.get("src") or e.get("style"))]
    style = next(page.iter("style")).text
    assert not re.search(r"url\(|@import|https?:", style)
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for part in (style, list(page.iter("script"))[1].text):
        assert base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() in policy


def test_only_declared_columns_reach_the_page():
    found = findings(3, note=pl.lit("Frau Müller"), family_name=pl.lit("Müller"))
    text = html(found)
    for value in ("secret-", "Müller", "family_name"):
        assert value not in text


@pytest.mark.parametrize("nights", [0, 1])
def test_a_single_refresh_has_no_trend(nights):
    text = html(findings(3), nights=nights)
    assert not parsed(text).xpath("//header//svg")
    assert "from the second night on" in text


def test_the_trend_is_drawn_and_described():
    text = html(findings(3), nights=9)
    (drawing,) = parsed(text).xpath("//header//svg")
    assert drawing.get("aria-label") == "Findings to do over 9 nights. Last night: 2 new, 1 resolved."
    heights = [
        float(p.split(",")[1]) for p in drawing.xpath(".//polyline[@class='error']/@points")[0].split()
    ]
    assert len(heights) == 9
    assert heights == sorted(heights, reverse=True), "more to do stands higher"
    assert "13 errors" in "".join(drawing.itertext())


def test_moves_that_nothing_explains_stand_before_everything_else_until_they_are_settled():
    rule = {
        "rule_id": pl.lit("release.moved-unexplained"),
        "note": pl.lit(f"patient p1; OS: 1 → 2 {HOSTILE}"),
    }
    text = html(findings(2, **rule, status=pl.Series(["open", "acknowledged"])))
    (section,) = parsed(text).find_class("moved")
    assert text.index('class="moved"') < text.index('class="facts"')
    assert len(list(section.iter("li"))) == 1
    assert "OS: 1 → 2" in section.text_content() and not list(section.iter("img"))
    assert not parsed(html(findings(2))).find_class("moved")


def test_a_trend_counts_nights_and_not_refreshes():
    """Three refreshes on two days: of each day the last one counts, and all that came during it."""
    rows = [
        ("20300101T013000Z-aa", "date.in-future", "error", 5, 5, 0, dt.date(2030, 1, 1)),
        ("20300101T220000Z-bb", "date.in-future", "error", 9, 4, 0, dt.date(2030, 1, 1)),
        # Half past midnight at the site is another day there, and the same one in UTC.
        ("20300101T233000Z-cc", "date.in-future", "error", 7, 1, 3, dt.date(2030, 1, 2)),
        ("20300102T090000Z-dd", "date.in-future", "error", 6, 1, 2, dt.date(2030, 1, 2)),
    ]
    schema = {**steward.NO_TREND.schema, "day": pl.Date}
    told = pl.DataFrame(rows, schema=schema, orient="row")
    page = parsed(html(findings(), told=told))
    (drawing,) = page.xpath("//header//*[local-name()='svg']")
    assert drawing.get("aria-label") == "Findings to do over 2 nights. Last night: 2 new, 5 resolved."
    (line,) = page.xpath("//*[local-name()='polyline' and @class='error']")
    assert len((line.get("points") or "").split()) == 2
    data = json.loads(page.get_element_by_id("data").text)
    assert data["news"] == ["20300101T233000Z-cc", "20300102T090000Z-dd"]


def _charts(text: str) -> dict[str, Any]:
    """Return the drawings by the first sentence of their text alternative."""
    drawings = parsed(text).iter("svg")
    return {svg.get("aria-label").partition(".")[0]: svg for svg in drawings}


def test_the_ages_of_findings_are_days_at_the_site():
    seen = ["20300102T013000Z-aa", "20291230T013000Z-aa", "20291003T223000Z-aa", None]
    found = findings(4, first_seen=pl.Series(seen))
    # The refresh of 22:30 UTC was one of the next day at the site, 90 days before the last one.
    days = {"20291003T223000Z-aa": "2029-10-04"}
    chart = _charts(html(found, days=days))["Findings to do by their age"]
    assert chart.get("aria-label") == (
        "Findings to do by their age. up to a day: 1 error; 2 to 7 days: 1 warning; 8 to 30 days: 0; "
        "31 to 90 days: 1 notice; more than 90 days: 0."
    )
    assert [part.get("class") for part in chart.iter("rect")] == ["error", "warning", "notice"]
    # Each number stands in the drawing: nothing is said by colour alone.
    texts = [node.text for node in chart.iter("text")]
    assert {"1 error", "1 warning", "1 notice"} <= set(texts)


def test_findings_by_source_leave_out_what_is_settled():
    status = pl.Series(["open", "waived", "acknowledged", "resolved", "open", "open"])
    found = findings(6, status=status, source=pl.Series(["a", "a", "b", "b", None, "b"]))
    chart = _charts(html(found))["Findings to do by source"]
    assert chart.get("aria-label") == (
        "Findings to do by source. b: 2 notices; a: 1 error; no source: 1 warning."
    )


def test_a_page_without_findings_draws_no_bars():
    text = html(findings(1).clear())
    assert not list(parsed(text).iter("rect"))
    assert "Findings to do by source. No findings to do." in text


def test_a_source_in_the_matrix_is_escaped():
    text = html(findings(1), results=judged(("date.in-future", HOSTILE, 10, 1, 0)))
    (head,) = parsed(text).find_class("matrix")[0].iterfind("tbody/tr/th")
    assert head.text == HOSTILE
    assert [s.get("type") for s in parsed(text).iter("script")] == ["application/json", None]
