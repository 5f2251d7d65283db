"""Draws the charts and the matrix of the steward's page: SVG and tables that need no script.

No chart speaks by colour alone: each bar and line is labelled with its numbers, and the same numbers are the
text alternative. The three fills differ in lightness as much as in hue.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from urllib.parse import urlencode

import polars as pl

from schemas.language import counted, day, decimal, marked
from schemas.language import gettext as _
from schemas.vocabularies import RESOLVED, RULE_CATEGORY, SEVERITY, WAIVED

SETTLED = (WAIVED, RESOLVED)
CATEGORY_WORDS = (marked("completeness"), marked("conformance"), marked("plausibility"))
"""Words of the categories."""
AGES = (
    (1, marked("up to a day")), (7, marked("2 to 7 days")), (30, marked("8 to 30 days")),
    (90, marked("31 to 90 days")), (None, marked("more than 90 days")),
)  # fmt: skip
"""Last day and label of each group of ages."""

_NIGHTS = 60
"""Nights in the drawing of the trend."""
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 480, 140, 34, 96, 8, 22
"""Size of the trend and its margins, in pixels."""
_ROW, _BAR, _LONGEST = 40, 14, 200
"""Height of a bar's row with its label, height of a bar, and length of the longest, in pixels."""


def trend(counts: pl.DataFrame) -> str:
    """Draw the open findings per severity over the last nights, with a caption.

    Args:
        counts: ``quality.trend``, optionally with the ``day`` of each refresh at the site.
    """
    counts = with_days(counts)
    if counts["day"].n_unique() < 2:
        return f"<figcaption>{escape(_('The trend is drawn from the second night on.'))}</figcaption>"
    to_do = [c for c in ("open", "reopened", "acknowledged") if c in counts.columns]
    nights = counts["day"].unique().sort().tail(_NIGHTS).to_list()
    # If a day has several refreshes, the last one counts.
    ended = counts.filter(pl.col("refresh_id") == pl.col("refresh_id").max().over("day"))
    by = ended.group_by("day", "severity").agg(n=pl.sum_horizontal(pl.col(to_do)).sum())
    numbers = {(night, severity): n for night, severity, n in by.iter_rows()}
    lines = {s: [numbers.get((night, s), 0) for night in nights] for s in SEVERITY}
    most = max(1, *(n for line in lines.values() for n in line))
    drawn = "".join(_line(severity, line, most) for severity, line in lines.items())
    labels = "".join(
        f'<text x="{_WIDTH - _RIGHT + 8}" y="{y:.0f}">{counted(line[-1], severity)}</text>'
        for y, (severity, line) in zip(
            _spread(_y(line[-1], most) + 4 for line in lines.values()), lines.items(), strict=True
        )
    )
    now = counts.filter(pl.col("day") == nights[-1]).select(pl.col("new", "resolved").sum()).row(0)
    caption = _("Findings to do over {nights} nights. Last night: {new} new, {resolved} resolved.").format(
        nights=len(nights), new=now[0], resolved=now[1]
    )
    base = _HEIGHT - _BOTTOM
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(caption)}">'
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{base}" y2="{base}"/>'
        f'<text x="{_LEFT - 6}" y="{base + 4}" text-anchor="end">0</text>'
        f'<text x="{_LEFT - 6}" y="{_TOP + 8}" text-anchor="end">{most}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 5}">{escape(day(nights[0]))}</text>'
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 5}" text-anchor="end">{escape(day(nights[-1]))}</text>'
        f"{drawn}{labels}</svg><figcaption>{escape(caption)}</figcaption>"
    )


def with_days(counts: pl.DataFrame) -> pl.DataFrame:
    """Return a trend with the day of each refresh: a night is a day, however often it was refreshed."""
    of_id = pl.col("refresh_id").map_elements(day_of, return_dtype=pl.String)
    if "day" in counts.columns:
        # A refresh that a lost warehouse has forgotten has only its id.
        return counts.with_columns(day=pl.coalesce(pl.col("day").cast(pl.String), of_id))
    return counts.with_columns(day=of_id)


def day_of(refresh_id: str) -> str:
    """Convert ``20261124T015548Z-…`` to 2026-11-24."""
    return re.sub(r"^(\d{4})(\d\d)(\d\d)T.*$", r"\1-\2-\3", refresh_id)


def ages(findings: pl.DataFrame, days: Mapping[str, str], today: str) -> str:
    """Draw the findings to do by the days since they were first seen.

    Args:
        findings: ``status``, ``severity`` and ``first_seen``.
        days: day of each refresh at the site, ISO 8601; other refreshes have the day of their id.
        today: id of the last refresh.
    """
    to_do = _to_do(findings).drop_nulls("first_seen")
    last = dt.date.fromisoformat(days.get(today) or day_of(today))
    groups: dict[str, dict[str, int]] = {label: {} for _, label in AGES}
    seen = to_do.group_by("first_seen", "severity").len().sort("first_seen", "severity")
    for first, severity, number in seen.iter_rows():
        age = (last - dt.date.fromisoformat(days.get(first) or day_of(first))).days
        label = next(label for limit, label in AGES if limit is None or age <= limit)
        groups[label][severity] = groups[label].get(severity, 0) + number
    return _bars(_("Findings to do by their age."), {_(label): group for label, group in groups.items()})


