"""Build the tables on follow-up: completeness, age of the registry answers, timing of covariates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import polars as pl

from sarcoma_pipeline.publish.report.number_format import MISSING, capital, number, p_value, percent
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.publish.report.stored_notes import told
from schemas.language import gettext as _
from schemas.language import pgettext
from schemas.statistics import DEFAULT

Frames = Mapping[str, pl.DataFrame]


def tables(
    frames: Frames,
    titles: Mapping[str, str],
    terms: Mapping[str, str],
    label: Callable[[], str],
    p_decimals: int = DEFAULT.p_decimals,
) -> Iterator[Table]:
    """Yield the tables whose frames have rows.

    Args:
        frames: the released tables by name.
        titles: endpoint to its title.
        terms: covariate to its title.
        label: function that returns the next label.
        p_decimals: printed decimals of a p value.
    """
    makers = {
        "analysis.follow_up_completeness": partial(_completeness, p_decimals=p_decimals),
        "cohort.patients": _answers,
        "cohort.not_at_risk": _not_at_risk,
        "analysis.immortal_time": _immortal_time,
        "analysis.covariate_timing": _timing,
    }
    for name, make in makers.items():
        frame = frames.get(name)
        if frame is not None and frame.height:
            yield make(frame, titles, terms, label())


def _completeness(
    frame: pl.DataFrame,
    titles: Mapping[str, str],
    terms: Mapping[str, str],
    label: str,
    *,
    p_decimals: int,
) -> Table:
    lines, warnings = [], {}
    for r in frame.rows(named=True):
        title = titles.get(r["endpoint"], r["endpoint"])
        if r["covariate"] is None:
            name = title
        else:
            name = f"{terms.get(r['covariate'], r['covariate'])}: {_(r['level'])}"
        if r["warning"]:
            of = title if r["covariate"] is None else f"{title}, {terms.get(r['covariate'], r['covariate'])}"
            warnings[f"{of}: {told(r['warning'])}."] = None
        lines.append(
            Line(
                (
                    name, number(r["n"]), number(r["events"]), number(r["observed_years"], 1),
                    number(r["possible_years"], 1), percent(r["completeness"]), number(r["lost"]),
                    p_value(r["p_value"], p_decimals), number(r["never_examined"]), number(r["late_deaths"]),
                ),
                indent=r["covariate"] is not None,
            )
        )  # fmt: skip
    note = _(
        "Completeness: observed person-years as a share of the possible ones up to the data cut-off, or to "
        "an earlier event, censoring event or death (Clark et al., 2002). Lost: without an event, and ended"
        " more than a year before the possible end. p: log-rank test of the losses. Late deaths: events "
        "later after the last examination than the window of the assumptions, or without any."
    )
    return Table(
        "table-completeness",
        label,
        _("Completeness of follow-up"),
        (
            _("Endpoint and group"),
            "n",
            pgettext("narrow column", "Events"),
            _("Observed, years"),
            _("Possible, years"),
            _("Completeness, %"),
            _("Lost"),
            _("p (losses)"),
            _("Never examined"),
            _("Late deaths"),
        ),
        tuple(lines),
        (note, *(_("Warning: {warning}").format(warning=w) for w in warnings)),
        (21, 6, 8, 10, 10, 13, 6, 9, 10, 7),
    )


def _answers(
    patients: pl.DataFrame, titles: Mapping[str, str], terms: Mapping[str, str], label: str
) -> Table:
    """Return the table on the age of the registry offices' last answers at the data cut-off."""
    living = patients.filter(pl.col("registry_answer_age_months").is_not_null())
    ages = living["registry_answer_age_months"].cast(pl.Float64) / 12
    asked = patients.height - patients["registry_answer_days"].null_count()
    shown = MISSING
    if living.height:
        q1, middle, q3 = (ages.quantile(q, "linear") for q in (0.25, 0.5, 0.75))
        shown = f"{number(middle, 1)} ({number(q1, 1)}–{number(q3, 1)})"
    rows = [
        (_("Patients with an answer of a registry office"), number(asked)),
        (_("Patients without any"), number(patients.height - asked)),
        (_("Living patients with an answer"), number(living.height)),
        (_("Age of their last answer at the data cut-off, years: median (Q1–Q3)"), shown),
        (_("Two years old or older"), number(int((ages >= 2).sum()))),
    ]
    return Table(
        "table-registry-answers", label, _("Answers of the registry offices"), (_("Answers"), _("Value")),
        tuple(Line(r) for r in rows),
    )  # fmt: skip


def _not_at_risk(
    frame: pl.DataFrame, titles: Mapping[str, str], terms: Mapping[str, str], label: str
) -> Table:
    counted = frame.group_by("endpoint", "reason").len()
    order = {name: i for i, name in enumerate(titles)}
    rows = sorted(counted.rows(), key=lambda r: (order.get(r[0], len(order)), r[1]))
    return Table(
        "table-not-at-risk", label, _("Eligible patients who are not at risk of an endpoint"),
        (_("Endpoint"), _("Reason"), _("Patients")),
        tuple(Line((titles.get(e, e), capital(told(reason)), number(n))) for e, reason, n in rows),
    )  # fmt: skip


def _immortal_time(
    frame: pl.DataFrame, titles: Mapping[str, str], terms: Mapping[str, str], label: str
) -> Table:
    lines = [
        Line(
            (
                _("{endpoint}, to {milestone}").format(
                    endpoint=titles.get(r["endpoint"], r["endpoint"]), milestone=_(r["milestone"])
                ),
                number(r["n"]),
                f"{number(r['median_days'], 1)} ({number(r['q1_days'], 1)}–{number(r['q3_days'], 1)})",
                number(r["longest_days"]),
                number(r["events_before"]),
                number(r["percent"], 1),
            )
        )
        for r in frame.rows(named=True)
    ]
    return Table(
        "table-immortal-time",
        label,
        _("Time from the origin of an endpoint to the treatment, in days"),
        (
            _("Endpoint and treatment"),
            "n",
            _("Median (Q1–Q3)"),
            _("Longest"),
            _("Events before"),
            _("Share of time, %"),
        ),
        tuple(lines),
        (
            _(
                "Patients with the treatment were alive until then. A cohort chosen by the treatment "
                "therefore shows too few of the events before it. Share: of the time at risk of these "
                "patients."
            ),
        ),
    )


def _timing(frame: pl.DataFrame, titles: Mapping[str, str], terms: Mapping[str, str], label: str) -> Table:
    lines = [
        Line(
            (
                r["model"], terms.get(r["covariate"], r["covariate"]), _(r["known_from"]), number(r["n"]),
                number(r["median_days"], 1), number(r["events_before"]), capital(told(r["warning"])),
            )
        )
        for r in frame.rows(named=True)
    ]  # fmt: skip
    return Table(
        "table-timing",
        label,
        _("Warning: covariates that are known only after patients are at risk"),
        (
            _("Model"),
            _("Covariate"),
            _("Known from"),
            pgettext("narrow column", "Patients"),
            _("Median days"),
            _("Events before"),
            _("Warning"),
        ),
        tuple(lines),
        (),
        (8, 15, 16, 8, 8, 8, 37),
    )
