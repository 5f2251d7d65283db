"""Build the tables on follow-up: completeness, age of the registry answers, timing of covariates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import polars as pl

from sarcoma_pipeline.publish.report.number_format import MISSING, capital, number, p_value, percent
from sarcoma_pipeline.publish.report.report_tables import Line, Table
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
            name = f"{terms.get(r['covariate'], r['covariate'])}: {r['level']}"
        if r["warning"]:
            of = title if r["covariate"] is None else f"{title}, {terms.get(r['covariate'], r['covariate'])}"
            warnings[f"{of}: {r['warning']}."] = None
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
    note = (
        "Completeness: observed person-years as a share of the possible ones up to the data cut-off, or to "
        "an earlier event, censoring event or death (Clark et al., 2002). Lost: without an event, and ended"
        " more than a year before the possible end. p: log-rank test of the losses. Late deaths: events "
        "later after the last examination than the window of the assumptions, or without any."
    )
    return Table(
        "table-completeness", label, "Completeness of follow-up",
        ("Endpoint and group", "n", "Events", "Observed, years", "Possible, years", "Completeness, %", "Lost",
         "p (losses)", "Never examined", "Late deaths"),
        tuple(lines), (note, *(f"Warning: {w}" for w in warnings)), (24, 6, 8, 10, 10, 13, 6, 8, 8, 7),
    )  # fmt: skip


def _answers(patients: pl.DataFrame, _: Mapping[str, str], __: Mapping[str, str], label: str) -> Table:
    """Return the table on the age of the registry offices' last answers at the data cut-off."""
    living = patients.filter(pl.col("registry_answer_age_months").is_not_null())
    ages = living["registry_answer_age_months"].cast(pl.Float64) / 12
    asked = patients.height - patients["registry_answer_days"].null_count()
    shown = MISSING
    if living.height:
        q1, middle, q3 = (ages.quantile(q, "linear") for q in (0.25, 0.5, 0.75))
        shown = f"{number(middle, 1)} ({number(q1, 1)}–{number(q3, 1)})"
    rows = [
        ("Patients with an answer of a registry office", number(asked)),
        ("Patients without any", number(patients.height - asked)),
        ("Living patients with an answer", number(living.height)),
        ("Age of their last answer at the data cut-off, years: median (Q1–Q3)", shown),
        ("Two years old or older", number(int((ages >= 2).sum()))),
    ]
    return Table(
        "table-registry-answers", label, "Answers of the registry offices", ("Answers", "Value"),
        tuple(Line(r) for r in rows),
    )  # fmt: skip


def _not_at_risk(frame: pl.DataFrame, titles: Mapping[str, str], _: Mapping[str, str], label: str) -> Table:
    counted = frame.group_by("endpoint", "reason").len()
    order = {name: i for i, name in enumerate(titles)}
    rows = sorted(counted.rows(), key=lambda r: (order.get(r[0], len(order)), r[1]))
    return Table(
        "table-not-at-risk", label, "Eligible patients who are not at risk of an endpoint",
        ("Endpoint", "Reason", "Patients"),
        tuple(Line((titles.get(e, e), capital(reason), number(n))) for e, reason, n in rows),
    )  # fmt: skip


def _immortal_time(frame: pl.DataFrame, titles: Mapping[str, str], _: Mapping[str, str], label: str) -> Table:
    lines = [
        Line(
            (
                f"{titles.get(r['endpoint'], r['endpoint'])}, to {r['milestone']}", number(r["n"]),
                f"{number(r['median_days'], 1)} ({number(r['q1_days'], 1)}–{number(r['q3_days'], 1)})",
                number(r["longest_days"]), number(r["events_before"]), number(r["percent"], 1),
            )
        )
        for r in frame.rows(named=True)
    ]  # fmt: skip
    return Table(
        "table-immortal-time", label, "Time from the origin of an endpoint to the treatment, in days",
        ("Endpoint and treatment", "n", "Median (Q1–Q3)", "Longest", "Events before", "Share of time, %"),
        tuple(lines),
        ("Patients with the treatment were alive until then. A cohort chosen by the treatment therefore "
         "shows too few of the events before it. Share: of the time at risk of these patients.",),
    )  # fmt: skip


def _timing(frame: pl.DataFrame, _: Mapping[str, str], terms: Mapping[str, str], label: str) -> Table:
    lines = [
        Line(
            (
                r["model"], terms.get(r["covariate"], r["covariate"]), r["known_from"], number(r["n"]),
                number(r["median_days"], 1), number(r["events_before"]), capital(r["warning"]),
            )
        )
        for r in frame.rows(named=True)
    ]  # fmt: skip
    return Table(
        "table-timing", label, "Warning: covariates that are known only after patients are at risk",
        ("Model", "Covariate", "Known from", "Patients", "Median days", "Events before", "Warning"),
        tuple(lines), (), (8, 15, 16, 8, 8, 8, 37),
    )  # fmt: skip
