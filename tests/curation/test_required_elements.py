"""An element that the schema requires and a report lacks is a finding that names it."""

import json

import polars as pl
import pytest

from sarcoma_pipeline.curation.required_elements import ELEMENT_MISSING, REQUIRED, missing_elements
from schemas.contract import CONTRACTS
from tests.oracle.grammar import schema

MODULES = {
    "received.obds_diagnosis": "Diagnose", "received.obds_pathology": "Pathologie",
    "received.obds_surgery": "OP",
    "received.obds_radiotherapy": "ST", "received.obds_systemic_therapy": "SYST",
    "received.obds_follow_up": "Verlauf", "received.obds_death": "Tod",
}  # fmt: skip
ATTRIBUTES = {"Melder_ID": "@Melder_ID", "Meldung_ID": "@Meldung_ID", "Tumor_ID": "Tumorzuordnung/@Tumor_ID"}
OF_TUMOUR = {
    "Primaertumor_ICD": "Tumorzuordnung/Primaertumor_ICD",
    "Diagnosedatum": "Tumorzuordnung/Diagnosedatum",
}
MELDUNG = "oBDS/Menge_Patient/Patient/Menge_Meldung/Meldung"
FULL = {
    "Tumor_ID": "1", "Melder_ID": "M", "Meldung_ID": "R", "Primaertumor_ICD": "C49.2",
    "Diagnosedatum": "2012-01-01", "Diagnosedatum_Datumsgenauigkeit": "E", "Intention": "K",
    "Therapieart": "CH", "Beginn": "2012-02-01", "Beginn_Datumsgenauigkeit": "E",
    "Gesamtbeurteilung_Tumorstatus": "V",
    "Tod_tumorbedingt": "N", "Menge_OPS": '["5-782.b"]', "Applikationsart": "Perkutan",
    "position": "line 1 /Bestrahlung[1]",
    "Menge_FM": json.dumps(
        [{"Lokalisation": "PUL", "Diagnosedatum": "2012-01-01", "Datumsgenauigkeit": "E"}]
    ),
    "Menge_Weitere_Klassifikation": json.dumps([{"Name": "FNCLCC", "Stadium": "2"}]),
}  # fmt: skip


def lacking(table: str, **changed: str | None) -> list[str]:
    """The columns that the findings name for a record that is complete except for the change."""
    contract = CONTRACTS[table]
    columns = contract.polars_schema().names()
    row = {c: v for c, v in {**FULL, **changed}.items() if c in columns}
    frame = contract.conform(pl.DataFrame([row], schema=dict.fromkeys(row, pl.String)))
    found = missing_elements(frame.with_columns(record_id=pl.lit("r")), table)
    assert set(found["rule_id"]) <= {ELEMENT_MISSING.id} and found["note"].null_count() == 0
    return found["column_name"].to_list()


@pytest.mark.parametrize("table", MODULES)
def test_a_full_report_lacks_nothing_and_each_missing_element_is_named(table):
    assert lacking(table) == []
    for column in REQUIRED[table]:
        assert lacking(table, **{column: None}) == [column]


@pytest.mark.parametrize("table", MODULES)
def test_the_schema_requires_what_is_listed(table):
    declared = dict(schema().declared())
    for column in REQUIRED[table]:
        where = {**ATTRIBUTES, **OF_TUMOUR}.get(column, f"{MODULES[table]}/{column}")
        one = declared[f"{MELDUNG}/{where}"]
        assert one.get("use") == "required" if "@" in where else one.get("minOccurs", "1") == "1", column


@pytest.mark.parametrize(
    ("table", "changed", "expected"),
    [
        ("received.obds_surgery", {"Menge_OPS": '["5-782.b", null]'}, ["Menge_OPS/Code"]),
        ("received.obds_surgery", {"Menge_OPS": None}, []),  # surgery.ops-missing
        ("received.obds_radiotherapy", {"Applikationsart": None}, ["Applikationsart"]),
        # No Bestrahlung at all is radiotherapy.module-missing.
        ("received.obds_radiotherapy", {"Applikationsart": None, "position": "line 1"}, []),
        (
            "received.obds_follow_up",
            {"Menge_FM": '[{"Diagnosedatum": "2012-01-01", "Datumsgenauigkeit": "E"}]'},
            ["Menge_FM/Lokalisation"],
        ),
        (
            "received.obds_follow_up",
            {"Menge_FM": '[{"Lokalisation": "PUL", "Diagnosedatum": "2012-01-01"}]'},
            ["Menge_FM/Datumsgenauigkeit"],
        ),
        # metastasis.date-missing
        ("received.obds_follow_up", {"Menge_FM": '[{"Lokalisation": "PUL"}]'}, []),
        ("received.obds_follow_up", {"Menge_FM": None}, []),
        (
            "received.obds_diagnosis",
            {"Menge_Weitere_Klassifikation": '[{"Stadium": "2"}]'},
            ["Menge_Weitere_Klassifikation/Name"],
        ),
        (
            "received.obds_diagnosis",
            {"Menge_Weitere_Klassifikation": '[{"Name": "FNCLCC"}]'},
            ["Menge_Weitere_Klassifikation/Stadium"],
        ),
        (
            "received.obds_diagnosis",
            {"Diagnosedatum_Datumsgenauigkeit": None},
            ["Diagnosedatum_Datumsgenauigkeit"],
        ),
        # Before oBDS 3 the form of the date tells it.
        (
            "received.obds_diagnosis",
            {"Diagnosedatum_Datumsgenauigkeit": None, "Diagnosedatum": "00.01.2012"},
            [],
        ),
    ],
)
def test_parts_of_arrays_and_what_a_date_is_exact_to(table, changed, expected):
    assert lacking(table, **changed) == expected


def test_a_therapy_of_unknown_kind_is_no_chemotherapy(records):
    """What is said of its kind tells it; the finding says that nothing does."""
    from sarcoma_pipeline.cohort import covariates
    from sarcoma_pipeline.cohort.timeline import timeline
    from schemas import received as r
    from schemas.assumptions import Assumptions

    for number, kind in (("1", "CH"), ("2", None), ("3", "IM")):
        records.patient(number=number, family=f"Prüf{number * 5}")
        records.diagnosis(number=number)
        records.meldung(r.ObdsSystemicTherapy, number, Beginn="2012-02-01", Therapieart=kind)
    curated = records.run().frames
    described = covariates.describe(curated, timeline(curated, Assumptions()))
    assert described.sort("pseudonym")["chemotherapy"].to_list() == ["yes", "unknown", "unknown"]
