"""Draws and prints comparisons of treatments with inverse-probability weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import curves, methods
from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report
from sarcoma_pipeline.publish.report.drawing import GREY, Drawing
from sarcoma_pipeline.publish.report.number_format import MISSING, general, listed, number, p_value, ratio
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.publish.report.stored_notes import told as translated
from schemas.analysis_weighting import UNBALANCED
from schemas.language import gettext as _
from schemas.language import in_sentence, marked, ngettext
from schemas.study_toml import Study, Weighting

_LEFT, _RIGHT, _TOP, _ROW = 210.0, 560.0, 40.0, 19.0
NO_MODEL = marked("no model")


def blocks(report: Report) -> Iterator[Paragraph | Table | Figure]:
    """Yield groups, balance, adjusted curves and hazard ratios of every weighting."""
    if not report.has("analysis.weighted_group"):
        return
    terms = methods.term_titles(report.study)
    for weighting in report.study.weighting:
        groups = report.frames["analysis.weighted_group"].filter(weighting=weighting.name).sort("position")
        if not groups.height:
            continue
        balance = _of(report, "analysis.weighted_balance", weighting)
        yield Paragraph(" ".join(_warnings(weighting, groups, balance, terms)))
        yield _groups(report, weighting, groups)
        key = weighting.name.lower().replace(" ", "-")
        if balance.height:
            yield report.figure(
                f"figure-balance-{key}",
                _(
                    "{title}: standardised differences of the two groups. Crosses: as the patients are; dots"
                    ": weighted. Right of the dashed line ({unbalanced}) groups are called unlike."
                ).format(title=weighting.title, unbalanced=general(UNBALANCED)),
                [love_plot(balance, terms, f"svg-balance-{key}", weighting.title)],
            )
        yield from _curves(report, weighting, key)
        ratios = _of(report, "analysis.weighted_hazard_ratio", weighting)
        if ratios.height:
            yield _ratios(report, weighting, ratios, key)


def _of(report: Report, table: str, weighting: Weighting) -> pl.DataFrame:
    return report.frames[table].filter(weighting=weighting.name).sort("position")


def _warnings(
    weighting: Weighting, groups: pl.DataFrame, balance: pl.DataFrame, terms: dict[str, str]
) -> Iterator[str]:
    told = [r for r in groups.rows(named=True) if r["warning"]]
    yield _(
        "{title}: patients were weighted so that both groups resemble all patients in the recorded "
        "covariates. Nothing is done about what was not recorded: the comparison is not that of a randomised "
        "trial."
    ).format(title=weighting.title)
    for row in told:
        warnings = "; ".join(map(translated, row["warning"].split("; ")))
        yield _("Caution, {level}: {warnings}.").format(level=row["level"], warnings=warnings)
    unlike = [
        f"{_label(r, terms)} ({number(r['after'], 2)})"
        for r in balance.rows(named=True)
        if r["after"] is not None and r["after"] > UNBALANCED
    ]
    if unlike:
        yield _("The groups remain unlike after weighting in {unlike}.").format(unlike=listed(unlike))
    if not told:
        yield _("No patient got a treatment that patients like them hardly ever get.")


def _groups(report: Report, weighting: Weighting, groups: pl.DataFrame) -> Table:
    lines = tuple(
        Line(
            (
                r["level"], number(r["n"]), number(r["effective_size"], 1), number(r["weight_mean"], 2),
                MISSING
                if r["weight_low"] is None
                else f"{number(r['weight_low'], 2)}–{number(r['weight_high'], 2)}",
                MISSING
                if r["score_low"] is None
                else f"{number(r['score_low'], 2)}–{number(r['score_high'], 2)}",
            )
        )
        for r in groups.rows(named=True)
    )  # fmt: skip
    first = groups.row(0, named=True)
    notes = [
        _(
            "Effective n: as many patients of equal weight would tell as much (Kish). Probability: of the "
            "treatment that was given, by {method}."
        ).format(method=translated(first["method"] or NO_MODEL))
    ]
    if first["missing"] != 0:
        notes.append(
            ngettext(
                "{missing} patient had another treatment, or a missing covariate, and is left out.",
                "{missing} patients had another treatment, or a missing covariate, and are left out.",
                first["missing"],
            ).format(missing=number(first["missing"]))
        )
    return Table(
        f"table-weights-{weighting.name.lower().replace(' ', '-')}", report.supplement(),
        _("Weighted groups: {title}").format(title=in_sentence(weighting.title)),
        (_("Group"), "n", _("Effective n"), _("Mean weight"), _("Weights, range"),
         _("Probability, range")), lines,
        tuple(notes),
    )  # fmt: skip


def _curves(report: Report, weighting: Weighting, key: str) -> Iterator[Figure]:
    frame = _of(report, "analysis.weighted_curve", weighting)
    if not frame.height:
        return
    least = report.study.statistics.least_at_risk
    horizon = curves.last_drawn(frame, least)
    ratios = {
        r["endpoint"]: r for r in _of(report, "analysis.weighted_hazard_ratio", weighting).rows(named=True)
    }
    panels = []
    for letter, part in zip("ABCDEFGH", frame.partition_by("endpoint", maintain_order=True), strict=False):
        name = part["endpoint"][0]
        levels = {
            of["level"][0]: of.rows(named=True) for of in part.partition_by("level", maintain_order=True)
        }
        row = ratios.get(name, {})
        test = (
            _("Weighted HR {ratio}, p = {p}")
            .format(
                ratio=ratio(row["hazard_ratio"], row["ci_low"], row["ci_high"]),
                p=p_value(row["p_value"], report.study.statistics.p_decimals),
            )
            .replace("= <", "< ")
            if row.get("hazard_ratio") is not None
            else _("Weighted HR not estimable")
        )
        panels.append(
            curves.by_level(
                levels, key=f"svg-weighted-{key}-{name.lower()}", letter=letter,
                title=str(report.titles.get(name, name)), test=test, horizon=horizon, least_at_risk=least,
            )
        )  # fmt: skip
    yield report.figure(
        f"figure-weighted-{key}",
        _(
            "{title}: weighted Kaplan–Meier curves. Shaded: log-log 95 % confidence intervals with the "
            "robust variance; ticks: censored patients; below: patients at risk, not weighted."
        ).format(title=weighting.title),
        panels,
    )  # fmt: skip


def _ratios(report: Report, weighting: Weighting, ratios: pl.DataFrame, key: str) -> Table:
    decimals = report.study.statistics.p_decimals
    lines = tuple(
        Line(
            (
                str(report.titles.get(r["endpoint"], r["endpoint"])), number(r["events"]),
                ratio(r["crude_hazard_ratio"], r["crude_ci_low"], r["crude_ci_high"]),
                p_value(r["crude_p_value"], decimals),
                ratio(r["hazard_ratio"], r["ci_low"], r["ci_high"]), p_value(r["p_value"], decimals),
            )
        )
        for r in ratios.rows(named=True)
    )  # fmt: skip
    notes = [
        _("{contrast}, in {n} patients. Intervals and p values with robust standard errors.").format(
            contrast=ratios["contrast"][0], n=number(max(ratios["n"]))
        ),
        *dict.fromkeys(
            f"{r['endpoint']}: {translated(r['note'])}." for r in ratios.rows(named=True) if r["note"]
        ),
    ]
    return Table(
        f"table-weighted-{key}", report.supplement(),
        _("Hazard ratios with weights: {title}").format(title=in_sentence(weighting.title)),
        (_("Endpoint"), _("Events"), _("As they are: HR (95 % CI)"), "p", _("Weighted: HR (95 % CI)"), "p"),
        lines,
        tuple(notes),
    )  # fmt: skip


def love_plot(balance: pl.DataFrame, terms: dict[str, str], key: str, title: str) -> str:
    """Draw the standardised differences before (crosses) and after weighting (dots), a row per line.

    Args:
        balance: `schemas.analysis_weighting.WeightedBalance` of one weighting.
        terms: covariate to its title.
        key: id of the figure, unique on the page.
        title: what is compared.
    """
    rows = balance.rows(named=True)
    known = [r[c] for r in rows for c in ("before", "after") if r[c] is not None]
    end = max(0.5, -(-max(known, default=0.0) // 0.25) * 0.25)
    bottom = _TOP + _ROW * len(rows)
    sheet = Drawing(_RIGHT + 30, bottom + 46)

    def at(difference: float) -> float:
        return _LEFT + (_RIGHT - _LEFT) * difference / end

    sheet.line(at(UNBALANCED), _TOP - 8, at(UNBALANCED), bottom, ink=GREY, dash="4 3")
    sheet.line(_LEFT, bottom, _RIGHT, bottom)
    sheet.line(_LEFT, _TOP - 8, _LEFT, bottom)
    ticks = round(end / 0.25)
    for tick in (0.25 * i for i in range(0, ticks + 1, max(1, ticks // 6))):
        sheet.line(at(tick), bottom, at(tick), bottom + 5)
        sheet.text(at(tick), bottom + 19, general(tick), anchor="middle")
    for index, row in enumerate(rows):
        y = _TOP + _ROW * (index + 0.5)
        sheet.text(_LEFT - 8, y + 4, _label(row, terms), anchor="end", size=11)
        if row["before"] is not None:
            x = at(row["before"])
            sheet.line(x - 3.5, y - 3.5, x + 3.5, y + 3.5, width=1.5)
            sheet.line(x - 3.5, y + 3.5, x + 3.5, y - 3.5, width=1.5)
        if row["after"] is not None:
            sheet.dot(at(row["after"]), y)
    sheet.text(4, 16, title, bold=True, size=13)
    sheet.text((_LEFT + _RIGHT) / 2, bottom + 38, _("Standardised difference"), anchor="middle")
    told = "; ".join(
        _("{label} {before} before, {after} after").format(
            label=_label(r, terms), before=number(r["before"], 2), after=number(r["after"], 2)
        )
        for r in rows
    )
    return sheet.svg(
        key,
        _("Balance of the groups: {title}").format(title=title),
        _("Standardised differences: {told}.").format(told=told),
    )


def _label(row: dict[str, Any], terms: dict[str, str]) -> str:
    name = str(terms.get(row["covariate"], row["covariate"]))
    label = name if row["level"] is None else f"{name}: {row['level']}"
    return label if len(label) <= 36 else f"{label[:35]}…"


def methods_sentence(study: Study) -> str:
    """Return the sentences on weightings; nothing if there is none."""
    if not study.weighting:
        return ""
    terms = methods.term_titles(study)
    told = "; ".join(
        _("{title} (probability of the treatment by logistic regression on {covariates}; {weights})").format(
            title=in_sentence(w.title[:1]) + w.title[1:],
            covariates=listed([in_sentence(str(terms.get(n, n))) for n in w.covariates]),
            weights=_("stabilised weights") if w.stabilised else _("weights not stabilised"),
        )
        for w in study.weighting
    )
    return _(
        "Treatments were compared with inverse-probability weights: {told}. Balance is given as standardised "
        "differences. Weighted hazard ratios have Lin and Wei’s robust standard errors, weighted Kaplan–"
        "Meier curves those of the infinitesimal jackknife; both treat the weights as known, which makes "
        "intervals rather too wide than too narrow."
    ).format(told=told)
