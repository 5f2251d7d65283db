"""Which successive holders of a number are asked about, told apart by date of birth and sex."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import number_history
from sarcoma_pipeline.curation.number_history import Holder, Question
from schemas import typed

Told = tuple[str | None, str | None, int | None]
"""Year of birth, sex, and day of the export."""

A, B, C = ("1930", "female"), ("1931", "female"), ("1932", "male")


def masters(*told: Told, number: str = "1", prefix: str = "r", precision: str = "day") -> pl.DataFrame:
    rows = [
        {"person_ref": f"number:{number}", "record_id": f"{prefix}{n}", "sex": sex, "place": "f",
         "birth_date": year and dt.date(int(year), 3, 4), "birth_date_precision": year and precision,
         "reported_on": None if day is None else dt.date(2020, 1, 1) + dt.timedelta(day)}
        for n, (year, sex, day) in enumerate(told)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=typed.Person.polars_schema())


def asked(now: pl.DataFrame, former: pl.DataFrame | None = None) -> list[tuple[str, str, bool, bool]]:
    """Years of birth of both holders, whether the earlier one is gone, whether the later one is present."""
    first, second = (
        [(one.before.born[:4], one.after.born[:4], one.gone, one.of_newest) for one in questions]
        for questions in (
            number_history.questions(now, former),
            number_history.questions(now.reverse(), former),
        )
    )
    assert first == second
    return first


@pytest.mark.parametrize(
    ("told", "questions"),
    [
        ([(*A, 0)], []),
        ([(*A, 0), (*A, 1)], []),
        ([(*A, 0), (*B, 1)], [("1930", "1931", False, True)]),
        ([(*A, 1), (*B, 0)], [("1931", "1930", False, True)]),
        ([("1930", "female", 0), ("1930", "male", 1)], [("1930", "1930", False, True)]),
        ([("1930", None, 0), (None, "male", 1)], []),  # missing values contradict nothing
        ([(None, None, 0), (*A, 1)], []),
        ([(*A, 0), (*B, None)], [("1931", "1930", False, True)]),  # an export without a day is the oldest one
        # What was told of one holder in two exports distinguishes the next one.
        ([("1930", None, 0), (None, "female", 1), (None, "male", 2)], [("1930", "", False, True)]),
        ([(*A, 0), (*B, 1), (*C, 2)], [("1930", "1931", False, False), ("1931", "1932", False, True)]),
        # The first holder is told again: the latest order counts.
        ([(*A, 0), (*B, 1), (*A, 2)], [("1931", "1930", False, True)]),
        ([(*A, 0), (*B, 1), (*B, 2)], [("1930", "1931", False, True)]),
        (
            [(*A, 0), (*B, 1), (*C, 2), (*A, 3)],
            [("1931", "1932", False, False), ("1932", "1930", False, True)],
        ),
    ],
)
def test_a_question_is_asked_of_two_successive_holders_who_differ(told, questions):
    assert asked(masters(*told)) == questions


def test_a_year_of_birth_alone_tells_nobody_apart():
    assert asked(pl.concat([masters((*A, 0)), masters((*B, 1), precision="year", prefix="q")])) == []


def test_master_data_without_date_of_birth_and_sex_belong_to_no_holder():
    [one] = number_history.questions(masters((*A, 0), (None, None, 1), (*B, 2)), None)
    assert (one.before.records, one.after.records) == (("r0",), ("r2",))


def test_the_questions_are_in_the_order_of_the_numbers():
    numbers = [f"{n:02}" for n in range(40)]
    told = [masters((*A, 0), (*B, 1), number=number, prefix=number) for number in reversed(numbers)]
    found = number_history.questions(pl.concat(told), None)
    assert [one.number for one in found] == [f"number:{number}" for number in numbers]


def test_former_deliveries_are_older_whatever_their_day_and_only_of_numbers_that_are_delivered():
    former = masters((*A, 900), prefix="old")
    assert asked(masters((*B, 0)), former) == [("1930", "1931", True, True)]
    assert asked(masters((*B, 0), number="2"), former) == []
    [one] = number_history.questions(masters((*B, 0)), former)
    assert one.records == ("r0",), "the finding is on the newest master data, as the earlier ones are gone"
    [one] = number_history.questions(masters((*A, 0), (*B, 1)), None)
    assert one.records == ("r0",)


def test_the_master_data_of_every_earlier_holder_are_left_out_if_they_are_two_persons():
    first, second = number_history.questions(masters((*A, 0), (*B, 1), (*C, 2)), None)
    every = [first, second]
    assert number_history.left_out(every, []) == set()
    assert number_history.left_out(every, [first]) == {"r0"}
    assert number_history.left_out(every, [second]) == {"r0", "r1"}
    assert number_history.own_ids(every, [first]) == {
        "number:1": f"number:1#{number_history.digest(first.after)}"
    }
    assert number_history.own_ids(every, []) == {}


def test_an_answer_two_persons_is_remembered_when_nobody_knows_the_first_one():
    def remembered(now: pl.DataFrame) -> list[tuple[str, str, bool, str]]:
        latest = now.unique("person_ref", keep="last", maintain_order=True)
        some: list[Question] = number_history.questions(now, None)
        found = number_history.remembered(
            latest, some, lambda one: "d" if one.after.born[:4] != "1932" else None
        )
        assert all(one.before == Holder("", "", ()) for one in found)
        return [(one.number, one.after.born[:4], one.of_newest, one.own) for one in found]

    assert remembered(masters((*B, 0))) == [("number:1", "1931", True, "d")]
    assert remembered(masters((*C, 0))) == []
    # The first holder that is known may be the second one of the number.
    assert remembered(masters((*A, 0), (*B, 1))) == [("number:1", "1930", False, "d")]
