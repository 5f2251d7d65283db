"""Build the curves of the risk of a toxicity by a dose: probability with its confidence band."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.publish.report.blocks import Figure, Paragraph, Report
from sarcoma_pipeline.publish.report.drawing import BAND, Drawing
from sarcoma_pipeline.publish.report.number_format import number, percent
from schemas.language import gettext as _

_WIDTH, _HEIGHT, _LEFT, _TOP = 400, 220, 60, 30


def curves(report: Report) -> Iterator[Figure | Paragraph]:
    """Yield the curves of risk by dose, and why there is none."""
    frame = report.frames["analysis.dose_response"].sort("position")
    titles = {one.name: one.title for one in report.study.dose_response}
    names = {c.name: c.metric + ", " + c.structure for c in report.study.dose_columns}
    for part in frame.partition_by("name", maintain_order=True):
        first = part.row(0, named=True)
        title = _(titles.get(str(first["name"]), str(first["name"])))
        if first["warning"]:
            yield Paragraph(
                _("{title}: no curve, {reason} ({events} of {patients} patients).").format(
                    title=title,
                    reason=_(first["warning"]),
                    events=first["events"],
                    patients=first["patients"],
                )
            )
            continue
        ratio = f"{number(first['odds_ratio'], 3)} ({number(first['odds_ratio_low'], 3)}–"
        ratio += f"{number(first['odds_ratio_high'], 3)})"
        yield report.figure(
            f"figure-dose-{part['position'][0]}",
            _(
                "{title}: probability by logistic regression, with its 95 % confidence band (Wald), between "
                "the 5th and the 95th percentile. {events} of {patients} documented patients; {left_out} "
                "without documentation or value are left out. Odds ratio per unit {ratio}."
            ).format(
                title=title, events=first["events"], patients=first["patients"],
                left_out=first["left_out"], ratio=ratio,
            ),
            [panel(part, title, names.get(str(first["column_name"]), str(first["column_name"])))],
        )  # fmt: skip


def panel(rows: pl.DataFrame, title: str, axis: str) -> str:
    """Draw one curve: the dose to the right, the probability upwards.

    Args:
        rows: its points, rows of ``analysis.dose_response``.
        title: what it shows.
        axis: name of the dose.
    """
    sheet = Drawing(_LEFT + _WIDTH + 20, _TOP + _HEIGHT + 50)
    first, last = float(rows["value"][0]), float(rows["value"][-1])

    def at(value: float, share: float) -> tuple[float, float]:
        return _LEFT + _WIDTH * (value - first) / (last - first), _TOP + _HEIGHT * (1 - share)

    points = rows.select("value", "probability", "ci_low", "ci_high").rows()
    band = [at(x, low) for x, _p, low, _h in points] + [at(x, high) for x, _p, _l, high in points[::-1]]
    sheet.path(band, width=0, fill=BAND)
    sheet.path([at(x, p) for x, p, _l, _h in points])
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(first, share)
        sheet.line(x - 5, y, x, y)
        sheet.text(x - 9, y + 4, percent(share, 0), anchor="end")
    for value in (first, (first + last) / 2, last):
        x, y = at(value, 0)
        sheet.line(x, y, x, y + 5)
        sheet.text(x, y + 19, number(value, 1), anchor="middle")
    sheet.line(*at(first, 0), *at(last, 0))
    sheet.line(*at(first, 0), *at(first, 1))
    sheet.text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 38, axis, anchor="middle")
    sheet.text(16, _TOP + _HEIGHT / 2, _("Probability (%)"), anchor="middle", turned=True)
    told = "; ".join(f"{number(x, 1)}: {percent(p)} %" for x, p, _l, _h in (points[0], points[-1]))
    return sheet.svg(f"svg-dose-{rows['position'][0]}", title, told)
