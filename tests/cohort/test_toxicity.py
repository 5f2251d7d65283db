"""The toxicity of the cohort: its window since the therapy, and what is a major wound complication."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort import toxicity
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from schemas.curated_toxicity import Toxicity
from tests.conftest import Records

D = dt.date
START, OPERATED = D(2012, 2, 1), D(2012, 5, 1)
"""First day of radiotherapy, and the operation; the diagnosis is of 2012-01-01."""


@pytest.fixture(scope="module")
def curated():
    """The curated tables of a patient with a course and an operation, and without toxicity."""
    records = Records()
    records.patient()
    records.diagnosis()
    records.meldung(
        r.ObdsSurgery, Datum="2012-05-01", Intention="K", Module_ID="O1", Menge_OPS='["5-782.b"]',
        Lokale_Beurteilung_Residualstatus="R0",
    )  # fmt: skip
    records.meldung(
        r.ObdsRadiotherapy, Module_ID="S1", Beginn="2012-02-01", Ende="2012-03-07", Stellung_OP="N",
        Intention="K", Gesamtdosis="50", Einzeldosis="2", Applikationsart="Perkutan",
    )  # fmt: skip
    return dict(records.run().frames)


def rows(curated, *told: dict, cutoff=None) -> pl.DataFrame:
    zero = D(2012, 1, 1)
    base = {
        "patient_id": "number:1", "tumour_id": "T1", "record_ids": ["r1"], "statement": "present",
        "kind": "side effect", "therapy": "radiotherapy", "therapy_date": START, "course_id": "S1",
        "attribution": "record", "revision": False, "onset_date_precision": "day",
    }  # fmt: skip
    filled = []
    for one in told:
        made = base | one
        made["therapy_day"] = (made["therapy_date"] - zero).days if made["therapy_date"] else None
        if made.get("onset_date"):
            made["onset_day"] = (made["onset_date"] - zero).days
        filled.append(made)
    schema = Toxicity.polars_schema()
    frame = Toxicity.conform(pl.DataFrame(filled, schema_overrides=schema))
    happened = timeline(curated, Assumptions(data_cutoff=cutoff))
    members = pl.DataFrame({"patient_id": ["number:1"], "pseudonym": ["p1"]})
    return toxicity.toxicity({**curated, "curated.toxicity": frame}, happened, members)


# Day 90 after 2012-02-01 is 2012-05-01 (2012 is a leap year: 28 + 31 + 30 + 1).
@pytest.mark.parametrize(
    ("told", "window", "basis"),
    [
        ({"onset_date": D(2012, 5, 1)}, "acute", "date"),
        ({"onset_date": D(2012, 5, 2)}, "late", "date"),
        ({"onset_date": D(2012, 5, 2), "stated_window": "acute"}, "late", "date"),
        ({"stated_window": "acute"}, "acute", "statement"),
        ({"stated_window": "late"}, "late", "statement"),
        ({}, None, None),
        ({"onset_date": D(2012, 4, 15), "onset_date_precision": "month"}, "acute", "date"),
        ({"onset_date": D(2012, 5, 15), "onset_date_precision": "month"}, None, None),
        ({"onset_date": D(2012, 6, 15), "onset_date_precision": "month"}, "late", "date"),
        ({"onset_date": D(2012, 1, 31)}, None, None),
        ({"onset_date": D(2012, 4, 1), "therapy_date": None}, None, None),
        ({"onset_date": D(2012, 4, 1), "therapy_date": None, "stated_window": "acute"}, "acute", "statement"),
        # The first day of the irradiation is a day of it; the systemic therapy has no window.
        ({"onset_date": D(2012, 2, 1)}, "acute", "date"),
        ({"stated_window": "acute", "therapy": "systemic therapy"}, None, None),
        ({"stated_window": "acute", "statement": "none"}, "acute", "statement"),
        ({"stated_window": "acute", "statement": "unknown"}, None, None),
        # None on a day says that there was none in the window of that day.
        ({"onset_date": D(2012, 5, 2), "statement": "none"}, "late", "date"),
        ({"onset_date": D(2012, 5, 1), "statement": "none"}, "acute", "date"),
        ({"statement": "none"}, None, None),
    ],
)
def test_acute_is_up_to_day_90_of_radiotherapy(curated, told, window, basis):
    made = rows(curated, told)
    assert made.select("window", "window_basis").rows() == [(window, basis)]


WOUND = {
    "therapy": "surgery", "therapy_date": OPERATED, "course_id": None, "kind": "wound revision",
    "category": "wound",
}  # fmt: skip


# Day 120 after 2012-05-01 is 2012-08-29 (30 of May, 30, 31, 29).
@pytest.mark.parametrize(
    ("told", "major"),
    [
        ({"revision": True, "onset_date": D(2012, 8, 29)}, True),
        ({"revision": True, "onset_date": D(2012, 8, 30)}, False),
        ({"revision": True, "onset_date": D(2012, 8, 15), "onset_date_precision": "month"}, None),
        ({"revision": True, "kind": "complication"}, True),
        ({"revision": True, "kind": "complication", "attribution": "only therapy before"}, None),
        ({"kind": "complication"}, None),
        ({"kind": "complication", "grade": 3, "onset_date": D(2012, 6, 1)}, True),
        ({"kind": "complication", "grade": 2, "onset_date": D(2012, 6, 1)}, False),
        ({"kind": "complication", "grade": 3}, None),
        ({"kind": "complication", "category": "vessel", "code": "PAE", "code_system": "oBDS"}, False),
        # An operation on the wound before this one is not its complication; one on its day is.
        ({"revision": True, "onset_date": D(2012, 4, 30)}, None),
        ({"revision": True, "onset_date": D(2012, 5, 1)}, True),
        ({"revision": True, "onset_date": D(2012, 8, 29), "attribution": None}, None),
        ({"revision": True, "onset_date": D(2012, 8, 29), "statement": "unknown"}, None),
        ({"kind": "complication", "grade": 2, "revision": True, "onset_date": D(2012, 6, 1)}, True),
        ({"kind": "complication", "grade": 2}, False),
        ({"kind": "complication", "category": None}, None),
        ({"kind": "complication", "category": None, "statement": "none"}, False),
        ({"kind": "complication", "category": None, "statement": "unknown"}, None),
    ],
)
def test_a_major_wound_complication_is_one_within_120_days_of_the_operation(curated, told, major):
    made = rows(curated, WOUND | told)
    assert made["major_wound_complication"].to_list() == [major]
    assert made["window"].to_list() == [None], "acute and late are counted from radiotherapy"


def test_which_therapy_is_the_primary_one(curated):
    other = {"course_id": "S9", "therapy_date": D(2014, 1, 1)}
    made = rows(curated, {}, other, WOUND, WOUND | {"therapy_date": D(2014, 5, 1)})
    assert made.select("therapy", "therapy_day", "of_primary_treatment").rows() == [
        ("radiotherapy", 31, True),
        ("radiotherapy", 731, False),
        ("surgery", 121, True),
        ("surgery", 851, False),
    ]


def test_a_re_resection_belongs_to_the_definitive_resection_and_a_wound_operation_is_none():
    """Resection with R1 on day 121, re-resection 30 days later, revision of its wound 40 days after that."""
    records = Records()
    records.patient()
    records.diagnosis()
    for on, ops, status in (
        ("2012-03-01", "5-896.1e", None),
        ("2012-05-01", "5-782.b", "R1"),
        ("2012-05-31", "5-782.b", "R0"),
        ("2012-07-10", "5-896.1e", None),
        ("2012-09-28", "5-782.b", "R0"),
    ):
        records.meldung(
            r.ObdsSurgery, Datum=on, Intention="X", Module_ID=on, Menge_OPS=f'["{ops}"]',
            Lokale_Beurteilung_Residualstatus=status, Komplikation_nein_oder_unbekannt="N",
        )  # fmt: skip
    made = dict(records.run().frames)
    happened = timeline(made, Assumptions())
    # The debridement before has no residual status: it is no resection.
    assert happened.milestones["resected_on"].to_list() == [121]
    found = toxicity.toxicity(
        made, happened, pl.DataFrame({"patient_id": ["number:1"], "pseudonym": ["p1"]})
    ).filter("of_primary_treatment")
    columns = ("kind", "therapy_day", "onset_day", "major_wound_complication")
    assert found.select(columns).sort("therapy_day", "kind").rows() == [
        ("complication", 121, None, False), ("complication", 151, None, False),
        ("wound revision", 151, 191, True),
    ]  # fmt: skip


def test_a_code_that_is_none_stays_in_the_warehouse(curated):
    made = rows(
        curated,
        {"code": "10017076", "code_system": "MedDRA"},
        {"code": "Anna Müller", "code_system": "MedDRA"},
        {"code": "20120501", "code_system": "MedDRA"},
        {"code": "T81.4", "code_system": None},
    )
    assert sorted(made["code"].to_list(), key=str) == ["10017076", None, None, None]


def test_radiotherapy_has_no_major_wound_complication(curated):
    told = {"category": "wound", "revision": True, "onset_date": D(2012, 5, 1)}
    assert rows(curated, told)["major_wound_complication"].to_list() == [None]


def test_grades_of_ctcae_are_0_to_5(curated):
    made = rows(curated, *({"grade": grade} for grade in (-1, 0, 5, 6)))
    assert made["grade"].to_list() == [0, 5, None, None]


def test_the_days_of_a_toxicity_and_their_precision(curated):
    """2012-04-01 is 91 days after the diagnosis, 60 after the irradiation; April has the days 91 to 120."""
    april = {"onset_date": D(2012, 4, 15), "onset_date_precision": "month"}
    made = rows(
        curated, {"onset_date": D(2012, 4, 1), "record_ids": ["r2", "r1", "r2"]}, april,
        {"onset_date": D(2012, 4, 30), "onset_date_precision": None}, {"onset_date_precision": None},
    )  # fmt: skip
    columns = ("onset_day", "onset_day_earliest", "onset_day_latest", "onset_precision", "days_since_therapy")
    assert made.select(columns).rows() == [
        (91, 91, 91, "day", 60), (105, 91, 120, "month", 74), (120, 120, 120, "day", 89),
        (None, None, None, None, None),
    ]  # fmt: skip
    assert made["evidence"].to_list()[0] == ["r1", "r2"]


CODED = {"onset_date": D(2012, 4, 1), "category": "skin", "code_system": "MedDRA"}
ORDERED: list[dict] = [
    {"onset_date": D(2012, 4, 1), "category": "bone", "kind": "late effect"},
    {"onset_date": D(2012, 3, 1), "category": "skin"},
    {"onset_date": D(2012, 4, 1), "category": "bone"},
    {"onset_date": D(2012, 4, 1), "category": "skin", "code": "10000001", "code_system": "MedDRA"},
    {
        "onset_date": D(2012, 4, 1),
        "category": "skin",
        "code": "10000002",
        "code_system": "MedDRA",
        "grade": 2,
    },
    {"onset_date": D(2012, 4, 1), "category": "skin", "code": "10000002", "code_system": "MedDRA"},
    {"onset_date": D(2012, 4, 1), "category": "skin", "grade": 1, "record_ids": ["r0"]},
    {"onset_date": D(2012, 4, 1), "category": "skin", "grade": 1, "ctcae_version": "4.03"},
    {"onset_date": D(2012, 4, 1), "category": "skin", "grade": 1, "ctcae_version": "5.0"},
    {"onset_date": D(2012, 4, 1), "category": "skin", "grade": 1},
    {"onset_date": D(2012, 4, 1), "category": "skin", "grade": 1, "statement": "unknown"},
    {"onset_date": D(2012, 4, 1), "category": "skin", "grade": 2},
    {"onset_date": D(2012, 4, 1)},
    {},
    {"therapy_date": D(2012, 2, 2)},
    {"therapy_date": None},
    WOUND,
]
"""Toxicities in the order of the table: by therapy, its day, kind, day, category, code, grade, evidence."""


def test_the_order_of_the_table_does_not_depend_on_that_of_the_records(curated):
    columns = ("therapy", "therapy_day", "kind", "onset_day", "category", "code", "grade", "evidence",
               "statement", "ctcae_version")  # fmt: skip
    made = rows(curated, *ORDERED)
    assert made.equals(rows(curated, *ORDERED[::-1]))
    usual = {"therapy": "radiotherapy", "therapy_date": START, "kind": "side effect", "record_ids": ["r1"],
             "statement": "present"}  # fmt: skip
    expected = [
        tuple((usual | one | {
            "therapy_day": day((usual | one)["therapy_date"]), "onset_day": day(one.get("onset_date")),
            "evidence": (usual | one)["record_ids"],
        }).get(name) for name in columns)
        for one in ORDERED
    ]  # fmt: skip
    assert made.select(columns).rows() == expected


def day(on: dt.date | None) -> int | None:
    return (on - D(2012, 1, 1)).days if on else None


def test_nothing_after_the_data_cut_off_counts(curated):
    told = ({"onset_date": D(2013, 1, 1)}, {"onset_date": D(2013, 1, 2)}, {})
    made = rows(curated, *told, cutoff=D(2013, 1, 1))
    assert made["onset_day"].to_list() == [366, None]


def test_another_tumour_does_not_count(curated):
    assert rows(curated, {"tumour_id": "T2"}).is_empty()


@pytest.mark.parametrize(
    ("onset", "window"),
    [
        # The irradiation began on any day of February 2012: 30 April is 89 days after the 1st, 10 May is
        # 99 days after the 1st and 71 after the 29th, 1 June is 93 days after the 29th.
        (D(2012, 4, 30), "acute"),
        (D(2012, 5, 10), None),
        (D(2012, 6, 1), "late"),
    ],
)
def test_a_month_of_the_irradiation_leaves_the_window_open_where_both_are_possible(curated, onset, window):
    of_month = {"therapy_date": D(2012, 2, 15), "therapy_day_earliest": 31, "therapy_day_latest": 59}
    made = rows(curated, {"onset_date": onset, "grade": 3, **of_month})
    assert made["window"].to_list() == [window]


@pytest.mark.parametrize(
    ("again", "major"),
    [
        # The resection was on any day of May 2012: 28 August is 119 days after the 1st, 10 September is
        # 132 days after the 1st and 102 after the 31st, 29 September is 121 days after the 31st.
        ("2012-08-28", True),
        ("2012-09-10", None),
        ("2012-09-29", False),
    ],
)
def test_a_month_of_the_resection_leaves_a_wound_complication_open_where_its_limit_is_within(again, major):
    records = Records()
    records.patient()
    records.diagnosis()
    for on, code in (("00.05.2012", "5-782.b"), (again, "5-916.a1")):
        records.meldung(
            r.ObdsSurgery, Datum=on, Intention="K" if code == "5-782.b" else "R", Module_ID=on,
            Menge_OPS=f'["{code}"]', Lokale_Beurteilung_Residualstatus="R0" if code == "5-782.b" else None,
        )  # fmt: skip
    frames = dict(records.run().frames)
    happened = timeline(frames, Assumptions())
    members = pl.DataFrame({"patient_id": ["number:1"], "pseudonym": ["p1"]})
    made = toxicity.toxicity(frames, happened, members)
    assert made["major_wound_complication"].to_list() == [major]
