"""Codes that no list knows: a finding with the value, and what becomes of the value.

The lists are those of the oBDS 3.0.4 schema; ``tests/oracle/test_enumerated_values.py`` compares all of them.
"""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation.typed_records import type_records
from schemas import received as r
from schemas.code_lists import TARGET_REGION
from schemas.configuration import Sources
from tests.curation.baseline_patients import histology, tnm
from tests.one_curation import sarcoma, together

UNKNOWN = "value.code-unknown"
BARE = {"Morphologie_ICD_O": None, "Grading": None, "T": None, "N": None, "M": None, "TNM_Version": None}
OF = {
    "D": r.ObdsDiagnosis, "O": r.ObdsSurgery, "S": r.ObdsRadiotherapy, "C": r.ObdsSystemicTherapy,
    "V": r.ObdsFollowUp, "T": r.ObdsDeath,
}  # fmt: skip
GIVEN = {
    "O": {"Datum": "2012-03-01", "Intention": "K", "Module_ID": "O"},
    "S": {
        "Module_ID": "S", "Intention": "K", "Beginn": "2012-02-01", "Ende": "2012-03-15", "Boost": "N",
        "Applikationsart": "Perkutan", "Gesamtdosis": "50", "Einzeldosis": "2", "Stellung_OP": "O",
    },
    "C": {"Module_ID": "C", "Therapieart": "CH", "Beginn": "2012-02-01"},
    "V": {"Module_ID": "V", "Untersuchungsdatum_Verlauf": "2013-01-01", "Gesamtbeurteilung_Tumorstatus": "V"},
    "T": {"Sterbedatum": "2014-01-01", "Tod_tumorbedingt": "J"},
}  # fmt: skip


def _tnm(**parts):
    return {"TNM": tnm(**({"T": "2b", "N": "0", "M": "0"} | parts))}


def _nodes(**parts):
    one = json.loads(histology("8802/3", day="2012-01-01"))[0]
    return {"Histologie": json.dumps([one | parts])}


def _version(version):
    return {"Histologie": histology("8802/3", day="2012-01-01", version=version)}


CASES = [
    # an unknown code, another spelling, a blank: of each sort of column
    ("D", {"Allgemeiner_Leistungszustand": "5"}, "Allgemeiner_Leistungszustand", "notice", "5"),
    ("D", {"Allgemeiner_Leistungszustand": "90"}, "Allgemeiner_Leistungszustand", "notice", "90"),
    ("D", {"Allgemeiner_Leistungszustand": " 90% "}, None, None, None),
    ("V", {"Allgemeiner_Leistungszustand": "ECOG 1"}, "Allgemeiner_Leistungszustand", "notice", "ECOG 1"),
    ("D", _tnm(L="1"), "TNM/L", "notice", "1"),
    ("D", _tnm(L="L1", V="V2", Pn="PnX"), None, None, None),
    ("D", _tnm(V="V3"), "TNM/V", "notice", "V3"),
    ("D", _tnm(Pn="pn1"), "TNM/Pn", "notice", "pn1"),
    ("D", _tnm(UICC_Stadium="3A"), "TNM/UICC_Stadium", "notice", "3A"),
    ("D", _tnm(Version="7. Auflage"), "tnm_edition", "warning", "7. Auflage"),
    ("D", _tnm(Version=" 8 "), None, None, None),
    ("D", _tnm(m_Symbol="multipel"), "m_symbol", "warning", "multipel"),
    ("D", _tnm(m_Symbol="3"), None, None, None),
    ("D", _version("2000"), "morphology_version", "warning", "2000"),
    ("D", _version("BB"), None, None, None),
    ("D", {"Primaertumor_Topographie_ICD_O_Version": "3"}, "Primaertumor_Topographie_ICD_O_Version", "notice",
     "3"),
    ("D", _nodes(LK_untersucht="-3"), "Histologie/LK_untersucht", "notice", "-3"),
    ("D", _nodes(LK_befallen="U", LK_untersucht="12"), None, None, None),
    ("D", _nodes(Grading="g2"), "grade", "warning", "g2"),
    ("C", {"Intention": "N"}, "Intention", "notice", "N"),
    ("C", {"Stellung_OP": "Z"}, "Stellung_OP", "notice", "Z"),
    ("C", {"Ende_Grund": "F"}, "end_reason", "warning", "F"),
    ("C", {"Ende_Grund": "R"}, None, None, None),
    ("S", {"Ende_Grund": "e"}, None, None, None),
    ("S", {"Ende_Grund": "R"}, "end_reason", "warning", "R"),
    ("S", {"Stereotaktisch": "ja"}, "Stereotaktisch", "warning", "ja"),
    ("S", {"Radiochemo": "J"}, "Radiochemo", "notice", "J"),
    ("S", {"Zielgebiet": "7.10", "Zielgebiet_CodeVersion": "2021"}, "target_region", "warning", "7.10"),
    ("S", {"Zielgebiet": "7.3", "Zielgebiet_CodeVersion": "2021"}, None, None, None),
    ("S", {"Zielgebiet": "5.7.2.-", "Zielgebiet_CodeVersion": "2014"}, None, None, None),
    ("S", {"Zielgebiet": "  "}, None, None, None),
    ("O", {"Gesamtbeurteilung_Residualstatus": "r0"}, "Gesamtbeurteilung_Residualstatus", "warning", "r0"),
    ("O", {"Menge_OPS_Version": '["2012", "12"]'}, "Menge_OPS_Version", "notice", "12"),
    ("O", {"Seitenlokalisation": "links"}, "Seitenlokalisation", "warning", "links"),
    ("O", {"Diagnosedatum": "Januar 2012"}, "Diagnosedatum", "warning", "Januar 2012"),
    ("T", {"Menge_Todesursachen": '[{"Code": "C49.2"}, {"Code": "Sarkom"}]'}, "Menge_Todesursachen/Code",
     "notice", "Sarkom"),
]  # fmt: skip


