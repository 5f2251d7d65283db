"""Every value of an oBDS export is read, ignored by name or unknown: against the schema and against lxml."""

import json
import random

import pytest

from sarcoma_pipeline.sources.obds_modules import OUTCOMES
from tests.sources.obds_exports import NS, balanced, export, leaves, meldung, read, rows, unread
from tests.sources.test_obds_schema import Schema

# --- documents ----------------------------------------------------------------------------------------


DEATH = "<Tod Abschluss_ID='A1'><Sterbedatum>2014-01-01</Sterbedatum></Tod>"


def test_both_tnms_of_a_diagnosis_are_kept_with_prefixes_and_symbols(tmp_path):
    module = """<Diagnose><cTNM ID="c"><Version>8</Version><c_p_u_Praefix_T>u</c_p_u_Praefix_T><T>2</T>
        <N>0</N></cTNM><pTNM><Datum>2012-05-03</Datum><y_Symbol>y</y_Symbol><r_Symbol>r</r_Symbol>
        <a_Symbol>a</a_Symbol><c_p_u_Praefix_T>p</c_p_u_Praefix_T><T>1</T><m_Symbol>m</m_Symbol><L>L0</L>
        <V>V1</V><Pn>Pn0</Pn><S>S0</S><UICC_Stadium>III</UICC_Stadium></pTNM>
        <Allgemeiner_Leistungszustand>90%</Allgemeiner_Leistungszustand></Diagnose>"""
    batch = read(tmp_path, export(meldung(module)))
    (row,) = rows(batch, "diagnosis")
    assert json.loads(row["TNM"]) == [
        {"kind": "cTNM", "ID": "c", "Version": "8", "c_p_u_Praefix_T": "u", "T": "2", "N": "0"},
        {
            "kind": "pTNM", "Datum": "2012-05-03", "y_Symbol": "y", "r_Symbol": "r", "a_Symbol": "a",
            "c_p_u_Praefix_T": "p", "T": "1", "m_Symbol": "m", "L": "L0", "V": "V1", "Pn": "Pn0", "S": "S0",
            "UICC_Stadium": "III",
        },
    ]  # fmt: skip
    assert (row["T"], row["TNM_Version"], row["TNM_kind"]) == ("2", "8", "cTNM")
    assert row["Allgemeiner_Leistungszustand"] == "90%"
    assert batch.account.unknown == {}


def test_a_histology_keeps_its_versions_dates_and_lymph_nodes(tmp_path):
    module = """<OP OP_ID="1"><Menge_OPS><OPS><Code>5-852.6</Code><Version>2015</Version></OPS>
        <OPS><Code>5-983</Code></OPS></Menge_OPS><Histologie Histologie_ID="h">
        <Tumor_Histologiedatum Datumsgenauigkeit="T">2012-05-15</Tumor_Histologiedatum>
        <Histologie_EinsendeNr>E/1</Histologie_EinsendeNr>
        <Morphologie_ICD_O><Code>8805/3</Code><Version>32</Version></Morphologie_ICD_O>
        <Morphologie_ICD_O><Code>8802/3</Code><Version>bb</Version></Morphologie_ICD_O><Grading>3</Grading>
        <LK_untersucht>12</LK_untersucht><LK_befallen>1</LK_befallen>
        <Sentinel_LK_untersucht>2</Sentinel_LK_untersucht><Sentinel_LK_befallen>0</Sentinel_LK_befallen>
        </Histologie><Komplikationen><Menge_Komplikation><Komplikation><Kuerzel>WUH</Kuerzel></Komplikation>
        <Komplikation><ICD><Code>T81.4</Code><Version>10 2015 GM</Version></ICD></Komplikation>
        </Menge_Komplikation></Komplikationen></OP>"""
    (row,) = rows(read(tmp_path, export(meldung(module))), "surgery")
    assert json.loads(row["Histologie"]) == [
        {
            "Histologie_ID": "h", "Tumor_Histologiedatum": "2012-05-15",
            "Tumor_Histologiedatum_Datumsgenauigkeit": "T", "Histologie_EinsendeNr": "E/1",
            "Morphologie_ICD_O": [
                {"Code": "8805/3", "Version": "32"}, {"Code": "8802/3", "Version": "bb"},
            ],
            "Grading": "3", "LK_untersucht": "12", "LK_befallen": "1", "Sentinel_LK_untersucht": "2",
            "Sentinel_LK_befallen": "0",
        }
    ]  # fmt: skip
    assert json.loads(row["Menge_OPS"]) == ["5-852.6", "5-983"]
    assert json.loads(row["Menge_OPS_Version"]) == ["2015", None]
    assert json.loads(row["Menge_Komplikation"]) == [
        {"Kuerzel": "WUH"}, {"ICD": "T81.4", "ICD_Version": "10 2015 GM"},
    ]  # fmt: skip


