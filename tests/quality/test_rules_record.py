"""Where the rules on one record end: partial dates, days of export, codes of a site."""

import datetime as dt

import polars as pl
import pytest

from schemas import typed, typed_dicom
from schemas.contract import Contract
from tests.quality.clean import CLEAN, RECEIVED, Row, row

D = dt.date


def _failures(contract: type[Contract], changes: Row) -> set[str]:
    frame = contract.conform(pl.DataFrame([row(contract, **changes)], infer_schema_length=None))
    return set(contract.failures(frame)["rule_id"])


AFTER_EXPORT = "date.after-export"


def test_no_day_of_an_export_is_no_fault_of_a_date():
    assert AFTER_EXPORT not in _failures(typed.Surgery, {"reported_on": None})
    assert AFTER_EXPORT not in _failures(typed.Surgery, {"surgery_date": None, "reported_on": D(2012, 1, 1)})


@pytest.mark.parametrize(
    ("contract", "column"),
    [
        (typed.Surgery, "surgery_date"), (typed.Radiotherapy, "start_date"),
        (typed.Radiotherapy, "end_date"), (typed.SystemicTherapy, "start_date"),
        (typed.Assessment, "assessment_date"), (typed.Metastasis, "metastasis_date"),
        (typed.Diagnosis, "diagnosis_date"), (typed.VitalStatus, "status_date"),
        (typed.Person, "birth_date"), (typed_dicom.Plan, "plan_date"),
    ],
)  # fmt: skip
def test_every_date_of_an_event_is_compared_with_its_export(contract, column):
    day = CLEAN[contract][column]
    other = {c: None for c in CLEAN[contract] if c.endswith("_date") and c != column}
    assert AFTER_EXPORT in _failures(contract, other | {"reported_on": day - dt.timedelta(days=1)})
    assert AFTER_EXPORT not in _failures(contract, other | {"reported_on": day})


@pytest.mark.parametrize(
    ("exact_to", "exported", "faulty"),
    [("month", D(2012, 12, 1), False), ("month", D(2012, 11, 30), True),
     ("year", D(2012, 1, 1), False), ("year", D(2011, 12, 31), True)],
)  # fmt: skip
def test_of_a_partial_date_its_first_possible_day_is_compared(exact_to, exported, faulty):
    middle = {"month": D(2012, 12, 15), "year": D(2012, 7, 1)}[exact_to]
    said = {"metastasis_date": middle, "metastasis_date_precision": exact_to, "reported_on": exported}
    assert (AFTER_EXPORT in _failures(typed.Metastasis, said)) is faulty


def test_a_date_in_the_future_is_one_fault():
    said = {"surgery_date": RECEIVED + dt.timedelta(days=1), "reported_on": RECEIVED}
    assert _failures(typed.Surgery, said) & {"date.in-future", AFTER_EXPORT} == {"date.in-future"}


@pytest.mark.parametrize(
    ("date", "precision", "ahead"),
    [
        # Received on 10 January 2022: a year or a month lies ahead only if all of it does.
        (D(2022, 7, 1), "year", False),
        (D(2022, 1, 15), "month", False),
        (D(2022, 2, 15), "month", True),
        (D(2023, 7, 1), "year", True),
        (D(2022, 1, 11), "day", True),
        (D(2022, 1, 11), None, True),
    ],
)
def test_a_partial_date_lies_in_the_future_only_if_all_its_days_do(date, precision, ahead):
    changes = {"status_date": date, "status_date_precision": precision}
    assert ("date.in-future" in _failures(typed.VitalStatus, changes)) == ahead


@pytest.mark.parametrize(
    ("icd", "topography", "faulty"),
    [
        ("C49.2", "C49.6", True),  # limb and trunk
        ("C49.2", "C49.0", True),  # limb, head and neck
        ("C49.1", "C49.2", False),  # two limbs are one region
        ("C49.2", "C49.9", False),
        ("C49.9", "C49.6", False),
        ("C49", "C49.6", False),
        ("C50.4", "C49.3", False),
        ("C49.2", None, False),
        (None, "C49.6", False),
    ],
)
def test_both_codes_of_a_site_name_one_region(icd, topography, faulty):
    found = _failures(typed.Diagnosis, {"icd10_code": icd, "icdo3_topography": topography})
    assert ("diagnosis.site-codes-differ" in found) is faulty
