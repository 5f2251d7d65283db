"""Which course is the primary one: irradiation during surgery is a phase of its own (radiotherapy.md, D9)."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.cohort import primary
from schemas.contract import Contract
from schemas.curated import Diagnosis, Surgery
from schemas.curated_radiotherapy import RadiotherapyCourse
from tests.curation.conftest import OPERATED, irradiated
from tests.one_curation import together

DURING: dict[str, Any] = {
    "start": OPERATED,
    "end": OPERATED,
    "st": "ST1",
    "Stellung_OP": "I",
    "Strahlenart": "EL",
}
AFTER: dict[str, Any] = {"start": "2015-06-29", "end": "2015-08-07", "st": "ST2", "Stellung_OP": "A"}
SHOWN = ("prescribed_dose_gy", "radiation_sequence")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(15, 15, DURING), (50, 2, AFTER)], (50.0, "postoperative adjuvant")),
        ([(50, 2, {}), (15, 15, DURING | {"st": "ST3"})], (50.0, "preoperative")),
        ([(15, 15, DURING)], (15.0, "intraoperative")),
        # A palliative course never becomes the primary one.
        ([(15, 15, DURING), (30, 3, AFTER | {"Intention": "P"})], (15.0, "intraoperative")),
        # Not known to be intraoperative: the first one.
        ([(15, 15, DURING | {"Stellung_OP": None}), (50, 2, AFTER)], (15.0, "postoperative adjuvant")),
    ],
)
@together(irradiated)
def test_irradiation_during_the_operation_is_primary_only_if_it_is_all(case, told, expected):
    for dose, single, more in told:
        case.course(dose, single, **more)
    outcome = yield
    assert primary.course(outcome.frames).select(SHOWN).rows() == [expected]


OF = {"patient_id": "i", "tumour_id": "t", "record_ids": ["r"]}


def _table(contract: type[Contract], *rows: dict) -> pl.DataFrame:
    schema = contract.polars_schema()
    return pl.DataFrame({name: [(OF | one).get(name) for one in rows] for name in schema}, schema=schema)


def _curated(courses: list[dict], surgeries: list[dict] | None = None, tumour: str | None = "t") -> dict:
    usual = {"kind": "external beam", "intent": "curative"}
    return {
        "curated.diagnosis": _table(Diagnosis, {"tumour_id": tumour, "index_tumour": True}),
        "curated.surgery": _table(Surgery, *(surgeries or [])),
        "curated.radiotherapy_course": _table(RadiotherapyCourse, *(usual | one for one in courses)),
    }


def _course(name: str, day: int | None = 10, **more) -> dict:
    return {"course_id": name, "start_day": day, **more}


BEAM_LATER, D2 = _course("z", 90), dt.date(2015, 1, 2)
FIRST: dict[str, tuple[dict, dict]] = {
    # what: the primary course, and the other one
    "the earlier one": (_course("z", 10), _course("a", 11)),
    "one with a day before one without": (_course("z", 10), _course("a", None)),
    "a late one with another intent before a palliative one": (
        BEAM_LATER, _course("a", 1, intent="palliative"),
    ),
    "one without an intent before a palliative one": (
        _course("z", 90, intent=None), _course("a", 1, intent="palliative"),
    ),
    "beams before sources": (BEAM_LATER, _course("a", 1, kind="brachytherapy")),
    "beams before those of the operation": (
        BEAM_LATER, _course("a", 1, radiation_sequence="intraoperative"),
    ),
    "sources before palliative beams": (
        _course("z", 90, kind="brachytherapy"), _course("a", 1, intent="palliative"),
    ),
    "without days by the date": (
        _course("z", None, start_date=D2), _course("a", None, start_date=D2 + dt.timedelta(1)),
    ),
    "a date before none": (_course("z", None, start_date=D2), _course("a", None)),
    "of one day the main target": (_course("z", target=1), _course("a", target=2)),
    "a numbered target before one without a number": (_course("z", target=2), _course("a", target=None)),
    "then by name": (_course("a"), _course("b")),
    "not the one of another tumour": (BEAM_LATER, _course("a", 1, tumour_id="u")),
    "nor one without a tumour": (BEAM_LATER, _course("a", 1, tumour_id=None)),
}  # fmt: skip


@pytest.mark.parametrize(("first", "other"), FIRST.values(), ids=FIRST)
def test_the_first_course_in_any_order(first, other):
    for given in ([first, other], [other, first]):
        assert primary.course(_curated(given))["course_id"].to_list() == [first["course_id"]]


def test_a_patient_of_one_tumour_without_a_number_has_courses():
    found = primary.course(_curated([_course("a", tumour_id=None)], tumour=None))
    assert found["course_id"].to_list() == ["a"]


def _days(name: str, first: int | None, last: int | None) -> dict:
    return {f"{name}_day": first, f"{name}_day_earliest": first, f"{name}_day_latest": last}


ONE = [_days("surgery", 100, 110)]
POST, PRE = "postoperative adjuvant", "preoperative"


@pytest.mark.parametrize(
    ("start", "surgeries", "sequence"),
    [
        # The operation was on a day from 100 to 110.
        ((99, 99), ONE, PRE),
        ((100, 100), ONE, None),
        ((109, 109), ONE, None),
        ((110, 110), ONE, POST),
        ((90, 100), ONE, None),
        ((109, 120), ONE, None),
        ((110, 120), ONE, POST),
        ((10, 10), [], "without surgery"),
        ((10, 10), [ONE[0] | {"intent": "diagnostic"}], "without surgery"),
        ((10, 10), [ONE[0] | {"tumour_id": "u"}], "without surgery"),
        ((10, 10), [_days("surgery", None, None)], None),
        # The first of two operations was on a day from 100 to 110.
        ((99, 99), [_days("surgery", 100, 130), _days("surgery", 105, 110)], PRE),
        ((100, 100), [_days("surgery", 100, 130), _days("surgery", 105, 110)], None),
        ((110, 110), [_days("surgery", 100, 130), _days("surgery", 105, 110)], POST),
    ],
)
def test_the_sequence_by_days_if_the_first_operation_was_surely_before_or_after(start, surgeries, sequence):
    for given in (surgeries, surgeries[::-1]):
        one = _course("a") | _days("start", *start)
        assert primary.course(_curated([one], given))["radiation_sequence"].to_list() == [sequence]
        documented = primary.course(_curated([one | {"radiation_sequence": "additive"}], given))
        assert documented["radiation_sequence"].to_list() == ["additive"]