def test_an_irradiation_keeps_units_and_what_it_was_given_with(tmp_path):
    module = """<ST ST_ID="S"><Menge_Bestrahlung><Bestrahlung><Applikationsart><Perkutan>
        <Radiochemo>RCJ</Radiochemo><Stereotaktisch>ST</Stereotaktisch><Atemgetriggert>4D</Atemgetriggert>
        <Zielgebiet><CodeVersion2014>7.3</CodeVersion2014></Zielgebiet>
        <Gesamtdosis><Dosis>50</Dosis><Einheit>Gy</Einheit></Gesamtdosis></Perkutan></Applikationsart>
        </Bestrahlung><Bestrahlung><Applikationsart><Metabolisch><Metabolisch_Typ>RJT</Metabolisch_Typ>
        <Gesamtdosis><Dosis>3.7</Dosis><Einheit>GBq</Einheit></Gesamtdosis>
        <Einzeldosis><Dosis>3.7</Dosis><Einheit>GBq</Einheit></Einzeldosis></Metabolisch></Applikationsart>
        </Bestrahlung></Menge_Bestrahlung><Nebenwirkungen><Menge_Nebenwirkung><Nebenwirkung><Art>
        <Bezeichnung>Dermatitis</Bezeichnung></Art><Grad>3</Grad><Version>5.0</Version></Nebenwirkung>
        </Menge_Nebenwirkung></Nebenwirkungen></ST>"""
    first, second = rows(read(tmp_path, export(meldung(module))), "radiotherapy")
    of_first = ("Radiochemo", "Stereotaktisch", "Atemgetriggert", "Zielgebiet", "Zielgebiet_CodeVersion")
    assert [first[c] for c in of_first] == ["RCJ", "ST", "4D", "7.3", "2014"]
    assert (first["Gesamtdosis_Einheit"], first["Metabolisch_Typ"]) == ("Gy", None)
    of_second = (
        "Applikationsart",
        "Metabolisch_Typ",
        "Gesamtdosis",
        "Gesamtdosis_Einheit",
        "Einzeldosis_Einheit",
    )
    assert [second[c] for c in of_second] == ["Metabolisch", "RJT", "3.7", "GBq", "GBq"]
    assert json.loads(second["Menge_Nebenwirkung"]) == [
        {"Bezeichnung": "Dermatitis", "Grad": "3", "Version": "5.0"}
    ]


def test_white_space_around_a_value_is_no_part_of_it(tmp_path):
    module = """<OP OP_ID=" 1 "><Datum>
        2015-06-10
        </Datum><Histologie><Morphologie_ICD_O><Code>
          8802/3 </Code></Morphologie_ICD_O></Histologie><Residualstatus>
        <Lokale_Beurteilung_Residualstatus>\tR0\r\n</Lokale_Beurteilung_Residualstatus></Residualstatus></OP>"""
    batch = read(tmp_path, export(meldung(module)))
    (row,) = rows(batch, "surgery")
    shown = ("Module_ID", "Datum", "Lokale_Beurteilung_Residualstatus")
    assert [row[c] for c in shown] == ["1", "2015-06-10", "R0"]
    assert json.loads(row["Histologie"]) == [{"Morphologie_ICD_O": [{"Code": "8802/3"}]}]
    assert balanced(batch)


