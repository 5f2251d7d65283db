"""The report: it prints the content of the frames and needs no other files."""

import re
from decimal import ROUND_HALF_UP, Decimal
from importlib import metadata
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from lxml import html as lxml_html

from sarcoma_pipeline.publish.report import methods, pdf, strobe
from sarcoma_pipeline.publish.report.page import page
from sarcoma_pipeline.survival import sensitivity, subgroups
from schemas.configuration import Sources, Study

VERSIONS = {"Python": "3.11", "polars": "2.0"}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def text(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> str:
    return page(study, sources, frames, VERSIONS)


@pytest.fixture(scope="module")
def tree(text: str) -> lxml_html.HtmlElement:
    return lxml_html.document_fromstring(text)


def _rows(tree: lxml_html.HtmlElement, key: str) -> list[list[str]]:
    (table,) = tree.xpath(f'//table[@id="{key}"]')
    return [[cell.text_content() for cell in row.xpath("th|td")] for row in table.xpath(".//tbody/tr")]


def _half_up(value: float, decimals: int) -> str:
    return str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP))


def _words(tree: lxml_html.HtmlElement, xpath: str) -> str:
    return " ".join(" ".join(e.itertext()) for e in tree.xpath(xpath))


def test_the_same_input_gives_the_same_bytes(
    text: str, study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    shuffled = {name: frames[name].sample(fraction=1, shuffle=True, seed=1) for name in reversed(frames)}
    shuffled["analysis.published_audit"] = frames["analysis.published_audit"]
    for name in ("analysis.survival_estimate", "analysis.survival_sensitivity"):
        shuffled[name] = frames[name]
    assert page(study, sources, shuffled, VERSIONS).encode() == text.encode()


def test_the_page_loads_nothing(text: str, tree: lxml_html.HtmlElement) -> None:
    assert not tree.xpath("//script|//link|//img|//iframe|//object|//embed|//*[@src]|//*[@srcset]")
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    links = tree.xpath("//a[not(@download)]/@href")
    assert links and all(link.startswith("#") and link[1:] in ids for link in links)
    # A file that is offered is a part of the page; a browser never loads it as a page.
    offered = tree.xpath("//a[@download]/@href")
    assert offered and all(link.startswith("data:") for link in offered)
    assert not re.search(r"url\(|@import", text)
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}


def test_every_figure_has_title_and_description(tree: lxml_html.HtmlElement) -> None:
    figures = tree.xpath("//*[local-name()='svg']")
    assert len(figures) == 1 + 4 + 4
    for figure in figures:
        named = figure.get("aria-labelledby").split()
        told = [figure.xpath(f'.//*[@id="{key}"]')[0].text for key in named]
        assert figure.get("role") == "img" and len(told) == 2 and all(told), told
    assert all(caption.text_content() for caption in tree.xpath("//figure/figcaption"))
    assert len(tree.xpath("//figcaption")) == len(tree.xpath("//figure"))


def test_every_table_has_a_caption_and_scoped_headings(tree: lxml_html.HtmlElement) -> None:
    for table in tree.xpath("//table"):
        assert table.xpath("./caption")
        assert not table.xpath(".//th[not(@scope)]")
        width = len(table.xpath("./thead/tr/th"))
        for row in table.xpath("./tbody/tr"):
            spans = [int(cell.get("colspan", 1)) for cell in row]
            assert sum(spans) == width


def test_table_one_equals_the_frames(tree: lxml_html.HtmlElement, frames: dict[str, pl.DataFrame]) -> None:
    printed = [row[-1] for row in _rows(tree, "table-1") if len(row) == 2]
    assert printed == frames["analysis.table_one"].sort("position")["text"].to_list()


def test_models_equal_the_frames_in_the_papers_layout(
    tree: lxml_html.HtmlElement, study: Study, frames: dict[str, pl.DataFrame]
) -> None:
    for number, model in enumerate(study.models, 2):
        rows = frames["analysis.hazard_ratio"].filter(model=model.name).sort("position").rows(named=True)
        printed = [row for row in _rows(tree, f"table-{number}") if len(row) == 3]
        assert [row[0] for row in printed] == [row["contrast"] for row in rows]
        drawn = _words(tree, f"//figure[@id='figure-forest-{model.name.lower()}']//*[local-name()='text']")
        for row, (_, ratio, p) in zip(rows, printed, strict=True):
            value, low, high = (_half_up(row[c], 3) for c in ("hazard_ratio", "ci_low", "ci_high"))
            assert ratio == f"{value} ({low}; {high})" and ratio in drawn
            assert p == _half_up(row["p_value"], 4)


