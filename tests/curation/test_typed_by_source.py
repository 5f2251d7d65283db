"""Received records to typed ones: each by its own source, and nothing chosen in silence."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import typed_records
from schemas import received as r
from schemas.configuration import Sources
from schemas.contract import CONTRACTS

ON = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})
OFFICES = Sources.model_validate(
    {
        "source": [
            {"name": name, "kind": "registry", "files": [name], "columns": {}, "date_formats": [written]}
            for name, written in (("north", "%d.%m.%Y"), ("south", "%Y-%m-%d"))
        ]
    }
)


def _replies(*rows):
    of_all = {"first_refresh": "R1", "ordinal": 1, "position": "line 2", "hospital_number": "1"}
    return r.RegistryReply.conform(
        pl.DataFrame(
            [
                {**of_all, **dict.fromkeys(("record_id", "file_id", "record_key", "content_hash"), file),
                 "answer": "verstorben", "event_date": date}
                for file, date in rows
            ]
        )
    )  # fmt: skip


def _typed(rows, sources=("north", "south")):
    received = {t: c.empty() for t, c in CONTRACTS.items() if t.startswith("received.")}
    received["received.registry_reply"] = rows
    files = pl.DataFrame({"file_id": ["n", "s"], "path": ["n", "s"], "source": list(sources)})
    return typed_records.type_records(received, OFFICES, ON, files)


def test_each_office_is_read_with_its_own_dates_and_once():
    made = _typed(_replies(("n", "11.03.2014"), ("s", "2014-03-11")))
    status = made.frames["typed.vital_status"].sort("record_id")
    assert status.select("record_id", "status_date").rows() == [
        ("n", dt.date(2014, 3, 11)), ("s", dt.date(2014, 3, 11)),
    ]  # fmt: skip
    assert set(made.observed["rule_id"]) == {"vital-status.answer-undated"}


def test_a_date_of_the_other_office_s_form_is_a_finding_and_no_date():
    made = _typed(_replies(("n", "2014-03-11")))
    assert made.frames["typed.vital_status"]["status_date"].to_list() == [None]
    assert "value.date-unreadable" in made.observed["rule_id"].to_list()


def test_two_offices_with_the_same_dates_are_read_once_each():
    made = _typed(_replies(("n", "11.03.2014"), ("s", "11.03.2014")), ("north", "north"))
    assert made.frames["typed.vital_status"].height == 2


def test_an_element_that_came_twice_is_a_finding_with_all_its_texts(records):
    records.patient()
    records.diagnosis()
    records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-01-01", Gesamtbeurteilung_Tumorstatus="V",
        repeated_elements='{"Meldung/Verlauf/Untersuchungsdatum_Verlauf": ["2013-01-01", "2014-01-01"]}',
    )  # fmt: skip
    seen = records.run().observed.filter(pl.col("rule_id") == "obds.element-repeated")
    assert seen.select("severity", "column_name", "value").rows() == [
        ("warning", "Meldung/Verlauf/Untersuchungsdatum_Verlauf", "2013-01-01 | 2014-01-01")
    ]


def test_nothing_that_came_once_is_said_to_have_come_twice(records):
    records.patient()
    records.diagnosis()
    assert "obds.element-repeated" not in records.run().rules()


def test_records_keep_their_place_in_the_file_for_the_order_of_one_day():
    place = _typed(_replies(("n", "11.03.2014"))).frames["typed.vital_status"]["place"].to_list()
    assert place == ["n 000000001"]


UNIT = "radiotherapy.unit-unexpected"


def _irradiated(records, **values):
    records.patient()
    records.diagnosis()
    records.meldung(r.ObdsRadiotherapy, **{"Applikationsart": "Perkutan", "Beginn": "2012-02-01"} | values)
    made = records.run()
    told = made.observed.filter(pl.col("rule_id") == UNIT).sort("column_name")
    return made.typed["typed.radiotherapy"].row(0, named=True), told.select("column_name", "value").rows()


@pytest.mark.parametrize(
    ("unit", "gray", "told"),
    [("Gy", 50.0, []), ("gy ", 50.0, []), ("cGy", 0.5, [("prescribed_dose_gy", "50 cGy")]),
     (None, 50.0, [])],
)  # fmt: skip
def test_a_dose_that_is_not_in_gray_is_a_finding(records, unit, gray, told):
    made, seen = _irradiated(records, Gesamtdosis="50", Gesamtdosis_Einheit=unit)
    assert (made["prescribed_dose_gy"], seen) == (gray, told)


def test_the_single_dose_is_judged_alike_and_no_dose_is_no_fault(records):
    made, seen = _irradiated(records, Einzeldosis="200", Einzeldosis_Einheit="cGy")
    assert (made["single_dose_gy"], seen) == (2.0, [("single_dose_gy", "200 cGy")])


@pytest.mark.parametrize(
    ("unit", "gbq", "told"),
    [("GBq", 4.0, []), ("MBq", 0.004, [("activity_gbq", "4 MBq")]), (None, None, [("activity_gbq", "4")])],
)
def test_an_activity_that_is_not_in_gigabecquerel_is_a_finding(records, unit, gbq, told):
    made, seen = _irradiated(
        records, Applikationsart="Metabolisch", Gesamtdosis="4", Gesamtdosis_Einheit=unit
    )
    assert (made["activity_gbq"], seen) == (gbq, told)
