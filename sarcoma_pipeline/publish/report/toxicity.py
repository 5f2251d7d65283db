"""Build the report's section on toxicity: frequencies by group, and what the data do not show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sarcoma_pipeline.publish.report import methods
from sarcoma_pipeline.publish.report.blocks import Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import number, p_value, rate
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import gettext as _
from schemas.language import in_sentence
from schemas.toxicity_codes import ACUTE_DAYS, WOUND_DAYS


def blocks(report: Report) -> Iterator[Paragraph | Table]:
    """Yield the definitions and a table per covariate; nothing if the study declares no toxicity."""
    if not report.has("analysis.toxicity_rate"):
        return
    yield Paragraph(
        _(
            "Toxicity of radiotherapy is acute up to day {acute} from its start, late after. Side effects "
            "of oBDS reports have no date: by their definition they are acute, so they do not document late "
            "toxicity. A major wound complication is, after O’Sullivan (2002), one up to day {wound} after "
            "the definitive resection: here an operation for the wound (OPS, oBDS intention R), a bleeding "
            "that needed one, or a wound complication of CTCAE grade 3 or more. Aspirations, readmissions "
            "and deep packing are not in the data: the share is a lower bound."
        ).format(acute=ACUTE_DAYS, wound=WOUND_DAYS)
    )
    frame = report.frames["analysis.toxicity_rate"].sort("position")
    terms, decimals = methods.term_titles(report.study), report.study.statistics.p_decimals
    titles = {endpoint.name: endpoint.title for endpoint in report.study.toxicity}
    for part in frame.partition_by("covariate", maintain_order=True):
        name = str(part["covariate"][0])
        lines = [_line(r, titles, decimals) for r in part.rows(named=True)]
        yield Table(
            f"table-toxicity-{name}", report.supplement(),
            _("Toxicity by {group}").format(group=in_sentence(_(terms.get(name, name)))),
            (
                _("Endpoint and group"), _("Patients"), _("Documented"), _("With it"), _("% (95 % CI)"),
                _("Unclear"), "p",
            ),
            tuple(lines),
            (
                _(
                    "Shares are of the patients with documentation, which is not the same as all: nothing "
                    "documented is not none. Unclear: counted as without it, with a toxicity whose grade, "
                    "kind or window is not documented. Intervals are exact (Clopper–Pearson); p: Fisher’s "
                    "exact test of the groups, not adjusted for several tests."
                ),
            ),
            (34, 10, 12, 10, 20, 8, 8),
        )  # fmt: skip


def _line(row: dict[str, Any], titles: dict[str, str], decimals: int) -> Line:
    level, endpoint = row["level"], str(row["endpoint"])
    whole = level is None
    cells = (
        _(titles.get(endpoint, endpoint)) if level is None else _(level),
        number(row["patients"]), number(row["documented"]), number(row["events"]),
        rate(row["share"], row["ci_low"], row["ci_high"]),
        number(row["unclear"]), p_value(row["p_value"], decimals) if whole else "",
    )  # fmt: skip
    return Line(cells, indent=not whole)
