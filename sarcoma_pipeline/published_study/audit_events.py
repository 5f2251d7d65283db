"""Audit the models by their standard errors, which depend on the numbers of events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import exp, log

from sarcoma_pipeline.published_study.audit_counts import condition
from sarcoma_pipeline.published_study.audit_estimates import computable, interval, ratios, standard_error
from sarcoma_pipeline.published_study.audit_rules import (
    BY_LEVEL,
    CRUDE,
    ERROR_RATIO,
    EVENTS,
    NESTED_ERROR,
    PER_PARAMETER,
    Check,
    Row,
)
from sarcoma_pipeline.published_study.printed_number import number
from schemas.rounding import half_up

_LOCAL_OR_DISTANT = ("LRFS", "DMFS", "LPFS", "MFS")
_ANY_EVENT = ("DFS", "RFS", "PFS", "EFS")

NESTED = (
    *(("OS", more) for more in (*_LOCAL_OR_DISTANT, *_ANY_EVENT)),
    *((fewer, "DFS") for fewer in ("LRFS", "DMFS")),
)
"""Pairs of endpoints: every event of the first is an event of the second, by their usual definitions."""

_RELAPSES = {
    "DFS": "relapse_pattern=distant only|local and distant|local only",
    "DMFS": "relapse_pattern=distant only|local and distant",
    "LRFS": "relapse_pattern=local and distant|local only",
}
"""Patients with a relapse that is an event of the endpoint, in the columns of the cohort."""

_DEATHS = "os_event=true"
_FEW = 10
"""Events per parameter below which a model has few events."""


def checks(rows: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    """Yield the checks of the events behind the models.

    Args:
        rows: all rows of the paper.
        counts: patients by condition (``column=a|b``, values sorted), as printed in the paper.
    """
    mine = [row for row in ratios(rows) if computable(row)]
    tables = {
        (row["model"], row["term"], row["level"]): row
        for row in mine
        if row["section"].startswith("Table") and row["level"]
    }
    yield from _information(rows, tables, counts)
    for fewer, more in NESTED:
        yield from _nested(fewer, more, rows, tables, counts)
    yield from _by_level(rows, tables, counts)
    yield from _per_parameter(rows, counts)


def event_bounds(endpoint: str, rows: list[Row], counts: Mapping[str, int]) -> tuple[int, int] | None:
    """Return the minimum and maximum number of events.

    Printed numbers are used if there are any. Otherwise the minimum assumes that all relapsed patients died,
    the maximum that none did.
    """
    printed = [
        int(float(r["n"]))
        for r in rows
        if r["statistic"] == "events" and r["endpoint"] == endpoint and number(r["n"]) is not None
    ]
    if printed:
        return min(printed), max(printed)
    deaths = counts.get(_DEATHS)
    relapses = 0 if endpoint == "OS" else counts.get(_RELAPSES.get(endpoint, "no such endpoint"))
    if deaths is None or relapses is None:
        return None
    return max(deaths, relapses), deaths + relapses


def _events(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return f"{low} events" if low == high else f"{low} to {high} events"


def _information(
    rows: list[Row], tables: Mapping[tuple[str, str, str], Row], counts: Mapping[str, int]
) -> Iterator[Check]:
    """Compare standard errors with the number of events."""
    for (model, _, _), row in tables.items():
        bounds = event_bounds(model, rows, counts)
        if bounds:
            least = 4 / standard_error(row) ** 2
            second = " and second malignancies" if model == "DFS" else ""
            yield EVENTS.check(
                [row], _events(bounds) + second, f"at least {half_up(least, 1)}", least <= bounds[1]
            )


def _nested(
    fewer: str,
    more: str,
    rows: list[Row],
    tables: Mapping[tuple[str, str, str], Row],
    counts: Mapping[str, int],
) -> Iterator[Check]:
    shared = [
        (row, tables[more, t, v])
        for (m, t, v), row in tables.items()
        if m == fewer and (more, t, v) in tables
    ]
    for one, other in shared:
        small, large = standard_error(one), standard_error(other)
        # Tolerance of 3 %: rounded limits determine the standard error to about 1 %.
        yield NESTED_ERROR.check(
            [other, one],
            f"SE {half_up(large, 3)} ({more})",
            f"at most {half_up(small, 3)} ({fewer}, fewer events)",
            "tension" if large > 1.03 * small else "consistent",
        )
    bounds, deaths = event_bounds(more, rows, counts), counts.get(_DEATHS)
    relapsed = counts.get(_RELAPSES.get(more, ""))
    if fewer == "OS" and shared and bounds and deaths and relapsed:
        logs = [2 * log(standard_error(one) / standard_error(other)) for one, other in shared]
        events = deaths * exp(sum(logs) / len(logs))
        inside = bounds[0] <= events <= bounds[1]
        overlap = deaths + relapsed - events
        yield ERROR_RATIO.check(
            [other for _, other in shared],
            _events(bounds),
            f"about {half_up(events)}" + (f": some {half_up(overlap)} of the relapsed had died" * inside),
            "consistent" if inside and overlap < 0.75 * relapsed else "tension",
        )


def _references(rows: list[Row], tables: Mapping[tuple[str, str, str], Row]) -> dict[str, tuple[str, str]]:
    """Return column and reference level of each term: the one level with a count but without a ratio."""
    levels: dict[str, set[str]] = {}
    for row in rows:
        for column, values in condition(row["where"]) if row["statistic"] == "count" else ():
            if len(values) == 1:
                levels.setdefault(column, set()).update(values)
    found = {}
    for term in sorted({t for _, t, _ in tables}):
        own = {level for _, t, level in tables if t == term}
        fitting = [(c, *sorted(v - own)) for c, v in sorted(levels.items()) if own < v and len(v - own) == 1]
        if len(fitting) == 1:
            found[term] = fitting[0]
    return found


def _by_level(
    rows: list[Row], tables: Mapping[tuple[str, str, str], Row], counts: Mapping[str, int]
) -> Iterator[Check]:
    """Estimate the events per level: variance = 1/d + 1/d of the reference group, if it is printed."""
    for term, (column, reference) in _references(rows, tables).items():
        for model, relapse in _RELAPSES.items():
            levels = [row for (m, t, _), row in tables.items() if m == model and t == term]
            base = counts.get(f"{column}={reference};{relapse}")
            bounds = event_bounds(model, rows, counts)
            spread = [standard_error(row) ** 2 - 1 / base for row in levels] if base else []
            if not levels or not base or not bounds or min(spread) <= 0:
                continue
            parts = [1 / rest for rest in spread]
            named = " + ".join(half_up(part, 1) for part in (float(base), *parts))
            total = base + sum(parts)
            yield BY_LEVEL.check(
                levels,
                _events(bounds),
                f"about {half_up(total, 0)} from the errors: {named}",
                "consistent" if bounds[0] <= total <= bounds[1] else "tension",
            )
            for row, implied in zip(levels, parts, strict=True):
                yield from _against_the_counts(row, (column, reference, relapse), implied, counts)


def _against_the_counts(
    row: Row, group: tuple[str, str, str], implied: float, counts: Mapping[str, int]
) -> Iterator[Check]:
    """Compare a hazard ratio with the crude ratio of relapses, if the paper prints both counts."""
    column, reference, relapse = group
    level = f"{column}={row['level']}"
    relapsed, patients = counts.get(f"{level};{relapse}"), counts.get(level)
    base, of = counts[f"{column}={reference};{relapse}"], counts.get(f"{column}={reference}")
    if relapsed is None or not patients or not of or not base:
        return
    crude = (relapsed / patients) / (base / of)
    opposite = (crude < 1) != (float(row["value"]) < 1)
    yield CRUDE.check(
        [row],
        f"HR {interval(row)}",
        f"crude ratio {half_up(crude, 2)}: {relapsed}/{patients} against {base}/{of} relapsed "
        f"(the error implies about {half_up(implied, 1)})",
        "tension" if opposite else "consistent",
    )


def _per_parameter(rows: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    mine = ratios(rows)
    for model in dict.fromkeys(row["model"] for row in mine):
        of_model = [r for r in mine if r["model"] == model and r["section"].startswith("Table")]
        bounds = event_bounds(model, rows, counts)
        if of_model and bounds:
            low, high = (half_up(b / len(of_model), 1) for b in bounds)
            between = low if low == high else f"{low} to {high}"
            few = "by definition" if bounds[0] / len(of_model) < _FEW else "consistent"
            yield PER_PARAMETER.check(
                of_model,
                f"{len(of_model)} parameters, {_events(bounds)}",
                f"{between} events per parameter; below {_FEW} is few",
                few,
            )
