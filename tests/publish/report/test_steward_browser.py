"""The steward's page in a browser: opened from a file, without network, by mouse and keyboard."""

import shutil
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest
import yaml

from tests.publish.report.pages import SEVERITY, findings, hostile, html, judged, records

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

FIRST, SECOND, THIRD = SEVERITY

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser here: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def visit(browser, tmp_path) -> Iterator[Callable]:
    """Open a page of findings offline; any error of the browser fails the test."""
    contexts, complaints = [], []

    def opened(found: pl.DataFrame, address: str = "", width: int = 1280, **more):
        path = tmp_path / "steward.html"
        path.write_text(html(found, nights=5, **more), "utf-8")
        context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("request", lambda r: complaints.append(r.url) if r.url.startswith("http") else None)
        page.goto(f"{path.as_uri()}{address}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def shown(page, column: int = 1) -> list[str]:
    """Return the texts of one column."""
    return page.locator(f"tr.row td:nth-child({column})").all_inner_texts()


def test_filter_by_severity(visit):
    page = visit(findings())
    assert len(shown(page)) == 30
    page.select_option("[name=severity]", "error")
    page.wait_for_selector("#count:text-is('10 of 30 findings')")
    assert set(shown(page)) == {"error"}
    assert "severity=error" in page.url


def test_the_url_keeps_the_filters(visit):
    page = visit(findings(), "#view=list&severity=warning&q=line+1")
    assert set(shown(page)) == {"warning"}
    assert page.input_value("[name=q]") == "line 1"
    page.click("[type=reset]")
    page.wait_for_selector("#count:text-is('30 of 30 findings')")


def test_search_looks_at_every_column(visit):
    page = visit(findings())
    page.keyboard.press("/")
    page.keyboard.type("VALUE 17")
    page.wait_for_selector("#count:text-is('1 of 30 findings')")
    assert page.locator("tr.row .opens").get_attribute("id") == "finding-f17"


def test_sort_by_rule_and_back(visit):
    page = visit(findings())
    heading = page.get_by_role("columnheader", name="Rule")
    assert heading.get_attribute("aria-sort") == "none"
    page.get_by_role("button", name="Rule", exact=True).click()
    page.wait_for_selector("th[aria-sort=ascending] [data-sort=rule]")
    up = page.locator("tr.row small:first-of-type").all_inner_texts()
    rules = [r for r in up if "." in r and not r.startswith("line")]
    assert rules == sorted(rules)
    page.keyboard.press("Enter")
    page.wait_for_selector("th[aria-sort=descending] [data-sort=rule]")
    down = [r for r in page.locator("tr.row small").all_inner_texts() if r in rules]
    assert down == sorted(rules, reverse=True)


def test_a_row_opens_by_keyboard(visit):
    page = visit(findings())
    row = page.locator("#finding-f3")
    row.focus()
    assert row.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Enter")
    assert row.get_attribute("aria-expanded") == "true"
    told = page.locator("#detail-f3").inner_text()
    assert "Mend it." in told
    assert 'sarcoma findings waive f3 --study s --by "YOU" --reason "WHY" --until YYYY-MM-DD' in told
    assert page.locator("#detail-f3 code").count() == 2
    page.keyboard.press("Space")
    assert page.locator("#detail-f3").count() == 0


def test_every_control_is_reached_by_tab(visit):
    page = visit(findings(3))
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(e => e.name || e.dataset.view || e.dataset.sort || e.className)(document.activeElement)"
            )
        )
    assert {"skip", "list", "rule", "file", "patient", "q", "severity", "status", "value", "opens"} <= reached


def test_a_link_to_a_finding_opens_it(visit):
    found = findings(500, status=pl.Series(["open"] * 450 + ["resolved"] * 50))
    page = visit(found, "#finding-f449")
    assert page.locator("#detail-f449").is_visible()
    assert page.evaluate("document.activeElement.id") == "finding-f449"
    page = visit(found, "#finding-f499")
    assert page.locator("#detail-f499").is_visible(), "a resolved one is shown all the same"


def test_waived_and_resolved_findings_are_not_to_do(visit):
    page = visit(findings(30, status=pl.Series(["open", "waived", "resolved"] * 10)))
    assert len(shown(page)) == 10
    page.select_option("[name=status]", "waived")
    page.wait_for_selector("#count:text-is('10 of 30 findings')")
    page.wait_for_selector("tr.row .severity.warning")
    page.select_option("[name=status]", "")
    page.wait_for_selector("#count:text-is('30 of 30 findings')")


