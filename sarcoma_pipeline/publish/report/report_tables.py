"""The report's tables as plain data; the page's template renders them as HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report.number_format import (
    MISSING,
    NOT_REACHED,
    capital,
    general,
    listed,
    median,
    number,
    p_value,
    rate,
    ratio_of,
)
from sarcoma_pipeline.publish.report.stored_notes import told
from schemas.contract import CONTRACTS
from schemas.disclosure import WITHHELD
from schemas.language import decimal, in_sentence, marked
from schemas.language import gettext as _
from schemas.statistics import DEFAULT, Statistics

_HAS_DIGIT = re.compile(r"\d")
_WORDS = (
    NOT_REACHED, marked("not known"), marked("not estimable"), WITHHELD, marked("NR"),
    marked("few"), marked("of"),
)  # fmt: skip
"""Words in the place of a number, or between two."""

_BREAKS = 30
"""Rows from which a printed table may go on on the next page; shorter ones stay together."""


@dataclass(frozen=True)
class Line:
    """A row; its first cell is the row heading.

    Attributes:
        cells: cells as printed.
        heading: whether the row is the title of the rows below it; it may have cells of its own.
        indent: whether it belongs to such a title.
        mark: keyword for its style: the verdict of a comparison.
    """

    cells: tuple[str, ...]
    heading: bool = False
    indent: bool = False
    mark: str = ""


@dataclass(frozen=True)
class Table:
    """A table with its caption.

    Attributes:
        key: anchor on the page.
        label: e.g. ``Table 1``.
        caption: what it shows.
        head: column titles.
        lines: rows.
        notes: notes below the table.
        widths: column widths in per cent, if cells contain sentences.
        brief: whether it must fit a phone: intervals may stand below their numbers.
    """

    key: str
    label: str
    caption: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...] = ()
    widths: tuple[int, ...] = ()
    brief: bool = False

    @property
    def breaks(self) -> bool:
        """Whether it may go on on the next printed page."""
        return len(self.lines) > _BREAKS or bool(self.widths)

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Whether each column holds numbers, which are aligned to the right; the first column never does."""
        cells = [line.cells for line in self.lines if not line.heading or any(line.cells[1:])]
        pattern = _numeric(*(_(word) for word in _WORDS))
        missing = {_(NOT_REACHED), _("NR")}
        return tuple(
            bool(column)
            and any(
                _HAS_DIGIT.search(row[column]) or row[column] in missing for row in cells if column < len(row)
            )
            and all(pattern.fullmatch(row[column]) for row in cells if column < len(row))
            for column in range(len(self.head))
        )

    def groups(self) -> Iterator[list[Line]]:
        """Yield the rows by heading, one ``tbody`` each."""
        group: list[Line] = []
        for line in self.lines:
            if group and (line.heading or (group[0].heading and not line.indent)):
                yield group
                group = []
            group.append(line)
        if group:
            yield group


@cache
def _numeric(*words: str) -> re.Pattern[str]:
    """Return the pattern of a cell that is a number, an interval or a fraction, or a word in its place."""
    named = "|".join(map(re.escape, words))
    return re.compile(rf"(?:[<>≤≥= ]*[-−]?\d[\d.,]*(?: ?%| †)?|[–/(); ]|{named})*")


def table_one(rows: pl.DataFrame, n: int) -> Table:
    """Return Table 1 in the paper's layout, from `schemas.analysis.TableOne`."""
    lines: list[Line] = []
    for block, group in groupby(rows.sort("position").iter_rows(named=True), key=lambda row: row["block"]):
        members = list(group)
        of = {row["denominator"] for row in members} - {n, None}
        known = f" (n = {number(of.pop())})" if of else ""
        lines.append(Line((f"{block}{known}", ""), heading=True))
        for row in members:
            name = str(row["level"] or capital(_(row["statistic"])))
            lines.append(Line((name, decimal(_(row["text"]))), indent=True))
    return Table(
        "table-1", _("Table 1"), _("Patient, tumour and treatment characteristics"),
        (_("Patient characteristics (n = {n})").format(n=n), "n (%)"), tuple(lines),
        (_("Percentages are rounded half up and need not add up to 100. Q1–Q3: first to third quartile."),),
    )  # fmt: skip


