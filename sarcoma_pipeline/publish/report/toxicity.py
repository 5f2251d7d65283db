"""Build the report's section on toxicity: shares and incidence by group, and what the data do not show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import curves, dose_curve, methods
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report
from sarcoma_pipeline.publish.report.number_format import listed, number, p_value, percent, rate
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import gettext as _
from schemas.language import in_sentence, marked
from schemas.study_toml import Study
from schemas.toxicity_codes import ACUTE_DAYS, WOUND_DAYS
from schemas.toxicity_toml import ToxicityEndpoint

SAYS: dict[tuple[str, str], str] = {
    ("undocumented", "leave out"): marked(
        "Patients whose toxicity nobody documented are left out: nothing documented is not the same as none."
    ),
    ("undocumented", "without"): marked(
        "Patients whose toxicity nobody documented count as without it, which makes it look rarer than it is."
    ),
    ("unclear", "without"): marked("Toxicity of unknown grade, kind, version or window does not count."),
    ("unclear", "with"): marked("Toxicity of unknown grade, kind, version or window counts."),
    ("died_in_window", "without"): marked(
        "Patients who died within the window without it stay in the share."
    ),
    ("died_in_window", "leave out"): marked("Patients who died within the window without it are left out."),
    ("followed_until", "last examination"): marked(
        "Without it, patients are followed until the last examination of the disease."
    ),
    ("followed_until", "last statement"): marked(
        "Without it, patients are followed until the last dated statement on toxicity."
    ),
    ("further_radiotherapy", "censor"): marked("They leave at the start of further radiotherapy."),
    ("further_radiotherapy", "ignore"): marked("Further radiotherapy does not end the follow-up."),
}
"""Key and value of ``[[toxicity]]`` to the sentence of the methods."""


def choices(study: Study) -> Iterator[str]:
    """Yield, per endpoint of toxicity, what it counts and what the study chose where no guideline decides."""
    for endpoint in study.toxicity:
        said = [_counts(endpoint), _(SAYS["undocumented", endpoint.undocumented])]
        said.append(_(SAYS["unclear", endpoint.unclear]))
        if endpoint.window != "late":
            said.append(_(SAYS["died_in_window", endpoint.died_in_window]))
        if endpoint.followed:
            said += _followed(endpoint)
        yield f"{_(endpoint.title)}: " + " ".join(said)


def _counts(endpoint: ToxicityEndpoint) -> str:
    if endpoint.measure != "grade":
        return _("major wound complications up to day {days} after the definitive resection.").format(
            days=WOUND_DAYS
        )
    kinds = listed([_(kind) for kind in endpoint.categories]) if endpoint.categories else _("every kind")
    versions = (
        _("of CTCAE {versions}").format(versions=listed(list(endpoint.ctcae_versions)))
        if endpoint.ctcae_versions
        else _("of all versions of CTCAE")
    )
    text = (
        _(
            "acute toxicity (up to day {days} from the start of radiotherapy) of grade {grade} or more "
            "{versions}, {kinds}."
        )
        if endpoint.window == "acute"
        else _(
            "late toxicity (after day {days} from the start of radiotherapy) of grade {grade} or more "
            "{versions}, {kinds}."
        )
    )
    return text.format(days=ACUTE_DAYS, grade=endpoint.least_grade, versions=versions, kinds=kinds)


def _followed(endpoint: ToxicityEndpoint) -> Iterator[str]:
    if endpoint.competing:
        yield _("Of the cumulative incidence, these compete: {competing}.").format(
            competing=listed([_(kind) for kind in endpoint.competing])
        )
    if endpoint.window == "late":
        yield _(SAYS["followed_until", endpoint.followed_until])
        yield _(SAYS["further_radiotherapy", endpoint.further_radiotherapy])
        if endpoint.death_days is not None:
            yield _("A death counts within {days} days of the last examination.").format(
                days=endpoint.death_days
            )


def blocks(report: Report) -> Iterator[Paragraph | Table | Figure]:
    """Yield definitions, shares and cumulative incidences; nothing if the study declares no toxicity."""
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
    if report.has("cohort.toxicity"):
        yield Paragraph(_versions(report.frames["cohort.toxicity"]))
    terms = methods.term_titles(report.study)
    yield from _shares(report, terms)
    if report.has("analysis.toxicity_incidence"):
        yield _incidences(report, terms)
    if report.has("analysis.toxicity_curve"):
        yield _figure(report)
    if report.has("analysis.dose_response"):
        yield from dose_curve.curves(report)


def _versions(toxicity: pl.DataFrame) -> str:
    graded = toxicity.filter(pl.col("grade") > 0).group_by("ctcae_version").len().sort("ctcae_version")
    counted = [
        _("{version} ({count})").format(version=_(version or marked("not stated")), count=number(count))
        for version, count in graded.iter_rows()
    ]
    if not counted:
        return _("No grade is documented.")
    return _("Versions of CTCAE of the grades in these patients: {versions}.").format(
        versions=listed(counted)
    )


def _shares(report: Report, terms: dict[str, str]) -> Iterator[Table]:
    frame = report.frames["analysis.toxicity_rate"].sort("position")
    decimals = report.study.statistics.p_decimals
    titles = {endpoint.name: endpoint.title for endpoint in report.study.toxicity}
    for part in frame.partition_by("covariate", maintain_order=True):
        name = str(part["covariate"][0])
        lines = [_line(r, titles, decimals) for r in part.rows(named=True)]
        yield Table(
            f"table-toxicity-{name}", report.supplement(),
            _("Toxicity by {group}").format(group=in_sentence(_(terms.get(name, name)))),
            (
                _("Endpoint and group"), _("Treated"), _("Documented"), _("Counted"), _("With it"),
                _("% (95 % CI)"), _("At least %"), _("Unclear"), _("Died"), "p",
            ),
            tuple(lines),
            (
                _(
                    "Treated: with the therapy that it is a toxicity of. Documented: a record says whether "
                    "there was one. Shares are of the patients who count. At least: of all treated, if "
                    "nobody without documentation had it. Unclear: among those who count, with a toxicity "
                    "that may be one. Died: within the window, without it. Intervals are exact "
                    "(Clopper–Pearson); p: Fisher’s exact test of the groups, not adjusted for several tests."
                ),
            ),
            (23, 10, 16, 10, 8, 17, 11, 10, 8, 9),
        )  # fmt: skip


def _line(row: dict[str, Any], titles: dict[str, str], decimals: int) -> Line:
    level, endpoint = row["level"], str(row["endpoint"])
    cells = (
        _(titles.get(endpoint, endpoint)) if level is None else _(level),
        number(row["treated"]), number(row["documented"]), number(row["counted"]), number(row["events"]),
        rate(row["share"], row["ci_low"], row["ci_high"]), percent(row["least"]),
        number(row["unclear"]), number(row["died"]),
        p_value(row["p_value"], decimals) if level is None else "",
    )  # fmt: skip
    return Line(cells, indent=level is not None)


def _incidences(report: Report, terms: dict[str, str]) -> Table:
    frame = report.frames["analysis.toxicity_incidence"].sort("position")
    decimals = report.study.statistics.p_decimals
    titles = {endpoint.name: endpoint.title for endpoint in report.study.toxicity}
    horizons = frame["horizon_months"].unique().sort().to_list()
    lines = []
    for part in frame.partition_by("endpoint", "covariate", "level", maintain_order=True):
        at = {r["horizon_months"]: r for r in part.rows(named=True)}
        row = next(iter(at.values()))
        level, name = row["level"], str(row["endpoint"])
        by = str(row["covariate"])
        title = _("{endpoint}, by {group}").format(
            endpoint=_(titles.get(name, name)), group=in_sentence(_(terms.get(by, by)))
        )
        cells = (
            title if level is None else _(level),
            *(number(row[c]) for c in ("at_start", "events", "deaths", "amputations", "undated")),
            *(rate(at[h]["value"], at[h]["ci_low"], at[h]["ci_high"]) for h in horizons),
            p_value(row["p_value"], decimals) if level is None else "",
        )
        lines.append(Line(cells, indent=level is not None))
    return Table(
        "table-toxicity-incidence", report.supplement(),
        _("Cumulative incidence of toxicity with death and amputation competing"),
        (
            _("Endpoint and group"), _("Patients"), _("With it"), _("Deaths"), _("Amputations"),
            _("Without a date"),
            *(_("At {months} months, % (95 % CI)").format(months=number(h)) for h in horizons), "p",
        ),
        tuple(lines),
        (
            _(
                "Aalen–Johansen estimates from the start of radiotherapy, of wounds from the definitive "
                "resection; p: Gray’s test of the groups. A toxicity without a date is placed in the middle "
                "of the days on which it may have begun. Deaths and amputations: those that ended the risk."
            ),
        ),
        (24, 12, 8, 10, 18, 11, *(14 for _h in horizons), 9),
    )  # fmt: skip


def _figure(report: Report) -> Figure:
    frame, least = report.frames["analysis.toxicity_curve"], report.study.statistics.least_at_risk
    decimals = report.study.statistics.p_decimals
    tests = report.frames["analysis.toxicity_incidence"]
    titles = {endpoint.name: endpoint.title for endpoint in report.study.toxicity}
    panels = []
    for letter, part in zip(
        "ABCDEFGH", frame.partition_by("endpoint", "covariate", maintain_order=True), strict=False
    ):
        name, by = str(part["endpoint"][0]), str(part["covariate"][0])
        grouped = part.filter(pl.col("level").is_not_null())
        shown = (grouped if grouped.height else part).with_columns(
            survival="incidence", censored=pl.lit(0), level=pl.col("level").fill_null(_("all patients"))
        )
        levels = {
            _(str(one["level"][0])): one.sort("time_months").rows(named=True)
            for one in shown.partition_by("level", maintain_order=True)
        }
        p = tests.filter(endpoint=name, covariate=by)["p_value"][0]
        panels.append(
            curves.by_level(
                levels, key=f"svg-toxicity-{name.lower().replace(' ', '-')}-{by.replace('_', '-')}",
                letter=letter, title=_(titles.get(name, name)),
                test=_("Gray’s test p = {p}").format(p=p_value(p, decimals)).replace("= <", "< "),
                horizon=float(part.select(pl.col("time_months").max()).item() or 1), least_at_risk=least,
                incidence=True,
            )
        )  # fmt: skip
    return report.figure(
        "figure-toxicity",
        _(
            "Cumulative incidence of toxicity, death and amputation competing, with patients at risk below. "
            "Shaded: log-log 95 % confidence intervals."
        ),
        panels,
    )
