"""Tables and figures beyond the paper's: competing risks, subgroups, restricted means, diagnostics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import curves, report_tables
from sarcoma_pipeline.publish.report.number_format import MISSING, capital, median, number, p_value, rate
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import gettext as _
from schemas.language import in_sentence
from schemas.statistics import DEFAULT, Statistics

NEAR_MONTHS = 24
"""Horizon printed for subgroups: the one closest to the paper's two years; ``analysis.subgroup`` has all."""

_PANEL = ("time_months", "incidence", "ci_low", "ci_high", "at_risk")


def incidence_panels(frame: pl.DataFrame, titles: Mapping[str, str], least_at_risk: int = 0) -> list[str]:
    """Draw one panel per analysis of ``analysis.cumulative_incidence``, with a curve per cause.

    Args:
        frame: `schemas.analysis.CumulativeIncidence`.
        titles: analysis to its title in study.toml.
        least_at_risk: patients at risk below which a curve is not drawn.
    """
    drawings = []
    longest = curves.last_drawn(frame, least_at_risk)
    for letter, part in zip("ABCDEFGH", frame.partition_by("analysis", maintain_order=True), strict=False):
        name = part["analysis"][0]
        by_cause = {
            str(one["cause"][0]): one.sort("time_months").select(_PANEL).rows()
            for one in part.partition_by("cause", maintain_order=True)
        }
        key = "svg-incidence-" + "".join(c if c.isalnum() else "-" for c in name.lower())
        drawings.append(
            curves.cumulative_incidence(
                by_cause,
                key=key,
                letter=letter,
                title=titles.get(name, capital(name)),
                horizon=longest,
                least_at_risk=least_at_risk,
            )
        )
    return drawings