def table_one_by_group(rows: pl.DataFrame, terms: dict[str, str], label: str) -> Table:
    """Return the groups side by side, from `schemas.analysis_groups.TableOneByGroup`."""
    rows = rows.sort("position")
    sizes = dict(rows.select("group", "group_n").iter_rows())
    lines: list[Line] = []
    for block, group in groupby(rows.iter_rows(named=True), key=lambda row: row["block"]):
        members = list(group)
        difference = number(members[0]["standardised_difference"], 2)
        lines.append(Line((block, *("" for _ in sizes), difference), heading=True))
        for _key, line in groupby(members, key=lambda row: (row["level"], row["statistic"])):
            cells = {row["group"]: row for row in line}
            first = next(iter(cells.values()))
            name = str(first["level"] or capital(_(first["statistic"])))
            texts = (decimal(_(cells[g]["text"])) if g in cells else MISSING for g in sizes)
            lines.append(Line((name, *texts, ""), indent=True))
    covariate = rows["covariate"][0]
    title = in_sentence(str(terms.get(covariate, covariate)))
    largest = _(" The largest of all pairs of groups.") if len(sizes) > 2 else ""
    return Table(
        "table-1-by-group",
        label,
        _("Patient, tumour and treatment characteristics by {title}").format(title=title),
        (_("Characteristic"), *(f"{capital(_(g))} (n = {number(n)})" for g, n in sizes.items()), "SMD"),
        tuple(lines),
        (
            _(
                "n (%), or median and Q1–Q3. SMD: standardised difference of the known values, in pooled "
                "standard deviations; it does not depend on the number of patients, and 0.1 is usually "
                "called small.{largest} A dash: a group without spread, or with fewer than two known values."
            ).format(largest=largest),
        ),
    )


def model(
    rows: pl.DataFrame,
    *,
    number_of: int,
    title: str,
    terms: dict[str, str],
    spelled: dict[str, str],
    strata: Sequence[str] = (),
    p_decimals: int = DEFAULT.p_decimals,
) -> Table:
    """Return a Cox model in the layout of the paper's Tables 2 to 5, from `schemas.analysis.HazardRatio`."""
    lines: list[Line] = []
    for term, group in groupby(rows.sort("position").iter_rows(named=True), key=lambda row: row["term"]):
        for index, row in enumerate(group):
            factor = row["level"] is not None
            if factor and not index:
                lines.append(Line((terms.get(str(term), str(term)), "", ""), heading=True))
            p = p_value(row["p_value"], p_decimals)
            lines.append(Line((row["contrast"], ratio_of(row), p), indent=factor))
    first = rows.row(0, named=True)
    counted = _("n = {n}, events = {events}").format(n=number(first["n"]), events=number(first["events"]))
    notes = [
        _("{counted}. {method} ties; Wald intervals and p values.").format(
            counted=counted, method=_(first["method"])
        )
    ]
    notes += (
        [_("Stratified by {strata}: each level has its own baseline.").format(strata=listed(list(strata)))]
        if strata
        else []
    )
    notes += list(dict.fromkeys(told(note) for note in rows["note"].drop_nulls() if note))
    used = [
        f"{short}: {long}." for short, long in spelled.items() if rows["contrast"].str.contains(short).any()
    ]
    notes += [" ".join(used)] if used else []
    return Table(
        f"table-{number_of}",
        _("Table {number_of}").format(number_of=number_of),
        _("Results of the multivariable proportional hazards model: {title}").format(title=title),
        (_("Multivariable proportional hazards model"), _("HR (95 % CI)"), _("p value")),
        tuple(lines),
        tuple(notes),
    )


