"""Audit printed counts, which are treated as sets of patients.

The same set must have the same count wherever it is printed, disjoint sets must add up, and a subset must not
be larger than its set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from sarcoma_pipeline.published_study.audit_rules import (
    DENOMINATOR,
    ENUMERATION,
    SAME_AS,
    SAME_COUNT,
    SUBSET,
    SUM,
    Check,
    Row,
)
from sarcoma_pipeline.published_study.printed_number import number
from schemas.rounding import decimals_of

Condition = frozenset[tuple[str, frozenset[str]]]
"""A set of patients: columns, each with its allowed values."""

CHARACTERISTICS = "Table 1"
"""Section of the table of patient characteristics, which prints all levels of a variable."""


@dataclass(frozen=True)
class Count:
    """A printed count, and the patients it refers to."""

    row: Row
    among: Condition
    of: Condition

    @property
    def n(self) -> int | None:
        """The count; None if it is no number."""
        return _whole(self.row["n"])

    @property
    def denominator(self) -> int | None:
        """The denominator; None if it is no number."""
        return _whole(self.row["denominator"])


def _whole(text: str) -> int | None:
    value = number(text)
    return None if value is None else int(value)


def counts(rows: list[Row]) -> list[Count]:
    """Return the printed counts."""
    return [
        Count(row, condition(row["where"], row["of"]), condition(row["of"]))
        for row in rows
        if row["statistic"] == "count"
    ]


def checks(rows: list[Row], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Yield the checks of counts.

    Args:
        rows: all rows of the paper.
        known: the result of :func:`known_counts`.
    """
    mine = counts(rows)
    yield from _repeated(mine, known)
    yield from _denominators(rows, mine, known)
    yield from _sums(mine, known)
    yield from _enumerations(mine)
    yield from _subsets(mine, known)
    yield from _declared_same(mine)


def condition(*texts: str) -> Condition:
    """Combine conditions; for a column named twice, only values allowed by both remain."""
    allowed: dict[str, frozenset[str]] = {}
    for part in ";".join(texts).split(";"):
        column, _, values = part.partition("=")
        if part:
            wanted = frozenset(values.split("|"))
            allowed[column] = allowed.get(column, wanted) & wanted
    return frozenset(allowed.items())


def condition_text(of: Condition) -> str:
    """Return a condition as text, columns and values sorted."""
    return ";".join(f"{column}={'|'.join(sorted(values))}" for column, values in sorted(of))


def known_counts(mine: list[Count]) -> dict[Condition, int]:
    """Return one count per set of patients: the one in Table 1, else the one printed most often."""
    known: dict[Condition, list[tuple[bool, int]]] = {}
    for count in mine:
        if count.n is not None:
            known.setdefault(count.among, []).append((count.row["section"] == CHARACTERISTICS, count.n))
    return {
        among: max(seen, key=lambda one: (one[0], sum(n == one[1] for _, n in seen), -one[1]))[1]
        for among, seen in known.items()
    }


def from_parts(of: Condition, known: Mapping[Condition, int]) -> int | None:
    """Return the sum of the counts of the single levels of a condition; None if one is not printed."""
    if len(of) != 1:
        return None
    ((column, values),) = of
    parts = [known.get(frozenset({(column, frozenset({value}))})) for value in values]
    return sum(n for n in parts if n is not None) if all(n is not None for n in parts) else None