def incidences(frame: pl.DataFrame, titles: Mapping[str, str], label: str, least_at_risk: int = 0) -> Table:
    """Return the table of `schemas.analysis.CumulativeIncidenceEstimate` at the horizons."""
    horizons = frame["horizon_months"].unique().sort().to_list()
    lines: list[Line] = []
    for part in frame.partition_by("analysis", maintain_order=True):
        name = part["analysis"][0]
        blank = ("",) * (1 + len(horizons))
        lines.append(Line((titles.get(name, capital(name)), *blank), heading=True))
        for one in part.partition_by("cause", maintain_order=True):
            at = {r["horizon_months"]: r for r in one.rows(named=True)}
            shown = [
                rate(r["value"], r["ci_low"], r["ci_high"]) + (" †" if r["at_risk"] < least_at_risk else "")
                if (r := at.get(h)) and r["value"] is not None
                else MISSING
                for h in horizons
            ]
            events = number(one["events"].max())  # pyright: ignore[reportArgumentType]
            lines.append(Line((capital(_(one["cause"][0])), events, *shown), indent=True))
    last = number(horizons[-1]) if horizons else MISSING
    daggers = any("†" in cell for line in lines for cell in line.cells)
    return Table(
        "table-incidence",
        label,
        _("Cumulative incidence in % (95 % CI) with the other cause competing"),
        (
            _("Cause"),
            _("Events to {last} months").format(last=last),
            *(_("{h} months").format(h=number(h)) for h in horizons),
        ),
        tuple(lines),
        (
            _("Aalen and Johansen’s estimate; log-log confidence intervals.")
            + (
                _(" †: fewer than {least_at_risk} patients are at risk.").format(
                    least_at_risk=number(least_at_risk)
                )
                if daggers
                else ""
            ),
        ),
        (28, 12, *(60 // len(horizons) for _ in horizons)),
    )


def subgroup_panels(
    frame: pl.DataFrame,
    tests: pl.DataFrame,
    endpoint: str,
    terms: Mapping[str, str],
    statistics: Statistics = DEFAULT,
) -> list[str]:
    """Draw one panel per factor, with a Kaplan–Meier curve per level.

    Args:
        frame: `schemas.analysis.SubgroupCurve`.
        tests: `schemas.analysis.LogRank`.
        endpoint: the endpoint to draw.
        terms: covariate to its title.
        statistics: printed decimals of a p value, and the patients at risk below which a curve ends.
    """
    mine = frame.filter(pl.col("endpoint") == endpoint)
    longest = curves.last_drawn(mine, statistics.least_at_risk)
    p = _p_values(tests)
    drawings = []
    for letter, part in zip("ABCDEFGH", mine.partition_by("covariate", maintain_order=True), strict=False):
        name = part["covariate"][0]
        levels = {
            str(one["level"][0]): one.sort("time_months").rows(named=True)
            for one in part.partition_by("level", maintain_order=True)
        }
        title = terms.get(name, capital(name.replace("_", " ")))
        test = (
            _("log-rank p = {p}")
            .format(p=p_value(p.get((endpoint, name)), statistics.p_decimals))
            .replace("= <", "< ")
        )
        drawings.append(
            curves.by_level(
                levels, key=f"svg-subgroup-{endpoint.lower()}-{name.replace('_', '-')}", letter=letter,
                title=title, test=test, horizon=longest, least_at_risk=statistics.least_at_risk,
            )
        )  # fmt: skip
    return drawings


def subgroups(
    frame: pl.DataFrame,
    tests: pl.DataFrame,
    titles: Mapping[str, str],
    terms: Mapping[str, str],
    label: str,
    p_decimals: int = DEFAULT.p_decimals,
) -> Table:
    """Return a table with a row per endpoint and level: n, events, median, survival at about two years, p."""
    p = _p_values(tests)
    months = min(frame["horizon_months"].drop_nulls(), key=lambda h: abs(h - NEAR_MONTHS), default=None)
    lines: list[Line] = []
    for of in frame.partition_by("endpoint", maintain_order=True):
        endpoint = of["endpoint"][0]
        lines.append(Line((titles.get(endpoint, endpoint), "", "", "", "", ""), heading=True))
        for factor in of.partition_by("covariate", maintain_order=True):
            name = factor["covariate"][0]
            term = terms.get(name, capital(name.replace("_", " ")))
            test = p_value(p.get((endpoint, name)), p_decimals)
            for part in factor.partition_by("level", maintain_order=True):
                half = part.filter(pl.col("quantity") == "median")
                at = part.filter(pl.col("quantity") == "survival", pl.col("horizon_months") == months)
                cells = (
                    f"{term}: {_(part['level'][0])}", *_counts(half), _interval(half, median, "NR"),
                    _interval(at, rate), test,
                )  # fmt: skip
                lines.append(Line(cells, indent=True))
                # The test is printed once per factor.
                test = ""
    return Table(
        "table-subgroup",
        label,
        _("Subgroups: Kaplan–Meier estimates with log-rank tests"),
        (
            _("Subgroup"),
            "n",
            _("Events"),
            _("Median, months (95 % CI)"),
            _("At {months} months, % (95 % CI)").format(months=number(months)),
            _("p (log-rank)"),
        ),
        tuple(lines),
        (_("NR: not reached. Not adjusted for the number of tests."),),
        (31, 6, 9, 21, 22, 11),
    )


def restricted_means(frame: pl.DataFrame, titles: Mapping[str, str], label: str) -> Table:
    """Return a table of restricted means, with a row per endpoint and a column per horizon."""
    horizons = frame["horizon_months"].unique().sort().to_list()
    rows = []
    for part in frame.partition_by("endpoint", maintain_order=True):
        at = {r["horizon_months"]: r for r in part.rows(named=True)}
        shown = [
            median(r["value"], r["ci_low"], r["ci_high"], _("not known")) if (r := at.get(h)) else MISSING
            for h in horizons
        ]
        rows.append((titles.get(part["endpoint"][0], part["endpoint"][0]), *shown))
    head = (_("Endpoint"), *(_("To {h} months").format(h=number(h)) for h in horizons))
    caption = _("Restricted mean survival times in months (95 % CI)")
    return report_tables.plain("table-restricted-mean", label, caption, head, rows)


def sensitivity(
    frame: pl.DataFrame, title: str, contrasts: Mapping[tuple[str, str, str | None], str], label: str
) -> Table:
    """Return a table of `schemas.analysis.SurvivalSensitivity`: all variants of an endpoint side by side.

    Args:
        frame: the rows of one endpoint; those of the main analysis come first.
        title: the endpoint in words.
        contrasts: model, term and level to the contrast as printed.
        label: label of the table.
    """
    runs: list[tuple[str, str, str]] = []
    for variant in frame["variant"].unique(maintain_order=True):
        # The main analysis uses the middle of a partial date's interval; both ends are printed next to it.
        datings = (
            ("middle", _("Main analysis")),
            ("earliest", _("Earliest dates")),
            ("latest", _("Latest dates")),
        )
        runs += [(variant, d, t) for d, t in datings] if variant == "main" else [
            (variant, "middle", capital(_(variant)))
        ]  # fmt: skip
    key = ("quantity", "horizon_months", "model", "term", "level")
    found = {(*(r[c] for c in key), r["variant"]): r for r in frame.rows(named=True)}
    counted = {r["variant"]: r for r in reversed(frame.rows(named=True))}
    lines = [
        Line(
            (
                _("Events / patients"),
                *(f"{number(counted[v]['events'])} / {number(counted[v]['n'])}" for v, _, _ in runs),
            )
        )
    ]
    heading = None
    for row in frame.select(key).unique(maintain_order=True).rows():
        quantity, months, model, term, level = row
        if quantity == "hazard ratio" and model != heading:
            heading = model
            lines.append(
                Line(
                    (_("Hazard ratios, model {model}").format(model=model), *("" for _ in runs)), heading=True
                )
            )
        name = {
            "survival": _("Survival at {months} months, %").format(months=number(months)),
            "median": _("Median, months"),
        }.get(quantity) or contrasts.get(
            (model, term, level), " ".join(_(word) for word in (term, level) if word)
        )
        shown = [run(quantity, found.get((*row, v), {}), d) for v, d, _ in runs]
        lines.append(Line((name, *shown), indent=quantity == "hazard ratio"))
    width = 78 // len(runs)
    return Table(
        f"table-sensitivity-{frame['endpoint'][0].lower()}",
        label,
        _("Sensitivity of {title}").format(title=in_sentence(title)),
        (_("Estimate"), *(t for _, _, t in runs)),
        tuple(lines),
        (
            _(
                "Earliest and latest: every partial date at that end of its interval. Complete cases: the "
                "patients with every covariate of every model. NR: not reached. A dash: no such estimate."
            ),
        ),
        (22, *(width for _ in runs)),
    )


def run(quantity: str, row: Mapping[str, Any], dating: str) -> str:
    """Format an estimate of a sensitivity run; a dash if there is none."""
    if not row:
        return MISSING
    if quantity == "survival":
        return rate(row[dating], None, None)
    return median(row[dating], None, None, "NR") if quantity == "median" else number(row[dating], 3)


def proportional_hazards(
    frame: pl.DataFrame, terms: Mapping[str, str], label: str, p_decimals: int = DEFAULT.p_decimals
) -> Table:
    """Return a table with a row per model and term."""
    rows = [
        (
            r["model"], _("All terms") if r["term"] == "GLOBAL" else terms.get(r["term"], r["term"]),
            number(r["chi_square"], 2), number(r["degrees_of_freedom"]), p_value(r["p_value"], p_decimals),
        )
        for r in frame.iter_rows(named=True)
    ]  # fmt: skip
    caption = _("Tests of proportional hazards (Grambsch and Therneau; scaled Schoenfeld residuals)")
    head = (_("Model"), _("Term"), _("Chi-squared"), _("df"), "p")
    return report_tables.plain("table-ph-test", label, caption, head, rows)


def _counts(rows: pl.DataFrame) -> Iterator[str]:
    for name in ("n", "events"):
        yield number(rows[name].first() if rows.height else None)  # pyright: ignore[reportArgumentType]


def _interval(rows: pl.DataFrame, shown: Any, *never: str) -> str:
    values = rows.row(0, named=True) if rows.height else {}
    return shown(values.get("value"), values.get("ci_low"), values.get("ci_high"), *never)


def _p_values(tests: pl.DataFrame) -> dict[tuple[str, str], float | None]:
    return {(r["endpoint"], r["covariate"]): r["p_value"] for r in tests.iter_rows(named=True)}