@pytest.mark.parametrize(
    ("view", "groups"),
    [("rule", 3), ("file", 2), ("patient", 5)],
)
def test_groups_lead_to_their_findings(visit, view, groups):
    page = visit(findings())
    page.click(f"nav [data-view={view}]")
    page.wait_for_selector("table.groups")
    assert page.locator("nav [aria-current=page]").get_attribute("data-view") == view
    rows = page.locator(".groups tbody tr")
    assert rows.count() == groups
    total = int(rows.first.locator("td:nth-child(5)").inner_text())
    rows.first.locator("a").click()
    page.wait_for_selector("table.list")
    assert len(shown(page)) == total
    page.go_back()
    page.wait_for_selector("table.groups")


def test_twenty_thousand_findings_are_shown_in_parts(visit):
    page = visit(findings(20_000))
    assert page.locator("tr.row").count() == 200
    page.click("#more")
    assert page.locator("tr.row").count() == 400
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == 201
    page.fill("[name=q]", "value 19999")
    page.wait_for_selector("#count:text-is('1 of 20000 findings')")


def test_a_phone_scrolls_in_one_direction(visit):
    page = visit(findings(value=pl.lit("x" * 300), path=pl.lit("y" * 300)), width=360)
    page.locator(".opens").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.click("nav [data-view=file]")
    page.wait_for_selector("table.groups")
    assert page.evaluate("document.documentElement.scrollWidth") == 360


NEAR = records(
    "f0",
    ("a.csv", "lost", "family_name", "xxx", "in quarantine"),
    ("a.csv", "lost", "sex", "female", "in quarantine"),
    ("b.xml", "won", "family_name", "xxx-xx", "its name is used"),
    ("b.xml", "won", "sex", "female", "used"),
    ("b.xml", "won", "hospital_number", "9999", "used"),
)  # fmt: skip


def test_two_records_stand_side_by_side(visit):
    page = visit(findings(3), records=NEAR)
    page.click("#finding-f0")
    table = page.locator("#detail-f0 table.pair")
    heads = table.locator("thead th").all_inner_texts()
    assert [" ".join(head.split()) for head in heads] == [
        "a.csv, line 7 source of a.csv, patient p1 this finding's record lost in quarantine",
        "b.xml, line 7 source of b.xml, patient p1",
    ]
    rows = {
        row.locator("th").inner_text(): [" ".join(c.split()) for c in row.locator("td").all_inner_texts()]
        for row in table.locator("tbody tr").all()
    }
    # Who won is said once where it is the same for all values of a record, else beside each value.
    assert rows == {
        "typed.person.family_name": ["xxx", "xxx-xx won its name is used"],
        "typed.person.sex": ["female", "female won used"],
        "typed.person.hospital_number": ["", "9999 won used"],
    }


def test_records_that_share_no_column_are_listed(visit):
    apart = records("f0", ("a.csv", "lost", "birth_date", "9", "w"), ("b.xml", "won", "death_date", "9", "w"))
    page = visit(findings(3), records=apart)
    page.click("#finding-f0")
    assert page.locator("#detail-f0 table.sides tbody tr").count() == 2


def test_a_phone_scrolls_in_one_direction_below_long_names_of_records(visit):
    long = pl.lit("/oBDS" + "/Menge_Meldung" * 9)
    for one in (NEAR, NEAR.with_columns(column_name="value").unique("path", maintain_order=True).with_columns(
        table_name="path"
    )):  # fmt: skip
        page = visit(findings(3), records=one.with_columns(position=long), width=360)
        page.click("#finding-f0")
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        name = page.locator("#detail-f0 caption").bounding_box()
        assert name["height"] < 40, "the caption is one line"


def test_a_choice_says_what_each_reading_means(visit):
    told = {"f0": {1: "the record is this patient's", 2: "the record is nobody's"}}
    page = visit(findings(2), actions={"f0": ["decide 1", "decide 2"]}, readings=told)
    page.click("#finding-f0")
    shown_facts = page.locator("#detail-f0 dl").inner_text()
    assert "Reading 1\nthe record is this patient's\nReading 2\nthe record is nobody's" in shown_facts
    assert "Choose reading 2\nsarcoma findings decide f0" in shown_facts