def test_rates_and_medians_equal_the_frames(
    tree: lxml_html.HtmlElement, frames: dict[str, pl.DataFrame]
) -> None:
    printed = {row[0]: row[1:] for row in _rows(tree, "table-survival")}
    os = (
        frames["analysis.survival_estimate"].filter(endpoint="OS", quantity="survival").sort("horizon_months")
    )
    n, events, *rates, median = printed["Overall survival"]
    assert (n, events) == ("86", "18") and median.startswith("NR (")
    for shown, row in zip(rates, os.rows(named=True), strict=True):
        value, low, high = (_half_up(100 * row[c], 1) for c in ("value", "ci_low", "ci_high"))
        assert shown == f"{value} ({low}–{high})"


def test_the_numbers_under_a_curve_are_those_of_the_patients(
    tree: lxml_html.HtmlElement, endpoints: pl.DataFrame
) -> None:
    (curve,) = tree.xpath("//*[local-name()='svg'][@aria-labelledby='svg-km-dfs-title svg-km-dfs-desc']")
    words = [t.text for t in curve.xpath("./*[local-name()='text']")]
    ticks = [float(w) for w in words[words.index("100") + 1 : words.index("Months since diagnosis")]]
    ours = endpoints.filter(endpoint="DFS")
    for name, wanted in (
        ("At risk", lambda t: (ours["time_months"] >= t).sum()),
        ("Censored", lambda t: ((ours["time_months"] < t) & ~ours["event"]).sum()),
        ("Events", lambda t: ((ours["time_months"] < t) & ours["event"]).sum()),
    ):
        start = words.index(name) + 1
        assert [int(w) for w in words[start : start + len(ticks)]] == [wanted(t) for t in ticks]


def test_the_flow_ends_with_the_cohort(tree: lxml_html.HtmlElement, frames: dict[str, pl.DataFrame]) -> None:
    drawn = _words(tree, "//figure[@id='figure-flow']//*[local-name()='text']")
    for step in frames["cohort.flow"].rows(named=True):
        assert f"n = {step['remaining']}" in drawn and f"not fulfilled: n = {step['excluded']}" in drawn


def test_every_number_of_the_paper_is_compared(
    tree: lxml_html.HtmlElement, frames: dict[str, pl.DataFrame]
) -> None:
    rows = [row for row in _rows(tree, "table-comparison") if len(row) > 1]
    ours = frames["analysis.published_comparison"].sort("id")
    assert [row[1] for row in rows] == ours["published_text"].to_list()
    assert [row[3] for row in rows] == ours["verdict"].to_list()


def test_a_demo_starts_with_a_note_that_patients_are_invented(text: str, tree: lxml_html.HtmlElement) -> None:
    note = _words(tree, "//header//*[@role='note']")
    assert "do not exist" in note and "such a cohort can exist and nothing about real people" in note
    assert text.index("do not exist") < text.index("<main>")


def test_the_methods_describe_the_configuration(tree: lxml_html.HtmlElement, study: Study) -> None:
    methods = _words(tree, "//section[@id='methods']")
    for endpoint in study.endpoints:
        assert f"{endpoint.title} ({endpoint.name})" in methods
    assert all(c.label[1:] in methods for c in study.criteria)
    assert "12, 24, 36 and 60 months" in methods and "reference: UPS" in methods and "Efron" in methods
    assert "polars 2.0" in methods
    variants = {variant.name for variant in study.censoring_variants}
    assert all(name in methods for name in variants)


def test_the_methods_name_no_package_that_the_program_does_not_need() -> None:
    needed = {re.split(r"[<>=\[~!]", line)[0].lower() for line in metadata.requires("sarcoma-pipeline") or ()}
    assert set(methods.versions()) - {"Python"} <= needed


def test_provenance_names_all_inputs(study: Study, sources: Sources, frames: dict[str, pl.DataFrame]) -> None:
    hashes = {
        c: f"{c}-named"
        for c in ("code_hash", "configuration_hash", "manifest_hash", "decisions_hash", "content_hash")
    }
    label = frames["meta.release"].with_columns(
        *(pl.lit(v).alias(c) for c, v in hashes.items()), decisions=pl.lit(1, pl.Int64)
    )
    made = lxml_html.document_fromstring(page(study, sources, {**frames, "meta.release": label}, VERSIONS))
    told = _words(made, "//section[@id='provenance']")
    assert all(value in told for value in hashes.values()) and "1 decision of" in told


