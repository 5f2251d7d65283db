"""Random courses whose truth is known, through DICOM files and back; what must never change a course.

A course is drawn in the terms of the decision table: its phases and revisions, whether it was recorded,
linked and documented. What comes back is compared with what was drawn.
"""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

from tests.conftest import Records
from tests.curation.conftest import Case, courses
from tests.curation.rt_files import Field, days, level, plan, records

pytestmark = pytest.mark.slow

FEW = settings(max_examples=5, deadline=None, derandomize=True)
FIRST = "20150302"


@dataclass(frozen=True)
class Drawn:
    """A course and its truth.

    Attributes:
        single: dose per fraction in Gy.
        parts: fractions of each plan as they were delivered, in order; one plan is no revision.
        boost: fractions of a boost that follows.
        recorded: whether treatment records of all fractions exist.
        linked: whether every revision names its predecessor.
        documented: whether the tumour documentation gives the whole dose.
        whole: whether a revision repeats the whole prescription, or plans the rest.
    """

    single: float
    parts: tuple[int, ...]
    boost: int
    recorded: bool
    linked: bool
    documented: bool
    whole: bool

    @property
    def first(self) -> int:
        return sum(self.parts)

    @property
    def fractions(self) -> int:
        return self.first + self.boost

    @property
    def dose(self) -> float:
        return round(self.single * self.fractions, 6)

    @property
    def decided(self) -> bool:
        """Whether the table decides: records or relations tell a revision; records, the label a boost."""
        return len(self.parts) == 1 or self.recorded or self.linked


def _beams(single: float, number: int) -> list[Field]:
    """Beams of the number-th optimisation: the same dose, other monitor units."""
    return [Field(single / 2, 300.0 + number), Field(single / 2, 300.0 + number, turns="CC")]


@dataclass
class Files:
    """The files of a course."""

    drawn: Drawn
    plans: list[Dataset] = field(default_factory=list)
    records: list[Dataset] = field(default_factory=list)

    @classmethod
    def of(cls, drawn: Drawn) -> Files:
        files = cls(drawn)
        working = days(FIRST, drawn.fractions)
        done = 0
        for number, part in enumerate(drawn.parts, start=1):
            planned = drawn.first if drawn.whole else drawn.first - done
            day = f"{working[done]:%Y%m%d}"
            files._add(f"1.{number}", planned, part, done, number, "20150220" if number == 1 else day)
            done += part
        if drawn.boost:
            day = f"{working[done]:%Y%m%d}"
            files._add("1.9", drawn.boost, drawn.boost, done, 9, day, boost=True)
        return files

    def _add(
        self, uid: str, planned: int, given_: int, done: int, number: int, date: str, *, boost: bool = False
    ) -> None:
        drawn = self.drawn
        dose = round(drawn.single * planned, 6)
        relations = [(f"1.{number - 1}", "PREDECESSOR")] if drawn.linked and number > 1 and not boost else []
        name = "PTV boost" if boost else "PTV"
        self.plans.append(
            plan(
                uid, dose, planned, date=date, beams=_beams(drawn.single, number), relations=relations,
                label="BOOST" if boost else "STS", references=[level(dose, name)],
            )
        )  # fmt: skip
        if drawn.recorded:
            day = f"{days(FIRST, done + 1)[-1]:%Y%m%d}"
            start = 1 if boost else done + 1
            self.records += records(uid, day, given_, start=start)


@st.composite
def drawn_courses(draw: Callable[..., object]) -> Drawn:
    single = draw(st.sampled_from([1.8, 2.0, 2.5]))
    parts = draw(st.lists(st.integers(3, 12), min_size=1, max_size=3))
    assert isinstance(single, float) and isinstance(parts, list)
    flags = [bool(draw(st.booleans())) for _ in range(4)]
    boost = draw(st.sampled_from([0, 0, 5, 8]))
    assert isinstance(boost, int)
    return Drawn(single, tuple(parts), boost, *flags)