def _repeated(mine: list[Count], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Check that the same patients have the same count in several places."""
    for among, right in known.items():
        same = [c for c in mine if c.among == among and c.n is not None]
        if len(same) < 2:
            continue
        for other in (c for c in same if c.n != right):
            in_order = sorted(same, key=lambda c: c.row["section"] != CHARACTERISTICS)
            elsewhere = next(c for c in in_order if c.n == right)
            remark = f"; {other.n} is the percentage there" if elsewhere.row["pct"] == str(other.n) else ""
            yield SAME_COUNT.check(
                [other.row, elsewhere.row],
                str(other.n),
                f"{right} ({elsewhere.row['section']}){remark}",
                False,
            )
        if all(c.n == right for c in same):
            yield SAME_COUNT.check([c.row for c in same], str(right), f"{right}, {len(same)} times", True)


def _denominators(rows: list[Row], mine: list[Count], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Check that a denominator is the count of its patients, or of those with a known value."""
    of_rows = [(c.row, c.among, c.of) for c in mine]
    of_rows += [
        (r, condition(r["of"]), condition(r["of"])) for r in rows if r["statistic"] in ("quartiles", "range")
    ]
    usual: dict[tuple[frozenset[str], Condition], Counter[int]] = {}
    for row, among, of in of_rows:
        if (given := _whole(row["denominator"])) is not None:
            usual.setdefault((_columns(among, of), of), Counter())[given] += 1
    for row, among, of in of_rows:
        given, right = _whole(row["denominator"]), known.get(of)
        right = from_parts(of, known) if right is None else right
        if given is None:
            continue
        others = usual[_columns(among, of), of]
        most = max(others, key=lambda d: (others[d], d == right, d))
        if right is None:
            # Groups made from words are certain only in a table where one row differs from the others.
            sure = row["groups"] != "from words" or (row["section"].startswith("Table") and others[most] > 1)
            if given != most and sure:
                yield DENOMINATOR.check([row], f"of {given}", f"of {most} for the other levels", False)
            continue
        variable = _columns(among, of)
        fewer = given < right and not of and given == most and _adds_up(mine, variable, given)
        if fewer:
            yield DENOMINATOR.check([row], f"of {given}", f"of {right}; {right - given} missing values", True)
        else:
            alone = given < right and not of and sum(others.values()) == others[given]
            yield DENOMINATOR.check(
                [row],
                f"of {given}",
                f"of {right}",
                "consistent" if given == right else "tension" if alone else "contradiction",
            )


def _columns(among: Condition, of: Condition) -> frozenset[str]:
    return frozenset(column for column, _ in among - of)


def _adds_up(mine: list[Count], variable: frozenset[str], total: int) -> bool:
    """Return whether the levels of a variable, printed with this denominator, add up to it somewhere."""
    by_section: dict[str, dict[Condition, int]] = {}
    for count in mine:
        mine_too = not count.of and _columns(count.among, count.of) == variable
        if mine_too and count.denominator == total and count.n is not None:
            by_section.setdefault(count.row["section"], {})[count.among] = count.n
    return any(sum(levels.values()) == total for levels in by_section.values())


def _sums(mine: list[Count], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Check that disjoint sets add up to their printed union."""
    levels: dict[str, frozenset[str]] = {}
    for count in mine:
        for column, values in count.among:
            # The table of characteristics prints all levels of a variable; other tables may leave some out.
            every = values if count.row["section"] == CHARACTERISTICS else frozenset()
            levels[column] = levels.get(column, frozenset()) | every
    for column, every in levels.items():
        groups: dict[Condition, dict[frozenset[str], int]] = {}
        for among, n in known.items():
            for name, values in among:
                if name == column:
                    groups.setdefault(among - {(name, values)}, {})[values] = n
        for rest, sets in groups.items():
            targets = dict(sets)
            if len(every) > 1 and rest in known and _declared(mine, column):
                targets[every] = _answered(mine, column, rest, known[rest])
            for union, total in targets.items():
                parts = _cover(union, [s for s in sets if s < union])
                if parts:
                    alone = [n for values, n in groups.get(frozenset(), {}).items() if values < every]
                    open_ended = union == every and union not in sets and sum(alone) != known.get(frozenset())
                    yield _sum(mine, rest, column, [(p, sets[p]) for p in parts], union, total, open_ended)


def _declared(mine: list[Count], column: str) -> bool:
    """Return whether the levels exclude each other; groups made from a table's words may overlap."""
    return all(c.row["groups"] != "from words" or _percent_adds_up(mine, column) for c in mine)


def _percent_adds_up(mine: list[Count], column: str) -> bool:
    """Return whether the percentages of a block add up to 100, within half a digit per percentage."""
    block = [
        c.row["pct"]
        for c in mine
        if _columns(c.among, c.of) == {column} and c.row["section"] == CHARACTERISTICS
    ]
    values = [number(text) for text in block]
    slack = sum(0.5 * 10.0 ** -decimals_of(text) for text in block)
    return bool(block) and None not in values and abs(sum(v for v in values if v is not None) - 100) <= slack


def _answered(mine: list[Count], column: str, rest: Condition, total: int) -> int:
    """Return the denominator that all levels of a variable share, if it is smaller than the total."""
    given = {
        c.denominator
        for c in mine
        if not rest
        and not c.of
        and _columns(c.among, c.of) == {column}
        and c.row["section"] == CHARACTERISTICS
    }
    (only,) = given if len(given) == 1 else (None,)
    return total if only is None or only > total or not _adds_up(mine, frozenset({column}), only) else only


def _cover(union: frozenset[str], sets: list[frozenset[str]]) -> tuple[frozenset[str], ...] | None:
    if union and all(frozenset({value}) in sets for value in union):
        return tuple(frozenset({value}) for value in sorted(union))
    for size in range(min(len(sets), _MOST_PARTS), 1, -1):
        for parts in combinations(sorted(sets, key=sorted), size):
            if sum(len(p) for p in parts) == len(union) and frozenset().union(*parts) == union:
                return parts
    return None


_MOST_PARTS = 6
"""Maximum number of groups that are combined; a search over more takes too long."""


def _sum(
    mine: list[Count],
    rest: Condition,
    column: str,
    parts: list[tuple[frozenset[str], int]],
    union: frozenset[str],
    total: int,
    open_ended: bool,
) -> Check:
    """Compare a sum with its total; if the total is all patients, some may have no printed level."""
    wanted = [frozenset({*rest, (column, part)}) for part, _ in parts]
    rows = [next(c.row for c in mine if c.among == w and c.n is not None) for w in wanted]
    whole = (frozenset({*rest, (column, union)}), rest)
    rows += [next((c.row for c in mine if c.among in whole and c.n == total), rows[0])]
    added = sum(n for _, n in parts)
    named = " + ".join(str(n) for _, n in parts)
    if open_ended and added < total:
        return SUM.check(rows, f"{named} = {added}", f"{total}: {total - added} without a level", "tension")
    return SUM.check(rows, f"{named} = {added}", str(total), added == total)


def _enumerations(mine: list[Count]) -> Iterator[Check]:
    """Check that enumerated parts add up to their denominator."""
    groups: dict[str, list[Count]] = {}
    for count in mine:
        if count.row["parts"]:
            groups.setdefault(count.row["parts"], []).append(count)
    for parts in groups.values():
        wholes = {c.denominator for c in parts if c.denominator is not None}
        ns = [c.n for c in parts]
        if len(wholes) != 1 or None in ns:
            what = f"of {' and '.join(str(w) for w in sorted(wholes)) or 'no denominator'}"
            yield ENUMERATION.check(
                [c.row for c in parts],
                what,
                "one denominator, and a count for each part",
                len(wholes) < 2 and "not computable",
            )
            continue
        (whole,) = wholes
        added = sum(n for n in ns if n is not None)
        named = " + ".join(str(n) for n in ns)
        yield ENUMERATION.check(
            [c.row for c in parts], f"{named} of {whole}", f"{added} of {added}", added == whole
        )


def _subsets(mine: list[Count], known: Mapping[Condition, int]) -> Iterator[Check]:
    """Find subgroups larger than their group, or smaller than the overlap that two groups must have."""
    rows = {c.among: c.row for c in reversed(mine) if c.n is not None and c.n == known[c.among]}
    for small, large in ((a, b) for a in known for b in known if a != b and within(a, b)):
        if known[small] > known[large]:
            yield SUBSET.check(
                [rows[small], rows[large]], str(known[small]), f"at most {known[large]}", False
            )
    for both, n in known.items():
        for part in (frozenset({one}) for one in both):
            other = both - part
            if len(both) == 2 and part in known and other in known and frozenset() in known and part < both:
                least = known[part] + known[other] - known[frozenset()]
                if n < least and min(both) in part:
                    yield SUBSET.check(
                        [rows[both], rows[part], rows[other]],
                        str(n),
                        f"at least {known[part]} + {known[other]} − {known[frozenset()]} = {least}",
                        False,
                    )


def within(small: Condition, large: Condition) -> bool:
    """Return whether every patient of a set is in another one, by their conditions alone."""
    allowed = dict(small)
    return all(column in allowed and allowed[column] <= values for column, values in large)


def _declared_same(mine: list[Count]) -> Iterator[Check]:
    """Check groups that the table declares to be the same patients: `same_as` names another row."""
    by_id = {c.row["id"]: c for c in mine}
    for second in mine:
        other, _, why = second.row["same_as"].partition(":")
        first = by_id.get(other.strip())
        if first and first.n is not None and second.n is not None:
            because = f", as {why.strip()}" if why else ""
            yield SAME_AS.check(
                [second.row, first.row], str(second.n), f"{first.n}{because}", first.n == second.n
            )
