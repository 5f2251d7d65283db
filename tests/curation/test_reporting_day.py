"""A report that was written after it was received: its day is a finding, and decides nothing.

The records of these tests are received on 1 December 2021.
"""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort.covariates import cut_off
from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.curation.reporting_day import observe_exports_without_masters
from schemas import received as r
from schemas.assumptions import Assumptions
from tests.one_curation import together

DATED_IN_FUTURE = "report.dated-in-future"
UNDATED = "report.undated"
DEAD = {"answer": "verstorben", "event_date": "11.03.2014", "hospital_number": "1"}


def _answered(records, day, **others):
    records.patient()
    records.diagnosis()
    records.patient("2", family="Schmidt", given="Eva", born="1961-05-06")
    records.diagnosis(number="2")
    records.reply(**{**DEAD, "answered_on": day, **others})
    records.reply(hospital_number="2", family_name="Schmidt", given_names="Eva", birth_date="06.05.1961",
                  answer="lebt", answered_on="01.06.2020")  # fmt: skip
    return records.run()


def _found(outcome, rule=DATED_IN_FUTURE):
    found = outcome.observed.filter(pl.col("rule_id") == rule)
    return found.select("table_name", "column_name", "value").rows()


def test_an_answer_of_the_next_century_is_found_and_is_not_the_data_cut_off(records):
    outcome = _answered(records, "18.02.2118")
    assert _found(outcome) == [("received.registry_reply", "answered_on", "2118-02-18")]
    assert outcome["vital_status"].sort("patient_id").select("status", "death_date").row(0) == (
        "deceased", dt.date(2014, 3, 11),
    )  # fmt: skip
    assert cut_off(outcome.frames, timeline(outcome.frames, Assumptions())) == dt.date(2020, 6, 1)


@pytest.mark.parametrize(("day", "found"), [("01.12.2021", 0), ("02.12.2021", 1), (None, 0), ("bald", 0)])
def test_the_day_of_receipt_is_no_future_and_neither_is_a_missing_day(records, day, found):
    assert len(_found(_answered(records, day))) == found


def test_a_life_on_a_day_to_come_has_one_finding_on_its_day_and_one_on_its_report(records):
    outcome = _answered(records, "18.02.2118", answer="lebt", event_date=None)
    assert {"date.in-future", DATED_IN_FUTURE} <= outcome.rules()


def _versions(records, *days):
    """Report one diagnosis in several exports; a later one has the site C49.1, C49.2, …"""
    records.patient()
    for site, day in enumerate(days, start=1):
        code = f"C49.{site}"
        records.diagnosis(
            reported=day, Meldung_ID="M1", Absender_ID="A", Melder_ID="K",
            Primaertumor_Topographie_ICD_O=code, Primaertumor_ICD=code,
        )  # fmt: skip
    return records.run()


def test_an_export_of_the_future_wins_over_no_correction(records):
    outcome = _versions(records, "2030-01-01", "2020-05-01")
    assert outcome["diagnosis"]["icdo3_topography"].to_list() == ["C49.2"]


def test_an_export_of_today_wins(records):
    outcome = _versions(records, "2021-12-01", "2020-05-01")
    assert outcome["diagnosis"]["icdo3_topography"].to_list() == ["C49.1"]


def test_every_record_of_an_export_has_its_day_and_one_finding_tells_it(records):
    for number in ("1", "2", "3"):
        records.patient(number, Meldedatum="2030-01-01")
        records.diagnosis(number=number, reported="2030-01-01")
    assert _found(records.run()) == [("received.obds_patient", "Meldedatum", "2030-01-01")]


def test_a_plan_of_the_future_is_found(records):
    records.patient()
    records.add(
        r.DicomPlan, PatientID="1", SOPInstanceUID="1.2", Modality="RTPLAN", InstanceCreationDate="20300101"
    )
    assert _found(records.run()) == [("received.dicom_plan", "InstanceCreationDate", "2030-01-01")]


@pytest.mark.parametrize(("objected_on", "curated"), [("2118-01-01", 0), ("2020-01-01", 1)])
def test_a_consent_does_not_end_an_objection_that_is_dated_in_the_future(records, objected_on, curated):
    records.patient()
    for number, (day, reason) in enumerate([(objected_on, "W"), ("2021-01-01", "I")], start=1):
        records.diagnosis(
            Meldung_ID=f"M{number}", Melder_ID="K", Absender_ID="S", reported=day, Meldebegruendung=reason
        )
    assert records.run()["patient"].height == curated


def test_an_export_of_the_future_is_found_though_nothing_in_it_is_new(records):
    records.patient(record_key="P1", content_hash="same")
    records.patient(record_key="P1", content_hash="same", file_id="z.xml", Meldedatum="2030-01-01")
    assert _found(records.run()) == [("received.obds_patient", "Meldedatum", "2030-01-01")]


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (None, [None]),
        ("", [""]),
        ("gestern", ["gestern"]),
        ("2021-02-30", ["2021-02-30"]),
        ("00.05.2020", ["00.05.2020"]),
        ("2020-05-01", []),
        (" 2020-05-01 ", []),
        ("2020-05-01+02:00", []),
        ("01.05.2020", []),
        ("2030-01-01", []),
    ],
)
@together()
def test_an_export_without_a_readable_day_is_a_finding(patient, day, found):
    export = f"{patient.number}.xml"
    patient.patient(Meldedatum=day, file_id=export)
    patient.diagnosis(reported=day, file_id=export)
    outcome = yield
    assert _found(outcome, UNDATED) == [("received.obds_patient", "Meldedatum", v) for v in found]


