"""Findings on whole files: those that lost a record are never out of scope."""

import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import export_faults
from sarcoma_pipeline.curation.export_faults import unread_but_harmless
from schemas import received as r
from schemas.contract import Contract
from schemas.file_faults import FILE_FAULTS, UNEXPECTED
from schemas.received import NO_NAMESPACE

BARE, UNKNOWN = "obds.namespace-missing", "obds.schema-version-unknown"


def test_a_file_that_could_not_be_read_is_not_harmless():
    faults = sorted(FILE_FAULTS.values(), key=lambda rule: rule.id)
    errors = [rule.id for rule in faults if rule.severity == "error"]
    others = [rule.id for rule in faults if rule.severity != "error"]
    assert len(errors) > 5 and UNEXPECTED.id in others and len(others) > 1
    every = [*errors, *others]
    found = unread_but_harmless(pl.DataFrame({"record_id": every, "rule_id": every}))
    assert found["record_id"].to_list() == others
    assert found["disposition"].unique().to_list() == ["out of scope"]
    why = dict(found.select("record_id", "reason").iter_rows())
    assert why.pop(UNEXPECTED.id) == "no source reads it"
    assert set(why.values()) == {"a note on what was read"}


def received(*rows: dict[str, str | None], contract: type[Contract] = r.ObdsPatient) -> pl.DataFrame:
    told = [{"record_id": f"r{n}"} | row for n, row in enumerate(rows)]
    return contract.conform(pl.DataFrame(told, schema=contract.polars_schema()))


@pytest.mark.parametrize(
    ("version", "rules"),
    [
        ("3.0.0", []), ("3.0.5", []), ("3.0.6", [UNKNOWN]), ("2.2.1", [UNKNOWN]), (None, [UNKNOWN]),
        (f"3.0.4{NO_NAMESPACE}", [BARE]), (f"3.1.0{NO_NAMESPACE}", [BARE, UNKNOWN]),
    ],
)  # fmt: skip
def test_the_version_and_the_namespace_of_an_export_are_told_once_per_file(version, rules):
    frame = received(*({"file_id": f, "Schema_Version": version} for f in ("a", "a", "b")))
    seen = export_faults.export_faults(frame, "received.obds_patient")
    assert seen.select("rule_id", "record_id").rows() == [(rule, of) for rule in rules for of in ("r0", "r2")]
    assert export_faults.export_faults(frame, "received.obds_diagnosis").is_empty()


@pytest.mark.parametrize(
    ("site", "further", "told"),
    [
        ("C49.2", [("Enneking", "2")], ["Enneking"]),
        ("C49.2", [("FNCLCC", "2")], []),
        ("C49.2", [("Enneking", "IIB")], []),
        ("C49.2", [("Enneking", "X")], []),
        ("C50.4", [("Enneking", "2")], []),
        (None, [("Enneking", "2")], ["Enneking"]),
        ("C49.2", [(None, "2")], [None]),
        ("C49.2", [], []),
        # One finding per record, on the first name in order.
        ("C49.2", [("Ennking", "2"), ("Broders", "3"), ("FNCLCC", "1")], ["Broders"]),
        ("C49.2", [("Broders", "3"), ("Ennking", "2")], ["Broders"]),
    ],
)
def test_a_stage_from_1_to_3_under_an_unknown_name_may_be_the_fnclcc_grade(site, further, told):
    given = json.dumps([{"Name": name, "Stadium": stage} for name, stage in further])
    row = {"Primaertumor_ICD": site, "Menge_Weitere_Klassifikation": given}
    seen = export_faults.unknown_grades(received(row, contract=r.ObdsDiagnosis), "received.obds_diagnosis")
    assert seen["value"].to_list() == told


def test_a_repeated_element_is_told_with_all_its_texts():
    frame = received({"repeated_elements": '{"a/b": ["1", "2"], "c": ["x"]}'}, {"repeated_elements": None})
    seen = export_faults.repeated_elements(frame, "received.obds_patient")
    assert seen.select("record_id", "column_name", "value").rows() == [
        ("r0", "a/b", "1 | 2"), ("r0", "c", "x"),
    ]  # fmt: skip


def test_an_unread_part_has_the_severity_of_its_rule():
    every = sorted(rule.id for rule in FILE_FAULTS.values())
    frame = pl.DataFrame({"record_id": every, "rule_id": every, "detail": every})
    seen = export_faults.unread(frame)
    severity = {rule.id: rule.severity for rule in FILE_FAULTS.values()}
    assert seen.select("rule_id", "severity", "note").rows() == [(one, severity[one], one) for one in every]
