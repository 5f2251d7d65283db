"""What an oBDS report on a tumour says: its rows, its metastases, its day and its residual status."""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import obds_reports
from sarcoma_pipeline.curation.parse import with_steps
from schemas import received as r
from schemas import typed

DIAGNOSE, PATHOLOGY, VERLAUF, OP = r.ObdsDiagnosis, r.ObdsPathology, r.ObdsFollowUp, r.ObdsSurgery
SEEN = {"Untersuchungsdatum_Verlauf": "2013-06-01"}
FM = '[{"Lokalisation": "PUL", "Diagnosedatum": "2013-05-01", "Datumsgenauigkeit": "T"}]'


def tnm(*told: dict[str, str]) -> str:
    return json.dumps([{"kind": "TNM"} | one for one in told])


def tissue(**told: str) -> str:
    return json.dumps([told])


ON_APRIL = tissue(Tumor_Histologiedatum="2013-04-15", Tumor_Histologiedatum_Datumsgenauigkeit="T")


def split(contract, **values):
    received = contract.conform(pl.DataFrame([{"record_id": "r", **values}]))
    return obds_reports.rows(contract.table(), received)


@pytest.mark.parametrize(
    ("contract", "values", "rows"),
    [
        (VERLAUF, SEEN, []),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "0"})}, []),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1", "a_Symbol": "a"})}, []),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1"})}, [(None, "2013-06-01", None, "follow-up", False)]),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1"}), "Menge_FM": "[]"},
         [(None, "2013-06-01", None, "follow-up", False)]),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1", "Datum": "2013-05-20"})},
         [(None, "2013-05-20", None, "follow-up", False)]),
        # Two TNMs of one report are one statement; a metastasis with its site needs none.
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1", "Datum": "2013-05-20"}, {"M": "1", "Datum": "2013-05-10"})},
         [(None, "2013-05-20", None, "follow-up", False)]),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1"}), "Menge_FM": FM},
         [("PUL", "2013-05-01", "T", "follow-up", True)]),
        (VERLAUF, SEEN | {"Menge_FM": FM}, [("PUL", "2013-05-01", "T", "follow-up", True)]),
        # The day of the histology has its exactness, and that of the module or the TNM has none.
        (PATHOLOGY, {"TNM": tnm({"M": "1"}), "Histologie": ON_APRIL},
         [(None, "2013-04-15", "T", "pathology", False)]),
        (PATHOLOGY, {"TNM": tnm({"M": "1", "Datum": "2013-05-20"}), "Histologie": ON_APRIL},
         [(None, "2013-05-20", None, "pathology", False)]),
        (VERLAUF, SEEN | {"TNM": tnm({"M": "1"}), "Histologie": ON_APRIL},
         [(None, "2013-06-01", None, "follow-up", False)]),
        # The M of a Diagnose is that of the tumour, unless its TNM was found later.
        (DIAGNOSE, {"TNM": tnm({"M": "1"})}, []),
        (DIAGNOSE, {"TNM": tnm({"M": "1", "r_Symbol": "r", "Datum": "2013-05-20"})},
         [(None, "2013-05-20", None, "follow-up", False)]),
        (DIAGNOSE, {"TNM": tnm({"M": "1", "y_Symbol": "y", "Datum": "2013-05-20"})},
         [(None, "2013-05-20", None, "follow-up", False)]),
        (DIAGNOSE, {"TNM": tnm({"M": "1"}), "Menge_FM": FM},
         [("PUL", "2013-05-01", "T", "diagnosis", True)]),
    ],
)  # fmt: skip
def test_a_report_tells_of_its_metastases_or_of_m1(contract, values, rows):
    made = split(contract, **values)[typed.Metastasis]
    columns = ("_fm_site", "_fm_date", "_fm_date_Datumsgenauigkeit", "_origin", "_named")
    assert (made.select(columns).rows() if made.height else []) == rows


@pytest.mark.parametrize(
    ("contract", "values", "number"),
    [
        (VERLAUF, {}, 0), (OP, {}, 0), (PATHOLOGY, {}, 1), (DIAGNOSE, {}, 1),
        (VERLAUF, {"TNM": tnm({"T": "2"})}, 1),
        (OP, {"Menge_Weitere_Klassifikation": '[{"Name": "FNCLCC", "Stadium": "2"}]'}, 1),
        (OP, {"Histologie": ON_APRIL}, 1),
        (DIAGNOSE, {"TNM": tnm({"T": "2"}, {"T": "3"})}, 2),
    ],
)  # fmt: skip
def test_a_report_is_a_row_per_tnm_and_one_without_any_word_on_the_tumour_is_none(contract, values, number):
    made = split(contract, Primaertumor_ICD="C49.2", **values)[typed.Diagnosis]
    assert made.height == number
    # Only the first row has what is no TNM.
    assert made["Primaertumor_ICD"].to_list() == (["C49.2", None] if number == 2 else ["C49.2"] * number)


