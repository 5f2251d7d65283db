"""Detect reused patient numbers: the successive holders of a number, also after old exports are gone.

Holders are distinguished by date of birth and sex, in the order in which they were last reported. Two
successive holders raise a question: was the entry of one person corrected, or is it another person? Until
a data steward answers, they count as one person. If they are two, the later holder gets a new patient id
and pseudonym; the first holder keeps those of the number.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST

_SEXES = ("female", "male", "diverse")
_COLUMNS = ("person_ref", "record_id", "birth_date", "birth_date_precision", "sex", *NEWEST_LAST[:2])


@dataclass(frozen=True)
class Holder:
    """A person who had a number.

    Attributes:
        born: exact date of birth; "" if unknown.
        sex: "" if unknown.
        records: delivered master data of the holder; empty if their exports are gone.
    """

    born: str
    sex: str
    records: tuple[str, ...]

    def and_also(self, other: Holder) -> Holder:
        """Return the holder, completed with other master data of the same person."""
        return Holder(self.born or other.born, self.sex or other.sex, self.records + other.records)

    def differs_from(self, other: Holder) -> bool:
        """Return whether both cannot be the same person; missing values contradict nothing."""
        pairs = ((self.born, other.born), (self.sex, other.sex))
        return any(one and two and one != two for one, two in pairs)


@dataclass(frozen=True)
class Question:
    """The question whether two successive holders of a number are one person.

    Attributes:
        number: patient id of the number.
        before: the earlier holder.
        after: the later holder.
        newest: record of the number's newest master data.
        of_newest: whether the later one is the number's present holder.
        own: digest of the id of the later holder, if their master data were corrected since; else "".
    """

    number: str
    before: Holder
    after: Holder
    newest: str
    of_newest: bool
    own: str = ""

    @property
    def of_both(self) -> tuple[str, ...]:
        """Content of the key of the answer "one person": the number, both dates of birth and both sexes."""
        return (self.number, self.before.born, self.before.sex, self.after.born, self.after.sex)

    @property
    def of_later(self) -> tuple[str, ...]:
        """Content of the key of the answer "two persons"; the earlier holder may no longer be known."""
        return (self.number, self.after.born, self.after.sex)

    @property
    def records(self) -> tuple[str, ...]:
        """Records of the finding: the earlier master data, or the newest if the earlier ones are gone."""
        return self.before.records or (self.newest,)

    @property
    def gone(self) -> bool:
        """Whether no master data of the earlier holder are delivered any more."""
        return not self.before.records


def questions(masters: pl.DataFrame, former: pl.DataFrame | None) -> list[Question]:
    """Return every question about numbers whose holders differ, in order.

    Args:
        masters: the delivered master data, from the oldest to the newest of each number.
        former: master data of former deliveries; None if unknown.
    """
    frames = [masters.select(*_COLUMNS, gone=pl.lit(False))]
    if former is not None:
        # A number that is no longer delivered raises no question.
        known = former.join(masters.select("person_ref"), on="person_ref", how="semi")
        frames.append(known.select(*_COLUMNS, gone=pl.lit(True)))
    rows = _told(pl.concat(frames))
    if rows.height < 2:
        return []
    several = pl.struct("born", "sex").n_unique().over("person_ref") > 1
    # Delivered master data count as newer than former deliveries, regardless of the day of their export.
    ordered = rows.filter(several).sort("person_ref", pl.col("gone").not_(), *NEWEST_LAST, nulls_last=False)
    return [
        question
        for (number,), group in ordered.group_by("person_ref", maintain_order=True)
        for question in _of_number(str(number), group.rows(named=True))
    ]


def _told(masters: pl.DataFrame) -> pl.DataFrame:
    """Return the master data with a known exact date of birth or sex; rows with neither are left out."""
    exact = pl.col("birth_date_precision").fill_null("day") == "day"
    rows = masters.with_columns(
        born=pl.when(exact).then(pl.col("birth_date").cast(pl.String)).fill_null(""),
        sex=pl.when(pl.col("sex").is_in(_SEXES)).then("sex").fill_null(""),
    )
    return rows.filter((pl.col("born") != "") | (pl.col("sex") != ""))


def remembered(
    latest: pl.DataFrame, asked: Iterable[Question], two: Callable[[Question], str | None]
) -> list[Question]:
    """Return the questions answered with "two persons" whose earlier holder is no longer known.

    Args:
        latest: the newest master data of each number.
        asked: the questions about known holders.
        two: the digest of the later holder's id if a data steward gave that answer, else None.
    """
    first: dict[str, Question] = {}
    for one in asked:
        first.setdefault(one.number, one)
    rows = _told(latest).select("person_ref", "record_id", "born", "sex").sort("person_ref")
    nobody = Holder("", "", ())
    found = [
        Question(number, nobody, Holder(born, sex, (record,)), record, True)
        for number, record, born, sex in rows.iter_rows()
        if number not in first
    ]
    # The first holder that is known may be the second one of the number.
    found += [Question(number, nobody, one.before, one.newest, False) for number, one in first.items()]
    return [replace(one, own=digest) for one in found if (digest := two(one)) is not None]


def _of_number(number: str, rows: list[dict[str, Any]]) -> Iterator[Question]:
    newest = rows[-1]["record_id"]
    holders: list[Holder] = []
    for row in rows:
        holder = Holder(row["born"], row["sex"], () if row["gone"] else (row["record_id"],))
        if holders and not holder.differs_from(holders[-1]):
            holders.append(holders.pop().and_also(holder))
            continue
        again = next((one for one in holders if not one.differs_from(holder)), None)
        if again is not None:
            holders.remove(again)
            holder = again.and_also(holder)
        holders.append(holder)
    for before, after in itertools.pairwise(holders):
        if before.differs_from(after):
            yield Question(number, before, after, newest, after is holders[-1])


def own_ids(asked: Iterable[Question], two: Collection[Question]) -> dict[str, str]:
    """Map each number whose present holder is not the first one to the id of that holder.

    The id is computed from the first master data of the holder, so that a later correction keeps it.

    Args:
        asked: every question, in order.
        two: those that a data steward answered with "two persons".
    """
    return {one.number: f"{one.number}#{one.own or digest(one.after)}" for one in asked if one in two}


def left_out(asked: Iterable[Question], two: Collection[Question]) -> frozenset[str]:
    """Return the record ids of delivered master data of earlier holders.

    Args:
        asked: every question, in order.
        two: those that a data steward answered with "two persons".
    """
    before: dict[str, list[str]] = {}
    out: set[str] = set()
    for one in asked:
        before.setdefault(one.number, []).extend(one.before.records)
        if one in two:
            out.update(before[one.number])
    return frozenset(out)


def digest(holder: Holder) -> str:
    """Return the digest of a holder in the id of their patient."""
    return hashlib.blake2b(f"{holder.born}|{holder.sex}".encode(), digest_size=6).hexdigest()
