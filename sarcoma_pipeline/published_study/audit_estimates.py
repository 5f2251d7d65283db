"""Audit of the paper's estimates: hazard ratios, intervals, p values, survival rates and numbers of events.

A Wald interval is symmetric on the log scale and therefore determines standard error and p value: ``SE =
ln(high / low) / (2 · 1.96)``, ``z = ln(HR) / SE`` (Altman and Bland, BMJ 2011; 343: d2304). Printed numbers
are
rounded: a check fails only if no unrounded numbers could have been rounded to the printed ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import erfc, exp, inf, log, sqrt

from schemas.rounding import decimals_of, half_up

Row = dict[str, str]
"""A row of ``published.csv`` joined with its row of ``published_map.csv``; missing values are empty texts."""

Z95 = 1.959963984540054
"""97.5th percentile of the standard normal distribution."""

_NESTED = (("OS", "LRFS"), ("OS", "DMFS"), ("OS", "DFS"), ("LRFS", "DFS"), ("DMFS", "DFS"))
"""Pairs of endpoints: every event of the first is an event of the second, by the paper's definitions."""

_RELAPSES = {
    "DFS": "relapse_pattern=distant only|local and distant|local only",
    "DMFS": "relapse_pattern=distant only|local and distant",
    "LRFS": "relapse_pattern=local and distant|local only",
}
_DEATHS = "os_event=true"


@dataclass(frozen=True)
class Check:
    """One check: its rows, the printed value, the value expected from other numbers, and the verdict."""

    kind: str
    rows: list[Row]
    printed: str
    expected: str
    verdict: str

    def as_row(self) -> dict[str, str]:
        """Return a row of `schemas.audit.PublishedAudit` without its position."""
        sections = list(dict.fromkeys(row["section"] for row in self.rows))
        first = self.rows[0]
        same = all(row["group/level"] == first["group/level"] for row in self.rows)
        level = first["group/level"] if same or self.kind == "same patients, same count" else ""
        return {
            "check": self.kind,
            "ids": ";".join(dict.fromkeys(row["id"] for row in self.rows)),
            "section": ", ".join(sections),
            "what": ": ".join(part for part in (first["quantity"], level) if part and part != "all"),
            "printed": self.printed,
            "expected": self.expected,
            "verdict": self.verdict,
            "quote": first["quote"],
        }