def _curated(files: Files, more: list[Dataset] | None = None, seed: int = 0) -> list[tuple]:
    with tempfile.TemporaryDirectory() as folder:
        case = Case(Records(), Path(folder)).patient(operated=None)
        drawn = files.drawn
        if drawn.documented:
            last = f"{days(FIRST, drawn.fractions)[-1]}"
            case.course(drawn.dose, drawn.single, end=last, Boost="SEQ" if drawn.boost else "N")
        everything = [*files.plans, *files.records, *(more or [])]
        random.Random(seed).shuffle(everything)
        case.files(everything)
        return courses(
            case.run(), "prescribed_dose_gy", "fractions", "single_dose_gy", "delivered_dose_gy",
            "delivered_fractions", "start_date", "end_date", "boost", "technique", "set_aside",
        )  # fmt: skip


@FEW
@given(drawn_courses())
def test_a_course_comes_back_as_it_was_drawn_or_without_a_dose(drawn):
    rows = _curated(Files.of(drawn))
    assert len(rows) == 1
    dose, fractions, _, delivered, n, first, last, boost, technique, _ = rows[0]
    if dose is not None:
        assert abs(dose - drawn.dose) < 1e-6 and fractions == drawn.fractions
    assert dose is not None or not drawn.decided
    assert technique == "VMAT"
    if drawn.recorded:
        assert n == drawn.fractions and abs(delivered - drawn.dose) < 1e-6
        working = days(FIRST, drawn.fractions)
        assert (first, last) == (working[0], working[-1])
    else:
        assert delivered is None and n is None
    if drawn.boost and dose is not None:
        assert boost == "sequential"


def _nothing_new(files: Files) -> Iterator[Dataset]:
    """Plans that were never treated, or are another one's copy."""
    last, drawn = files.plans[-1], files.drawn
    whole = round(drawn.single * drawn.first, 6)
    yield plan(
        "2.1", drawn.single, 1, date="20150223", intent="VERIFICATION", frame="1.77",
        beams=_beams(drawn.single, 1), relations=[(str(last.SOPInstanceUID), "VERIFIED_PLAN")],
    )  # fmt: skip
    yield plan("2.2", drawn.single, 1, intent="MACHINE_QA", beams=_beams(drawn.single, 2))
    for uid, approval in (("2.3", "REJECTED"), ("2.4", "UNAPPROVED")):
        yield plan(uid, whole, drawn.first, approval=approval, beams=_beams(drawn.single, 50))
    # The copy of a plan that was approved again: another UID, another date, another label.
    copied = Dataset.from_json(files.plans[0].to_json())
    copied.SOPInstanceUID, copied.RTPlanLabel = "2.5", "STS neu"
    copied.RTPlanDate = "20150224"
    yield copied


@FEW
@given(drawn_courses(), st.integers(0, 4), st.integers(0, 10_000))
def test_a_copy_a_verification_plan_or_a_rejected_plan_never_changes_a_course(drawn, which, seed):
    files = Files.of(drawn)
    added = list(_nothing_new(files))
    assert _curated(files, [added[which]], seed) == _curated(files)


@FEW
@given(drawn_courses(), st.integers(0, 10_000))
def test_all_of_them_and_the_order_of_the_files_never_change_a_course(drawn, seed):
    files = Files.of(drawn)
    assert _curated(files, list(_nothing_new(files)), seed) == _curated(files)


@FEW
@given(drawn_courses(), st.integers(1, 8))
def test_records_that_are_missing_at_the_end_lower_the_delivered_dose_alone(drawn, missing):
    recorded = replace(drawn, recorded=True, boost=0, parts=(drawn.first,))
    missing = min(missing, recorded.fractions - 1)
    files = Files.of(recorded)
    files.records = files.records[:-missing]
    ((dose, fractions, _, delivered, n, *_),) = _curated(files)
    assert (dose, fractions, n) == (recorded.dose, recorded.fractions, recorded.fractions - missing)
    assert abs(delivered - recorded.single * n) < 1e-6


@FEW
@given(drawn_courses())
def test_a_later_course_never_changes_an_earlier_one(drawn):
    files = Files.of(drawn)
    alone = _curated(files)
    later = plan("3.1", 30, 10, date="20190305", label="LUNGE", intent="PALLIATIVE", beams=_beams(3.0, 70))
    assert _curated(files, [later])[: len(alone)] == alone
