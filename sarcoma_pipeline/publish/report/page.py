"""Renders the report as one self-contained HTML file without scripts; equal input gives equal bytes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sarcoma_pipeline.publish.report import downloads
from sarcoma_pipeline.publish.report.blocks import Report
from sarcoma_pipeline.publish.report.sections import sections
from schemas.configuration import Sources, Study
from schemas.content_policy import STATIC_PAGE
from schemas.disclosure import Disclosure


def page(
    study: Study, sources: Sources, frames: Mapping[str, pl.DataFrame], versions: Mapping[str, str],
    policy: Disclosure | None = None,
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

    Returns:
        HTML, with every value of the frames escaped.
    """
    environment = Environment(
        loader=PackageLoader("sarcoma_pipeline.publish.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
    )
    source, _, _ = PackageLoader("sarcoma_pipeline.publish.report", "").get_source(environment, "page.css")
    label = frames["meta.release"].row(0, named=True)
    made = dt.datetime.fromisoformat(label["released_at"]).replace(tzinfo=None)
    return environment.get_template("page.html.j2").render(
        study=study,
        # Releases from before drafts existed have no such mark.
        release={"draft": False, **label},
        sections=sections(Report(study, sources, frames, versions, policy)),
        of_figure=downloads.of_figure,
        of_table=lambda table: downloads.of_table(table, made),
        style=Markup(source),
        content_policy=Markup(STATIC_PAGE),
    )