def test_every_sensitivity_variant_is_beside_the_main_analysis(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    runs = sensitivity.sensitivity(
        frames["cohort.patients"], frames["cohort.endpoints"], study.horizons_months, study.models,
        study.covariates, study.censoring_variants,
    )  # fmt: skip
    made = {**frames, "analysis.survival_sensitivity": runs}
    tree: Any = lxml_html.document_fromstring(page(study, sources, made, VERSIONS))
    for endpoint in study.endpoints:
        (table,) = tree.xpath(f'//table[@id="table-sensitivity-{endpoint.name.lower()}"]')
        head = [cell.text_content() for cell in table.xpath("./thead/tr/th")]
        variants = [v.name for v in study.censoring_variants if v.endpoint == endpoint.name]
        assert head[:4] == ["Estimate", "Main analysis", "Earliest dates", "Latest dates"]
        assert [h.lower() for h in head[4:]] == [*(v.lower() for v in variants), "complete cases"]
        mine = runs.filter(endpoint=endpoint.name)
        rows = {row[0]: row[1:] for row in _rows(tree, f"table-sensitivity-{endpoint.name.lower()}")}
        for variant in (*variants, "complete cases"):
            column = [h.lower() for h in head[1:]].index(variant.lower())
            one = mine.filter(variant=variant, term="sex", level="female").row(0, named=True)
            # The fixture has only deaths: without them there is no event.
            assert rows["Female vs. male"][column] == (_half_up(m, 3) if (m := one["middle"]) else "–")
            assert rows["Female vs. male"][0] == _half_up(one["main"], 3)
            rated = mine.filter(variant=variant, quantity="survival", horizon_months=24)["middle"].to_list()
            shown = rows["Survival at 24 months, %"][column]
            assert shown == (_half_up(100 * rated[0], 1) if rated else "–")


def test_subgroups_are_drawn_with_their_levels_patients_and_test(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    factors = [c for c in study.covariates if c.name in study.subgroups]
    ends = frames["cohort.endpoints"].filter(endpoint="DFS")
    found = subgroups.subgroups(frames["cohort.patients"], ends, factors, study.horizons_months)
    made = {**frames, "analysis.subgroup_curve": found.curves, "analysis.log_rank": found.tests}
    tree: Any = lxml_html.document_fromstring(page(study, sources, made, VERSIONS))
    panels = tree.xpath("//figure[@id='figure-subgroups-dfs']//*[local-name()='svg']")
    assert len(panels) == len(factors) and not tree.xpath("//figure[@id='figure-subgroups-os']")
    (sex,) = [panel for panel in panels if "svg-subgroup-dfs-sex" in panel.get("aria-labelledby")]
    words = [t.text for t in sex.xpath("./*[local-name()='text']")]
    women = ends.join(frames["cohort.patients"].filter(sex="female"), on="pseudonym", how="semi")
    start = words.index("female") + 1
    ticks = [float(w) for w in words[words.index("100") + 1 : words.index("Months since diagnosis")]]
    assert len(ticks) == len(words[start : words.index("male")])
    assert [int(w) for w in words[start : words.index("male")]] == [
        (women["time_months"] >= t).sum() for t in ticks
    ]
    p = found.tests.filter(covariate="sex")["p_value"][0]
    assert f"log-rank p = {_half_up(p, 4)}" in words


def test_texts_of_a_figure_do_not_overlap(tree: Any) -> None:
    """Check the forest plots, whose titles come from the study, assuming wide letters."""
    for figure in tree.xpath("//*[starts-with(@aria-labelledby, 'svg-forest')]"):
        by_line: dict[str, list[tuple[float, float]]] = {}
        for text in figure.xpath("./*[local-name()='text']"):
            x, long = float(text.get("x")), 6.8 * len(text.text)
            left = x - long * {"end": 1, "middle": 0.5}.get(text.get("text-anchor"), 0)
            by_line.setdefault(text.get("y"), []).append((left, left + long))
        for spans in by_line.values():
            spans.sort()
            assert all(a[1] <= b[0] for a, b in pairwise(spans)), spans


def test_a_study_with_overall_survival_only(
    tcga: Study, tcga_sources: Sources, tcga_frames: dict[str, pl.DataFrame]
) -> None:
    tree = lxml_html.document_fromstring(page(tcga, tcga_sources, tcga_frames, VERSIONS))
    assert tree.xpath("count(//figure[@id='figure-survival']//*[local-name()='svg'])") == 1
    assert not tree.xpath("//section[@id='paper' or @id='audit' or @id='competing' or @id='quality']")
    assert not tree.xpath("//header//*[@role='note']")
    methods = _words(tree, "//section[@id='methods']")
    assert all(rule.reason in methods for rule in tcga.endpoints if rule.reason)
    assert not tree.xpath("//table[@id='table-3']")


def test_values_are_escaped_in_tables_and_figures(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    evil = '<script>alert("x")</script> & co'
    hurt = dict(frames)
    hurt["cohort.flow"] = frames["cohort.flow"].with_columns(label=pl.lit(evil))
    hurt["analysis.hazard_ratio"] = frames["analysis.hazard_ratio"].with_columns(contrast=pl.lit(evil))
    hurt["analysis.published_comparison"] = frames["analysis.published_comparison"].with_columns(
        reason=pl.lit(evil)
    )
    tree = lxml_html.document_fromstring(page(study, sources, hurt, VERSIONS))
    assert not tree.xpath("//*[local-name()='script']")
    assert _rows(tree, "table-2")[1][0] == evil
    assert evil in _words(tree, "//figure[@id='figure-forest-os']//*[local-name()='text']")
    assert "<script>" in _words(tree, "//figure[@id='figure-flow']//*[local-name()='text']")


def test_additional_analyses_appear_if_they_exist(
    tree: lxml_html.HtmlElement, study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    assert not tree.xpath("//section[@id='competing']")
    incidence = pl.DataFrame(
        {
            "analysis": ["relapse"] * 6,
            "cause": ["local relapse"] * 3 + ["death"] * 3,
            "time_months": [0.0, 10.0, 30.0] * 2,
            "incidence": [0.0, 0.1, 0.25, 0.0, 0.05, 0.125],
            "ci_low": [None, 0.05, 0.1, None, 0.01, 0.05],
            "ci_high": [None, 0.2, 0.4, None, 0.1, 0.2],
            "at_risk": [86, 60, 20] * 2,
        }
    )
    tests = pl.DataFrame(
        {"model": ["OS"], "term": ["age"], "chi_square": [1.32], "degrees_of_freedom": [1], "p_value": [0.25]}
    )
    subgroups = pl.DataFrame(
        {
            "endpoint": ["OS"] * 2, "covariate": ["sex"] * 2, "level": ["female"] * 2,
            "quantity": ["median", "survival"], "horizon_months": [None, 24.0], "value": [40.0, 0.5],
            "ci_low": [30.0, 0.25], "ci_high": [None, 0.75], "n": [38, 38], "events": [7, 4],
        }
    )  # fmt: skip
    ranks = pl.DataFrame({"endpoint": ["OS"], "covariate": ["sex"], "p_value": [0.125]})
    more = {
        **frames, "analysis.cumulative_incidence": incidence, "analysis.ph_test": tests,
        "analysis.subgroup": subgroups, "analysis.log_rank": ranks,
    }  # fmt: skip
    fuller = lxml_html.document_fromstring(page(study, sources, more, VERSIONS))
    told = _words(fuller, "//section[@id='competing']//*[local-name()='desc']")
    assert "local relapse: 25.0 %" in told and "death: 12.5 %" in told
    risk = _words(fuller, "//section[@id='competing']//*[local-name()='text']")
    assert "At risk 86 60 20" in risk
    assert _rows(fuller, "table-ph-test") == [["OS", "Age at time of diagnosis", "1.32", "1", "0.2500"]]
    (_, line) = _rows(fuller, "table-subgroup")
    assert line == ["Gender: female", "38", "7", "40.0 (30.0–NR)", "50.0 (25.0–75.0)", "0.1250"]
    assert "Schoenfeld" in _words(fuller, "//section[@id='methods']")


def test_quality_is_printed_as_counts(
    study: Study, sources: Sources, frames: dict[str, pl.DataFrame]
) -> None:
    findings = pl.DataFrame(
        {
            "severity": ["warning", "error", "warning"], "rule_id": ["b", "a", "b"],
            "what": ["B.", "A.", "B."],
            "pseudonym": ["P1", None, "P1"], "value": ["secret"] * 3,
        }
    )  # fmt: skip
    text = page(study, sources, {**frames, "quality.findings": findings}, VERSIONS)
    rows = _rows(lxml_html.document_fromstring(text), "table-findings")
    assert rows == [["error", "a", "A.", "1", "0"], ["warning", "b", "B.", "2", "1"]]
    assert "secret" not in text and "P1<" not in text


def test_no_pseudonym_is_printed(text: str, patients: pl.DataFrame) -> None:
    assert not [p for p in patients["pseudonym"] if re.search(rf"\b{re.escape(p)}\b", text)]


def test_the_checklist_names_only_sections_of_the_page(tree: lxml_html.HtmlElement) -> None:
    rows = _rows(tree, "table-checklist")
    titles = {h.text for h in tree.xpath("//section/h2")} | {"Not filled"}
    assert {row[2] for row in rows} <= titles
    by_item = {row[0]: row[2] for row in rows}
    assert (by_item["13c"], by_item["2"], by_item["12b"]) == ("Participants", "Not filled", "Not filled")
    assert len(rows) == len(strobe.ITEMS)


def test_a_failing_browser_keeps_the_old_pdf(tmp_path) -> None:
    (tmp_path / "index.html").write_text("<p>page</p>")
    old = tmp_path / "report.pdf"
    old.write_bytes(b"old")
    assert not pdf.print_pdf(tmp_path / "index.html", old, "/bin/false")
    assert not pdf.print_pdf(tmp_path / "index.html", old, str(tmp_path / "no-browser"))
    assert old.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 2