def checks(rows: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    """Yield all checks of the estimates.

    Args:
        rows: all rows of the paper.
        counts: patients by condition (``column=a|b``, values sorted), as printed in the paper.
    """
    ratios = [row for row in rows if row["statistic"] == "hazard ratio" and row["ci_low"]]
    yield from _order(rows)
    yield from _p_values(ratios)
    yield from _symmetry(ratios)
    yield from _repeated(rows)
    yield from _borrowed(ratios)
    yield from _rates(rows, counts)
    yield from _medians(rows)
    yield from _information(ratios, counts)
    yield from _events_per_parameter(ratios, counts)


def standard_error(row: Row) -> float:
    """Return the standard error of the log hazard ratio, from the printed interval."""
    return log(float(row["ci_high"]) / float(row["ci_low"])) / (2 * Z95)


def wald_p(hazard_ratio: float, error: float) -> float:
    """Return the two-sided p value of the Wald test."""
    return erfc(abs(log(hazard_ratio)) / error / sqrt(2))


def wald_p_range(row: Row) -> tuple[float, float]:
    """Return the smallest and largest p value of numbers that round to the printed ones."""
    values, lows, highs = (_unrounded(row[name]) for name in ("value", "ci_low", "ci_high"))
    ps = [
        wald_p(value, log(high / low) / (2 * Z95))
        for value, low, high in product(values, lows, highs)
        if low > 0
    ]
    crosses = values[0] <= 1 <= values[1]
    return min(ps), 1.0 if crosses else max(ps)


def _unrounded(printed: str) -> tuple[float, float]:
    half = 0.5 * 10.0 ** -decimals_of(printed)
    return float(printed) - half, float(printed) + half


def _interval(row: Row) -> str:
    return f"{row['value']} ({row['ci_low']}; {row['ci_high']})"


def _order(rows: list[Row]) -> Iterator[Check]:
    """Check that a value lies between its limits."""
    for row in rows:
        if not (row["value"] and row["ci_low"] and row["ci_high"]):
            continue
        inside = float(row["ci_low"]) <= float(row["value"]) <= float(row["ci_high"])
        yield Check(
            "value within its limits", [row], _interval(row), "low ≤ value ≤ high",
            "consistent" if inside else "contradiction",
        )  # fmt: skip


def _p_values(ratios: list[Row]) -> Iterator[Check]:
    for row in ratios:
        lowest, highest = wald_p_range(row)
        p = wald_p(float(row["value"]), standard_error(row))
        recomputed = f"p = {half_up(p, 4)} from {_interval(row)}"
        if row["p"]:
            printed_low, printed_high = _unrounded(row["p"])
            possible = printed_low <= highest and lowest <= printed_high
            yield Check(
                "p value from HR and CI", [row], f"p = {row['p']}",
                f"{recomputed}, {half_up(lowest, 4)} to {half_up(highest, 4)} with rounding",
                "consistent" if possible else "contradiction",
            )  # fmt: skip
        # An interval quoted without p value is compared with the p value printed in the table.
        elsewhere = next((o for o in ratios if _quantity(o) == _quantity(row) and o["p"]), None)
        if not row["p"] and elsewhere:
            printed_low, printed_high = _unrounded(elsewhere["p"])
            possible = printed_low <= highest and lowest <= printed_high
            yield Check(
                "p value from HR and CI", [row, elsewhere], f"p = {elsewhere['p']} ({elsewhere['section']})",
                recomputed, "consistent" if possible else "contradiction",
            )  # fmt: skip


def _symmetry(ratios: list[Row]) -> Iterator[Check]:
    """Check that the hazard ratio is the geometric mean of its Wald limits."""
    for row in ratios:
        (low_min, low_max), (high_min, high_max) = _unrounded(row["ci_low"]), _unrounded(row["ci_high"])
        value_min, value_max = _unrounded(row["value"])
        possible = sqrt(low_min * high_min) <= value_max and value_min <= sqrt(low_max * high_max)
        middle = sqrt(float(row["ci_low"]) * float(row["ci_high"]))
        yield Check(
            "HR is the geometric mean of its CI", [row], _interval(row), half_up(middle, 4),
            "consistent" if possible else "contradiction",
        )  # fmt: skip


def _quantity(row: Row) -> tuple[str, ...]:
    named = ("statistic", "where", "of", "column", "endpoint", "horizon", "model", "beyond", "term", "level")
    return tuple(row[name] for name in named)


def _repeated(rows: list[Row]) -> Iterator[Check]:
    """Compare the same estimate in several places, to the decimals of the less precise one."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row["value"] and row["statistic"] not in ("", "count", "not computable"):
            groups.setdefault(_quantity(row), []).append(row)
    for same in groups.values():
        best = max(same, key=lambda row: max(decimals_of(row[n]) for n in ("value", "p")))
        for row in (r for r in same if r is not best):
            wrong = [n for n in ("value", "ci_low", "ci_high", "p") if not _agrees(row[n], best[n])]
            yield Check(
                "same estimate, same number", [row, best], _brief(row), f"{_brief(best)} ({best['section']})",
                "contradiction" if wrong else "consistent",
            )  # fmt: skip


def _brief(row: Row) -> str:
    return _interval(row) if row["ci_low"] else row["value"]


def _agrees(one: str, other: str) -> bool:
    if not one or not other or one == other:
        return True
    if "not" in one + other:
        return False
    digits = min(decimals_of(one), decimals_of(other))
    return float(half_up(float(one), digits)) == float(half_up(float(other), digits))


def _borrowed(ratios: list[Row]) -> Iterator[Check]:
    """Find different quantities with the same ratio and limits: one of them was copied."""
    seen: dict[tuple[str, str, str], Row] = {}
    for row in ratios:
        key = (row["value"], row["ci_low"], row["ci_high"])
        other = seen.setdefault(key, row)
        if _quantity(other) != _quantity(row):
            yield Check(
                "numbers of another quantity", [row, other], f"{row['quantity']}: {_interval(row)}",
                f"these are the numbers of {other['quantity']}, {other['group/level']}", "contradiction",
            )  # fmt: skip


def _rates(rows: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    """Check the log-log interval of a survival rate, and the number of patients that its width implies."""
    for row in rows:
        if row["statistic"] != "survival" or not row["ci_low"]:
            continue
        rate, low, high = (float(row[name]) / 100 for name in ("value", "ci_low", "ci_high"))
        scale = {limit: log(-log(limit)) for limit in (rate, low, high)}
        error = (scale[low] - scale[high]) / (2 * Z95)
        slack = 0.0005 / (high * -log(high)) + 0.0005 / (rate * -log(rate))
        skew = abs((scale[low] - scale[rate]) - (scale[rate] - scale[high]))
        yield Check(
            "log-log interval of a survival rate", [row], _interval(row),
            f"half-widths {half_up(scale[low] - scale[rate], 3)} and {half_up(scale[rate] - scale[high], 3)}",
            "consistent" if skew <= 2 * slack else "tension",
        )  # fmt: skip
        worth = rate * (1 - rate) / (error * rate * -log(rate)) ** 2
        patients = counts.get("", inf)
        yield Check(
            "patients behind a survival rate", [row], f"of {patients} patients",
            f"the interval is that of {half_up(worth, 1)} uncensored patients",
            "consistent" if worth <= patients else "contradiction",
        )  # fmt: skip


def _medians(rows: list[Row]) -> Iterator[Check]:
    """Check that an endpoint with more kinds of events has the earlier median."""
    medians = {row["endpoint"]: row for row in rows if row["statistic"] == "median" and row["value"]}
    for fewer, more in _NESTED:
        if fewer in medians and more in medians:
            one, other = medians[fewer], medians[more]
            late, early = (inf if "not" in r["value"] else float(r["value"]) for r in (one, other))
            yield Check(
                "order of the medians", [one, other], f"{fewer} {one['value']}, {more} {other['value']}",
                f"{fewer} ≥ {more}", "consistent" if late >= early else "contradiction",
            )  # fmt: skip


def _bounds(endpoint: str, counts: Mapping[str, int]) -> tuple[int, int] | None:
    """Return the minimum and maximum number of events: all relapsed patients died, or none did."""
    deaths = counts.get(_DEATHS)
    relapses = 0 if endpoint == "OS" else counts.get(_RELAPSES[endpoint])
    if deaths is None or relapses is None:
        return None
    return max(deaths, relapses), deaths + relapses


def _events(bounds: tuple[int, int]) -> str:
    low, high = bounds
    return f"{low} events" if low == high else f"{low} to {high} events"


def _information(ratios: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    """Compare standard errors with the number of events.

    The variance of a contrast of two groups is at least 1/d₁ + 1/d₀ ≥ 4/d, with d events in all.
    """
    tables = {
        (row["model"], row["term"], row["level"]): row
        for row in ratios if row["section"].startswith("Table") and row["level"]
    }  # fmt: skip
    for (model, _, _), row in tables.items():
        bounds = _bounds(model, counts)
        if bounds:
            least = 4 / standard_error(row) ** 2
            second = " and second malignancies" if model == "DFS" else ""
            yield Check(
                "events that the interval needs", [row], _events(bounds) + second,
                f"at least {half_up(least, 1)}", "consistent" if least <= bounds[1] else "contradiction",
            )  # fmt: skip
    for fewer, more in _NESTED:
        yield from _nested(fewer, more, tables, counts)
    yield from _reference_events(tables, counts)


def _nested(
    fewer: str, more: str, tables: Mapping[tuple[str, str, str], Row], counts: Mapping[str, int]
) -> Iterator[Check]:
    shared = [
        (row, tables[more, t, v])
        for (m, t, v), row in tables.items()
        if m == fewer and (more, t, v) in tables
    ]
    for one, other in shared:
        small, large = standard_error(one), standard_error(other)
        # Tolerance of 3 %: rounded limits determine the standard error to about 1 %.
        yield Check(
            "more events, smaller error", [other, one], f"SE {half_up(large, 3)} ({more})",
            f"at most {half_up(small, 3)} ({fewer}, fewer events)",
            "tension" if large > 1.03 * small else "consistent",
        )  # fmt: skip
    bounds, deaths = _bounds(more, counts), counts.get(_DEATHS)
    if fewer == "OS" and shared and bounds and deaths:
        logs = [2 * log(standard_error(one) / standard_error(other)) for one, other in shared]
        events = deaths * exp(sum(logs) / len(logs))
        inside = bounds[0] <= events <= bounds[1]
        overlap = deaths + (counts.get(_RELAPSES[more], 0)) - events
        yield Check(
            "events by the errors' ratio", [other for _, other in shared],
            _events(bounds),
            f"about {half_up(events)}" + (f": some {half_up(overlap)} of the relapsed had died" * inside),
            "consistent" if inside and overlap < 0.75 * counts[_RELAPSES[more]] else "tension",
        )  # fmt: skip


def _reference_events(
    tables: Mapping[tuple[str, str, str], Row], counts: Mapping[str, int]
) -> Iterator[Check]:
    """Estimate the events per level: variance = 1/d + 1/d of the reference group, if that is printed."""
    for model, relapse in _RELAPSES.items():
        levels = [row for (m, t, _), row in tables.items() if m == model and t == "histology"]
        reference = counts.get(f"histology_group=UPS;{relapse}")
        bounds = _bounds(model, counts)
        spread = [standard_error(row) ** 2 - 1 / reference for row in levels] if reference else []
        if not levels or not reference or not bounds or min(spread) <= 0:
            continue
        parts = [1 / rest for rest in spread]
        named = " + ".join(half_up(part, 1) for part in (float(reference), *parts))
        total = reference + sum(parts)
        yield Check(
            "events by histology", levels, _events(bounds),
            f"about {half_up(total, 0)} from the errors: {named}",
            "consistent" if bounds[0] <= total <= bounds[1] else "tension",
        )  # fmt: skip
        for row, implied in zip(levels, parts, strict=True):
            yield from _against_the_counts(row, relapse, reference, implied, counts)


def _against_the_counts(
    row: Row, relapse: str, reference: int, implied: float, counts: Mapping[str, int]
) -> Iterator[Check]:
    """Compare a hazard ratio with the crude ratio of relapses, where the paper prints both counts."""
    group = f"histology_group={row['level']}"
    relapsed, patients = counts.get(f"{group};{relapse}"), counts.get(group)
    base = counts.get("histology_group=UPS")
    if relapsed is None or not patients or not base:
        return
    crude = (relapsed / patients) / (reference / base)
    opposite = (crude < 1) != (float(row["value"]) < 1)
    yield Check(
        "hazard ratio and crude ratio", [row], f"HR {_interval(row)}",
        f"crude ratio {half_up(crude, 2)}: {relapsed}/{patients} against {reference}/{base} relapsed "
        f"(the error implies about {half_up(implied, 1)})",
        "tension" if opposite else "consistent",
    )  # fmt: skip


def _events_per_parameter(ratios: list[Row], counts: Mapping[str, int]) -> Iterator[Check]:
    for model in dict.fromkeys(row["model"] for row in ratios):
        rows = [r for r in ratios if r["model"] == model and r["section"].startswith("Table")]
        bounds = _bounds(model, counts)
        if rows and bounds:
            low, high = (half_up(b / len(rows), 1) for b in bounds)
            between = low if low == high else f"{low} to {high}"
            few = "by definition" if bounds[0] / len(rows) < 10 else "consistent"
            yield Check(
                "events per parameter", rows, f"{len(rows)} parameters, {_events(bounds)}",
                f"{between} events per parameter; below 10 is few", few,
            )  # fmt: skip
