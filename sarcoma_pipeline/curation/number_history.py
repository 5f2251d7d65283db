"""Who had a patient number, one after the other: a reused number is seen after its old export is gone.

A number's holders are told apart by date of birth and sex, in the order in which they were last reported. Two
that follow each other are a question: was one person's entry corrected, or is it another person? Until a data
steward answers, it is one person. Who is another person has a patient id, and with it a pseudonym, of their
own; the first holder keeps the number's.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST

_SEXES = ("female", "male", "diverse")
_COLUMNS = ("person_ref", "record_id", "birth_date", "birth_date_precision", "sex", *NEWEST_LAST[:2])


@dataclass(frozen=True)
class Holder:
    """Somebody who had a number.

    Attributes:
        born: exact date of birth; "" where none is known.
        sex: "" where it is not known.
        records: master data that say so and are delivered; none where their exports are gone.
    """

    born: str
    sex: str
    records: tuple[str, ...]

    def and_also(self, other: Holder) -> Holder:
        """Return the holder with what other master data of theirs say."""
        return Holder(self.born or other.born, self.sex or other.sex, self.records + other.records)

    def differs_from(self, other: Holder) -> bool:
        """Return whether both cannot be the same master data; what is missing contradicts nothing."""
        pairs = ((self.born, other.born), (self.sex, other.sex))
        return any(one and two and one != two for one, two in pairs)


@dataclass(frozen=True)
class Question:
    """Whether two holders of a number, one after the other, are one person.

    Attributes:
        number: patient id of the number.
        before: the earlier holder.
        after: the later one.
        newest: record of the number's newest master data.
        of_newest: whether the later one is the number's present holder.
    """

    number: str
    before: Holder
    after: Holder
    newest: str
    of_newest: bool

    @property
    def of_both(self) -> tuple[str, ...]:
        """What the answer "one person" rests on: the number, both dates of birth and both sexes."""
        return (self.number, self.before.born, self.before.sex, self.after.born, self.after.sex)

    @property
    def of_later(self) -> tuple[str, ...]:
        """What the answer "two persons" rests on: it holds where nobody knows the earlier holder any more."""
        return (self.number, self.after.born, self.after.sex)

    @property
    def records(self) -> tuple[str, ...]:
        """The records that the finding stands on: the earlier master data, or the newest if they are gone."""
        return self.before.records or (self.newest,)

    @property
    def gone(self) -> bool:
        """Whether nothing of the earlier holder's master data is delivered any more."""
        return not self.before.records


def questions(masters: pl.DataFrame, former: pl.DataFrame | None) -> list[Question]:
    """Return every question about numbers whose holders differ, in order.

    Args:
        masters: the master data that are delivered, from the oldest to the newest of each number.
        former: the same of what was delivered once; None where nothing is known of that.
    """
    frames = [masters.select(*_COLUMNS, gone=pl.lit(False))]
    if former is not None:
        # A number that is no longer delivered at all asks nothing.
        known = former.join(masters.select("person_ref"), on="person_ref", how="semi")
        frames.insert(0, known.select(*_COLUMNS, gone=pl.lit(True)))
    rows = _told(pl.concat(frames))
    several = pl.struct("born", "sex").n_unique().over("person_ref") > 1
    # What is delivered is newer than what is not, on whatever day it was exported.
    ordered = rows.filter(several).sort("person_ref", pl.col("gone").not_(), *NEWEST_LAST, nulls_last=False)
    return [
        question
        for (number,), group in ordered.group_by("person_ref", maintain_order=True)
        for question in _of_number(str(number), group.rows(named=True))
    ]


def _told(masters: pl.DataFrame) -> pl.DataFrame:
    """Return what master data say for certain of date of birth and sex; who says neither is left out."""
    exact = pl.col("birth_date_precision").fill_null("day") == "day"
    rows = masters.with_columns(
        born=pl.when(exact).then(pl.col("birth_date").cast(pl.String)).fill_null(""),
        sex=pl.when(pl.col("sex").is_in(_SEXES)).then("sex").fill_null(""),
    )
    return rows.filter((pl.col("born") != "") | (pl.col("sex") != ""))


def remembered(
    latest: pl.DataFrame, asked: Iterable[Question], are_two: Callable[[Question], bool]
) -> list[Question]:
    """Return the questions whose earlier holder nobody knows any more, answered with "two persons".

    Args:
        latest: the newest master data of each number.
        asked: the questions about holders who are known.
        are_two: whether a data steward gave that answer.
    """
    known = {one.number for one in asked}
    rows = _told(latest).select("person_ref", "record_id", "born", "sex").sort("person_ref")
    found = [
        Question(number, Holder("", "", ()), Holder(born, sex, (record,)), record, True)
        for number, record, born, sex in rows.iter_rows()
        if number not in known
    ]
    return [one for one in found if are_two(one)]


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
    """Return the numbers whose present holder is not the first one, with the id of that holder.

    The id rests on the master data with which the holder began, so that a later correction keeps it.

    Args:
        asked: every question, in order.
        two: those of which a data steward said that they are two persons.
    """
    return {one.number: f"{one.number}#{_digest(one.after)}" for one in asked if one in two}


def left_out(asked: Iterable[Question], two: Collection[Question]) -> frozenset[str]:
    """Return the delivered master data of everybody who had a number before its present holder.

    Args:
        asked: every question, in order.
        two: those of which a data steward said that they are two persons.
    """
    before: dict[str, list[str]] = {}
    out: set[str] = set()
    for one in asked:
        before.setdefault(one.number, []).extend(one.before.records)
        if one in two:
            out.update(before[one.number])
    return frozenset(out)


def _digest(holder: Holder) -> str:
    return hashlib.blake2b(f"{holder.born}|{holder.sex}".encode(), digest_size=6).hexdigest()
