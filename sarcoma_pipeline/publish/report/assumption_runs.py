"""Build the table of the other assumptions: every switch of ``[assumptions]`` against the main analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import ascii_lowercase
from typing import Any

import polars as pl

from sarcoma_pipeline.publish.report.additional_analyses import NEAR_MONTHS, run
from sarcoma_pipeline.publish.report.number_format import MISSING, listed, number
from sarcoma_pipeline.publish.report.report_tables import Line, Table
from sarcoma_pipeline.survival.kaplan_meier import MAIN
from sarcoma_pipeline.survival.sensitivity import beyond_error
from schemas.language import gettext as _
from schemas.language import ngettext, pgettext, quoted

Key = tuple[str, float | None, str | None, str | None, str | None]
"""Quantity, horizon, model, term and level of an estimate."""

_KEY = ("quantity", "horizon_months", "model", "term", "level")


def table(
    frame: pl.DataFrame,
    title: str,
    contrasts: Mapping[tuple[str, str, str | None], str],
    label: str,
    sentences: Mapping[str, str],
) -> Table:
    """Return a table with a row per other assumption of an endpoint, with the number of patients it moves.

    Assumptions that change no number are counted in a note; `unchanging` names them.

    Args:
        frame: the rows of one endpoint in `schemas.analysis.SurvivalSensitivity`, the main analysis included.
        title: the endpoint in words.
        contrasts: model, term and level to the contrast as printed.
        label: label of the table.
        sentences: variant to what it assumes, from `schemas.assumptions.sentences`.
    """
    found = _found(frame)
    months = min(frame["horizon_months"].drop_nulls(), key=lambda h: abs(h - NEAR_MONTHS), default=None)
    main = found[MAIN]
    shown: list[Key] = [("median", None, None, None, None), ("survival", months, None, None, None)]
    ratios = [key for key in main if key[0] == "hazard ratio"]
    still = unchanging(frame)
    moving = [variant for variant in found if variant not in still]
    lines = [_line(variant, found[variant], [*shown, *ratios], sentences) for variant in moving]
    letters = dict(zip(ratios, _letters(len(ratios)), strict=True))
    named = [
        f"{letter}: {contrasts.get(key[2:], ' '.join(_(word) for word in key[3:] if word))}"  # type: ignore[call-overload]
        for key, letter in letters.items()
    ]
    far = beyond_error(frame)
    notes = [
        _(
            "Each line is derived anew from the curated events. Moved: patients whose time, event or entry "
            "differs, or who are in only one of the two analyses. NR: not reached. A dash: no estimate."
        ),
        *([_("Hazard ratios (HR). {named}.").format(named="; ".join(named))] if named else []),
        *(
            [
                ngettext(
                    "{still} other choice changes no number of this endpoint.",
                    "{still} other choices change no number of this endpoint.",
                    len(still),
                ).format(still=number(len(still)))
            ]
            if still
            else []
        ),
        *([_("Warning: {warning}").format(warning=_warning(far, sentences))] if far else []),
    ]
    width = 40 // max(len(ratios), 1)
    return Table(
        f"table-assumptions-{frame['endpoint'][0].lower()}",
        label,
        _("{title}: other assumptions").format(title=title),
        (
            _("Assumption"),
            _("Moved"),
            _("Events / patients"),
            _("Median, months"),
            _("At {months} months, %").format(months=number(months)),
            *(_("HR {letter}").format(letter=letter) for letter in letters.values()),
        ),
        tuple(lines),
        tuple(notes),
        (32, 6, 8, 7, 7, *(width for _ in ratios)),
    )


def unchanging(frame: pl.DataFrame) -> list[str]:
    """Return the variants that change no number of an endpoint, in the order of the table.

    Args:
        frame: the rows of one endpoint in `schemas.analysis.SurvivalSensitivity`, the main analysis included.
    """
    found = _found(frame)
    return [v for v, rows in found.items() if v != MAIN and not _differs(rows, found[MAIN])]


def _found(frame: pl.DataFrame) -> dict[str, dict[Key, dict[str, Any]]]:
    """Return the estimates of the main analysis and of each other assumption."""
    found: dict[str, dict[Key, dict[str, Any]]] = {}
    for row in frame.filter((pl.col("variant") == MAIN) | pl.col("switch").is_not_null()).rows(named=True):
        found.setdefault(row["variant"], {})[tuple(row[c] for c in _KEY)] = row
    return found


def assumed(variant: str, sentences: Mapping[str, str]) -> str:
    """Return what a variant, such as ``late_deaths = every``, assumes, without a full stop.

    A release of an older program may contain a variant that no sentence is left for: its name is printed.
    """
    if variant in sentences:
        return sentences[variant].removesuffix(".")
    name, equals, value = variant.replace("_", " ").partition(" = ")
    return f"{pgettext('assumption', name)}{equals}{pgettext('assumption', value)}"


def _letters(count: int) -> Sequence[str]:
    return [ascii_lowercase[i % 26] * (i // 26 + 1) for i in range(count)]


def _differs(rows: Mapping[Key, Mapping[str, Any]], main: Mapping[Key, Mapping[str, Any]]) -> bool:
    if any(row["moved"] for row in rows.values()) or set(rows) != set(main):
        return True
    compared = ("middle", "earliest", "latest", "n", "events")
    return any(row[c] != main[key][c] for key, row in rows.items() for c in compared)


def _line(
    variant: str, rows: Mapping[Key, dict[str, Any]], shown: Sequence[Key], sentences: Mapping[str, str]
) -> Line:
    # The counts of the endpoint; models have those of their complete cases.
    whole = rows.get(("median", None, None, None, None)) or next(iter(rows.values()))
    main = variant == MAIN
    name, moved = (_("Main analysis"), "") if main else (assumed(variant, sentences), whole["moved"])
    cells = [run(key[0], rows.get(key, {}), "middle") if whole["n"] else MISSING for key in shown]
    return Line(
        (name, str(moved), f"{number(whole['events'])} / {number(whole['n'])}", *cells),
    )


def _warning(far: Sequence[tuple[str, str, float | None]], sentences: Mapping[str, str]) -> str:
    """Return a sentence on the estimates that an assumption moves by more than their standard error."""
    by_variant: dict[str, list[str]] = {}
    for variant, quantity, months in far:
        what = (
            _("survival at {months} months").format(months=number(months))
            if quantity == "survival"
            else _(quantity)
        )
        by_variant.setdefault(quoted(assumed(variant, sentences)), []).append(what)
    told = "; ".join(f"{variant} ({listed(what)})" for variant, what in by_variant.items())
    return _("more than one standard error from the main analysis: {told}.").format(told=told)
