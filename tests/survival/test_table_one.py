"""Table 1 of the demo cohort equals the paper's."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.table_one import table_one
from schemas.configuration import Study, TableRow
from schemas.rounding import half_up, percent_half_up

# What the paper prints; UPS is 31, which the paper rounds to 32 (audit 1).
PRINTED = [
    ("Age at time of diagnosis (years)", None, "57"),
    ("Age at time of diagnosis (years)", None, "41–68"),
    ("Gender", "Female", "38 (44)"),
    ("Gender", "Male", "48 (56)"),
    ("Follow-up (months)", None, "33"),
    ("Follow-up (months)", None, "19–61"),
    ("Histology", "Undifferentiated pleomorphic high-grade sarcoma", "27 (31)"),
    ("Histology", "Liposarcoma", "22 (26)"),
    ("Histology", "Myxofibrosarcoma", "13 (15)"),
    ("Histology", "Synovial sarcoma", "12 (14)"),
    ("Histology", "Others", "12 (14)"),
    ("Tumour localisation", "Extremities", "76 (88)"),
    ("Tumour localisation", "Trunk", "10 (12)"),
    ("Grading (FNCLCC)", "G1", "6 (7)"),
    ("Grading (FNCLCC)", "G2", "37 (43)"),
    ("Grading (FNCLCC)", "G3", "43 (50)"),
    ("T stage", "T1", "18 (21)"),
    ("T stage", "T2", "68 (79)"),
    ("N stage", "N0", "85 (99)"),
    ("N stage", "N+", "1 (1)"),
    ("Resection status", "R0", "72 (84)"),
    ("Resection status", "R1", "8 (9)"),
    ("Resection status", "R2", "1 (1)"),
    ("Resection status", "Rx", "5 (6)"),
    ("Radiation sequence", "Preoperative", "62 (72)"),
    ("Radiation sequence", "Postoperative adjuvant", "19 (22)"),
    ("Radiation sequence", "Postoperative additive", "5 (6)"),
    ("RT dose, preoperative (Gy)", None, "50"),
    ("RT dose, preoperative (Gy)", None, "50–50"),
    ("RT dose, postoperative/additive (Gy)", None, "60"),
    ("RT dose, postoperative/additive (Gy)", None, "58–65"),
    ("Chemotherapy", "Yes", "2 (2)"),
    ("Chemotherapy", "No", "81 (94)"),
    ("Chemotherapy", "Unknown", "3 (3)"),
]


def test_demo_is_the_papers_table(patients: pl.DataFrame, study: Study) -> None:
    table = table_one(patients, study.table_one)
    # What the study tells beyond the paper's table comes after it.
    assert table.select("block", "level", "text").rows()[: len(PRINTED)] == PRINTED


def test_every_patient_is_counted(patients: pl.DataFrame) -> None:
    holed = patients.with_columns(t_stage=pl.Series(["TX", None, None, *patients["t_stage"][3:]]))
    row = TableRow(title="T", column="t_stage", kind="factor", levels=("T1", "T2"))
    table = table_one(holed, [row])
    assert table["level"].to_list() == ["T1", "T2", "TX", "Missing"]
    assert table["n"].sum() == table["denominator"][0] == 86
    assert table.filter(pl.col("level") == "Missing")["text"].item() == "2 (2)"


def test_number_without_a_patient(patients: pl.DataFrame) -> None:
    row = TableRow(title="Size", column="tumour_size_cm", kind="median", where={"sex": ("diverse",)})
    assert table_one(patients, [row]).select("n", "denominator", "text").rows() == [(0, 0, "–")]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.5, 0, "1"), (2.5, 0, "3"), (2.675, 2, "2.68"), (0.125, 2, "0.13"), (-0.4, 0, "-0"), (57.0, 0, "57")],
)
def test_half_up(value: float, decimals: int, text: str) -> None:
    assert half_up(value, decimals) == text


def test_percent_of_a_tie_goes_up() -> None:
    assert (percent_half_up(1, 8), percent_half_up(1, 200), percent_half_up(27, 86)) == ("13", "1", "31")