def by_source(findings: pl.DataFrame) -> str:
    """Draw the findings to do by source, most first.

    Args:
        findings: ``status``, ``severity`` and ``source``.
    """
    groups: dict[str, dict[str, int]] = {}
    numbers = _to_do(findings).group_by("source", "severity").len()
    for source, severity, number in numbers.iter_rows():
        groups.setdefault(source or _("no source"), {})[severity] = number
    ordered = sorted(groups.items(), key=lambda group: (-sum(group[1].values()), group[0]))
    return _bars(_("Findings to do by source."), dict(ordered))


def _to_do(findings: pl.DataFrame) -> pl.DataFrame:
    return findings.filter(~pl.col("status").is_in(SETTLED))


def _bars(title: str, groups: Mapping[str, Mapping[str, int]]) -> str:
    """Draw a bar per group, one part per severity, with its numbers in words at its end."""
    most = max([0, *(sum(group.values()) for group in groups.values())])
    if not most:
        return f"<figcaption>{escape(title)} {escape(_('No findings to do.'))}</figcaption>"
    drawn, told = [], []
    for place, (label, group) in enumerate(groups.items()):
        y, x = place * _ROW + 20, 0.0
        words = ", ".join(counted(group[s], s) for s in SEVERITY if group.get(s)) or "0"
        told.append(f"{label}: {words}")
        # The label stands above its bar: beside it, a long one has no room on a phone.
        drawn.append(f'<text x="0" y="{y - 6}">{escape(label)}</text>')
        for severity in SEVERITY:
            if number := group.get(severity):
                width = max(2.0, _LONGEST * number / most)
                drawn.append(
                    f'<rect class="{severity}" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'
                )
                x += width + 1
        drawn.append(f'<text x="{x + 6 if x else 0:.1f}" y="{y + 11}">{escape(words)}</text>')
    height = len(groups) * _ROW
    alternative = escape(f"{title} {'; '.join(told)}.")
    return (
        f"<figcaption>{escape(title)}</figcaption>"
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{alternative}">{"".join(drawn)}</svg>'
    )


def matrix(results: pl.DataFrame) -> str:
    """Render broken and judged records by source and category; each cell links to its findings.

    Args:
        results: ``quality.rule_results``.

    Returns:
        A table; empty if no rule judged anything of a source.
    """
    of_source = results.drop_nulls("source")
    if of_source.is_empty():
        return ""
    # A rule that counts no records has no denominator, so no share.
    both = pl.col("judged").is_not_null()
    cells = {
        (source, category): (judged, broken, alone)
        for source, category, judged, broken, alone in of_source.group_by("source", "category")
        .agg(
            pl.col("judged").sum(),
            (pl.col("broken") - pl.col("waived")).filter(both).sum().alias("broken"),
            (pl.col("broken") - pl.col("waived")).filter(~both).sum().alias("alone"),
        )
        .iter_rows()
    }
    heads = "".join(f'<th scope="col" class="number">{_(category)}</th>' for category in RULE_CATEGORY)
    caption = _(
        "Broken of judged records, by source and category (Kahn 2016): are values there, do they keep to "
        "formats, codes and keys, and can they be true. A record is judged once by each rule; what stands "
        "after a plus breaks rules that count no records."
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(source)}</th>'
        + "".join(
            _cell(source, category, *cells.get((source, category), (0, 0, 0))) for category in RULE_CATEGORY
        )
        + "</tr>"
        for source in sorted(of_source["source"].unique())
    )
    return (
        f'<table class="matrix"><caption>{escape(caption)}</caption>'
        f'<thead><tr><th scope="col">{escape(_("Source"))}</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _cell(source: str, category: str, judged: int, broken: int, alone: int) -> str:
    """Render one cell: the share as its main number, with the numbers of records that it is computed from."""
    if not judged and not alone:
        return f'<td class="number" data-label="{_(category)}">–</td>'
    where = escape(f"#{urlencode({'view': 'list', 'source': source, 'category': category})}")
    words = _("{broken} of {judged}").format(broken=broken, judged=judged) if judged else str(alone)
    share = percent(100 * broken / judged) + " %" if judged else ""
    more = f" + {alone}" if judged and alone else ""
    name = escape(f"{source}, {_(category)}: {share} {words}{more}".replace("  ", " "))
    shown = f"<strong>{share}</strong> " if share else ""
    link = f'<a href="{where}" aria-label="{name}">{shown}<small>{words}{more}</small></a>'
    return f'<td class="number" data-label="{_(category)}">{link}</td>'


def percent(share: float | None) -> str:
    """Return a percentage with one decimal; one that is not nought does not look like nought."""
    return "" if share is None else decimal("< 0.1" if 0 < share < 0.05 else f"{share:.1f}")


def _line(severity: str, counts: Sequence[int], most: int) -> str:
    step = (_WIDTH - _LEFT - _RIGHT) / (len(counts) - 1)
    points = [(_LEFT + i * step, _y(n, most)) for i, n in enumerate(counts)]
    drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = points[-1]
    return (
        f'<polyline class="{severity}" points="{drawn}"/>'
        f'<circle class="{severity}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
    )


def _y(count: int, most: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * count / most


def _spread(wanted: Iterable[float], gap: float = 15) -> list[float]:
    """Move the heights of labels apart, so that no label covers another."""
    heights = list(wanted)
    lowest = _HEIGHT - _BOTTOM + 4.0
    for i in sorted(range(len(heights)), key=lambda i: -heights[i]):
        heights[i] = min(heights[i], lowest)
        lowest = heights[i] - gap
    return heights
