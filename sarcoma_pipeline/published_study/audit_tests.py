"""Audit the p value of a printed table of counts: chi-square and Fisher's exact test."""

from __future__ import annotations

from collections.abc import Iterator

from sarcoma_pipeline.published_study.audit_rules import TWO_BY_TWO, Check, Row
from sarcoma_pipeline.published_study.printed_number import NOT_ESTIMABLE, fits, number
from schemas.rounding import half_up


def checks(rows: list[Row]) -> Iterator[Check]:
    """Yield a check for each printed comparison of groups.

    Rows with the same text in `comparison` form one table. Each row is a group (`denominator`) and its
    patients with the feature (`n`). One row has the p value and may name the test in `method`.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row["comparison"]:
            groups.setdefault(row["comparison"], []).append(row)
    for mine in groups.values():
        yield from _comparison(mine)


def _comparison(mine: list[Row]) -> Iterator[Check]:
    with_p = next((row for row in mine if row["p"] and row["p"] != NOT_ESTIMABLE), None)
    cells = [
        (int(n), int(of) - int(n))
        for row in mine
        if (n := number(row["n"])) is not None and (of := number(row["denominator"])) is not None and n <= of
    ]
    named = " against ".join(f"{n}/{n + rest}" for n, rest in cells)
    if with_p is None:
        return
    full = len(cells) == len(mine) > 1
    if not full or not all(sum(side) for side in zip(*cells, strict=True)) or not all(sum(c) for c in cells):
        why = "each group needs n and denominator, and the feature must vary"
        yield TWO_BY_TWO.check([with_p, *mine], named or "no table", why, "not computable")
        return
    tests = _p_values(cells)
    asked = with_p["method"].lower()
    words = {
        "chi": ("chi-square", "Yates"),
        "yates": ("Yates",),
        "likelihood": ("likelihood ratio",),
        "fisher": ("Fisher",),
        "exact": ("Fisher",),
    }
    named_tests = {name for word, names in words.items() if word in asked for name in names}
    wanted = {name: p for name, p in tests.items() if name in named_tests} or tests
    right = any(fits(with_p["p"], p, p) for p in wanted.values())
    recomputed = ", ".join(f"{name} {half_up(p, 4)}" for name, p in wanted.items())
    yield TWO_BY_TWO.check(
        [with_p, *(r for r in mine if r is not with_p)], f"{named}: p {with_p['p']}", recomputed, right
    )


def _p_values(cells: list[tuple[int, int]]) -> dict[str, float]:
    from scipy import stats

    def chi_square(*, yates: bool = False, power: str = "pearson") -> float:
        _, p, *_ = stats.chi2_contingency(cells, correction=yates, lambda_=power)
        return float(p)  # pyright: ignore[reportArgumentType]

    found = {"chi-square": chi_square(), "likelihood ratio": chi_square(power="log-likelihood")}
    if len(cells) == 2:
        _, exact = stats.fisher_exact(cells)
        found |= {"Yates": chi_square(yates=True), "Fisher": float(exact)}  # pyright: ignore[reportArgumentType]
    return found
