"""Records without a number of their tumour belong to the tumour whose organ and date they name."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import tumours
from schemas import typed

D = dt.date
FRAMES = (
    typed.Diagnosis, typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Assessment,
    typed.Metastasis, typed.Toxicity, typed.TumourAssignment, typed.VitalStatus,
)  # fmt: skip
OF = {"patient_id": "p", "source": "oBDS"}
SARCOMA = {"tumour_id": "1", "icd10_code": "C49.2", "diagnosis_date": D(2012, 1, 1)}
BREAST = {"tumour_id": "2", "icd10_code": "C50.4", "diagnosis_date": D(2014, 1, 1)}
OTHER_BREAST = {"tumour_id": "3", "icd10_code": "C50.1", "diagnosis_date": D(2016, 1, 1)}


def frames(**rows: list[dict[str, Any]]) -> dict[str, pl.DataFrame]:
    own = dict.fromkeys(("patient_id", "reporter"), pl.String)
    made = {}
    for contract in FRAMES:
        told = [OF | row for row in rows.get(contract.__name__, [])]
        made[contract.table()] = pl.DataFrame(told, schema=contract.polars_schema() | own)
        if contract is not typed.TumourAssignment:
            made[contract.table()] = made[contract.table()].drop("reporter", strict=False)
    return made


def placed(about: dict[str, Any], *known: dict[str, Any]) -> str | None:
    """The tumour of an operation whose Tumorzuordnung has no number."""
    diagnoses = [
        {"record_id": f"d{n}", "origin": "diagnosis", "complete": True, "icdo3_morphology": "8500/3"} | row
        for n, row in enumerate(known)
    ]
    names = [{"record_id": row["record_id"], "reporter": "A", **row} for row in diagnoses]
    wanted = typed.TumourAssignment.polars_schema()
    of_records = [{k: v for k, v in row.items() if k in wanted or k == "reporter"} for row in names]
    of_records.append({"record_id": "o", "reporter": "A", "tumour_id": None} | about)
    sound = frames(
        Diagnosis=diagnoses,
        Surgery=[{"record_id": "o", "tumour_id": about.get("tumour_id")}],
        TumourAssignment=of_records,
    )
    first, second = (
        tumours.assign(some, frames()).sound[typed.Surgery.table()]["tumour_id"].item()
        for some in (sound, {table: frame.reverse() for table, frame in sound.items()})
    )
    assert first == second
    return first


@pytest.mark.parametrize(
    ("about", "known", "tumour"),
    [
        ({"icd10_code": "C50.9"}, [SARCOMA, BREAST], "2"),
        ({"icd10_code": "C49.9"}, [SARCOMA, BREAST], "1"),
        ({"icd10_code": "C34.1"}, [SARCOMA, BREAST], None),
        ({"icd10_code": None}, [SARCOMA], None),
        # Of two tumours of one organ the date of diagnosis decides.
        ({"icd10_code": "C50.9"}, [BREAST, OTHER_BREAST], None),
        ({"icd10_code": "C50.9", "diagnosis_date": D(2016, 1, 1)}, [BREAST, OTHER_BREAST], "3"),
        ({"icd10_code": "C50.9", "diagnosis_date": D(2014, 1, 1)}, [BREAST, OTHER_BREAST], "2"),
        ({"icd10_code": "C50.9", "diagnosis_date": D(2015, 1, 1)}, [BREAST, OTHER_BREAST], None),
        ({"icd10_code": "C50.9", "diagnosis_date": D(2014, 1, 1)},
         [BREAST, OTHER_BREAST | {"diagnosis_date": D(2014, 1, 1), "icdo3_morphology": "9120/3"},
          SARCOMA], None),
        # Of two reports of one tumour either may have the day.
        ({"icd10_code": "C50.9", "diagnosis_date": D(2014, 1, 1)},
         [BREAST, BREAST | {"diagnosis_date": D(2014, 2, 1)}, OTHER_BREAST], "2"),
        # Another day of the only tumour of an organ is no other tumour.
        ({"icd10_code": "C50.9", "diagnosis_date": D(2015, 1, 1)}, [SARCOMA, BREAST], "2"),
        ({"icd10_code": "C50.9", "patient_id": "q"}, [SARCOMA, BREAST], None),
        # With a number it belongs to the tumour of the number, whose first report has none.
        ({"icd10_code": "C49.2", "tumour_id": "1"},
         [SARCOMA | {"tumour_id": None}, SARCOMA | {"diagnosis_date": D(2012, 1, 8)},
          SARCOMA | {"tumour_id": "2", "icd10_code": "C49.1", "diagnosis_date": D(2016, 1, 1)}], None),
        # An examination names no tumour by its metastasis.
        ({"icd10_code": "C34.1"}, [SARCOMA, {"tumour_id": "1", "origin": "follow-up", "complete": False,
                                            "icd10_code": "C34.1"}], None),
    ],
)  # fmt: skip
def test_the_organ_names_the_tumour_and_of_two_of_one_organ_the_day(about, known, tumour):
    assert placed(about, *known) == tumour


def test_a_table_and_a_report_with_one_number_of_an_undated_tumour_are_about_one_tumour():
    rows = [{"record_id": "t", "source": "table"}, {"record_id": "o"}]
    about = [{"record_id": "o", "reporter": "A", "tumour_id": "1"}]
    for some in (rows, rows[::-1]):
        sound = frames(Assessment=[row | {"tumour_id": "1"} for row in some], TumourAssignment=about)
        made = tumours.assign(sound, frames()).sound[typed.Assessment.table()]
        assert made["tumour_id"].to_list() == ["1", "1"]
