"""Contracts: what they refuse, what is generated from them."""

import datetime as dt

import duckdb
import pandera.polars as pa
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sarcoma_pipeline.quality.rule_catalogue import catalogue
from schemas import cohort_wide, curated, received, typed
from schemas import contract as contract_module
from schemas.contract import CONTRACTS, ContractBroken

ROW = {
    "record_id": "r1",
    "source": "oBDS",
    "person_ref": "number:1",
    "received_on": dt.date(2021, 12, 1),
    "start_date": dt.date(2020, 5, 1),
    "end_date": dt.date(2020, 6, 1),
    "prescribed_dose_gy": 50.0,
    "single_dose_gy": 2.0,
    "irradiated": True,
    "radiation_sequence": "preoperative",
}


def _radiotherapy(**changes):
    return typed.Radiotherapy.conform(pl.DataFrame([{**ROW, **changes}]))


def test_a_sound_record_breaks_no_rule():
    assert typed.Radiotherapy.failures(_radiotherapy()).is_empty()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"end_date": dt.date(2020, 4, 1)}, "radiotherapy.ends-before-start"),
        ({"start_date": dt.date(2022, 1, 1), "end_date": None}, "date.in-future"),
        ({"prescribed_dose_gy": 500.0}, "radiotherapy.dose-implausible"),
        ({"single_dose_gy": 5.0, "prescribed_dose_gy": 25.0}, "radiotherapy.hypofractionated"),
        ({"irradiated": False}, "radiotherapy.module-missing"),
        ({"person_ref": None}, "value.missing"),
    ],
)
def test_each_rule_fires_on_its_fault_and_names_the_row(changes, rule):
    failed = typed.Radiotherapy.failures(_radiotherapy(**changes))
    assert failed.select("row", "rule_id").rows() == [(0, rule)]


def test_a_missing_column_is_the_programs_fault_and_is_named_without_values():
    with pytest.raises(ContractBroken, match="end_date"):
        typed.Radiotherapy.failures(_radiotherapy().drop("end_date"))


def test_columns_are_those_of_panderas_schema():
    for contract in [*CONTRACTS.values(), cohort_wide.contract(["OS", "DFS"])]:
        theirs = contract.to_schema().columns
        ours = contract.columns()
        assert [c.name for c in ours] == list(theirs)
        assert contract.polars_schema() == pl.Schema({n: c.dtype.type for n, c in theirs.items()})
        assert contract.unique_columns() == {n for n, c in theirs.items() if c.unique}
        for own in ours:
            other = theirs[own.name]
            assert own.dtype == str(other.dtype)
            assert own.nullable == other.nullable
            assert (own.title, own.description) == (other.title, other.description)
            declared = {key: getattr(own, key) for key in other.metadata}
            assert declared == other.metadata


def test_every_contract_makes_a_table_with_a_comment_on_every_column():
    con = duckdb.connect()
    for schema in {t.split(".")[0] for t in CONTRACTS}:
        con.execute(f"CREATE SCHEMA {schema}")
    for contract in CONTRACTS.values():
        for statement in contract.ddl():
            con.execute(statement)
    bare = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
    ).fetchall()
    assert bare == []


def test_every_rule_says_what_is_wrong_and_what_to_do():
    rules = catalogue()
    assert rules["rule_id"].is_unique().all()
    assert rules.filter(pl.col("what").str.len_chars() <= 10).is_empty()
    assert rules.filter(pl.col("remedy").str.len_chars() <= 5).is_empty()


def test_names_and_numbers_are_marked_as_identifying():
    marked = {
        (c.table, c.name)
        for contract in (received.ObdsPatient, received.RegistryReply, curated.Patient)
        for c in contract.columns()
        if c.identifying == "identifier"
    }
    assert {
        ("received.obds_patient", "Nachname"),
        ("received.obds_patient", "Geburtsdatum"),
        ("received.registry_reply", "family_name"),
        ("curated.patient", "hospital_number"),
        ("curated.patient", "birth_date"),
    } <= marked


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_one_pass_over_the_frame_judges_as_pandera_does(data):
    """Pandera sees bad columns only: what spares it the others must not spare a faulty row."""
    values = {
        "person_ref": st.sampled_from([None, "number:1", "number:2"]),
        "prescribed_dose_gy": st.sampled_from([None, 50.0, 500.0]),
        "single_dose_gy": st.sampled_from([None, 2.0, 5.0]),
        "irradiated": st.sampled_from([None, True, False]),
        "end_date": st.sampled_from([None, dt.date(2020, 6, 1), dt.date(2020, 4, 1), dt.date(2030, 1, 1)]),
    }
    rows = data.draw(st.lists(st.fixed_dictionaries(values), min_size=1, max_size=4))
    contract = typed.Radiotherapy
    frame = pl.concat([_radiotherapy(**row) for row in rows])
    try:
        contract_module._with_rules(contract).validate(frame, lazy=True)
        bad = set()
    except pa.errors.SchemaErrors as broken:
        bad = set(broken.failure_cases["column"])
    assert set(contract_module._at_fault(contract, frame)) == bad