def test_a_link_to_a_finding_opens_it_below_the_heading(visit):
    page = visit(findings(500), "#finding-f449")
    head = page.locator("table.list thead").bounding_box()
    row = page.locator("#finding-f449").bounding_box()
    assert head["y"] + head["height"] <= row["y"] + 1


def test_groups_are_readable_on_a_phone(visit):
    page = visit(findings(path=pl.lit("tables/" + "spaetfolgen" * 2 + ".csv")), "#view=file", width=360)
    assert page.locator(".groups tbody td").first.bounding_box()["width"] > 300
    assert page.locator(".groups tbody tr").first.inner_text().count("\n") < 12


def test_hostile_values_are_only_shown(visit):
    page = visit(hostile())
    page.locator(".opens").first.click()
    page.click("nav [data-view=file]")
    page.wait_for_selector("table.groups")
    assert page.title() == "Findings – s"
    assert "onerror" in page.locator(".groups a").first.inner_text()


def test_what_is_new_since_last_night(visit):
    nights = [f"2030010{n + 1}T013000Z-aa" for n in range(5)]
    found = findings(30, news_in=pl.Series(nights * 6))
    page = visit(found)
    assert page.locator("form select").first.get_attribute("name") == "news"
    page.select_option("[name=news]", "1")
    page.wait_for_selector("#count:text-is('6 of 30 findings')")
    ids = page.locator("tr.row .opens").evaluate_all("all => all.map((b) => b.id)")
    assert sorted(ids) == sorted(f"finding-f{i}" for i in range(4, 30, 5))
    assert "news=1" in page.url


def test_the_beginning_of_an_id_leads_to_its_finding(visit):
    ids = pl.Series([f"{i:04x}aa" for i in range(30)])
    page = visit(findings(30, finding_id=ids), "#finding-0007")
    assert page.locator("#detail-0007aa").is_visible()


def test_what_is_shown_can_be_downloaded(visit):
    found = findings(30, value=pl.Series(["=1+1", 'a "b", c', None] * 10))
    page = visit(found, "#view=list&severity=error")
    with page.expect_download() as begun:
        page.click("#download")
    assert begun.value.suggested_filename == "s-findings.csv"
    sheet = pl.read_csv(begun.value.path(), infer_schema_length=0)
    wanted = found.filter(pl.col("severity") == "error")
    assert sheet["finding_id"].to_list() == wanted["finding_id"].to_list()
    assert set(sheet["value"].drop_nulls()) == {"'=1+1"}
    assert sheet["path"].to_list() == wanted["path"].to_list()


def test_a_decision_is_prepared_in_the_launchpad(visit):
    actions = {
        "f0": ["acknowledge", "waive"],
        "f1": ["reopen"],
        "f2": [],
        "f3": ["acknowledge", "decide 1", "decide 2"],
    }
    page = visit(findings(4), actions=actions, dagster_url="https://sarcoma.example.org/")
    for finding in actions:
        page.click(f"#finding-{finding}")
    for finding, offered in actions.items():
        links = page.locator(f"#detail-{finding} a[data-action]")
        assert links.evaluate_all("all => all.map((a) => a.dataset.action)") == offered
        for link in links.all():
            address = urlsplit(link.get_attribute("href"))
            assert (address.netloc, address.path) == (
                "sarcoma.example.org",
                "/locations/s/jobs/decide/playground/setup",
            )
            (config,) = parse_qs(address.query)["config"]
            action, _, reading = link.get_attribute("data-action").partition(" ")
            # Only the finding's id is of the data: nothing of patient, file or value.
            wanted = {"action": action, "finding_ids": [finding], "by": None, "reason": None}
            wanted |= {"reading": int(reading)} if reading else {}
            wanted |= {"until": None} if action == "waive" else {}
            assert yaml.safe_load(config) == {"ops": {"record_decisions": {"config": wanted}}}
    # What would be refused is not offered as a command either.
    assert page.locator("#detail-f1 dt", has_text="Waive").count() == 0


def test_without_an_address_no_launchpad_is_offered(visit):
    page = visit(findings(1), actions={"f0": ["acknowledge"]})
    page.click("#finding-f0")
    assert page.locator("a[data-action]").count() == 0
    assert page.locator("#detail-f0 dt", has_text="Acknowledge").count() == 1


