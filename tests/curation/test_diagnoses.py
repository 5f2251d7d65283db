"""What a tumour was at diagnosis, from all its reports; days by pencil."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import diagnoses
from schemas import typed, typed_dicom
from schemas.assumptions import Assumptions

D = dt.date
OWN = {
    "patient_id": pl.String, "tumour_id": pl.String, "reporter": pl.String, "reported_tumour": pl.String,
    "place": pl.String, "of_relapse_report": pl.Boolean, "stands_in": pl.Boolean,
}  # fmt: skip
DIAGNOSE = {
    "origin": "diagnosis", "complete": True, "diagnosis_date": D(2012, 1, 1),
    "diagnosis_date_precision": "day", "icdo3_topography": "C49.2",
}  # fmt: skip
PATHOLOGY = {"origin": "pathology", "complete": False, "report_date": D(2012, 1, 5)}


def frame(contract: Any, *rows: dict[str, Any]) -> pl.DataFrame:
    told = [
        {"patient_id": "p", "tumour_id": "1", "source": "oBDS", "record_id": f"r{n}", "place": f"{n}",
         "of_relapse_report": False, "stands_in": False} | row
        for n, row in enumerate(rows)
    ]  # fmt: skip
    return pl.DataFrame(told, schema=contract.polars_schema() | OWN)


def curated(
    *reports: dict[str, Any], tumour: str | None = "1", **events: list[dict[str, Any]]
) -> tuple[dict[str, Any], set[str]]:
    """The one tumour of the reports, and the rules of the findings on it."""
    contracts = (
        typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Person, typed.VitalStatus,
        typed.Metastasis, typed_dicom.Plan,
    )  # fmt: skip
    of = {"tumour_id": tumour}
    sound = {
        c.table(): frame(c, *(of | one for one in events.get(c.table().partition(".")[2], [])))
        for c in contracts
    }
    chosen = pl.DataFrame({"patient_id": ["p"], "index": [tumour]}, schema_overrides={"index": pl.String})
    told = frame(typed.Diagnosis, *(of | one for one in reports))
    made, _, seen = diagnoses.curate(told, sound, chosen, ["oBDS"], Assumptions())
    return made.row(0, named=True), set(seen["rule_id"])


@pytest.mark.parametrize("tumour", ["1", None])
def test_a_tumour_without_a_number_is_curated_like_one_with_a_number(tumour):
    """A table of one tumour per patient gives no number."""
    lung = {"origin": "diagnosis", "extent": "distant", "metastasis_date": D(2012, 1, 20),
            "metastasis_date_precision": "day"}  # fmt: skip
    # 8850 is a liposarcoma without a subtype: it contradicts no subtype of the group.
    row, rules = curated(
        DIAGNOSE | {"icdo3_morphology": "8850/3"}, PATHOLOGY | {"icdo3_morphology": "8858/3"},
        tumour=tumour, metastasis=[lung],
    )  # fmt: skip
    assert (row["tumour_id"], row["index_tumour"], row["documented"]) == (tumour, True, True)
    assert (row["diagnosis_date"], row["distant_metastasis"]) == (D(2012, 1, 1), True)
    assert (row["icdo3_topography"], row["icdo3_morphology"]) == ("C49.2", "8858/3")
    assert rules == set()


@pytest.mark.parametrize(
    ("other", "size"),
    [
        (PATHOLOGY, 12.0),
        (PATHOLOGY | {"of_relapse_report": True}, None),
        (PATHOLOGY | {"of_relapse": True}, None),
        (PATHOLOGY | {"origin": "follow-up"}, None),
    ],
)
def test_no_report_of_a_relapse_or_follow_up_fills_what_the_diagnose_lacks(other, size):
    row, _ = curated(DIAGNOSE, other | {"tumour_size_cm": 12.0})
    assert row["tumour_size_cm"] == size


@pytest.mark.parametrize(
    ("deaths", "latest", "middle"),
    [
        ([], D(2012, 12, 31), D(2012, 7, 1)),
        # 1 January to 10 June are 161 days.
        ([D(2012, 6, 10)], D(2012, 6, 10), D(2012, 3, 21)),
        ([D(2012, 3, 10), D(2012, 6, 10)], D(2012, 6, 10), D(2012, 3, 21)),
    ],
)
def test_of_several_days_of_death_the_last_one_limits_a_partial_date_of_diagnosis(deaths, latest, middle):
    year = {"diagnosis_date": D(2012, 7, 1), "diagnosis_date_precision": "year"}
    died = [{"status": "deceased", "status_date": on, "status_date_precision": "day"} for on in deaths]
    alive = {"status": "alive", "status_date": D(2012, 2, 1), "status_date_precision": "day"}
    for statuses in ([*died, alive], [alive, *reversed(died)]):
        row, _ = curated(DIAGNOSE | year, vital_status=statuses)
        assert (row["diagnosis_date_latest"], row["diagnosis_date"]) == (latest, middle)
