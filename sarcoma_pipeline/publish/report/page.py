"""The page: one self-contained HTML file without script, the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sarcoma_pipeline.publish.report.sections import Report, sections
from schemas.configuration import Sources, Study
from schemas.disclosure import Disclosure


def page(
    study: Study, sources: Sources, frames: Mapping[str, pl.DataFrame], versions: Mapping[str, str],
    policy: Disclosure | None = None,
) -> str:  # fmt: skip
    """Write the report.

    Args:
        study: the configuration that the frames were made by.
        sources: what was read.
        frames: released tables by the names of their contracts, ``meta.release`` at least; tables of the
            quality layer and of further analyses where there are any. Null counts are printed as a dash, so
            that a frame whose small counts were suppressed can be printed as it is.
        policy: of disclosure control, if the frames went through it.
        versions: packages to print, see `sarcoma_pipeline.publish.report.methods.versions`.

    Returns:
        HTML. Every value of the frames is escaped.
    """
    environment = Environment(
        loader=PackageLoader("sarcoma_pipeline.publish.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
    )
    source, _, _ = PackageLoader("sarcoma_pipeline.publish.report", "").get_source(environment, "page.css")
    return environment.get_template("page.html.j2").render(
        study=study,
        release=frames["meta.release"].row(0, named=True),
        sections=sections(Report(study, sources, frames, versions, policy)),
        style=Markup(source),
    )