def test_every_undated_export_has_one_finding_and_a_dated_one_has_none(records):
    for number, (file, day) in enumerate(
        [("a", None), ("a", None), ("b", "2020-01-01"), ("c", "?")], start=1
    ):
        records.patient(str(number), family=f"F{number}" * 3, file_id=file, Meldedatum=day)
    outcome = records.run()
    assert _found(outcome, UNDATED) == [("received.obds_patient", "Meldedatum", v) for v in (None, "?")]
    assert outcome.quarantined == set()


def test_an_undated_export_is_found_though_nothing_in_it_is_new(records):
    records.patient(record_key="P1", content_hash="same")
    records.patient(record_key="P1", content_hash="same", file_id="z.xml", Meldedatum=None)
    assert len(_found(records.run(), UNDATED)) == 1


@pytest.mark.parametrize("files", [("a", "b"), ("b", "a")])
def test_an_undated_correction_loses_against_a_dated_report_and_the_export_is_found(records, files):
    for day, code, file in [("2020-05-01", "C49.1", files[0]), (None, "C49.2", files[1])]:
        records.patient(file_id=file, Meldedatum=day)
        records.diagnosis(
            reported=day, Meldung_ID="M1", Absender_ID="A", Melder_ID="K", file_id=file,
            Primaertumor_Topographie_ICD_O=code, Primaertumor_ICD=code,
        )  # fmt: skip
    outcome = records.run()
    assert outcome["diagnosis"]["icdo3_topography"].to_list() == ["C49.1"]
    assert {UNDATED, "record.corrected"} <= outcome.rules()


@pytest.mark.parametrize("first", ["a", "b", "c"])
def test_of_undated_versions_the_later_file_name_counts_in_whatever_order_they_are_read(records, first):
    sites = {"a": "C49.1", "b": "C49.2", "c": "C49.3"}
    for file in sorted(sites, key=lambda name: (name != first, name)):
        records.diagnosis(
            reported="?", Meldung_ID="M1", Absender_ID="A", Melder_ID="K", file_id=file,
            Primaertumor_Topographie_ICD_O=sites[file], Primaertumor_ICD=sites[file],
        )  # fmt: skip
    records.patient(Meldedatum="?")
    outcome = records.run()
    assert outcome["diagnosis"]["icdo3_topography"].to_list() == ["C49.3"]
    assert outcome.observed.filter(rule_id="report.same-day-versions").height == 2


@pytest.mark.parametrize("first", ["a", "b"])
def test_of_undated_reports_of_two_reporters_the_later_file_name_counts(records, first):
    """Best of per field: the newest value counts; here no report is known to be newer."""
    records.patient(Meldedatum=None)
    sites = {"a": "C49.1", "b": "C49.2"}
    for file in sorted(sites, key=lambda name: (name != first, name)):
        records.diagnosis(
            reported=None, Meldung_ID="M1", Absender_ID="A", Melder_ID=file, file_id=file,
            Primaertumor_Topographie_ICD_O=sites[file], Primaertumor_ICD=sites[file],
        )  # fmt: skip
    outcome = records.run()
    assert outcome["diagnosis"]["icdo3_topography"].to_list() == ["C49.2"]


def _without_masters(records, day, file, number="7"):
    return records.meldung(
        r.ObdsFollowUp, number=number, reported=day, file_id=file, Untersuchungsdatum_Verlauf="2015-01-01",
        Gesamtbeurteilung_Tumorstatus="V",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("day", "rule"), [(None, UNDATED), ("gestern", UNDATED), ("2030-01-01", DATED_IN_FUTURE)]
)
def test_an_export_without_master_data_is_judged_by_its_first_report(records, day, rule):
    records.patient()
    records.diagnosis()
    first = _without_masters(records, day, "z.xml")
    _without_masters(records, day, "z.xml", number="8")
    outcome = records.run()
    assert _found(outcome, rule) == [("received.obds_follow_up", "Meldedatum", day)]
    assert outcome.observed.filter(rule_id=rule)["record_id"].to_list() == [first]


def test_a_dated_export_without_master_data_has_no_finding(records):
    records.patient()
    _without_masters(records, "2020-05-01", "z.xml")
    assert {UNDATED, DATED_IN_FUTURE} & records.run().rules() == set()


def test_an_undated_export_with_master_data_has_one_finding_not_two(records):
    records.patient(Meldedatum=None)
    _without_masters(records, None, "o", number="1")
    assert _found(records.run(), UNDATED) == [("received.obds_patient", "Meldedatum", None)]


@pytest.mark.parametrize(
    ("places", "first"),
    [
        (["line 10 /oBDS", "line 9 /oBDS"], 1),  # by number and not by letters
        (["line 9 /b", "line 9 /a"], 1),
        ([None, "line 9 /oBDS"], 1),
        (["nowhere", "line 9 /oBDS"], 1),
        (["line 9 /oBDS", "line 10 /oBDS"], 0),
    ],
)
def test_an_export_without_master_data_is_judged_on_its_first_record_by_line(places, first):
    received = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})
    rows = pl.DataFrame(
        [
            {"record_id": f"r{n}", "file_id": "f", "position": place, "Meldedatum": "2022-01-01",
             "first_refresh": "R1"}
            for n, place in enumerate(places)
        ],
        schema_overrides={"position": pl.String},
    )  # fmt: skip
    for some in (rows, rows.reverse()):
        seen = observe_exports_without_masters({"received.obds_follow_up": some}, pl.Series(["g"]), received)
        assert seen.select("rule_id", "record_id").rows() == [(DATED_IN_FUTURE, f"r{first}")]
