"""Parts of a cohort that several runs derive from the same are derived once."""

from __future__ import annotations

import gc
import weakref

import polars as pl
import pytest

from sarcoma_pipeline.cohort.derived_once import DerivedOnce, every_time
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.assumptions import Assumptions

OWN = Assumptions()
OTHER_DOSE, OTHER_GRADE = (
    OWN.model_copy(update={"dose": "delivered"}),
    OWN.model_copy(update={"grade": "biopsy"}),
)


class Counted:
    """A function that counts its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def of_dose(self, frame: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
        self.calls += 1
        return frame.with_columns(dose=pl.lit(assumptions.dose))

    def of_days(self, timeline: Timeline) -> pl.DataFrame:
        self.calls += 1
        return timeline.events.with_columns(landmark=pl.lit(timeline.assumptions.landmark_days))

    def of_number(self, number: float) -> float:
        self.calls += 1
        return number


def frame(*values: object) -> pl.DataFrame:
    return pl.DataFrame({"a": values})


def test_only_the_assumptions_that_were_read_count():
    once, counted, one = DerivedOnce(), Counted(), frame(1)
    first = once(counted.of_dose, one, OWN)
    assert once(counted.of_dose, one, OTHER_GRADE) is first and counted.calls == 1
    assert once(counted.of_dose, one, OTHER_DOSE)["dose"].to_list() == ["delivered"] and counted.calls == 2
    assert once(counted.of_dose, one, OTHER_DOSE) is once(counted.of_dose, one, OTHER_DOSE)
    assert once(counted.of_dose, one, OWN) is first and counted.calls == 2


def test_another_frame_is_another_argument_although_it_is_equal():
    once, counted = DerivedOnce(), Counted()
    once(counted.of_dose, frame(1), OWN)
    once(counted.of_dose, frame(1), OWN)
    assert counted.calls == 2


def test_a_frame_in_place_of_one_that_is_gone_is_another_argument():
    """Python may give a new frame the address of one that is freed."""
    once, counted = DerivedOnce(), Counted()
    found = [once(counted.of_dose, frame(number), OWN)["a"][0] for number in range(50)]
    assert found == list(range(50))


def test_the_parts_of_a_timeline_count():
    once, counted = DerivedOnce(), Counted()
    events, others, steps = frame(1), frame(2), frame(3)
    first = once(counted.of_days, Timeline(events, steps, OWN))
    assert once(counted.of_days, Timeline(events, steps, OTHER_DOSE)) is first
    assert once(counted.of_days, Timeline(others, steps, OWN))["a"].to_list() == [2]
    landmark = OWN.model_copy(update={"landmark_days": 182})
    assert once(counted.of_days, Timeline(events, steps, landmark))["landmark"].to_list() == [182]
    assert counted.calls == 3


def test_equal_values_are_the_same_argument_but_not_those_of_another_type():
    once, counted = DerivedOnce(), Counted()
    assert [once(counted.of_number, n) for n in (1, 1.0, True, 1)] == [1, 1.0, True, 1]
    assert counted.calls == 3


def test_an_equal_result_is_the_earlier_one():
    once, one, other = DerivedOnce(), frame(1, 2), frame(1, 3)
    first = once(pl.DataFrame.head, one, 1)
    assert once(pl.DataFrame.head, other, 1) is first
    # Equal numbers of another type are not.
    assert once(pl.DataFrame.head, frame(1.0), 1) is not first
    assert once(pl.DataFrame.tail, other, 1) is not first


def test_what_was_derived_before_is_found_and_what_comes_later_is_not_kept_there():
    before, counted, one = DerivedOnce(), Counted(), frame(1)
    first = before(counted.of_dose, one, OWN)
    assert DerivedOnce(before)(counted.of_dose, one, OTHER_GRADE) is first
    for calls in (2, 3):
        DerivedOnce(before)(counted.of_dose, one, OTHER_DOSE)
        assert counted.calls == calls


def test_results_are_freed_with_their_object_at_once():
    shared = DerivedOnce()
    gc.disable()
    try:
        gone = [weakref.ref(DerivedOnce()), weakref.ref(DerivedOnce(shared))]
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()


def test_calls_within_calls_note_what_the_inner_one_read():
    once, counted, one = DerivedOnce(), Counted(), frame(1)

    def outer(start: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
        return once(counted.of_dose, start, assumptions).select("dose")

    once(counted.of_dose, one, OWN)
    assert once(outer, one, OWN)["dose"].to_list() == [OWN.dose]
    assert once(outer, one, OTHER_DOSE)["dose"].to_list() == ["delivered"]


def test_assumptions_as_a_whole_cannot_be_noted():
    with pytest.raises(AttributeError, match="model_dump is no switch"):
        DerivedOnce()(lambda a: a.model_dump(), OWN)
    assert every_time(lambda a: a.model_dump(), OWN) == OWN.model_dump()