def _describe(patient, module, given):
    patient.patient()
    of_diagnosis = given if module == "D" else {}
    first = {"Histologie": histology("8802/3", day="2012-01-01"), **_tnm()}
    patient.diagnosis(**(BARE | first | of_diagnosis))
    if module != "D":
        patient.meldung(OF[module], **(GIVEN[module] | given))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c[0]} {json.dumps(c[1])[-60:]}")
@together()
def test_a_code_that_its_list_does_not_know_is_a_finding(patient, case):
    module, given, column, severity, value = case
    _describe(patient, module, given)
    outcome = yield
    seen = outcome.observed.filter(rule_id=UNKNOWN).select("column_name", "severity", "value").rows()
    assert seen == ([(column, severity, value)] if column else [])


@pytest.mark.parametrize("blank", [" ", "\xa0", "\t"])
@together(sarcoma)
def test_blanks_around_a_code_change_nothing(patient, blank):
    given = GIVEN["S"] | {"Stereotaktisch": f"ST{blank}", "Ende_Grund": f"{blank}F"}
    patient.meldung(r.ObdsRadiotherapy, **given)
    patient.meldung(r.ObdsSystemicTherapy, **(GIVEN["C"] | {"Therapieart": f"CIZ{blank}"}))
    patient.meldung(r.ObdsSystemicTherapy, Module_ID="W", Beginn="2012-02-03", Therapieart=f"{blank}WW")
    wound = json.dumps([{"Kuerzel": f"WUH{blank}"}])
    patient.meldung(r.ObdsSurgery, **GIVEN["O"], Menge_Komplikation=wound)
    made = yield
    assert made["radiotherapy_course"].select("stereotactic", "end_reason").row(0) == (True, "F")
    drugs = made["systemic_therapy"].sort("start_date")
    assert drugs.select("kind", "chemotherapy", "immunotherapy", "targeted", "given").rows() == [
        ("chemotherapy", True, True, True, "yes"),
        ("surveillance", False, False, False, "no"),
    ]
    assert made["toxicity"].select("category", "code").rows() == [("wound", "WUH")]
    assert UNKNOWN not in made.rules()


REGIONS = [
    # code, list, region that counts, whether it is a finding
    ("7.3", "2021", "7.3", False),
    ("4.8.", "2014", "4.8.", False),
    ("4.8", "2014", "4.8.", True),
    ("4.8.", "2021", "4.8.", True),
    ("7.3", "2014", "7.3", True),
    ("6.8.", None, "6.8.", False),
]


@pytest.mark.parametrize(("code", "list_", "region", "found"), REGIONS)
@together(sarcoma)
def test_a_target_region_of_the_other_list_is_a_finding(patient, code, list_, region, found):
    patient.meldung(r.ObdsRadiotherapy, **GIVEN["S"], Zielgebiet=code, Zielgebiet_CodeVersion=list_)
    made = yield
    assert bool(made.found("radiotherapy.target-of-other-list")) is found
    assert made["radiotherapy_course"]["target_region"].to_list() == [region]


def test_both_lists_of_target_regions_have_codes_of_their_own():
    assert len(set(TARGET_REGION.codes)) == len(TARGET_REGION.codes) == 98 + 150


NODES = [
    # examined, affected, sentinels examined and affected, N of the pTNM, rules
    ("12", "0", None, None, "0", set()),
    ("3", "7", None, None, "1", {"diagnosis.nodes-above-examined"}),
    ("12", "3", None, None, "0", {"diagnosis.nodes-against-n"}),
    ("12", "3", None, None, "1", set()),
    ("U", "3", None, None, "1", set()),
    (None, "3", None, None, "X", set()),
    (None, None, "1", "2", "1", {"diagnosis.nodes-above-examined"}),
    (None, None, "2", "1", "0(sn)", {"diagnosis.nodes-against-n"}),
    ("2", "1", None, None, "0(i+)", set()),
]