def test_a_meldung_says_who_told_it_and_why_it_may_be_told(tmp_path):
    batch = read(tmp_path, export(meldung(DEATH), meldung(DEATH, 2, "K2", "W"), meldung(DEATH, 3, "K9")))
    told = [
        [row[c] for c in ("Absender_ID", "Melder_ID", "Melder_IKNR", "Meldebegruendung")]
        for row in rows(batch, "death")
    ]
    # K2 has no number, K9 is not in the list at all: only what stands in the file is said.
    assert told == [
        ["S1", "K1", "260500000", "I"], ["S1", "K2", None, "W"], ["S1", "K9", None, "I"],
    ]  # fmt: skip
    (first, *_) = rows(batch, "death")
    assert (first["Tumorzuordnung_Morphologie"], first["Tumorzuordnung_Morphologie_Version"]) == (
        "8802/3",
        "33",
    )


def test_names_are_kept_and_address_and_insurance_are_not(tmp_path):
    more = """<Namenszusatz>Gräfin</Namenszusatz><Titel>Dr.</Titel><Namensvorsatz>von</Namensvorsatz>
        <Menge_Frueherer_Name><Frueherer_Name>Alt</Frueherer_Name><Frueherer_Name>Älter</Frueherer_Name>
        </Menge_Frueherer_Name><Adresse><Strasse>Geheimweg</Strasse><PLZ>12345</PLZ></Adresse>
        <Versichertendaten_GKV><IKNR>1</IKNR></Versichertendaten_GKV>"""
    around = "<Anmerkung>ruft an</Anmerkung>"
    batch = read(tmp_path, export(meldung(DEATH), stammdaten=more, around=around))
    (row,) = rows(batch, "patient")
    assert (row["Namenszusatz"], row["Titel"], row["Namensvorsatz"]) == ("Gräfin", "Dr.", "von")
    assert json.loads(row["Menge_Frueherer_Name"]) == ["Alt", "Älter"]
    assert row["Anmerkung"] == "ruft an"
    assert "Geheimweg" not in str(row)
    assert batch.account.counts["Patienten_Stammdaten/Adresse"] == 2
    assert batch.account.counts["Patienten_Stammdaten/Versichertendaten_GKV"] == 1


def test_what_nobody_knows_is_kept_and_counted_by_its_path(tmp_path):
    odd = "<Tod neu='1'><Sterbedatum>2014-01-01</Sterbedatum><Neuland><Feld art='x'>u</Feld></Neuland></Tod>"
    batch = read(tmp_path, export(meldung(odd), meldung(DEATH, 2), after="<Fremdes>y</Fremdes>"))
    assert batch.account.unknown == {
        "Meldung/Tod/@neu": 1, "Meldung/Tod/Neuland/Feld/@art": 1, "Meldung/Tod/Neuland/Feld": 1,
        "oBDS/Fremdes": 1,
    }  # fmt: skip
    first, second = rows(batch, "death")
    assert json.loads(first["unknown_elements"]) == {
        "Meldung/Tod/@neu": ["1"], "Meldung/Tod/Neuland/Feld/@art": ["x"], "Meldung/Tod/Neuland/Feld": ["u"],
    }  # fmt: skip
    assert second["unknown_elements"] is None
    assert balanced(batch)


