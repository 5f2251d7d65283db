"""Draws and prints the calibration of the models: predicted beside observed survival by groups of risk."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from sarcoma_pipeline.publish.report.additional_analyses import NEAR_MONTHS
from sarcoma_pipeline.publish.report.blocks import Figure, Report
from sarcoma_pipeline.publish.report.drawing import GREY, Drawing
from sarcoma_pipeline.publish.report.number_format import MISSING, number, percent, rate
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from schemas.language import gettext as _

_SIZE, _LEFT, _TOP, _SIDE = 340.0, 66.0, 34.0, 250.0


def blocks(report: Report) -> Iterator[Table | Figure]:
    """Yield a figure with a panel per model, and the table, at the horizon nearest to two years."""
    frame = report.frames["analysis.calibration"].sort("position")
    months = min(frame["horizon_months"].unique().sort(), key=lambda h: abs(h - NEAR_MONTHS))
    at = frame.filter(horizon_months=months)
    titles = {m.name: m.title.partition(" (")[0] for m in report.study.models}
    parts = at.partition_by("model", maintain_order=True)
    panels = [
        panel(part.filter(pl.col("risk_group") > 0), letter, str(titles.get(name, name)), months)
        for letter, part, name in zip("ABCDEFGH", parts, (p["model"][0] for p in parts), strict=False)
    ]
    yield report.figure(
        "figure-calibration",
        _(
            "Calibration of the models at {months} months, in the patients to whom they were fitted: a point "
            "per group of predicted risk, with the 95 % confidence interval of the Kaplan–Meier estimate. On "
            "the dashed line prediction and observation agree."
        ).format(months=number(months)),
        panels,
    )
    lines: list[Line] = []
    for part in parts:
        name = part["model"][0]
        lines.append(Line((str(titles.get(name, name)), *("",) * 4), heading=True))
        for row in part.rows(named=True):
            who = (
                _("Group {number}").format(number=row["risk_group"])
                if row["risk_group"]
                else _("All patients")
            )
            seen = rate(row["observed"], row["ci_low"], row["ci_high"])
            cells = (who, number(row["n"]), number(row["events"]), percent(row["predicted"]), seen)
            lines.append(Line(cells, indent=True))
    yield Table(
        "table-calibration", report.supplement(),
        _("Predicted and observed survival at {months} months in %").format(months=number(months)),
        (_("Group by rising risk"), "n", _("Events"), _("Predicted"), _("Observed (95 % CI)")), tuple(lines),
        (_("Predicted: mean of the survival that the model predicts. Observed: Kaplan–Meier; "
         "{missing} beyond the follow-up. Models with strata or without an estimate are left out. "
         "The table analysis.calibration has every horizon.").format(missing=MISSING),),
    )  # fmt: skip


def panel(rows: pl.DataFrame, letter: str, title: str, months: float, key: str = "") -> str:
    """Draw one model: predicted survival to the right, observed upwards.

    Args:
        rows: its groups.
        letter: letter of the panel.
        title: the model in words.
        months: time of the prediction.
        key: last part of the figure's id; by default the letter.
    """
    sheet = Drawing(_SIZE, _SIZE + 8)

    def at(predicted: float, observed: float) -> tuple[float, float]:
        return _LEFT + _SIDE * predicted, _TOP + _SIDE * (1 - observed)

    sheet.line(*at(0, 0), *at(1, 1), ink=GREY, dash="4 3")
    for tick in (0, 0.2, 0.4, 0.6, 0.8, 1):
        (x, bottom), (left, y) = at(tick, 0), at(0, tick)
        sheet.line(x, bottom, x, bottom + 5)
        sheet.line(left - 5, y, left, y)
        sheet.text(x, bottom + 19, percent(tick, 0), anchor="middle")
        sheet.text(left - 9, y + 4, percent(tick, 0), anchor="end")
    sheet.line(*at(0, 0), *at(1, 0))
    sheet.line(*at(0, 0), *at(0, 1))
    known = [row for row in rows.rows(named=True) if row["observed"] is not None]
    for row in known:
        if row["ci_low"] is not None:
            sheet.line(*at(row["predicted"], row["ci_low"]), *at(row["predicted"], row["ci_high"]))
        sheet.dot(*at(row["predicted"], row["observed"]))
    sheet.text(4, 18, letter, bold=True, size=14)
    sheet.text(_LEFT, 18, title, bold=True, size=13)
    sheet.text(_LEFT + _SIDE / 2, _TOP + _SIDE + 38, _("Predicted survival (%)"), anchor="middle")
    sheet.text(16, _TOP + _SIDE / 2, _("Observed survival (%)"), anchor="middle", turned=True)
    told = "; ".join(
        _("{predicted} % and {observed} %").format(
            predicted=percent(r["predicted"]), observed=percent(r["observed"])
        )
        for r in known
    )
    return sheet.svg(
        f"svg-calibration-{key or letter.lower()}",
        _("Calibration at {months} months: {title}").format(months=number(months), title=title),
        _("Predicted and observed survival of the groups: {values}.").format(
            values=told or _("none is known")
        ),
    )
