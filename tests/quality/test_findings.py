"""Findings as a steward reads them: placed, worded, stable from night to night, and naming nobody."""

import polars as pl
import pytest

from sarcoma_pipeline.quality.findings import finding_ids, findings, persons_of, places
from sarcoma_pipeline.quality.rule_catalogue import rules
from schemas import received as r
from schemas.ledger import Decision
from schemas.quality import Finding, Observation


def _findings(records, path="registry/antworten.csv"):
    outcome = records.run()
    files = pl.DataFrame({"file_id": ["o", "r"], "path": [path, path], "source": ["obds", "offices"]})
    at = places(records.frames, files)
    return findings(outcome.observed, at, persons_of(outcome.typed), outcome["patient"], outcome.link)


def _faulty(records):
    records.patient(number="4711")
    records.diagnosis(number="4711")
    records.meldung(
        r.ObdsSurgery, number="4711", Datum="2015-02-31", Module_ID="O1",
        Lokale_Beurteilung_Residualstatus="R0",
    )  # fmt: skip
    records.reply(family_name="Mueller", answer="lebt", answered_on="01.06.2015")
    return records


def test_a_finding_names_file_position_value_and_remedy(records):
    found = (
        _findings(_faulty(records)).filter(pl.col("rule_id") == "value.date-unreadable").row(0, named=True)
    )
    assert found["path"] == "registry/antworten.csv"
    assert found["position"] == "line 3"
    assert (found["column_name"], found["value"]) == ("surgery_date", "2015-02-31")
    assert found["remedy"] == rules()["value.date-unreadable"].remedy
    assert found["pseudonym"] == "number:4711"


def test_a_finding_says_what_its_record_has_of_its_own(records):
    noted = dict(_findings(_faulty(records)).select("rule_id", "note").iter_rows())
    assert noted == {
        "identity.near-match": "the names are spelled differently",
        "value.date-unreadable": None,
    }


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


RECORDS = pl.DataFrame(
    {
        "record_id": ["r9", "r10", "m1", "m2"], "file_id": ["f"] * 4, "path": ["t.csv"] * 4,
        "position": ["line 9", "line 10", "line 2", "line 3"], "record_key": ["k", "k", "m1", "m2"],
        "content_hash": ["A", "B", "C", "D"], "source": ["sheet"] * 4,
    }
)  # fmt: skip


def _observed(rule: str, *record_ids: str) -> pl.DataFrame:
    rows = [
        {"rule_id": rule, "severity": "error", "record_id": r, "table_name": "typed.surgery"}
        for r in record_ids
    ]
    return Observation.conform(pl.DataFrame(rows))


def _ids(observed: pl.DataFrame, records: pl.DataFrame = RECORDS) -> dict[str, str]:
    return dict(finding_ids(observed, records).select("record_id", "finding_id").iter_rows())


def test_records_of_one_key_are_told_apart_by_their_place_whatever_the_order_of_the_steps():
    ids = _ids(_observed("date.in-future", "r10", "r9"))
    assert ids == _ids(_observed("date.in-future", "r9", "r10"))
    assert ids["r10"] == f"{ids['r9']}-1"


def test_a_line_inserted_above_swaps_no_ids():
    moved = RECORDS.with_columns(
        position=pl.col("position").replace({"line 9": "line 10", "line 10": "line 11"})
    )
    faults = _observed("date.in-future", "r9", "r10")
    assert _ids(faults, moved) == _ids(faults)


def test_a_missing_column_is_one_finding_a_file_and_stays_it_when_lines_are_added():
    ids = _ids(_observed("file.column-missing", "m1", "m2"))
    renamed = RECORDS.with_columns(path=pl.lit("new name.csv"))
    assert _ids(_observed("file.column-missing", "m1", "m2"), renamed) == ids
    two = RECORDS.with_columns(
        path=pl.when(pl.col("record_id") == "m2").then(pl.lit("u.csv")).otherwise("path")
    )
    of_two = _ids(_observed("file.column-missing", "m2", "m1"), two)
    assert of_two == {"m1": ids["m1"], "m2": f"{ids['m1']}-1"}
    assert ids["m1"] == ids["m2"] == _ids(_observed("file.column-missing", "m2"))["m2"]


def _decided(*pairs: tuple[str, str | None]) -> pl.DataFrame:
    rows = [
        {
            "decision_id": str(n), "finding_id": finding, "action": "waive", "who": "S",
            "at": f"2030-01-0{n}", "reason": "r", "content_hash": content,
        }
        for n, (finding, content) in enumerate(pairs, 1)
    ]  # fmt: skip
    return Decision.conform(pl.DataFrame(rows, schema_overrides={"content_hash": pl.String}))


@pytest.mark.parametrize("decided", ["r9", "r10"])
def test_a_decided_finding_keeps_its_id_when_its_file_is_renamed_or_a_record_of_its_key_comes_before(decided):
    faults = _observed("date.in-future", "r9", "r10")
    ids = _ids(faults)
    content = dict(RECORDS.select("record_id", "content_hash").iter_rows())[decided]
    decisions = _decided((ids[decided], content))

    def after(records: pl.DataFrame, *names: str) -> dict[str, str]:
        observed = _observed("date.in-future", *names)
        found = finding_ids(observed, records, decisions=decisions)
        assert found["finding_id"].is_unique().all()
        return dict(found.select("record_id", "finding_id").iter_rows())

    last = pl.col("record_id") == "r9"
    swapped = RECORDS.with_columns(path=pl.when(last).then(pl.lit("z.csv")).otherwise("path"))
    assert after(swapped, "r9", "r10")[decided] == ids[decided]
    before = RECORDS.filter(last).with_columns(
        record_id=pl.lit("new"), position=pl.lit("line 2"), content_hash=pl.lit("Z")
    )
    assert after(pl.concat([RECORDS, before]), "new", "r9", "r10")[decided] == ids[decided]
    # The record beside it is gone.
    assert after(RECORDS, decided)[decided] == ids[decided]


def test_a_decision_on_another_content_keeps_no_number():
    faults = _observed("date.in-future", "r9", "r10")
    ids = _ids(faults)
    decisions = _decided((ids["r10"], "other"), (ids["r9"], None))
    found = finding_ids(faults, RECORDS, decisions=decisions)
    assert dict(found.select("record_id", "finding_id").iter_rows()) == ids