def test_an_element_that_came_twice_keeps_both_and_the_last_counts(tmp_path):
    twice = """<Verlauf><Untersuchungsdatum_Verlauf>2013-01-01</Untersuchungsdatum_Verlauf>
        <Untersuchungsdatum_Verlauf>2014-01-01</Untersuchungsdatum_Verlauf><TNM><T>1</T></TNM><TNM><T>2</T></TNM>
        <Histologie><Grading>1</Grading></Histologie><Histologie><Grading>3</Grading></Histologie></Verlauf>"""
    batch = read(tmp_path, export(meldung(twice)))
    (row,) = rows(batch, "follow_up")
    assert row["Untersuchungsdatum_Verlauf"] == "2014-01-01"
    kept = json.loads(row["repeated_elements"])
    assert kept["Meldung/Verlauf/Untersuchungsdatum_Verlauf"] == ["2013-01-01", "2014-01-01"]
    assert {"Meldung/Verlauf/TNM", "Meldung/Verlauf/Histologie"} <= kept.keys()
    assert len(json.loads(row["TNM"])) == len(json.loads(row["Histologie"])) == 2
    assert (row["T"], row["Grading"]) == ("2", "3")
    (row,) = rows(read(tmp_path, export(meldung(DEATH))), "death")
    assert row["repeated_elements"] is None


def test_both_kinds_of_a_choice_are_no_silent_choice(tmp_path):
    both = """<ST><Menge_Bestrahlung><Bestrahlung><Applikationsart><Perkutan><Boost>N</Boost></Perkutan>
        <Kontakt><Rate_Type>HDR</Rate_Type></Kontakt></Applikationsart></Bestrahlung></Menge_Bestrahlung></ST>"""
    (row,) = rows(read(tmp_path, export(meldung(both))), "radiotherapy")
    assert "Kontakt" in row["repeated_elements"]


def test_a_comment_within_a_value_does_not_cut_it(tmp_path):
    module = "<Diagnose><cTNM><T>2<!-- Größe? -->b</T><N>0<?x y?></N></cTNM></Diagnose>"
    (row,) = rows(read(tmp_path, export(meldung(module))), "diagnosis")
    assert (row["T"], row["N"]) == ("2b", "0")


def test_text_between_elements_is_unknown_and_not_lost(tmp_path):
    content = export(meldung("<Tod>x<Sterbedatum>2014-01-01</Sterbedatum>y</Tod>"), "z", meldung(DEATH, 2))
    batch = read(tmp_path, content)
    assert sum(batch.account.unknown.values()) == 3
    assert batch.account.delivered == leaves(content)
    assert balanced(batch)


MAKES_RECORDS = {"oBDS", "Absender", "Patient", "Patienten_Stammdaten", "Meldung", "Melder"}


@pytest.mark.parametrize("nested", [False, True], ids=["records stand apart", "records within records"])
def test_the_account_of_random_documents_is_what_lxml_counts(tmp_path, nested):
    """Elements of the schema and strange ones at random places; the count is lxml's."""
    draw = random.Random(5)
    names = {part for path in Schema().leaves() for part in path.split("/") if part[0] != "@"}
    names = sorted(names if nested else names - MAKES_RECORDS)

    def grown(depth: int) -> str:
        name = draw.choice([*draw.sample(names, 3), "Neuland", "Menge_FM", "Histologie", "TNM"])
        attribute = draw.choice(["", "", ' Datumsgenauigkeit="E"', ' neu="1"', ' ID=" "'])
        inner = draw.choice(["", " ", "1", "Text"])
        inner += "".join(grown(depth - 1) for _ in range(draw.randint(0, 3))) if depth else ""
        return f"<{name}{attribute}>{inner}</{name}>" + draw.choice(["", "", "\n", "lose"])

    for number in range(60):
        kinds = draw.choices(["Diagnose", "OP", "ST", "Tod"], k=3)
        modules = [meldung(f"<{kind}>{grown(4)}{grown(3)}</{kind}>", i) for i, kind in enumerate(kinds)]
        content = export(*modules, around=grown(2), after=grown(2))
        batch = read(tmp_path, content, f"{number}.xml")
        assert balanced(batch), number
        assert set(batch.account.counts) <= set(OUTCOMES)
        if nested:
            # A record within another is taken by itself and as a part of the other.
            assert batch.account.delivered >= leaves(content), number
        else:
            assert batch.account.delivered == leaves(content), number


