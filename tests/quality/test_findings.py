"""Findings as a steward reads them: placed, worded, stable from night to night, and naming nobody."""

import polars as pl

from sarcoma_pipeline.quality.findings import findings
from schemas import received as r
from schemas.contract import CATALOGUE
from schemas.quality import Finding


def _findings(records, path="registry/antworten.csv"):
    outcome = records.run()
    files = pl.DataFrame({"file_id": ["file"], "path": [path]})
    return findings(outcome.observed, records.frames, files, outcome.typed, outcome["patient"], outcome.link)


def _faulty(records):
    records.patient(number="4711")
    records.diagnosis(number="4711")
    records.meldung(r.ObdsSurgery, number="4711", Datum="2015-02-31", Module_ID="O1")
    records.reply(family_name="Mueller", answer="lebt", answered_on="01.06.2015")
    return records


def test_a_finding_names_file_position_value_and_remedy(records):
    found = (
        _findings(_faulty(records)).filter(pl.col("rule_id") == "value.date-unreadable").row(0, named=True)
    )
    assert found["path"] == "registry/antworten.csv"
    assert found["position"] == "line 3"
    assert (found["column_name"], found["value"]) == ("surgery_date", "2015-02-31")
    assert found["remedy"] == CATALOGUE["value.date-unreadable"].remedy
    assert found["pseudonym"] == "number:4711"


def test_nothing_that_names_a_person_is_in_a_finding(records):
    frame = _findings(_faulty(records), path="dicom/Müller_4711/a.dcm").drop("pseudonym")
    text = frame.write_csv()
    assert frame.height == 2
    for name in ("Müller", "Mueller", "4711", "Anna", "1950"):
        assert name not in text
    assert "•••" in text


def test_ids_are_the_same_again_and_distinct(records):
    first = _findings(_faulty(records))
    again = _findings(records)
    assert first["finding_id"].to_list() == again["finding_id"].to_list()
    assert first["finding_id"].is_unique().all()


def test_findings_keep_their_contract_and_errors_come_first(records):
    frame = Finding.enforce(_findings(_faulty(records)))
    assert frame["severity"].to_list() == sorted(frame["severity"].to_list())
