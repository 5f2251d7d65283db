"""Draws the forest plot of a Cox model: contrasts, events, hazard ratios on a log axis."""

from __future__ import annotations

from itertools import groupby
from math import log
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report.drawing import GREY, Drawing
from sarcoma_pipeline.publish.report.number_format import general, number, p_value, ratio_of
from schemas.language import gettext as _
from schemas.statistics import DEFAULT

_WIDTH = 760.0
_COUNTS, _PLOT, _END, _RATIO, _P = 290.0, 320.0, 540.0, 690.0, 752.0
_ROW, _TOP = 22.0, 62.0
_TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20)


def forest(
    rows: pl.DataFrame,
    *,
    key: str,
    title: str,
    terms: dict[str, str],
    p_decimals: int = DEFAULT.p_decimals,
) -> str:
    """Draw the hazard ratios of one model.

    Args:
        rows: `schemas.analysis.HazardRatio` of the model.
        key: id of the figure, unique on the page.
        title: the model in words.
        terms: covariate to its title.
        p_decimals: printed decimals of a p value.
    """
    rows = rows.sort("position")
    lines = _lines(rows, terms)
    height = _TOP + 12 + _ROW * len(lines) + 48
    sheet = Drawing(_WIDTH, height)
    low, high = _limits(rows)
    top, bottom = _TOP, _TOP + _ROW * len(lines) + 6

    def across(value: float) -> float:
        return _PLOT + (_END - _PLOT) * (log(value) - log(low)) / (log(high) - log(low))

    sheet.text(8, 18, title, bold=True, size=13)
    for x, words in ((_COUNTS, _("Events / n")), (_RATIO, _("HR (95 % CI)")), (_P, "p")):
        sheet.text(x, 42, words, anchor="end", bold=True)
    sheet.line(8, 50, _WIDTH - 4, 50)
    sheet.line(across(1), top - 4, across(1), bottom, ink=GREY, dash="4 3")
    for index, line in enumerate(lines):
        y = top + _ROW * index + 14
        if "heading" not in line:
            p = p_value(line["p_value"], p_decimals)
            sheet.text(_P, y, p, anchor="end")
        _line(sheet, line, y, across, (low, high))
    sheet.line(_PLOT, bottom, _END, bottom)
    for tick in (t for t in _TICKS if low <= t <= high):
        sheet.line(across(tick), bottom, across(tick), bottom + 5)
        sheet.text(across(tick), bottom + 19, general(tick), anchor="middle")
    sheet.text((_PLOT + _END) / 2, bottom + 37, _("Hazard ratio (log scale)"), anchor="middle")
    described = "; ".join(
        f"{r['contrast']} {ratio_of(r)}, p {p_value(r['p_value'], p_decimals)}"
        for r in rows.iter_rows(named=True)
    )
    return sheet.svg(
        key,
        _("Forest plot: {title}").format(title=title),
        _("Hazard ratios with 95 % confidence intervals: {described}.").format(described=described),
    )


def _lines(rows: pl.DataFrame, terms: dict[str, str]) -> list[dict[str, Any]]:
    """Return the rows with headings for factors, whose levels are indented."""
    lines: list[dict[str, Any]] = []
    for term, group in groupby(rows.iter_rows(named=True), key=lambda row: row["term"]):
        for index, row in enumerate(group):
            if row["level"] is not None and not index:
                lines.append(
                    {
                        "heading": _("{term} (reference: {reference})").format(
                            term=terms.get(term, term), reference=row["reference"]
                        )
                    }
                )
            lines.append(row)
    return lines


def _limits(rows: pl.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: ticks that enclose every interval, at least 0.5 to 2."""
    ends = [v for v in [*rows["ci_low"], *rows["ci_high"], 0.5, 2.0] if v is not None]
    low = max((t for t in _TICKS if t <= min(ends)), default=_TICKS[0])
    high = min((t for t in _TICKS if t >= max(ends)), default=_TICKS[-1])
    return low, high


def _line(sheet: Drawing, row: dict[str, Any], y: float, across: Any, limits: tuple[float, float]) -> None:
    if "heading" in row:
        sheet.text(8, y, row["heading"], bold=True)
        return
    sheet.text(20 if row["level"] is not None else 8, y, row["contrast"])
    # For a level, print its own counts, also if they are suppressed; never those of the model.
    events, n = ("events", "n") if row["level"] is None else ("level_events", "level_n")
    sheet.text(_COUNTS, y, f"{number(row[events])} / {number(row[n])}", anchor="end")
    sheet.text(_RATIO, y, ratio_of(row), anchor="end")
    if None in (row["hazard_ratio"], row["ci_low"], row["ci_high"]):
        return
    middle, left, right = y - 4, max(row["ci_low"], limits[0]), min(row["ci_high"], limits[1])
    sheet.line(across(left), middle, across(right), middle, width=1.4)
    for end, limit, sign in ((left, row["ci_low"], 1), (right, row["ci_high"], -1)):
        x = across(end)
        if end == limit:
            sheet.line(x, middle - 3.5, x, middle + 3.5, width=1.4)
        else:
            sheet.path(
                [(x, middle), (x + 6 * sign, middle - 4), (x + 6 * sign, middle + 4)], width=0, fill="#111"
            )
    if limits[0] <= row["hazard_ratio"] <= limits[1]:
        sheet.rect(across(row["hazard_ratio"]) - 4, middle - 4, 8, 8, fill="#111")