def read(readings, frame, name):
    made = with_steps(frame, [readings[name]])
    return made.select(v=readings[name].value)["v"].item()


@pytest.mark.parametrize(
    ("m", "metastases", "distant"),
    [("1", None, True), ("0", None, False), ("X", None, None), (None, None, None), (None, "[]", None),
     ("0", "[]", False), (None, FM, True), ("0", FM, True)],
)  # fmt: skip
def test_m1_or_a_metastasis_is_a_distant_one(m, metastases, distant):
    frame = pl.DataFrame(
        {"_tnm_M": [m], "Menge_FM": [metastases]}, schema=dict.fromkeys(("_tnm_M", "Menge_FM"), pl.String)
    )
    assert read(obds_reports.REPORT, frame, "distant_metastasis") is distant


@pytest.mark.parametrize(
    ("contract", "module", "tissue_day", "exactness", "of_tnm", "day", "unreadable"),
    [
        (PATHOLOGY, None, "2013-04-10", "E", "2013-05-20", dt.date(2013, 4, 10), False),
        (PATHOLOGY, None, None, None, "2013-05-20", dt.date(2013, 5, 20), False),
        (PATHOLOGY, None, None, None, None, None, False),
        (PATHOLOGY, None, "bald", None, "2013-05-20", dt.date(2013, 5, 20), True),
        (PATHOLOGY, None, "2013-04-10", "E", "bald", dt.date(2013, 4, 10), True),
        # A fully estimated day is no unreadable one.
        (PATHOLOGY, None, "2013-04-10", "V", None, None, False),
        (OP, "2013-06-01", "2013-04-10", "E", "2013-05-20", dt.date(2013, 6, 1), False),
        (OP, "bald", "2013-04-10", "E", None, dt.date(2013, 4, 10), False),
        (DIAGNOSE, None, None, None, "2013-05-20", dt.date(2013, 5, 20), False),
    ],
)  # fmt: skip
def test_the_day_of_a_report_is_that_of_its_module_then_of_the_tissue_then_of_the_tnm(
    contract, module, tissue_day, exactness, of_tnm, day, unreadable
):
    told = {
        "Datum": module, "_histology_date": tissue_day, "_histology_date_Datumsgenauigkeit": exactness,
        "_tnm_Datum": of_tnm,
    }  # fmt: skip
    frame = pl.DataFrame({k: [v] for k, v in told.items()}, schema=dict.fromkeys(told, pl.String))
    ((_, _), (_, readings)) = obds_reports.readings_of(contract.table())
    assert read(readings, frame, "report_date") == day
    ((rule, doubtful), *_) = readings["report_date"].notes
    made = with_steps(frame, [readings["report_date"]]).select(v=doubtful)["v"].item()
    assert rule.id == "diagnosis.report-date-unreadable" and bool(made) is unreadable


@pytest.mark.parametrize(
    ("local", "overall", "status"),
    [
        ("R1", None, "R1"), ("R1", "R0", "R1"), ("U", "R0", "R0"), (None, "R0", "R0"), ("U", None, None),
        (None, "R1", None), (None, "R2", None), (None, "RX", None), ("RX", "R0", "RX"), (None, None, None),
    ],
)  # fmt: skip
def test_the_local_residual_status_counts_and_no_tumour_at_all_is_none_at_the_primary(local, overall, status):
    reading = obds_reports.residual("l", "o")
    frame = pl.DataFrame({"l": [local], "o": [overall]}, schema={"l": pl.String, "o": pl.String})
    assert read({"r": reading}, frame, "r") == status


D = dt.date


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ((D(2012, 5, 1), "day", "PUL"), (D(2013, 5, 1), "day", "OSS")),
        ((D(2012, 5, 1), "day", "PUL"), (None, None, "ADR")),
        ((D(2012, 5, 15), "day", "PUL"), (D(2012, 5, 15), "month", "ADR")),
        ((D(2012, 7, 1), "month", "PUL"), (D(2012, 7, 1), "year", "ADR")),
        ((D(2012, 5, 1), "day", "OSS"), (D(2012, 5, 1), "day", "PUL")),
        ((D(2012, 5, 1), "day", "PUL"), (D(2012, 5, 1), "day", None)),
    ],
)
def test_the_first_metastasis_is_the_earliest_then_the_most_exact_then_that_of_the_first_site(first, other):
    names = ("metastasis_date", "metastasis_date_precision", "site")
    schema = dict(zip(names, (pl.Date, pl.String, pl.String), strict=True)) | {"record_id": pl.String}
    for rows in ((first, other), (other, first)):
        frame = pl.DataFrame([(*row, "r") for row in rows], schema=schema, orient="row")
        assert obds_reports.first_metastasis(frame, "record_id").select(names).rows() == [first]


