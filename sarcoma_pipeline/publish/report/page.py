"""Renders the report as one self-contained HTML file without scripts; equal input gives equal bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sarcoma_pipeline.publish.report import downloads, raster, typesetting
from sarcoma_pipeline.publish.report.blocks import Figure, Report, Section
from sarcoma_pipeline.publish.report.report_tables import Table
from sarcoma_pipeline.publish.report.sections import sections
from sarcoma_pipeline.publish.report.unfinished import Unfinished, digest, drawings
from schemas.configuration import Sources, Study
from schemas.content_policy import STATIC_PAGE
from schemas.disclosure import Disclosure
from schemas.language import SOURCE, gettext, speaking, spoken


def page(
    study: Study, sources: Sources, frames: Mapping[str, pl.DataFrame], versions: Mapping[str, str],
    policy: Disclosure | None = None, png: Callable[[str], bytes] = raster.png,
) -> str:  # fmt: skip
    """Render the report.

    Args:
        study: the configuration from which the frames were computed.
        sources: the configuration of the sources.
        frames: released tables by their contracts' names, at least ``meta.release``; also tables of the
            quality layer and of additional analyses. Null counts are printed as a dash, so that frames with
            suppressed counts can be printed.
        versions: versions of the packages, from `sarcoma_pipeline.publish.report.methods.versions`.
        policy: policy of disclosure control, if it was applied to the frames.
        png: draws a figure's SVG as PNG.

    Returns:
        HTML, with every value of the frames escaped.
    """
    return _rendered(Report(study, sources, frames, versions, policy), png)[0]


def unfinished_page(
    study: Study, sources: Sources, frames: Mapping[str, pl.DataFrame], versions: Mapping[str, str]
) -> tuple[str, Unfinished]:
    """Render the report without the files that take long to make, and return what it lacks.

    `Unfinished.finished` adds them; the page is then that of :func:`page`.
    """
    html, shown, made = _rendered(Report(study, sources, frames, versions), None)
    blocks = [block for section in shown for block in section.blocks]
    figures = [block for block in blocks if isinstance(block, Figure)]
    return html, Unfinished(
        digest(html),
        made,
        study.owner,
        spoken(),
        tuple(drawing for block in figures for drawing in drawings(block.key, block.panels)),
        tuple(block for block in blocks if isinstance(block, Table)),
    )


def _rendered(
    report: Report, png: Callable[[str], bytes] | None
) -> tuple[str, Sequence[Section], dt.datetime]:
    """Return the page, its sections and when its release was made."""
    study = report.study
    environment = Environment(
        loader=PackageLoader("sarcoma_pipeline.publish.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "typeset": typesetting.typeset,
        "title": typesetting.title,
        "cell": typesetting.cell,
    }
    source, _, _ = PackageLoader("sarcoma_pipeline.publish.report", "").get_source(environment, "page.css")
    label = report.frames["meta.release"].row(0, named=True)
    made = dt.datetime.fromisoformat(label["released_at"]).replace(tzinfo=None)
    # Its figures and tables are numbered from one, as those of the page.
    other = replace(report)
    shown = sections(report)
    english = _tables_in_english(other, shown)
    html = environment.get_template("page.html.j2").render(
        study=study,
        # Releases from before drafts existed have no such mark.
        release={"draft": False, **label},
        sections=shown,
        of_figure=partial(downloads.of_figure, png=png),
        of_table=lambda table: downloads.of_table(
            table, made, english[table.key], study.owner, now=png is not None
        ),
        style=Markup(source),
        content_policy=Markup(STATIC_PAGE),
        language=spoken(),
        _=gettext,
    )
    return html, shown, made


def _tables_in_english(report: Report, shown: Sequence[Section]) -> Mapping[str, Table]:
    """Return the tables of the page by key, as their CSV files have them in every language."""
    if spoken() != SOURCE:
        with speaking(SOURCE):
            shown = sections(report)
    return {block.key: block for section in shown for block in section.blocks if isinstance(block, Table)}
