"""Write the gate's Data Docs as a static site that needs no network: an index and a page per table.

Great Expectations renders expectations and results. Its own pages load styles, scripts and fonts from
other servers, so only the rendered sections are used, within our own pages.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

from lxml import html

from schemas.content_policy import STATIC_PAGE

_STYLE = Path(__file__).with_suffix(".css")
_LEFT_OUT = {"script", "link", "img", "button", "a"}
_ATTRIBUTES = {"class", "id", "colspan", "rowspan", "aria-hidden"}


def write(folder: Path, results: Sequence[tuple[str, Any]], failed: Sequence[Any], *, compared: bool) -> None:
    """Replace the Data Docs with those of this validation; the new site is built next to the old one.

    Args:
        folder: folder of the site.
        results: page name and Great Expectations' validation result.
        failed: failed expectations, in words, with ``severity``.
        compared: whether there was a last release to compare with.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    # One view for all pages, because each view compiles its templates.
    view, renderer = DefaultJinjaPageView(), ValidationResultsPageRenderer()
    folder.parent.mkdir(parents=True, exist_ok=True)
    built = Path(tempfile.mkdtemp(prefix=".data_docs-", dir=folder.parent))
    built.chmod(0o750)
    try:
        (built / "index.html").write_text(_index(results, failed, compared), "utf-8")
        for name, result in results:
            sections = _sections(result, lambda r: view.render(renderer.render(r)))
            (built / f"{name}.html").write_text(_shell(name, sections, home=True), "utf-8")
        _swap(built, folder)
    finally:
        shutil.rmtree(built, ignore_errors=True)


def _swap(built: Path, folder: Path) -> None:
    old = built.with_name(f"{built.name}.old")
    if folder.exists():
        folder.replace(old)
    built.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def _sections(result: Any, rendered: Callable[[Any], str]) -> str:
    """Render Great Expectations' results of one table without the surrounding page."""
    for outcome in result.results:
        # The renderer does not accept numpy numbers.
        value = outcome.result.get("observed_value")
        if hasattr(value, "item"):
            outcome.result["observed_value"] = value.item()
    page = html.document_fromstring(rendered(result))
    # The first section, an overview of the run, is left out: the page's first line has the same content.
    sections = [e for e in page.iter("div") if "ge-section" in e.get("class", "").split()][1:]
    for element in [e for section in sections for e in section.iter("*")]:
        parent = element.getparent()
        if parent is not None and (element.tag in _LEFT_OUT or "hidden" in element.attrib):
            parent.remove(element)
        for attribute in set(element.attrib) - _ATTRIBUTES:
            del element.attrib[attribute]
    met = sum(o.success for o in result.results)
    version = result.meta["great_expectations_version"]
    return (
        f"<p>{met} of {_count(result.results, 'expectation')} met. Great Expectations {escape(version)}.</p>"
        + "".join(html.tostring(s, encoding="unicode") for s in sections)
    )


def _index(results: Sequence[tuple[str, Any]], failed: Sequence[Any], compared: bool) -> str:
    errors = [f for f in failed if f.severity == "error"]
    if errors:
        verdict = f"Held back: {_count(errors, 'expectation')} failed. The last release is unchanged."
    elif failed:
        verdict = f"Passed, with {_count(failed, 'warning')}."
    else:
        verdict = "Passed: all expectations met."
    against = "" if compared else " There was no earlier release to compare with."
    faults = "".join(f'<li><b class="error">{escape(f.severity)}</b> {escape(str(f))}</li>' for f in failed)
    rows = "".join(
        f'<tr><td class="text"><a href="{escape(name)}.html">{escape(name)}</a></td>'
        f'<td class="number">{len(result.results)}</td><td class="number">{_broken(result.results)}</td></tr>'
        for name, result in results
    )
    return _shell(
        "Release gate",
        f'<p class="verdict {"error" if errors else ""}">{escape(verdict + against)}</p>'
        f'<ul class="faults">{faults}</ul><table><thead><tr><th>Table</th>'
        '<th class="number">Expectations</th><th class="number">Failed</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>",
        home=False,
    )


def _broken(results: Iterable[Any]) -> str:
    failed = sum(not r.success for r in results)
    return f'<span class="error">{failed}</span>' if failed else "0"


def _count(found: Sequence[Any], noun: str) -> str:
    return f"{len(found)} {noun}{'' if len(found) == 1 else 's'}"


def _shell(title: str, body: str, *, home: bool) -> str:
    back = '<p><a href="index.html">All tables</a></p>' if home else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{STATIC_PAGE}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} – Data Docs</title><style>{_STYLE.read_text('utf-8')}</style></head>"
        f"<body><main>{back}<h1>{escape(title)}</h1>{body}</main></body></html>\n"
    )
