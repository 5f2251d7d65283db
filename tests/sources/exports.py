"""A cumulative oBDS export of invented patients, and what may happen to it from one night to the next."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

from sarcoma_pipeline.synthetic import crowd

_PATIENT = re.compile(rb"<Patient .*?</Patient>", re.S)


@dataclass(frozen=True)
class Export:
    """An export: what is before the patients, the patients, what is after them."""

    head: bytes
    patients: tuple[bytes, ...]
    tail: bytes
    between: bytes = b"\n    "

    @property
    def content(self) -> bytes:
        return self.head + self.between.join(self.patients) + self.tail


def cumulative(folder: Path, patients: int) -> Export:
    """Join the exports of a crowd, some with defects, into one."""
    crowd.write(folder, patients, 3, Path("data/demo"), 0.3, 0.0, 1)
    return joined(folder)


def joined(folder: Path) -> Export:
    """Join all exports below a folder into one, with the header of the first."""
    files = [path.read_bytes() for path in sorted(folder.rglob("*.xml"))]
    found = tuple(patient for content in files for patient in _PATIENT.findall(content))
    first = files[0]
    ends = first.rindex(b"</Patient>") + len(b"</Patient>")
    return Export(first[: first.index(b"<Patient ")], found, first[ends:])


def _change(export: Export, chosen: random.Random) -> Export:
    patients = list(export.patients)
    for place in chosen.sample(range(len(patients)), 2):
        patients[place] = re.sub(rb"<Grading>\w", b"<Grading>4", patients[place])
        patients[place] = patients[place].replace(b"<Geschlecht>W", b"<Geschlecht>X")
        patients[place] = patients[place].replace(b"<Verlauf ", b"<Verlauf fremd='1' ")
    return replace(export, patients=tuple(patients))


def _remove(export: Export, chosen: random.Random) -> Export:
    gone = set(chosen.sample(range(len(export.patients)), 3))
    return replace(export, patients=tuple(p for i, p in enumerate(export.patients) if i not in gone))


def _add(export: Export, chosen: random.Random) -> Export:
    place = chosen.randrange(len(export.patients))
    number = b'Patient_ID="%d"' % chosen.randrange(10**9)
    new = re.sub(rb'Patient_ID="[^"]*"', number, export.patients[place], count=1)
    new = new.replace(b"<Nachname>", b"<Unbekannt>17</Unbekannt><Nachname>")
    return replace(export, patients=(*export.patients[:place], new, *export.patients[place:]))


def _reorder(export: Export, chosen: random.Random) -> Export:
    return replace(export, patients=tuple(chosen.sample(export.patients, len(export.patients))))


def _duplicate(export: Export, chosen: random.Random) -> Export:
    """Deliver one patient three times, once with another content under the same number."""
    one = chosen.choice(export.patients)
    other = one.replace(b"<Geschlecht>", b"<Titel>Dr.</Titel><Geschlecht>")
    return replace(export, patients=(one, *export.patients, other))


def _white_space(export: Export, chosen: random.Random) -> Export:
    place = chosen.randrange(len(export.patients))
    spaced = export.patients[place].replace(b"\n", b"\n\n  ")
    patients = (*export.patients[:place], spaced, *export.patients[place + 1 :])
    return replace(export, patients=patients, between=b"\r\n\r\n\t")


def _reported(export: Export, chosen: random.Random) -> Export:
    day = b"<Meldedatum>20%02d-" % chosen.randrange(22, 30)
    return replace(export, head=re.sub(rb"<Meldedatum>\d{4}-", day, export.head))


def _sender(export: Export, chosen: random.Random) -> Export:
    return replace(export, head=re.sub(rb'Absender_ID="\w', b'Absender_ID="X', export.head))


def _software(export: Export, chosen: random.Random) -> Export:
    """Leave out a fact about the export."""
    return replace(export, head=re.sub(rb' Software_Version="[^"]*"', b"", export.head))


def _version(export: Export, chosen: random.Random) -> Export:
    return replace(export, head=re.sub(rb"3\.0\.[0-9]", b"3.0.5", export.head))


def _reporters(export: Export, chosen: random.Random) -> Export:
    number = b"<Ident_Nummern><IKNR>%d</IKNR></Ident_Nummern>" % chosen.randrange(10**8, 10**9)
    melder = b'<Melder ID="MLD-STRAHLEN-01">' + number + b"</Melder>"
    tail = re.sub(rb'<Melder ID="MLD-STRAHLEN-01".*?(/>|</Melder>)', melder, export.tail, flags=re.S)
    return replace(export, tail=tail)


ORDINARY = {
    "changed": _change, "removed": _remove, "added": _add, "reordered": _reorder, "duplicated": _duplicate,
    "white space": _white_space, "Meldedatum": _reported, "Absender_ID": _sender, "software": _software,
    "schema version": _version, "reporters": _reporters,
}  # fmt: skip
"""What leaves the export in the form that is read patient by patient."""


def _inside(old: bytes, new: bytes):
    def changed(export: Export) -> bytes:
        place = len(export.patients) // 2
        middle = export.patients[place].replace(old, new, 1)
        assert middle != export.patients[place]
        return replace(
            export, patients=(*export.patients[:place], middle, *export.patients[place + 1 :])
        ).content

    return changed


def _around(old: bytes, new: bytes):
    def changed(export: Export) -> bytes:
        assert old in export.head + export.tail
        return replace(
            export, head=export.head.replace(old, new, 1), tail=export.tail.replace(old, new, 1)
        ).content

    return changed


def _namespace(export: Export) -> bytes:
    return export.content.replace(b' xmlns="http://www.basisdatensatz.de/oBDS/XML"', b"")


def _latin(export: Export) -> bytes:
    text = export.content.decode("utf-8").replace("'UTF-8'", "'ISO-8859-1'")
    return text.encode("iso-8859-1", "xmlcharrefreplace")


def _prefixed(export: Export) -> bytes:
    spaced = export.content.replace(b' xmlns="', b' xmlns:o="')
    return re.sub(rb"<(/?)([A-Za-z])", rb"<\1o:\2", spaced)


UNUSUAL = {
    "a broken patient": _inside(b"</Meldung>", b"</Meldun>"),
    "a patient in a patient": _inside(b"</Menge_Meldung>", b"</Menge_Meldung><Patient Patient_ID='9'/>"),
    "a prefixed patient in a patient": _inside(
        b"</Menge_Meldung>", b"</Menge_Meldung><p:Patient xmlns:p='u' Patient_ID='9'>x</p:Patient>"
    ),
    "a sender in a patient": _inside(b"</Menge_Meldung>", b"</Menge_Meldung><Absender Absender_ID='9'/>"),
    "a comment": _inside(b"<Menge_Meldung>", b"<!-- <Patient> --><Menge_Meldung>"),
    "a section": _inside(b"<Nachname>", b"<Nachname><![CDATA[</Patient>]]>"),
    "an instruction": _inside(b"<Menge_Meldung>", b"<?x </Patient>?><Menge_Meldung>"),
    "text between patients": lambda e: replace(e, between=b"stray").content,
    "an element between patients": lambda e: replace(e, between=b"<Fremd>1</Fremd>").content,
    "an empty patient": lambda e: replace(e, between=b'<Patient Patient_ID="8"/>').content,
    "cut off": lambda e: e.content[: len(e.content) * 2 // 3],
    "cut off after the last patient": lambda e: e.content[: e.content.rindex(b"</Patient>") + 10],
    "without an end": lambda e: e.content[: e.content.rindex(b"</oBDS>")],
    "a second Absender": _around(b"<Meldedatum>", b"<Absender Absender_ID='Z'/><Meldedatum>"),
    "a second Meldedatum": _around(b"</oBDS>", b"<Meldedatum>2031-01-01</Meldedatum></oBDS>"),
    "a number twice": _around(
        b"</Menge_Melder>",
        b"<Melder ID='A'><Ident_Nummern><IKNR>1</IKNR><IKNR>2</IKNR></Ident_Nummern></Melder></Menge_Melder>",
    ),
    "a Patient after the list": _around(b"</oBDS>", b"<Patient Patient_ID='7'></Patient></oBDS>"),
    "of registries": _around(b"</oBDS>", b"<Menge_Tumor/></oBDS>"),
    "UTF-16": lambda e: e.content.decode("utf-8").replace("'UTF-8'", "'UTF-16'").encode("utf-16"),
    "a byte that is no text": _inside(b"<Nachname>", b"<Nachname>\xff"),
    "a null byte": _inside(b"<Nachname>", b"<Nachname>\0"),
    "an unknown prefix": _inside(b"<Menge_Meldung>", b"<q:x>1</q:x><Menge_Meldung>"),
    "prefixed": _prefixed,
    "a document type": lambda e: e.content.replace(b"<oBDS", b"<!DOCTYPE oBDS><oBDS", 1),
    "another root": lambda e: re.sub(rb"<(/?)oBDS", rb"<\1ADT_GEKID", e.content),
}  # fmt: skip
"""What is parsed as a stream, or read patient by patient with the same result."""

OTHER_FORMS = {
    "Latin-1": _latin,
    "without its namespace": _namespace,
    "with a byte order mark": lambda e: b"\xef\xbb\xbf" + e.content,
    "with CRLF": lambda e: e.content.replace(b"\n", b"\r\n"),
    "another name of the sender": _around(b"Tumordokumentation", b"Register"),
    "unknown elements around": _around(b"<Meldedatum>", b"<Fremd a='1'>2</Fremd><Meldedatum>"),
    "a spaced end tag": lambda e: e.content.replace(b"</Patient>", b"</Patient\n>"),
    "angle brackets in values": _inside(b"<Nachname>", b"<Nachname>a > b &lt;Patient> ! ? "),
}
"""What is read patient by patient, but with another meaning of the same bytes, or other bytes of the same."""
