"""Draws Kaplan–Meier and cumulative incidence curves with the tables that journals require below them.

Below each Kaplan–Meier curve are the numbers at risk, censored and with an event so far (KMunicate: Morris et
al., BMJ Open 2019; 9: e030215).
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report import curve_names
from sarcoma_pipeline.publish.report.drawing import BAND, GREY, Drawing, wrapped
from sarcoma_pipeline.publish.report.number_format import median, number, percent
from schemas.language import gettext as _
from schemas.language import in_sentence

_WIDTH, _HEIGHT = 480.0, 408.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 78.0, 466.0, 40.0, 296.0
_BESIDE_LEVELS, _LONGEST = 150.0, 17
"""Left end of the axis if level names stand beside the numbers at risk, and their maximum length."""
_STEP_MONTHS = (6, 12, 24, 36, 60, 120)
_MOST_TICKS = 9
_FOR_NAMES = 116.0
"""Space for the names of the levels to the right of their curves."""
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#111")
"""Colours that people with any colour vision can tell apart (Okabe and Ito, 2008)."""
_BAND_OPACITY = 0.14
_DASHES = ("", "8 4", "2 3", "9 3 2 3", "1 5")
"""Line styles that differ without colour; reused from the start if there are more levels."""


def kaplan_meier(
    curve: pl.DataFrame, estimates: pl.DataFrame, *, key: str, letter: str, title: str, horizon: float,
    few: str = "", grid_months: int = 0, least_at_risk: int = 0,
) -> str:  # fmt: skip
    """Draw the Kaplan–Meier curve of one endpoint.

    A public curve is known only at some times, which have a dot: between them it falls by equal steps.

    Args:
        curve: `schemas.analysis.SurvivalCurve` of the endpoint.
        estimates: `schemas.analysis.SurvivalEstimate` of the endpoint.
        key: id of the figure, unique on the page.
        letter: letter of the panel.
        title: the endpoint in words.
        horizon: end of the time axis in months, the same for all panels.
        few: text printed for suppressed numbers at risk.
        grid_months: of a public curve: the distance of the times at which it may be known.
        least_at_risk: patients at risk below which the curve ends.
    """
    sheet, frame = Drawing(_WIDTH, _HEIGHT), _Axes(horizon)
    every = curve.sort("time_months").rows(named=True)
    public = every[0]["events"] is None
    everybody = [row for row in every if row["survival"] is not None]
    rows = everybody if public else _while_at_risk(everybody, least_at_risk)
    decimals = 0 if public else 1
    half = estimates.filter(pl.col("quantity") == "median").rows(named=True)
    middle = half[0] if half else {"value": None, "ci_low": None, "ci_high": None}
    n, events = (
        (middle.get("n"), middle.get("events"))
        if public
        else (_size(everybody), sum(row["events"] for row in everybody))
    )
    counted = (
        _("{n} patients").format(n=number(n))
        if events is None
        else _("{events} events in {n} patients").format(events=number(events), n=number(n))
    )

    def stairs(points: list[tuple[float, float]], end: float | None = None) -> list[tuple[float, float]]:
        return _steps(_in_equal_steps(points, grid_months) if public else points, end)

    known = [row for row in rows if row["ci_low"] is not None]
    upper = stairs([(r["time_months"], r["ci_high"]) for r in known], rows[-1]["time_months"])
    lower = stairs([(r["time_months"], r["ci_low"]) for r in known], rows[-1]["time_months"])
    sheet.path([frame.at(t, s) for t, s in [*upper, *reversed(lower)]], width=0, fill=BAND)
    if middle["value"] is not None:
        x, y = frame.at(middle["value"], 0.5)
        sheet.line(_LEFT, y, x, y, ink=GREY, dash="4 3")
        sheet.line(x, y, x, _BOTTOM, ink=GREY, dash="4 3")
    frame.draw(sheet, _("Probability (%)"))
    sheet.path([frame.at(t, s) for t, s in stairs([(r["time_months"], r["survival"]) for r in rows])])
    for row in rows:
        if public and row["time_months"]:
            sheet.dot(*frame.at(row["time_months"], row["survival"]))
        if row["censored"]:
            x, y = frame.at(row["time_months"], row["survival"])
            sheet.line(x, y - 3.5, x, y + 3.5)
    months = median(middle["value"], middle["ci_low"], middle["ci_high"], decimals=decimals)
    sheet.text(4, 16, letter, bold=True, size=14)
    sheet.text(_LEFT, 15, title, bold=True, size=13)
    sheet.text(
        _LEFT,
        31,
        (
            _("{counted}; median {months} months") if months[0].isdigit() else _("{counted}; median {months}")
        ).format(counted=counted, months=months),
    )
    if public:
        at_risk = {row["time_months"]: number(row["at_risk"]) for row in every}
        _counted(sheet, frame, [(t, at_risk.get(t, few)) for t in frame.ticks])
    else:
        _counted(sheet, frame, [(t, *map(str, _so_far(everybody, t))) for t in frame.ticks])
    at = estimates.filter(pl.col("quantity") == "survival").rows(named=True)
    described = "; ".join(
        _("{value} % at {horizon_months} months").format(
            value=percent(r["value"], decimals), horizon_months=number(r["horizon_months"])
        )
        for r in at
    )
    return sheet.svg(
        key,
        _("Kaplan–Meier curve: {title}").format(title=title),
        _("{counted}. Median: {months}. {described}. Shaded: 95 % confidence interval").format(
            counted=counted, months=months, described=described
        )
        + ("." if public else _("; vertical ticks: censored patients.")),
    )


def cumulative_incidence(
    curves: dict[str, list[tuple[float, float, float | None, float | None, int]]], *, key: str, letter: str,
    title: str, horizon: float, least_at_risk: int = 0,
) -> str:  # fmt: skip
    """Draw the cumulative incidence of competing events, with 95 % bands and numbers at risk.

    Args:
        curves: event to its ``(months, incidence, low, high, at risk)``, by time.
        key: id of the figure, unique on the page.
        letter: letter of the panel.
        title: what the figure is.
        horizon: end of the time axis in months.
        least_at_risk: patients at risk below which the curves end.
    """
    sheet, frame = Drawing(_WIDTH + _FOR_NAMES, _HEIGHT - 32), _Axes(horizon)
    # The number at risk is the same for every cause: any event ends the time at risk.
    left = [(p[0], p[4]) for p in next(iter(curves.values()), [])]
    curves = {cause: _well_known(points, least_at_risk) for cause, points in curves.items()}
    for index, points in enumerate(curves.values()):
        known = [p for p in points if p[2] is not None and p[3] is not None]
        upper = _steps([(p[0], p[3] or 0) for p in known], points[-1][0])
        lower = _steps([(p[0], p[2] or 0) for p in known], points[-1][0])
        if not index:
            sheet.path([frame.at(t, s) for t, s in [*upper, *reversed(lower)]], width=0, fill=BAND)
            continue
        # Lines instead of a second band, because two overlapping grey bands look alike.
        for limit in (upper, lower):
            sheet.path([frame.at(t, s) for t, s in limit], width=0.7, ink=GREY, dash=_dash(index))
    frame.draw(sheet, _("Cumulative incidence (%)"))
    drawn = {
        cause: [frame.at(t, s) for t, s in _steps([(p[0], p[1]) for p in points], None)]
        for cause, points in curves.items()
    }
    for index, corners in enumerate(drawn.values()):
        sheet.path(corners, dash=_dash(index))
    _name(sheet, drawn, {cause: wrapped(_(cause), _LONGEST) for cause in drawn})
    sheet.text(4, 18, letter, bold=True, size=14)
    sheet.text(_LEFT, 18, title, bold=True, size=13)
    _counted(sheet, frame, [(t, str(_at_risk(left, t))) for t in frame.ticks])
    last = "; ".join(
        _("{event}: {share} % at the end").format(event=_(event), share=percent(points[-1][1]))
        for event, points in curves.items()
    )
    return sheet.svg(
        key, title, _("{last}. With 95 % confidence intervals and patients at risk.").format(last=last)
    )


def _well_known(points: list[Any], least_at_risk: int) -> list[Any]:
    """Return the points up to the last one with enough patients at risk; the first one in any case."""
    last = max((i for i, p in enumerate(points) if p[4] >= least_at_risk), default=0)
    return points[: last + 1]


def _in_equal_steps(points: list[tuple[float, float]], grid_months: int) -> list[tuple[float, float]]:
    """Add points between the known ones, so that each time of the grid has the same share of the fall."""
    filled = points[:1]
    for (start, before), (end, after) in pairwise(points):
        steps = max(1, round((end - start) / grid_months)) if grid_months else 1
        filled += [
            (start + (end - start) * k / steps, before + (after - before) * k / steps)
            for k in range(1, steps + 1)
        ]
    return filled


def _while_at_risk(rows: list[dict[str, Any]], least_at_risk: int) -> list[dict[str, Any]]:
    """Return the rows of a curve up to the last one with enough patients at risk; the first in any case."""
    last = max((i for i, row in enumerate(rows) if row["at_risk"] >= least_at_risk), default=0)
    return rows[: last + 1]


def by_level(
    levels: dict[str, list[dict[str, Any]]], *, key: str, letter: str, title: str, test: str, horizon: float,
    least_at_risk: int = 0, incidence: bool = False,
) -> str:  # fmt: skip
    """Draw curves of the levels of a factor, with 95 % bands and numbers at risk.

    Each level has a colour that the colour-blind can tell from the others, a line style that survives print
    in grey, and its name at the end of its curve.

    Args:
        levels: level to its rows of `schemas.analysis.SubgroupCurve`, by time.
        key: id of the figure, unique on the page.
        letter: letter of the panel.
        title: the factor in words.
        test: text beside the title, the result of the test.
        horizon: end of the time axis in months.
        least_at_risk: patients at risk below which a curve ends.
        incidence: whether ``survival`` is a cumulative incidence since a therapy, not Kaplan and Meier's
            estimate.
    """
    height = _HEIGHT - 48 + 16 * len(levels)
    sheet, frame = Drawing(_WIDTH + _FOR_NAMES, height), _Axes(horizon, _BESIDE_LEVELS)
    drawn = {level: _while_at_risk(rows, least_at_risk) for level, rows in levels.items()}
    for index, rows in enumerate(drawn.values()):
        known = [row for row in rows if row["ci_low"] is not None]
        upper = _steps([(r["time_months"], r["ci_high"]) for r in known], rows[-1]["time_months"])
        lower = _steps([(r["time_months"], r["ci_low"]) for r in known], rows[-1]["time_months"])
        band = [frame.at(t, s) for t, s in [*upper, *reversed(lower)]]
        sheet.path(band, width=0, fill=_colour(index), opacity=_BAND_OPACITY / (1 if len(drawn) < 4 else 2))
    label = _("Cumulative incidence (%)") if incidence else _("Probability (%)")
    frame.draw(sheet, label, since_therapy=incidence)
    lines = {
        level: [frame.at(t, s) for t, s in _steps([(r["time_months"], r["survival"]) for r in rows], None)]
        for level, rows in drawn.items()
    }
    for index, (level, rows) in enumerate(drawn.items()):
        sheet.path(lines[level], ink=_colour(index), dash=_dash(index))
        for row in rows:
            if row["censored"]:
                x, y = frame.at(row["time_months"], row["survival"])
                sheet.line(x, y - 3, x, y + 3, ink=_colour(index))
    sheet.text(4, 16, letter, bold=True, size=14)
    sheet.text(frame.left, 15, title, bold=True, size=13)
    sheet.text(frame.left, 31, test)
    top = _BOTTOM + 58
    sheet.text(4, top, _("At risk"), italic=True, size=11)
    for index, (level, rows) in enumerate(levels.items()):
        y = top + 16 * (index + 1)
        sheet.line(4, y - 4, 30, y - 4, width=1.6, ink=_colour(index), dash=_dash(index))
        sheet.text(34, y, _short(level, _LONGEST), size=11)
        left = [(r["time_months"], r["at_risk"]) for r in rows]
        for tick in frame.ticks:
            sheet.text(frame.at(tick, 0)[0], y, str(_at_risk(left, tick)), anchor="middle", size=11)
    _name(sheet, lines, {level: [_short(level, _LONGEST)] for level in lines})
    described = "; ".join(
        _("{level}: {patients} patients, {events} events, {survival} % at the end").format(
            level=_(level),
            patients=_size(rows),
            events=sum(r["events"] for r in rows),
            survival=percent(rows[-1]["survival"]),
        )
        for level, rows in levels.items()
    )
    return sheet.svg(
        key,
        (_("Cumulative incidence: {title}") if incidence else _("Kaplan–Meier curves by {factor}")).format(
            factor=in_sentence(title), title=title
        ),
        _("{described}. {test}. Shaded: 95 % confidence intervals.").format(described=described, test=test),
    )


def _name(sheet: Drawing, curves: dict[str, list[tuple[float, float]]], names: dict[str, list[str]]) -> None:
    """Draw the names of the curves beside their ends."""
    for name in curve_names.placed(curves, names, _TOP + 4, _BOTTOM, _RIGHT + 8):
        if name.leader:
            (x1, y1), (x2, y2) = name.leader
            sheet.line(x1, y1, x2, y2, width=0.6, ink=GREY)
        for at, line in enumerate(name.lines):
            sheet.text(name.x, name.y + curve_names.HEIGHT * at, line, size=11)


def _short(name: str, longest: int) -> str:
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def _colour(index: int) -> str:
    return _COLOURS[index % len(_COLOURS)]


def last_drawn(frame: pl.DataFrame, least_at_risk: int) -> float:
    """Return the time at which the last curve ends: the end of the axis that all panels share."""
    enough = frame.filter(pl.col("at_risk") >= least_at_risk)
    return float((enough if enough.height else frame).select(pl.col("time_months").max()).item() or 0)


class _Axes:
    """The axes: time in months to the right, probability upwards."""

    def __init__(self, horizon: float, left: float = _LEFT) -> None:
        self.left = left
        step = next((s for s in _STEP_MONTHS if horizon / s <= _MOST_TICKS), _STEP_MONTHS[-1])
        self.end = max(step, step * ceil(horizon / step))
        self.ticks = range(0, self.end + 1, step)

    def at(self, months: float, share: float) -> tuple[float, float]:
        """Return the coordinates of a point."""
        return self.left + (_RIGHT - self.left) * months / self.end, _BOTTOM - (_BOTTOM - _TOP) * share

    def draw(self, sheet: Drawing, label: str, *, since_therapy: bool = False) -> None:
        """Draw axes, ticks and labels."""
        months = _("Months since the therapy") if since_therapy else _("Months since diagnosis")
        sheet.line(self.left, _TOP, self.left, _BOTTOM)
        sheet.line(self.left, _BOTTOM, _RIGHT, _BOTTOM)
        for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
            y = self.at(0, share)[1]
            sheet.line(self.left - 5, y, self.left, y)
            sheet.text(self.left - 9, y + 4, percent(share, 0), anchor="end")
        for tick in self.ticks:
            x = self.at(tick, 0)[0]
            sheet.line(x, _BOTTOM, x, _BOTTOM + 5)
            sheet.text(x, _BOTTOM + 19, str(tick), anchor="middle")
        sheet.text((self.left + _RIGHT) / 2, _BOTTOM + 37, months, anchor="middle")
        sheet.text(self.left - 54, (_TOP + _BOTTOM) / 2, label, anchor="middle", turned=True)


def _counted(sheet: Drawing, frame: _Axes, counts: list[tuple[Any, ...]]) -> None:
    """Draw the numbers at risk and, if known, censored and with an event below each tick."""
    top = _BOTTOM + 58
    sheet.text(4, top, _("No. of patients"), italic=True, size=11)
    for line, name in enumerate((_("At risk"), _("Censored"), _("Events"))[: len(counts[0]) - 1], 1):
        # A long word must not reach the first number.
        sheet.text(4, top + 16 * line, name, size=11 if len(name) <= 10 else 9.5)
        for tick, *values in counts:
            sheet.text(frame.at(tick, 0)[0], top + 16 * line, values[line - 1], anchor="middle", size=11)


def _dash(index: int) -> str:
    return _DASHES[index % len(_DASHES)]


def _at_risk(left: list[tuple[float, int]], months: float) -> int:
    """Return the number at risk at the first time not before this one; 0 after the last."""
    return next((n for t, n in left if t >= months), 0)


def _so_far(rows: list[dict[str, float]], months: float) -> tuple[int, int, int]:
    """Return the number at risk at a time, and the numbers censored and with an event before it."""
    past = [row for row in rows if row["time_months"] < months]
    events, censored = (int(sum(row[name] for row in past)) for name in ("events", "censored"))
    return _at_risk([(r["time_months"], int(r["at_risk"])) for r in rows], months), censored, events


def _size(rows: list[dict[str, Any]]) -> int:
    """Return the number of patients of a curve: all who left.

    With delayed entry not all are present at time 0.
    """
    return int(sum(row["events"] + row["censored"] for row in rows))


def _steps(points: list[tuple[float, float]], end: float | None) -> list[tuple[float, float]]:
    """Return the corners of a step function; it keeps its last value until the end."""
    corners: list[tuple[float, float]] = []
    for time, share in points:
        if corners:
            corners.append((time, corners[-1][1]))
        if not corners or corners[-1] != (time, share):
            corners.append((time, share))
    if end is not None and corners:
        corners.append((end, corners[-1][1]))
    return corners
