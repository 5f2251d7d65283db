"""The oBDS reader: every module, faults of whole files, and nothing lost before a break."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sarcoma_pipeline.sources import obds
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas.configuration import ObdsSource

SOURCE = ObdsSource(kind="obds", name="o", files=("*",))
NS = ' xmlns="http://www.basisdatensatz.de/oBDS/XML"'
TUMOUR = """<Tumorzuordnung Tumor_ID="T1"><Primaertumor_ICD><Code>C49.2</Code><Version>10 2012 GM</Version>
</Primaertumor_ICD><Diagnosedatum Datumsgenauigkeit="E">2012-01-01</Diagnosedatum>
<Seitenlokalisation>L</Seitenlokalisation></Tumorzuordnung>"""
MODULES = {
    "Diagnose": """<Diagnose><Primaertumor_Topographie_ICD_O><Code>C49.2</Code><Version>32</Version>
        </Primaertumor_Topographie_ICD_O><Diagnosesicherung>7.1</Diagnosesicherung>
        <Histologie><Morphologie_ICD_O><Code>8802/3</Code><Version>32</Version></Morphologie_ICD_O>
        <Grading>3</Grading></Histologie>
        <Menge_FM><Fernmetastase><Diagnosedatum Datumsgenauigkeit="T">2012-01-15</Diagnosedatum>
        <Lokalisation>PUL</Lokalisation></Fernmetastase></Menge_FM>
        <cTNM><Version>7</Version><T>2b</T><N>0</N><M>1</M></cTNM>
        <Menge_Weitere_Klassifikation><Weitere_Klassifikation><Name>FNCLCC</Name><Stadium>G3</Stadium>
        </Weitere_Klassifikation></Menge_Weitere_Klassifikation></Diagnose>""",
    "Pathologie": "<Pathologie><Diagnosesicherung>7</Diagnosesicherung></Pathologie>",
    "OP": """<OP OP_ID="O1"><Intention>K</Intention><Datum>2012-05-01</Datum>
        <Menge_OPS><OPS><Code>5-852</Code></OPS></Menge_OPS><Residualstatus>
        <Lokale_Beurteilung_Residualstatus>R0</Lokale_Beurteilung_Residualstatus></Residualstatus></OP>""",
    "ST": """<ST ST_ID="S1"><Meldeanlass>behandlungsende</Meldeanlass><Intention>K</Intention>
        <Stellung_OP>N</Stellung_OP><Menge_Bestrahlung>"""
    + """<Bestrahlung><Beginn>2012-02-01</Beginn><Ende>2012-03-10</Ende><Applikationsart><Perkutan>
        <Zielgebiet><CodeVersion2021>2.10</CodeVersion2021></Zielgebiet><Strahlenart>UH</Strahlenart>
        <Gesamtdosis><Dosis>50.0</Dosis></Gesamtdosis><Einzeldosis><Dosis>2</Dosis></Einzeldosis>
        <Boost>N</Boost></Perkutan></Applikationsart></Bestrahlung>"""
    * 2
    + "</Menge_Bestrahlung><Ende_Grund>E</Ende_Grund></ST>",
    "SYST": """<SYST SYST_ID="Y1"><Therapieart>CH</Therapieart>
        <Beginn Datumsgenauigkeit="E">2012-06-01</Beginn>
        <Menge_Substanz><Substanz><Bezeichnung>Doxorubicin</Bezeichnung></Substanz></Menge_Substanz></SYST>""",
    "Verlauf": """<Verlauf Verlauf_ID="V1"><Untersuchungsdatum_Verlauf>2013-01-01</Untersuchungsdatum_Verlauf>
        <Gesamtbeurteilung_Tumorstatus>Y</Gesamtbeurteilung_Tumorstatus>
        <Verlauf_Lokaler_Tumorstatus>R</Verlauf_Lokaler_Tumorstatus></Verlauf>""",
    "Tod": """<Tod Abschluss_ID="A1"><Sterbedatum>2014-01-01</Sterbedatum>
        <Tod_tumorbedingt>J</Tod_tumorbedingt><Menge_Todesursachen><Todesursache_ICD><Code>C49.2</Code>
        </Todesursache_ICD></Menge_Todesursachen></Tod>""",
    "Tumorkonferenz": "<Tumorkonferenz><Datum>2012-01-10</Datum><Typ>praeth</Typ></Tumorkonferenz>",
}


def _meldung(module, number=1):
    return f'<Meldung Meldung_ID="M{number}">{TUMOUR}{MODULES[module]}</Meldung>'


def _export(*meldungen, namespace=NS, date="2020-01-01"):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<oBDS{namespace} Schema_Version="3.0.4"><Meldedatum>{date}</Meldedatum>
<Menge_Patient><Patient Patient_ID="17">
<Patienten_Stammdaten><Nachname>Müßig</Nachname><Vornamen>Eva</Vornamen><Geschlecht>W</Geschlecht>
<Geburtsdatum Datumsgenauigkeit="E">1950-03-04</Geburtsdatum></Patienten_Stammdaten>
<Menge_Meldung>
{chr(10).join(meldungen)}
</Menge_Meldung></Patient></Menge_Patient></oBDS>"""