def survival(estimates: pl.DataFrame, titles: dict[str, str], label: str, decimals: int = 1) -> Table:
    """Return rates at the horizons and medians, from `schemas.analysis.SurvivalEstimate`.

    Args:
        estimates: the estimates.
        titles: endpoint to its title.
        label: label of the table.
        decimals: printed decimals of rates and months; no more than the numbers are known to.
    """
    horizons = estimates.filter(pl.col("quantity") == "survival")["horizon_months"].unique().sort().to_list()
    head = (
        _("Endpoint"),
        "n",
        _("Events"),
        *(_("{h} months").format(h=number(h)) for h in horizons),
        _("Median, months"),
    )
    lines = []
    for endpoint in titles:
        mine = estimates.filter(pl.col("endpoint") == endpoint)
        if mine.is_empty():
            continue
        rates = {r["horizon_months"]: r for r in mine.filter(quantity="survival").iter_rows(named=True)}
        shown = [
            rate(r["value"], r["ci_low"], r["ci_high"], decimals=decimals) if (r := rates.get(h)) else MISSING
            for h in horizons
        ]
        middle = mine.filter(quantity="median").row(0, named=True)
        lines.append(
            Line(
                (
                    titles[endpoint], number(middle["n"]), number(middle["events"]), *shown,
                    median(middle["value"], middle["ci_low"], middle["ci_high"], "NR", decimals),
                )
            )
        )  # fmt: skip
    return Table(
        "table-survival", label, _("Kaplan–Meier estimates: survival in % (95 % CI) and medians"), head,
        tuple(lines),
        (_("Log-log confidence intervals; those of medians by inverting the limits. NR: not reached."),),
    )  # fmt: skip


def follow_up(estimates: pl.DataFrame, titles: dict[str, str], label: str, decimals: int = 1) -> Table:
    """Return the median follow-up by both methods, from `schemas.analysis.SurvivalEstimate`."""
    rows = estimates.filter(pl.col("quantity").str.starts_with("follow-up")).iter_rows(named=True)
    lines = [
        Line(
            (
                f"{titles.get(r['endpoint'], r['endpoint'])}, {_(r['quantity'].removeprefix('follow-up '))}",
                median(r["value"], r["ci_low"], r["ci_high"], decimals=decimals),
                f"{number(r['q1'], decimals)}–{number(r['q3'], decimals)}",
            )
        )
        for r in rows
    ]  # fmt: skip
    return Table(
        "table-follow-up", label, _("Follow-up in months"),
        (_("Endpoint and method"), _("Median (95 % CI)"), "Q1–Q3"), tuple(lines),
        (
            _("Observed: plain quantile of the times, including events. Reverse Kaplan–Meier: censoring is "
            "the event (Schemper and Smith, 1996)."),
        ),
    )  # fmt: skip


def diagnostics(rows: pl.DataFrame, label: str, statistics: Statistics = DEFAULT) -> Table:
    """Return sample size, events per parameter and concordance of the models."""
    lines = []
    for name in dict.fromkeys(rows.sort("position")["model"]):
        r = rows.filter(pl.col("model") == name).row(0, named=True)
        per = r["events_per_variable"]
        few = f" ({_('few')})" if per is not None and per < statistics.few_events_per_coefficient else ""
        lines.append(
            Line(
                (
                    name, number(r["n"]), number(r["missing"]), number(r["events"]), f"{number(per, 1)}{few}",
                    number(r["concordance"], 3),
                )
            )
        )  # fmt: skip
    return Table(
        "table-diagnostics",
        label,
        _("Sample size and discrimination of the models"),
        (
            _("Model"),
            "n",
            _("Left out, covariate missing"),
            _("Events"),
            _("Events per parameter"),
            _("Harrell’s C"),
        ),
        tuple(lines),
        (
            _("Few: fewer than {least} events per parameter (Peduzzi et al., 1995).").format(
                least=general(statistics.few_events_per_coefficient)
            ),
        ),
    )


def generic(table: str, frame: pl.DataFrame, *, key: str, label: str, caption: str) -> Table:
    """Return any table with the column titles of its contract."""
    titles = {c.name: c.title for c in CONTRACTS[table].columns()} if table in CONTRACTS else {}
    lines = tuple(Line(tuple(_cell(value) for value in row)) for row in frame.iter_rows())
    return Table(key, label, caption, tuple(_(titles.get(c, c)) for c in frame.columns), lines)


def plain(
    key: str,
    label: str,
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[Any]],
    widths: tuple[int, ...] = (),
) -> Table:
    """Return a table of texts and counts."""
    lines = tuple(Line(tuple(_cell(value) for value in row)) for row in rows)
    return Table(key, label, caption, tuple(head), lines, widths=widths)


def _cell(value: object) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, float):
        return number(value, 0 if value == int(value) else 3)
    return str(value)
