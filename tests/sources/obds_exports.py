"""oBDS exports for tests, and what the reader makes of them."""

from pathlib import Path

from lxml import etree

from sarcoma_pipeline.sources import obds
from sarcoma_pipeline.sources.received_record import Batch, SourceFile
from schemas.configuration import ObdsSource

SOURCE = ObdsSource(kind="obds", name="obds", files=("*.xml",))
NS = "http://www.basisdatensatz.de/oBDS/XML"


def read(tmp_path: Path, content: str | bytes, name="export.xml") -> Batch:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return obds.read(SourceFile("f", path, name), SOURCE, "R1")


def rows(batch: Batch, entity: str):
    return batch.frames()[f"received.obds_{entity}"].rows(named=True)


def unread(batch: Batch):
    return batch.frames()["received.unread"].select("rule_id", "detail").rows()


def export(*meldungen, stammdaten="", around="", after="", root=f'xmlns="{NS}" Schema_Version="3.0.4"'):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<oBDS {root}><Absender Absender_ID="S1" Software_ID="P" Software_Version="2"><Bezeichnung>Klinik</Bezeichnung>
</Absender><Meldedatum>2020-01-01</Meldedatum><Menge_Patient><Patient Patient_ID="17">
<Patienten_Stammdaten><Nachname>Muster</Nachname><Vornamen>Eva</Vornamen><Geschlecht>W</Geschlecht>
<Geburtsdatum Datumsgenauigkeit="E">1950-03-04</Geburtsdatum>{stammdaten}</Patienten_Stammdaten>{around}
<Menge_Meldung>{"".join(meldungen)}</Menge_Meldung></Patient></Menge_Patient>
<Menge_Melder><Melder ID="K1"><Ident_Nummern><IKNR>260500000</IKNR></Ident_Nummern><Arztname>Dr. Muster
</Arztname></Melder><Melder ID="K2"/></Menge_Melder>{after}</oBDS>"""


def meldung(module, number=1, melder="K1", reason="I"):
    return f"""<Meldung Meldung_ID="M{number}" Melder_ID="{melder}">
<Meldebegruendung>{reason}</Meldebegruendung>
<Eigene_Leistung>J</Eigene_Leistung><Tumorzuordnung Tumor_ID="T1"><Primaertumor_ICD><Code>C49.2</Code>
<Version>10 2012 GM</Version></Primaertumor_ICD>
<Diagnosedatum Datumsgenauigkeit="E">2012-01-01</Diagnosedatum>
<Morphologie_ICD_O><Code>8802/3</Code><Version>33</Version></Morphologie_ICD_O></Tumorzuordnung>{module}
</Meldung>"""


def leaves(content: str) -> int:
    """Elements' texts and attributes that are not blank, counted by lxml alone."""
    count = 0
    for element in etree.fromstring(content.encode()).iter():
        count += sum(bool(value.strip()) for value in element.attrib.values())
        count += bool((element.text or "").strip()) + bool((element.tail or "").strip())
    return count


def balanced(batch: Batch) -> bool:
    account = batch.account
    return account.delivered == sum(account.counts.values()) + sum(account.unknown.values())