def test_rules_that_nothing_breaks_are_listed_with_what_they_judged(visit):
    results = judged(
        (FIRST, None, 100, 10, 0), (SECOND, None, 50, 10, 3), (THIRD, None, 10, 10, 0),
        ("surgery.fine", None, 4321, 0, 0), ("delivery.shrunk", None, None, 0, 0),
    )  # fmt: skip
    page = visit(findings(), "#view=rule&status=", results=results)
    rows = page.locator(".groups tbody tr")
    shown_rows = {
        row.locator("td").first.inner_text().splitlines()[0]: row.locator("td").all_inner_texts()[4:]
        for row in rows.all()
    }
    assert shown_rows == {
        FIRST: ["10", "100", "10", "10.0", "0"],
        SECOND: ["10", "50", "10", "14.0", "3"],
        THIRD: ["10", "10", "10", "100.0", "0"],
        "surgery.fine": ["0", "4321", "0", "0.0", "0"],
        "delivery.shrunk": ["0", "", "0", "", "0"],
    }
    page.click("[data-sort=percent]")
    page.wait_for_selector(f".groups tbody tr:first-child a:text-is('{THIRD}')")
    page.select_option("[name=severity]", "error")
    page.wait_for_selector("#count:text-is('10 of 30 findings')")
    assert rows.count() == 1


def test_a_share_above_its_threshold_is_marked(visit):
    results = judged(
        (FIRST, None, 100, 10, 0), (SECOND, None, 50, 10, 3),
        max_percent=pl.Series([5.0, None]), above_since=pl.Series(["20300102T013000Z-aa", None]),
    )  # fmt: skip
    page = visit(findings(), "#view=rule", results=results)
    assert page.locator(".groups th [data-sort=max_percent]").count() == 1
    assert page.locator(".groups tr.above").count() == 1
    assert "More than the threshold allows" in page.locator(".groups tr.above").inner_text()
    assert page.locator(".groups tr.above td").nth(8).inner_text() == "5"


def test_a_cell_of_the_matrix_leads_to_its_findings(visit):
    seen = pl.lit("20300101T013000Z-aa")
    found = findings(30, source=pl.Series(["sheet & more", "oBDS", None] * 10), first_seen=seen)
    results = judged(
        (FIRST, None, 100, 10, 0), (FIRST, "sheet & more", 40, 10, 0), (THIRD, "oBDS", 60, 0, 0),
        (SECOND, "oBDS", None, 10, 0),
    )  # fmt: skip
    page = visit(found, results=results)
    assert not page.locator("#quality").is_visible()
    page.click("nav [data-view=quality]")
    page.wait_for_selector("#quality:visible")
    assert not page.locator("form").is_visible() and not page.locator("#results").is_visible()
    cells = page.locator(".matrix tbody tr").all_inner_texts()
    assert [" ".join(cell.split()) for cell in cells] == [
        "oBDS – 0.0 % 0 of 60 10", "sheet & more – – 25.0 % 10 of 40",
    ]  # fmt: skip
    page.get_by_role("link", name="sheet & more, plausibility: 25.0 % 10 of 40").click()
    page.wait_for_selector("#count:text-is('10 of 30 findings')")
    assert page.input_value("[name=source]") == "sheet & more"
    assert page.input_value("[name=category]") == "plausibility"
    assert set(shown(page)) == {"error"}
    page.go_back()
    page.wait_for_selector("#quality:visible")
    assert page.locator("#quality svg[role=img]").count() == 2


def test_without_a_script_matrix_and_charts_are_read(browser, tmp_path):
    path = tmp_path / "steward.html"
    path.write_text(html(findings(first_seen=pl.lit("20300101T013000Z-aa")), nights=3,
                         results=judged((FIRST, "oBDS", 40, 10, 0))), "utf-8")  # fmt: skip
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator(".matrix").is_visible()
    assert [chart.is_visible() for chart in page.locator("svg[role=img]").all()] == [True] * 3
    context.close()


def test_the_groups_that_are_shown_can_be_downloaded(visit):
    page = visit(findings(path=pl.Series(["=cmd()", "b.xml"] * 15)), "#view=file")
    with page.expect_download() as begun:
        page.click("#download")
    assert begun.value.suggested_filename == "s-by-file.csv"
    sheet = pl.read_csv(begun.value.path(), infer_schema_length=0)
    assert sheet.columns[:5] == ["file", "error", "warning", "notice", "total"]
    assert sorted(sheet["file"]) == ["'=cmd()", "b.xml"]
    assert sheet["total"].to_list() == ["15", "15"]