# --- other formats ------------------------------------------------------------------------------------

ADT = """<ADT_GEKID xmlns="http://www.gekid.de/namespace" Schema_Version="2.2.3"><Absender Absender_ID="A"/>
<Menge_Patient><Patient><Patienten_Stammdaten Patient_ID="1"><Patienten_Nachname>Muster</Patienten_Nachname>
</Patienten_Stammdaten><Menge_Meldung><Meldung Meldung_ID="1"><Diagnose Tumor_ID="1"/></Meldung>
</Menge_Meldung></Patient></Menge_Patient></ADT_GEKID>"""
RKI = """<oBDS xmlns="http://www.basisdatensatz.de/oBDS_RKI/XML" Schema_Version="3.0.0.8a_RKI">
<Menge_Patient><Patient Patient_ID="2"><Patienten_Stammdaten><Geschlecht>W</Geschlecht></Patienten_Stammdaten>
<Menge_Tumor><Tumor Tumor_ID="1"/></Menge_Tumor></Patient></Menge_Patient></oBDS>"""


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (ADT, "ADT_GEKID 2.2.3"),
        (ADT.replace(' xmlns="http://www.gekid.de/namespace"', ""), "ADT_GEKID 2.2.3"),
        (ADT.replace('"2.2.3"', '"2.0.0"'), "ADT_GEKID 2.0.0"),
        (ADT.replace(' Schema_Version="2.2.3"', ""), "ADT_GEKID"),
        ("<ADT_GEKID/>", "ADT_GEKID"),
        (RKI, "oBDS_RKI 3.0.0.8a_RKI"),
        (RKI.replace("oBDS_RKI/XML", "oBDS/XML").replace(' Schema_Version="3.0.0.8a_RKI"', ""), "oBDS_RKI"),
        (RKI.replace(' xmlns="http://www.basisdatensatz.de/oBDS_RKI/XML"', ""), "oBDS_RKI 3.0.0.8a_RKI"),
        # The root of the genuine deliveries to the RKI, and the one that they had until 2022.
        (RKI.replace("<oBDS ", "<oBDS_RKI ").replace("/oBDS>", "/oBDS_RKI>"), "oBDS_RKI 3.0.0.8a_RKI"),
        ('<oBDS_RKI Schema_Version="3.0.0.8a_RKI"/>', "oBDS_RKI 3.0.0.8a_RKI"),
        ("<ZfKD_Lieferdatensatz><Menge_Patient/></ZfKD_Lieferdatensatz>", "oBDS_RKI"),
        ('<Bundle xmlns="http://hl7.org/fhir"><entry/></Bundle>', "FHIR"),
        (export(meldung(DEATH), root=f'xmlns="{NS}" Schema_Version="2.2.3"'), "oBDS 2.2.3"),
        (
            export(meldung(DEATH), root='xmlns="urn:fremd" Schema_Version="3.0.4"'),
            "oBDS of another namespace",
        ),
    ],
)
def test_another_format_is_refused_as_a_whole_with_one_note_that_names_it(tmp_path, content, named):
    batch = read(tmp_path, content)
    assert list(batch.frames()) == ["received.unread"]
    ((rule, detail),) = unread(batch)
    assert rule == "file.wrong-schema"
    assert detail.startswith(named) and "expected is oBDS 3" in detail
    assert balanced(batch)


@pytest.mark.parametrize("version", ["3.0.0", "3.0.5", "3.1.0", ""])
def test_every_version_of_obds_3_is_read(tmp_path, version):
    batch = read(tmp_path, export(meldung(DEATH), root=f'xmlns="{NS}" Schema_Version="{version}"'))
    assert len(rows(batch, "death")) == 1