@pytest.mark.parametrize("case", NODES)
@together()
def test_counts_of_lymph_nodes_that_contradict_each_other_or_the_tnm_are_findings(patient, case):
    examined, affected, examined_sn, affected_sn, n, rules = case
    patient.patient()
    counts = {
        "LK_untersucht": examined, "LK_befallen": affected, "Sentinel_LK_untersucht": examined_sn,
        "Sentinel_LK_befallen": affected_sn,
    }  # fmt: skip
    patient.diagnosis(**(BARE | _nodes(**counts) | {"TNM": tnm("pTNM", T="2", N=n, M="0")}))
    made = yield
    assert {rule for rule in made.rules() if rule.startswith("diagnosis.nodes-")} == rules


SHEET = {
    "name": "sheet", "kind": "table", "format": "csv", "files": ["t"], "key": ["Nr"],
    "date_format": "%d.%m.%Y", "separator": " / ",
    "entities": [
        {
            "entity": "diagnosis",
            "columns": {
                "hospital_number": "Nr", "icdo3_morphology": "Histo", "morphology_version": "Version",
                "grade": "Grading", "tnm_edition": "Auflage",
                "t_stage": {"column": "T", "codes": {"2": "T2"}},
            },
        },
        {
            "entity": "radiotherapy",
            "columns": {
                "hospital_number": "Nr", "target_region": "Ziel", "end_reason": "Ende",
                "boost": {"column": "Boost", "codes": {"ja": "unspecified"}},
            },
        },
    ],
}  # fmt: skip
ROWS = [
    # column of the table, cell, typed column, value that counts, rule
    ("Version", "ICD-O-3", "diagnosis.morphology_version", "ICD-O-3", UNKNOWN),
    ("Version", " BB ", "diagnosis.morphology_version", "bb", None),
    ("Version", "", "diagnosis.morphology_version", None, None),
    ("Grading", "G2", "diagnosis.grade", "G2", UNKNOWN),
    ("Grading", "2", "diagnosis.grade", "2", None),
    ("Grading", "2 / 3", "diagnosis.grade", None, "value.several"),
    ("Auflage", "12", "diagnosis.tnm_edition", 12, "diagnosis.edition-unknown"),
    ("Auflage", "5", "diagnosis.tnm_edition", 5, None),
    ("T", "2 ", "diagnosis.t_stage", "T2", None),
    ("T", "5", "diagnosis.t_stage", None, UNKNOWN),
    ("Ziel", "Oberschenkel", "radiotherapy.target_region", "Oberschenkel", UNKNOWN),
    ("Ziel", "7.3", "radiotherapy.target_region", "7.3", None),
    ("Ende", "abgebrochen", "radiotherapy.end_reason", "abgebrochen", UNKNOWN),
    ("Ende", "f", "radiotherapy.end_reason", "F", None),
    ("Boost", "JA", "radiotherapy.boost", "unspecified", None),
    ("Boost", "vielleicht", "radiotherapy.boost", None, UNKNOWN),
]  # fmt: skip


def test_a_table_has_the_same_lists():
    headers = ("Nr", "Histo", "Version", "Grading", "Auflage", "T", "Ziel", "Ende", "Boost")
    cells = [dict.fromkeys(headers) | {"Nr": str(n), h: cell} for n, (h, cell, *_) in enumerate(ROWS)]
    received = r.TableRow.conform(
        pl.DataFrame(
            [
                {"record_id": f"t{n}", "file_id": "t", "position": f"line {n}", "ordinal": n,
                 "record_key": f"t{n}", "content_hash": f"t{n}", "first_refresh": "R1",
                 "table_name": "sheet", "values": json.dumps(row)}
                for n, row in enumerate(cells)
            ]
        )
    )  # fmt: skip
    on = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})
    files = pl.DataFrame({"file_id": ["t"], "path": ["t"], "source": ["sheet"]})
    sources = Sources.model_validate({"source": [SHEET]})
    made = type_records({r.TableRow.table(): received}, sources, on, files)
    for n, (_, _, column, value, rule) in enumerate(ROWS):
        table, _, name = f"typed.{column}".rpartition(".")
        assert made.frames[table].filter(record_id=f"t{n}")[name].to_list() == [value], ROWS[n]
        seen = made.observed.filter(record_id=f"t{n}", table_name=table, column_name=name)
        assert seen["rule_id"].to_list() == ([rule] if rule else []), ROWS[n]
        assert "error" not in seen["severity"].to_list()
