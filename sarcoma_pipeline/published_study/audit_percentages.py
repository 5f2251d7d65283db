"""Audit printed percentages: each must match a count, and those of a block each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from sarcoma_pipeline.published_study.audit_counts import (
    CHARACTERISTICS,
    Condition,
    Count,
    counts,
    from_parts,
)
from sarcoma_pipeline.published_study.audit_rules import BLOCK, GRANULAR, PERCENT, Check, Row
from sarcoma_pipeline.published_study.printed_number import number
from schemas.rounding import decimals_of, half_up


def checks(rows: list[Row], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Yield the checks of percentages.

    Args:
        rows: all rows of the paper.
        known: the result of `audit_counts.known_counts`.
    """
    mine = counts(rows)
    yield from _percentages(mine)
    yield from _percentages_alone(mine, known)
    yield from _percentage_sums(mine)


def rounds_to(n: int, of: int, percent: str) -> bool:
    """Return whether 100 n / of can be rounded to a printed percentage or lies beyond its bound."""
    share = Fraction(100 * n, of)
    if percent[0] in "<>":
        bound = Fraction(percent[1:])
        return share <= bound if percent[0] == "<" else share >= bound
    return abs(share - Fraction(percent)) <= Fraction(1, 2 * 10 ** decimals_of(percent))


def _percentages(mine: list[Count]) -> Iterator[Check]:
    for count in mine:
        percent, n, of = count.row["pct"], count.n, count.denominator
        if number(percent) is None and not percent.startswith(("<", ">")):
            continue
        if n is None or not of:
            continue
        right = rounds_to(n, of, percent)
        remark = ""
        if not right and rounds_to(of - n, of, percent):
            remark = f"; {percent} % is that of the other {of - n}"
        shown = half_up(100 * n / of, max(1, decimals_of(percent)))
        yield PERCENT.check([count.row], f"{n} ({percent} %)", f"{n}/{of} = {shown} %{remark}", right)


def _percentages_alone(mine: list[Count], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Check percentages printed without a count against the count printed elsewhere."""
    for count in mine:
        of, percent = count.denominator, count.row["pct"]
        if count.n is not None or not percent or not of:
            continue
        n = known.get(count.among)
        n = from_parts(count.among, known) if n is None else n
        if n is not None:
            shown = half_up(100 * n / of, max(1, decimals_of(percent)))
            yield PERCENT.check(
                [count.row], f"{percent} %", f"{n}/{of} = {shown} %", rounds_to(n, of, percent)
            )
        elif number(percent) is not None:
            near = round(float(percent) * of / 100)
            possible = any(rounds_to(m, of, percent) for m in (near - 1, near, near + 1) if 0 <= m <= of)
            around = " and ".join(
                f"{m}/{of} = {half_up(100 * m / of, 2)} %"
                for m in sorted({int(float(percent) * of / 100), min(of, int(float(percent) * of / 100) + 1)})
            )
            yield GRANULAR.check([count.row], f"{percent} % of {of}", around, possible)


def _percentage_sums(mine: list[Count]) -> Iterator[Check]:
    """Check the sum of the percentages of each block of Table 1; correct rounding may miss 100 %."""
    blocks: dict[str, list[Count]] = {}
    for count in mine:
        if count.row["section"] == CHARACTERISTICS and count.row["pct"]:
            blocks.setdefault(count.row["quantity"], []).append(count)
    for block in blocks.values():
        if any(number(c.row["pct"]) is None or c.n is None or not c.denominator for c in block):
            continue
        digits = max(decimals_of(c.row["pct"]) for c in block)
        added = sum(Fraction(c.row["pct"]) for c in block)
        right = sum(
            Fraction(half_up(100 * c.n / c.denominator, decimals_of(c.row["pct"])))
            for c in block
            if c.n is not None and c.denominator
        )
        # A tie may be rounded down too: 12.5 to 12.
        ties = sum(
            Fraction(1, 10 ** decimals_of(c.row["pct"]))
            for c in block
            if c.n is not None
            and c.denominator
            and (Fraction(100 * c.n, c.denominator) * 10 ** decimals_of(c.row["pct"])) % 1 == Fraction(1, 2)
        )
        yield BLOCK.check(
            [c.row for c in block],
            f"sum {half_up(float(added), digits)} %",
            f"sum {half_up(float(right), digits)} %" + ("" if right == 100 else " by rounding alone"),
            right - ties <= added <= right,
        )
