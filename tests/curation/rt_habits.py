"""Plans and records as planning systems and clinics write them, for the tests of habits."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset

from tests.curation.conftest import Case
from tests.curation.rt_files import (
    FractionGroup,
    days,
    level,
    plan,
    record,
)
from tests.curation.test_situations import (
    DOSE,
    arcs,
)

GIVEN = f"{DOSE} delivered_dose_gy"
PREDECESSOR = [("1.1", "PREDECESSOR")]


def without(dataset: Dataset, *keywords: str) -> Dataset:
    """A file in which attributes are missing."""
    for keyword in keywords:
        delattr(dataset, keyword)
    return dataset


def of_person(dataset: Dataset, number: str) -> Dataset:
    """A file with a PatientID as somebody typed it."""
    dataset.PatientID = number
    return dataset


def own_number(pattern: str):
    """A plan whose PatientID is the patient's number in some form."""

    def deliver(case: Case) -> None:
        case.course(60, 2, end="2015-04-10")
        case.files(of_person(plan("1.1", 60, 30), pattern.format(case.number)))

    return deliver


def of_group(number: int, first: str, count: int) -> list[Dataset]:
    """Treatment records of one fraction group of a plan."""
    return [record("1.1", day, n, group=number) for n, day in enumerate(days(first, count), 1)]


def side_by_side() -> Dataset:
    """Two isocentres of one volume, each a group of 25 fractions."""
    lower = arcs(1.8, isocentre=(0.0, 0.0, 200.0))
    return plan("1.1", references=[level(45), level(45, "PTV distal")], groups=[
        FractionGroup(25, arcs(1.8), links=[1]), FractionGroup(25, lower, links=[2])])  # fmt: skip


def one_after_the_other() -> Dataset:
    """50 Gy in 25 and 9 Gy in 3, two groups of one plan."""
    return plan("1.1", references=[level(50), level(9, "boost")], groups=[
        FractionGroup(25, arcs(2), links=[1]), FractionGroup(3, arcs(3, 250), links=[2])])  # fmt: skip


def halves(of: str, count: int) -> Iterator[Dataset]:
    """Each fraction interrupted and continued: two records with half of the monitor units."""
    for number, day in enumerate(days("20150302", count), start=1):
        for part in range(2):
            yield record(of, day, number, delivered=[150.0, 150.0], beams=[1, 2], ended="OPERATOR",
                         time=f"10{part}000")  # fmt: skip


def untyped(dataset: Dataset, *keep: int) -> Dataset:
    """A plan whose dose references have no type, except for those that are kept."""
    for number, one in enumerate(dataset.DoseReferenceSequence):
        if number not in keep:
            del one.DoseReferenceType, one.DoseReferenceStructureType
    return dataset


def no_groups(dataset: Dataset) -> Dataset:
    dataset.FractionGroupSequence = []
    return dataset


def sum_plan(uid: str, dose: float, fractions: int) -> Dataset:
    """A sum of plans, exported as a plan of its own: a dose and no beams."""
    return plan(uid, dose, fractions, label="PLANSUMME", groups=[FractionGroup(fractions, [])])


BASE = {"end": "2015-04-03"}
