"""Build the sections of the report: their tables and figures, in order and numbered.

A section appears only if its tables exist and are not empty. A study with one endpoint, without a paper or
without models therefore has a shorter report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sarcoma_pipeline.publish.report import (
    competing,
    external,
    imputed,
    methods,
    report_tables,
    strobe,
    summary,
    toxicity,
    weighted,
)
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report, Section
from sarcoma_pipeline.publish.report.report_tables import Table
from sarcoma_pipeline.publish.report.sections_of_quality import (
    audit_section,
    limits_section,
    paper_section,
    quality_section,
    review_section,
)
from sarcoma_pipeline.publish.report.sections_of_results import (
    competing_section,
    diagnostics_section,
    doses_section,
    follow_up_section,
    models_section,
    participants_section,
    sensitivity_section,
    subgroups_section,
    survival_section,
)
from schemas.disclosure import WITHHELD
from schemas.language import gettext as _
from schemas.language import marked, pgettext


def sections(report: Report) -> list[Section]:
    """Return the sections in order."""
    present: list[Section] = []
    for key, title, build in _SECTIONS:
        blocks = tuple(build(report))
        if blocks:
            present.append(Section(key, _(title), blocks))
    keys = {section.key for section in present} | {"checklist", "provenance"}
    present.append(Section("checklist", _("STROBE and RECORD"), tuple(_checklist(report, present, keys))))
    present.append(Section("provenance", _("Provenance"), tuple(_provenance(report))))
    return present


def _disclosure(report: Report) -> Iterator[Paragraph]:
    if report.policy:
        few = report.policy.threshold
        yield Paragraph(
            _(
                "This is the public version: no table has a row per patient. Counts from 1 to {most} are "
                "withheld, together with further counts from which they could be calculated, and with "
                "percentages and estimates based on them; these are printed as “{withheld}” or a dash. "
                "Numbers at risk are rounded to multiples of {rounding}. Survival is given every "
                "{grid_months} months in whole per cent, and only where none or at least {few} events lie in "
                "between. Times are given in whole months."
            ).format(
                most=few - 1,
                withheld=_(WITHHELD),
                rounding=report.policy.rounding,
                grid_months=report.policy.grid_months,
                few=few,
            )
        )


def _methods(report: Report) -> Iterator[Paragraph]:
    there = {name: frame for name, frame in report.frames.items() if frame.height}
    release = report.frames["meta.release"].row(0, named=True)
    further = [
        imputed.methods_sentence(report.study) if "analysis.imputed_hazard_ratio" in there else "",
        weighted.methods_sentence(report.study) if "analysis.weighted_group" in there else "",
        *toxicity.choices(report.study),
        " ".join(competing.methods_sentences(report)),
        external.methods_sentence(report.study) if "analysis.external_validation" in there else "",
    ]
    parts = (
        (_("Patients and data"), methods.design(report.study, report.sources)),
        (pgettext("part of the methods", "Endpoints"), methods.endpoints(report.study)),
        (_("Statistics"), [*methods.statistics(report.study, there), *filter(None, further)]),
        (_("Software"), [methods.software(release, report.versions)]),
    )
    for name, said in parts:
        for at, text in enumerate(said):
            yield Paragraph(text, lead="" if at else name)


def _checklist(report: Report, present: list[Section], keys: set[str]) -> Iterator[Paragraph | Table]:
    titles = {section.key: section.title for section in present} | {"provenance": _("Provenance")}
    rows = [
        (item.number, _(item.asks), titles[where] if where else _("Not filled"),
         _(item.answer) if where or not item.sections else _("This report does not contain this section."))
        for item, where in strobe.filled(keys)
    ]  # fmt: skip
    done = sum(where is not None for _item, where in strobe.filled(keys))
    yield Paragraph(
        _(
            "{done} of {items} items of STROBE (cohort studies) and RECORD (routinely collected data) are "
            "answered here, fully or partly. The others are left to the authors."
        ).format(done=done, items=len(rows))
    )
    head = (_("Item"), _("Asks for"), _("Section"), _("How"))
    caption = _("Items of STROBE and RECORD")
    yield report_tables.plain("table-checklist", report.supplement(), caption, head, rows, (14, 30, 18, 38))


def _provenance(report: Report) -> Iterator[Paragraph]:
    release = report.frames["meta.release"].row(0, named=True)
    yield Paragraph(methods.provenance(release))


_SECTIONS: tuple[tuple[str, str, Callable[[Report], Iterator[Paragraph | Table | Figure]]], ...] = (
    ("summary", marked("Summary"), summary.blocks),
    ("disclosure", marked("Disclosure control"), _disclosure),
    ("methods", marked("Methods"), _methods),
    ("participants", marked("Participants"), participants_section),
    ("doses", marked("Volumes and doses"), doses_section),
    ("survival", marked("Survival"), survival_section),
    ("follow-up", marked("Follow-up"), follow_up_section),
    ("models", marked("Multivariable models"), models_section),
    ("competing", marked("Competing risks"), competing_section),
    ("toxicity", marked("Toxicity"), toxicity.blocks),
    ("subgroups", marked("Subgroups"), subgroups_section),
    ("weighting", marked("Treatments compared with weights"), weighted.blocks),
    ("external", marked("Published models in these patients"), external.blocks),
    ("diagnostics", marked("Diagnostics"), diagnostics_section),
    ("sensitivity", marked("Sensitivity"), sensitivity_section),
    ("quality", marked("Data quality"), quality_section),
    ("limits", marked("What no rule can know"), limits_section),
    ("review", marked("Chart review"), review_section),
    ("paper", marked("The paper beside this cohort"), paper_section),
    ("audit", marked("Audit of the paper"), audit_section),
)