def _read(tmp_path: Path, content: str | bytes, name="export.xml"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return obds.read(SourceFile("f", path, name), SOURCE, "R1").frames()


def test_every_module_becomes_its_records(tmp_path):
    frames = _read(tmp_path, _export(*(_meldung(m, i) for i, m in enumerate(MODULES))))
    assert {t.removeprefix("received.obds_"): f.height for t, f in frames.items()} == {
        "patient": 1, "diagnosis": 1, "pathology": 1, "surgery": 1, "radiotherapy": 2,
        "systemic_therapy": 1, "follow_up": 1, "death": 1, "tumour_board": 1,
    }  # fmt: skip
    diagnosis = frames["received.obds_diagnosis"].row(0, named=True)
    assert json.loads(diagnosis["Morphologie_ICD_O"]) == ["8802/3"]
    assert json.loads(diagnosis["Menge_FM"]) == [
        {"Diagnosedatum": "2012-01-15", "Datumsgenauigkeit": "T", "Lokalisation": "PUL"}
    ]
    assert json.loads(diagnosis["Menge_Weitere_Klassifikation"])[0]["Stadium"] == "G3"
    assert (diagnosis["T"], diagnosis["M"], diagnosis["TNM_Version"]) == ("2b", "1", "7")
    assert (diagnosis["Primaertumor_ICD"], diagnosis["Diagnosedatum_Datumsgenauigkeit"]) == ("C49.2", "E")
    irradiation = frames["received.obds_radiotherapy"].row(1, named=True)
    assert irradiation["Zielgebiet"] == "2.10", "a region code is a string"
    assert irradiation["Gesamtdosis"] == "50.0", "text as delivered"
    assert irradiation["position"].endswith("/Meldung[4]/Bestrahlung[2]")
    assert frames["received.obds_surgery"]["Module_ID"].to_list() == ["O1"]
    assert frames["received.obds_patient"]["Nachname"].to_list() == ["Müßig"]


def test_positions_name_the_line(tmp_path):
    frames = _read(tmp_path, _export(_meldung("Tod"), _meldung("Tod", 2)))
    lines = [p.split()[1] for p in frames["received.obds_death"]["position"]]
    text = (tmp_path / "export.xml").read_text().splitlines()
    assert all("<Meldung " in text[int(line) - 1] for line in lines)


def test_the_same_meldung_in_a_later_export_has_the_same_content_and_key(tmp_path):
    first = _read(tmp_path, _export(_meldung("Tod")))["received.obds_death"]
    later = _read(tmp_path, _export(_meldung("Verlauf", 9), _meldung("Tod"), date="2021-01-01"), "b.xml")
    again = later["received.obds_death"]
    assert first["content_hash"].to_list() == again["content_hash"].to_list()
    assert first["record_key"].to_list() == again["record_key"].to_list()
    assert first["record_id"].to_list() == again["record_id"].to_list()


def test_a_missing_namespace_is_read_and_marked(tmp_path):
    frames = _read(tmp_path, _export(_meldung("Tod"), namespace=""))
    assert frames["received.obds_death"]["Schema_Version"].to_list() == ["3.0.4 (no namespace)"]


def test_what_stood_before_a_break_is_kept_and_the_break_is_named(tmp_path):
    whole = _export(_meldung("OP"), _meldung("Verlauf", 2), _meldung("Tod", 3))
    cut = whole[: whole.index("<Sterbedatum>") + 5]
    frames = _read(tmp_path, cut)
    assert frames["received.obds_patient"].height == 1
    assert frames["received.obds_surgery"].height == 1
    assert frames["received.obds_follow_up"].height == 1
    assert "received.obds_death" not in frames
    unread = frames["received.unread"].row(0, named=True)
    assert unread["rule_id"] == "file.truncated"
    assert unread["position"] == f"line {len(cut.splitlines())}"
    assert "Sterbe" not in unread["detail"]


def _zip(tmp_path: Path) -> bytes:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.xml", _export())
    return path.read_bytes()


BOMB = """<?xml version="1.0"?><!DOCTYPE oBDS [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
<oBDS Schema_Version="3.0.4"><Meldedatum>&b;</Meldedatum></oBDS>"""
OUTSIDE = (
    '<!DOCTYPE oBDS [<!ENTITY a SYSTEM "file:///etc/hostname">]><oBDS><Meldedatum>&a;</Meldedatum></oBDS>'
)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "file.empty"),
        (b"  \n", "file.empty"),
        (b"\x89PNG\r\n", "file.wrong-format"),
        ("<html><body/></html>", "file.wrong-format"),
        (BOMB, "file.entity"),
        (OUTSIDE, "file.entity"),
        ("<oBDS", "file.truncated"),
        (_zip, "file.wrong-format"),
    ],
)
def test_faults_of_whole_files(tmp_path: Path, content: Any, rule: str):
    made: Any = content(tmp_path) if callable(content) else content
    frames = _read(tmp_path, made)
    assert list(frames) == ["received.unread"]
    assert frames["received.unread"]["rule_id"].to_list() == [rule]


def test_a_meldung_without_a_known_module_is_not_lost(tmp_path):
    odd = f'<Meldung Meldung_ID="M9">{TUMOUR}<Neuland/></Meldung>'
    frames = _read(tmp_path, _export(odd))
    assert frames["received.unread"]["rule_id"].to_list() == ["file.module-missing"]
