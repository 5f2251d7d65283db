"""Draws the STROBE flow diagram: patients assessed, excluded per criterion, and analysed."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.publish.report.drawing import Drawing, wrapped
from sarcoma_pipeline.publish.report.number_format import number
from schemas.language import gettext as _

_WIDTH = 700.0
_MAIN, _SIDE = (10.0, 360.0), (440.0, 250.0)
_LINE, _PAD, _GAP = 16.0, 10.0, 22.0


def flow_diagram(flow: pl.DataFrame, endpoints: list[tuple[str, int]], *, key: str) -> str:
    """Draw the flow diagram.

    Args:
        flow: `schemas.cohort.CohortFlow`.
        endpoints: title and number of events of each derivable endpoint.
        key: id of the figure, unique on the page.
    """
    steps = flow.sort("position").rows(named=True)
    boxes = [[_("Patients in the sources (n = {n})").format(n=number(steps[0]["entered"]))]] if steps else []
    boxes += [
        [*wrapped(step["label"], 52), f"n = {number(step['remaining'])}"] for step in steps
    ]  # fmt: skip
    analysed = [
        _("{title}: {events} events").format(title=title, events=number(events))
        for title, events in endpoints
    ]
    boxes.append(
        [
            _("Analysed (n = {n})").format(n=number(steps[-1]["remaining"])) if steps else _("Analysed"),
            *analysed,
        ]
    )
    heights = [_PAD * 2 + _LINE * len(lines) - 4 for lines in boxes]
    sheet = Drawing(_WIDTH, sum(heights) + _GAP * (len(boxes) - 1) + 8)
    y, (x, width) = 4.0, _MAIN
    for index, (lines, height) in enumerate(zip(boxes, heights, strict=True)):
        sheet.rect(x, y, width, height)
        for line, words in enumerate(lines):
            bold = index in (0, len(boxes) - 1) and not line
            sheet.text(x + width / 2, y + _PAD + 10 + _LINE * line, words, anchor="middle", bold=bold)
        if 0 < index < len(boxes) - 1:
            _excluded(sheet, steps[index - 1], y + height / 2, x + width)
        if index < len(boxes) - 1:
            _arrow(sheet, x + width / 2, y + height, y + height + _GAP)
        y += height + _GAP
    left = "; ".join(
        _("{label}: {excluded} excluded, {remaining} remain").format(
            label=s["label"], excluded=number(s["excluded"]), remaining=number(s["remaining"])
        )
        for s in steps
    )
    return sheet.svg(key, _("Flow of patients through the eligibility criteria"), f"{left}.")


def _excluded(sheet: Drawing, step: dict[str, object], y: float, start: float) -> None:
    excluded, unknown = step["excluded"], step.get("not_known")
    shown = excluded if isinstance(excluded, int) else None
    words = [_("Excluded: n = {n}").format(n=number(shown))]
    if isinstance(excluded, int) and isinstance(unknown, int) and unknown:
        words.append(
            _("not fulfilled {excluded}, not known {unknown}").format(
                excluded=number(excluded - unknown), unknown=number(unknown)
            )
        )
    else:
        words = [_("Excluded, not fulfilled: n = {n}").format(n=number(shown))]
    x, width = _SIDE
    sheet.line(start, y, x - 6, y)
    sheet.path([(x, y), (x - 7, y - 4), (x - 7, y + 4)], width=0, fill="#111")
    height = 15.0 * len(words) + 15
    sheet.rect(x, y - height / 2, width, height)
    for line, text in enumerate(words):
        sheet.text(x + width / 2, y + 4 + 15 * (line - (len(words) - 1) / 2), text, anchor="middle")


def _arrow(sheet: Drawing, x: float, top: float, bottom: float) -> None:
    sheet.line(x, top, x, bottom - 6)
    sheet.path([(x, bottom), (x - 4, bottom - 7), (x + 4, bottom - 7)], width=0, fill="#111")