def test_an_examination_has_the_day_of_its_first_metastasis_with_a_site():
    assessments = typed.Assessment.conform(pl.DataFrame({"record_id": ["a", "b"]}))
    told = [("a", D(2012, 5, 1), "day", None), ("a", D(2013, 5, 1), "day", "PUL")]
    names = ("record_id", "metastasis_date", "metastasis_date_precision", "site")
    metastases = pl.DataFrame(
        told, schema=dict(zip(names, (pl.String, pl.Date, pl.String, pl.String), strict=True)), orient="row"
    )
    made = obds_reports.with_first_metastasis(assessments, metastases)
    assert made.select("record_id", "distant_date", "distant_date_precision", "distant_site").rows() == [
        ("a", D(2013, 5, 1), "day", "PUL"), ("b", None, None, None),
    ]  # fmt: skip
    assert made.columns == assessments.columns


def test_only_a_diagnose_and_a_pathology_describe_the_primary_and_only_a_pathology_its_margins():
    named = {
        contract: obds_reports.readings_of(contract.table())[1][1]
        for contract in (DIAGNOSE, PATHOLOGY, OP, VERLAUF)
    }
    assert [c for c in named if {"icd10_code", "icdo3_topography"} <= named[c].keys()] == [
        DIAGNOSE,
        PATHOLOGY,
    ]
    assert [c for c in named if "residual_status" in named[c]] == [PATHOLOGY]
    assert [c for c in named if {"diagnosis_date", "laterality"} <= named[c].keys()] == [DIAGNOSE]
    # A Diagnose has no day of its own, and so has none on which it reports a metastasis.
    dated = [c for c in named if "reported_date" in obds_reports.readings_of(c.table())[0][1]]
    assert dated == [PATHOLOGY, OP, VERLAUF]


@pytest.mark.parametrize(
    ("told", "exactness", "day", "precision"),
    [
        ("2013-04-10", "E", D(2013, 4, 10), "day"),
        ("2013-04-10", "T", D(2013, 4, 15), "month"),
        # Older exports wrote what is not known as 00.
        ("00.04.2013", None, D(2013, 4, 15), "month"),
        ("00.00.2013", None, D(2013, 7, 1), "year"),
        ("10.04.2013", None, D(2013, 4, 10), "day"),
    ],
)
def test_the_days_of_tissue_and_metastases_may_be_partial(told, exactness, day, precision):
    for at, (column, name, others) in enumerate(
        [
            ("_fm_date", "metastasis_date", ()),
            ("_histology_date", "report_date", ("_tnm_Datum",)),
        ]
    ):
        row = {column: told, f"{column}_Datumsgenauigkeit": exactness, **dict.fromkeys(others)}
        frame = pl.DataFrame(row, schema=dict.fromkeys(row, pl.String))
        reading = obds_reports.readings_of(PATHOLOGY.table())[at][1][name]
        made = with_steps(frame, [reading])
        assert reading.precision is not None
        assert made.select(d=reading.value, p=reading.precision).row(0) == (day, precision)


@pytest.mark.parametrize(
    ("sender", "number", "melder", "reporter"),
    [
        ("S", "260000001", "M", "S|260000001"), ("S", None, "M", "S|M"), ("S", None, None, "S"),
        (None, None, "M", "M"), (None, None, None, None),
    ],
)  # fmt: skip
def test_a_reporter_is_the_sender_with_the_number_of_the_melder_or_else_its_name(
    sender, number, melder, reporter
):
    row = {"Absender_ID": sender, "Melder_IKNR": number, "Melder_ID": melder}
    frame = pl.DataFrame([row], schema=dict.fromkeys(row, pl.String))
    assert read(obds_reports.ASSIGNMENT, frame, "reporter") == reporter


def test_only_the_first_row_of_a_diagnose_documents_the_diagnosis():
    for contract, complete in ((DIAGNOSE, [True, False]), (PATHOLOGY, [False, False])):
        readings = obds_reports.readings_of(contract.table())[1][1]
        frame = pl.DataFrame({"_nth": [0, 1]})
        assert frame.with_columns(c=readings["complete"].value)["c"].to_list() == complete


def test_an_exactness_of_tissue_that_is_no_code_is_told_beside_a_day_that_is_none():
    for contract in (PATHOLOGY, OP):
        notes = obds_reports.readings_of(contract.table())[1][1]["report_date"].notes
        assert [rule.id for rule, _ in notes] == [
            "diagnosis.report-date-unreadable",
            "date.exactness-unknown",
        ]