def test_a_version_that_is_none_is_not_repeated_in_the_note(tmp_path):
    batch = read(tmp_path, ADT.replace('"2.2.3"', '"Frau Muster, geb. 1950"'))
    assert "Muster" not in str(unread(batch))


def test_the_childhood_registry_s_modules_of_3_0_5_are_ignored_by_name(tmp_path):
    around = """<DKKR_Patienten_Stammdaten><DKKR_Einwilligung>1</DKKR_Einwilligung><DKKR_Syndrom_Status>
        <DKKR_Syndrom_Unbekannt_Nein>N</DKKR_Syndrom_Unbekannt_Nein></DKKR_Syndrom_Status>
        </DKKR_Patienten_Stammdaten>"""
    module = """<Tod><Sterbedatum>2014-01-01</Sterbedatum><Modul_DKKR_Tumor>
        <DKKR_Hauptwohnsitz_bei_Erstdiagnose_in_Deutschland>J</DKKR_Hauptwohnsitz_bei_Erstdiagnose_in_Deutschland>
        </Modul_DKKR_Tumor></Tod>"""
    batch = read(
        tmp_path, export(meldung(module), around=around, root=f'xmlns="{NS}" Schema_Version="3.0.5"')
    )
    assert batch.account.unknown == {}
    assert batch.account.counts["Patient/DKKR_Patienten_Stammdaten"] == 2
    assert batch.account.counts["Meldung/Tod/Modul_DKKR_Tumor"] == 1


# --- names of records ---------------------------------------------------------------------------------


def test_an_inserted_line_renames_nobody(tmp_path):
    one = export(meldung(DEATH), meldung("<OP><Datum>2012-05-01</Datum></OP>", 2))
    other = one.replace("<Menge_Meldung>", "<Menge_Meldung>\n\n<!-- neu -->\n" + meldung(DEATH, 9))
    before, after = (read(tmp_path, content).frames() for content in (one, other))
    for table in before:
        ids = [set(frames[table].select("record_id", "record_key").rows()) for frames in (before, after)]
        assert ids[0] <= ids[1], table


def test_records_alike_to_the_letter_are_two_records(tmp_path):
    batch = read(tmp_path, export(meldung(DEATH), meldung(DEATH)))
    first, second = rows(batch, "death")
    assert first["record_id"] != second["record_id"]
    assert first["content_hash"] == second["content_hash"]
    assert (first["ordinal"], second["ordinal"]) == (2, 3)


# --- a Meldung without a module -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "lost"),
    [
        ("", 0),
        # An extension of oBDS by a biobank, and a module of another version.
        ("<Observations><Observation Observation_ID='1'><Wert>68</Wert></Observation></Observations>", 2),
        ("<Operation OP_ID='1'><Datum>2015-01-01</Datum></Operation>", 2),
    ],
)
def test_of_a_meldung_without_a_module_only_what_is_around_it_counts_as_read(tmp_path, module, lost):
    content = export(meldung(module))
    batch = read(tmp_path, content)
    assert unread(batch) == [("file.module-missing", "a Meldung without a module that is known")]
    assert sum(batch.account.unknown.values()) == lost
    assert sum(n for path, n in batch.account.counts.items() if path.startswith("Meldung")) == leaves(
        meldung("")
    )
    assert balanced(batch)
    kept = rows(batch, "tumour_board")
    assert [(row["Meldung_ID"], row["Tumor_ID"], row["Datum"]) for row in kept] == [("M1", "T1", None)]
    assert (kept[0]["unknown_elements"] is not None) == bool(lost)


def test_a_meldung_with_a_module_is_none(tmp_path):
    batch = read(tmp_path, export(meldung(DEATH)))
    assert "received.unread" not in batch.frames() and len(rows(batch, "death")) == 1
