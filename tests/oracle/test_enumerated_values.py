"""Every enumerated value of the oBDS schemas, once in a generated file, has its declared outcome."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
import pytest
from lxml import etree

from sarcoma_pipeline.curation import typed_records
from sarcoma_pipeline.sources import obds, received_record
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import Limits, ObdsSource
from tests.oracle.declared_values import KEPT, TYPED, chosen, code, suffixes
from tests.oracle.grammar import SCHEMAS, Grower, Schema, Told, schema
from tests.oracle.in_process import NIGHT, SOURCES
from tests.oracle.patients import Person, document, letters
from tests.sources.test_obds_schema import _of_account, _outcome

MODULES = ("Diagnose", "Pathologie", "OP", "ST", "SYST", "Verlauf", "Tod", "Tumorkonferenz")
REPORT = "oBDS/Menge_Patient/Patient/Menge_Meldung/Meldung"
MASTER = "oBDS/Menge_Patient/Patient/Patienten_Stammdaten"
OBDS = ObdsSource(kind="obds", name="obds", files=("*.xml",))
COMMON: Told = {
    "@Melder_ID": "M1", "Geburtsdatum": "1950-03-04", "Diagnosedatum": "2013-05-07", "Menge_Zusatzitem": None,
    "Menge_FM/Fernmetastase/Diagnosedatum": "2014-05-07", "Einheit": "Gy", "Dosis": "50",
    "Tod/Sterbedatum": "2016-01-01", "Untersuchungsdatum_Verlauf": "2015-01-01", "OP/Datum": "2013-08-01",
    "Bestrahlung/Beginn": "2013-06-01", "Bestrahlung/Ende": "2013-07-01", "SYST/Beginn": "2013-06-01",
    "Tumor_Histologiedatum": "2013-05-07", "Meldebegruendung": "I",
    "Menge_FM": None, "cTNM": None, "pTNM": None, "TNM": None, "Histologie": None,
    "T": "1", "N": "0", "M": "0",
    "Morphologie_ICD_O/Code": "8802/3", "Menge_Genetik": None, "Menge_Weitere_Klassifikation": None,
    "cTNM/Datum": None, "pTNM/Datum": None, "TNM/Datum": None,
}  # fmt: skip


def enumerated(of: Schema) -> list[tuple[str, str]]:
    """Path and value of everything that the schema enumerates and that is not ignored by name."""
    found = []
    for path, declared in of.declared():
        values = of.facets(declared)[1].get("enumeration", ())
        if _outcome(_of_account(path)) != "ignored":
            found += [(path, value) for value in values]
    return found


def shown(path: str, value: str, number: str, of: Schema) -> Person:
    """A patient whose one report holds the value at the path."""
    grower = Grower(random.Random(number), fill=0.0, schema=of)
    declared = dict(of.declared())
    told: dict[str, Any] = {**COMMON, "Nachname": f"Probe{letters(number)}"}
    module = next((m for m in MODULES if f"/{m}/" in path), "Diagnose")
    told |= {f"Meldung/{m}": 1 if m == module else None for m in MODULES}
    told["@Meldung_ID"] = f"R{number}"
    # Everything on the way comes once; its choices are decided by that.
    steps = path.split("/")
    for end in range(2, len(steps)):
        told["/".join(steps[:end])] = 1
    told[path] = value
    if value == "W" and path.endswith("Meldebegruendung"):
        told["Meldebegruendung"] = value
    master = grower.grow(declared[MASTER], told, MASTER.rpartition("/")[0])
    report = grower.grow(declared[REPORT], told, REPORT.rpartition("/")[0])
    return Person(number, master, [report])


@pytest.fixture(scope="module", params=SCHEMAS, ids=lambda path: path.stem)
def of(request) -> Schema:
    return schema(request.param)


def test_every_enumerated_value_has_a_declared_outcome(of):
    unknown = {
        _of_account(path)
        for path, _ in enumerated(of)
        if not any(suffix in TYPED or suffix in KEPT for suffix in suffixes(_of_account(path)))
    }
    assert unknown == set()
    for path, value in enumerated(of):
        typed = chosen(_of_account(path))
        if typed and isinstance(typed[2], dict):
            assert value in typed[2], f"{path}: {value}"


def test_every_enumerated_value_is_read_and_typed_as_declared(of, tmp_path):
    values = [(p, v) for p, v in enumerated(of) if "@Schema_Version" not in p]
    assert len(values) > 1900
    persons = [shown(path, value, str(10_000 + n), of) for n, (path, value) in enumerate(values)]
    whole = document(persons)
    of.validates(whole)
    path = tmp_path / "a.xml"
    path.write_bytes(etree.tostring(whole, encoding="UTF-8"))
    batch = obds.read(SourceFile("f", path, "a.xml", "obds"), OBDS, "R1", Limits())
    assert batch.account.unknown == {}
    files = pl.DataFrame({"file_id": ["f"], "path": ["a.xml"], "source": ["obds"]})
    received = received_record.frames([batch])
    told = typed_records.type_records(received, SOURCES, NIGHT, files)
    rows = {
        name.removeprefix("typed."): frame.select(pl.exclude(pl.List).cast(pl.String)).partition_by(
            "person_ref", as_dict=True
        )
        for name, frame in told.frames.items()
    }
    text = {
        str(key[0]): repr(frame.rows())
        for name, frame in received.items()
        if name.startswith("received.obds") and name != "received.obds_patient"
        for key, frame in frame.partition_by("Patient_ID", as_dict=True).items()
    }
    whose = pl.concat([f.select("record_id", "person_ref") for f in told.frames.values()]).unique()
    found = told.observed.join(whose, on="record_id")
    rules = {k[0]: set(f["rule_id"]) for k, f in found.partition_by("person_ref", as_dict=True).items()}
    wrong = []
    silent = set()
    for number, (at, value) in enumerate(values, start=10_000):
        typed = chosen(_of_account(at))
        if typed is None:
            if value not in text[str(number)]:
                wrong.append((at, value, "not kept"))
            continue
        table, column, codes = typed
        own = rows[table].get((f"number:{number}",))
        have = set() if own is None else set(own[column].to_list())
        want = code(codes, value)
        if (want.lower() if want in ("True",) else want) not in have:
            wrong.append((at, value, want, have))
        if want is None and not rules.get(f"number:{number}"):
            silent.add((_of_account(at), value))
    assert wrong == []
    assert silent == set()


ANOTHER_CODE = "Q9"
OF_ITS_OWN = {"diagnosis.tnm-sign-unknown", "date.exactness-unknown", "report.reason-unknown"}
"""Rules on codes that do not show the code."""


def test_an_unknown_code_of_every_enumerated_element_is_a_finding_and_no_known_one_is(of, tmp_path):
    values = [(p, v) for p, v in enumerated(of) if "@Schema_Version" not in p]
    paths = sorted({p for p, _ in values})
    assert len(paths) > 180
    asked = [*values, *((p, ANOTHER_CODE) for p in paths)]
    persons = [shown(path, value, str(10_000 + n), of) for n, (path, value) in enumerate(asked)]
    path = tmp_path / "a.xml"
    path.write_bytes(etree.tostring(document(persons), encoding="UTF-8"))
    batch = obds.read(SourceFile("f", path, "a.xml", "obds"), OBDS, "R1", Limits())
    files = pl.DataFrame({"file_id": ["f"], "path": ["a.xml"], "source": ["obds"]})
    received = received_record.frames([batch])
    told = typed_records.type_records(received, SOURCES, NIGHT, files)
    whose = pl.concat(
        f.select("record_id", number="Patient_ID")
        for name, f in received.items()
        if name.startswith("received.obds")
    )
    found = told.observed.join(whose, on="record_id")
    said = {k[0]: f for k, f in found.partition_by("number", as_dict=True).items()}
    wrong, silent = [], []
    for number, (at, value) in enumerate(asked, start=10_000):
        own = said.get(str(number), found.clear())
        if value == ANOTHER_CODE:
            named = own["value"].str.contains(ANOTHER_CODE).fill_null(False).any()
            if not (named or OF_ITS_OWN & set(own["rule_id"])):
                silent.append(_of_account(at))
        elif "value.code-unknown" in set(own["rule_id"]) or OF_ITS_OWN & set(own["rule_id"]):
            wrong.append((_of_account(at), value))
    assert wrong == []
    assert silent == []
