"""Every leaf of the oBDS schema is read or ignored by name, and every repetition is noted."""

import json
from pathlib import Path

from lxml import etree

from sarcoma_pipeline.sources.obds_modules import MODULES, OUTCOMES
from sarcoma_pipeline.sources.received_record import Batch
from tests.sources.obds_exports import NS, export, meldung, read

XS = "{http://www.w3.org/2001/XMLSchema}"
SCHEMA = Path(__file__).parents[1] / "real/oBDS_v3.0.4.xsd"
RECORDS = {
    "oBDS/Menge_Patient/Patient/Menge_Meldung/Meldung": "Meldung",
    "oBDS/Menge_Patient/Patient/Patienten_Stammdaten": "Patienten_Stammdaten",
    "oBDS/Menge_Patient/Patient": "Patient",
    "oBDS/Menge_Melder/Melder": "Melder",
    "oBDS/Absender": "Absender",
}
"""Where the account's paths begin."""


class Schema:
    """The schema, as far as it says which leaves there may be."""

    def __init__(self) -> None:
        root = etree.parse(str(SCHEMA)).getroot()
        self.types = {e.get("name"): e for e in root if e.tag in (f"{XS}complexType", f"{XS}simpleType")}
        self.root = next(e for e in root if e.tag == f"{XS}element")
        self.single: set[str] = set()

    def leaves(self) -> set[str]:
        """Paths of all elements and attributes that hold text."""
        return set(self._element(self.root, "oBDS"))

    def _element(self, element, path):
        name = (element.get("type") or "").rpartition(":")[2]
        inner = self.types.get(name)
        if inner is None:
            inner = next((c for c in element if c.tag in (f"{XS}complexType", f"{XS}simpleType")), None)
        if inner is None or inner.tag == f"{XS}simpleType":
            yield path
            return
        yield from self._type(inner, path)

    def _type(self, inner, path):
        for part in inner.iter():
            if part.tag == f"{XS}attribute" and _owner(part) is inner:
                yield f"{path}/@{part.get('name')}"
            elif part.tag == f"{XS}element" and _owner(part) is inner:
                yield from self._element(part, f"{path}/{part.get('name')}")
            elif part.tag in (f"{XS}extension", f"{XS}restriction") and _owner(part) is inner:
                base = self.types.get((part.get("base") or "").rpartition(":")[2])
                simple = part.getparent().tag == f"{XS}simpleContent"
                if simple:
                    yield path
                if base is not None and base.tag == f"{XS}complexType" and part.tag == f"{XS}extension":
                    yield from self._type(base, path)


def _owner(part):
    above = part.getparent()
    while above.tag not in (f"{XS}complexType", f"{XS}simpleType"):
        above = above.getparent()
    return above


def _of_account(path: str) -> str:
    for prefix, short in RECORDS.items():
        if path == prefix or path.startswith(f"{prefix}/"):
            return short + path[len(prefix) :]
    return path


def _outcome(path: str) -> str:
    parts = path.split("/")
    for end in range(len(parts), 0, -1):
        found = OUTCOMES.get("/".join(parts[:end]))
        if found and (end == len(parts) or found[0] == "ignored"):
            return found[0]
    return "unknown"


def test_every_leaf_of_the_schema_is_read_or_ignored_by_name():
    leaves = {_of_account(path) for path in Schema().leaves()}
    assert len(leaves) > 500
    assert {leaf for leaf in leaves if _outcome(leaf) == "unknown"} == set()


def test_what_of_the_schema_is_ignored_is_about_staff_insurance_address_and_other_cancers_only():
    ignored = {leaf for leaf in map(_of_account, Schema().leaves()) if _outcome(leaf) == "ignored"}
    of = {"/".join(leaf.split("/")[:2]) for leaf in ignored if not leaf.startswith("Meldung/")}
    assert of <= {
        *(f"Absender/{n}" for n in ("Bezeichnung", "Ansprechpartner", "Anschrift", "Telefon", "EMail")),
        *(
            f"Melder/{n}"
            for n in (
                "Ident_Nummern", "KH_Abt_Station_Praxis", "Arztname", "Anschrift", "PLZ", "Ort", "Bankname",
                "Kontoinhaber", "BIC", "IBAN",
            )
        ),
        *(
            f"Patienten_Stammdaten/{n}"
            for n in ("Adresse", *(f"Versichertendaten_{kind}" for kind in ("GKV", "PKV", "Sonstige")))
        ),
    }  # fmt: skip
    within = {leaf.split("/")[2] for leaf in ignored if leaf.startswith("Meldung/")}
    assert within <= {
        "Modul_Mamma", "Modul_Darm", "Modul_Prostata", "Modul_Malignes_Melanom", "Modul_DKKR",
        "Modul_Allgemein", "Menge_Operateur", "Einsender",
    }  # fmt: skip


def _single_elements() -> list[str]:
    """Return every element that the reader reads, or reads something below, and the schema allows once."""
    full = {short: path for path, short in RECORDS.items()}
    read_paths = {
        "/".join([full.get(p.partition("/")[0], p.partition("/")[0]), *p.split("/")[1:]])
        for p, (outcome, _) in OUTCOMES.items()
        if outcome == "read"
    }
    schema = Schema()
    found = set()

    def walk(element, path, above):
        name = (element.get("type") or "").rpartition(":")[2]
        inner = schema.types.get(name)
        if inner is None:
            inner = next((c for c in element if c.tag == f"{XS}complexType"), None)
        below = any(p == path or p.startswith(f"{path}/") for p in read_paths)
        if above and below and element.get("maxOccurs", "1") == "1":
            found.add(path)
        if inner is not None and below:
            parts = [p for p in inner.iter(f"{XS}element") if _owner(p) is inner]
            for base in inner.iter(f"{XS}extension"):
                named = schema.types.get((base.get("base") or "").rpartition(":")[2])
                parts += (
                    [] if named is None else [p for p in named.iter(f"{XS}element") if _owner(p) is named]
                )
            for part in parts:
                walk(part, f"{path}/{part.get('name')}", True)

    walk(schema.root, "oBDS", False)
    return sorted(found)


def _with(path: str, times: int) -> str:
    """Return an export that holds the element at a path so many times, each with another text."""
    root = etree.fromstring(export(meldung("<Tod/>")).encode())
    steps = path.split("/")[1:]
    above = root
    for step in steps[:-1]:
        kid = next(above.iterchildren(f"{{{NS}}}{step}"), None)
        if kid is None:
            if step in MODULES:
                above.remove(above[-1])
            kid = etree.SubElement(above, f"{{{NS}}}{step}")
        above = kid
    name = f"{{{NS}}}{steps[-1]}"
    if steps[-1] in MODULES:
        above.remove(above[-1])
    while len(above.findall(name)) < times:
        again = etree.fromstring(etree.tostring(next(iter(above.findall(name)), etree.Element(name))))
        for number, leaf in enumerate(e for e in again.iter() if not len(e)):
            leaf.text = f"{leaf.text or ''}{number}{len(above)}"
        above.append(again)
    return etree.tostring(root).decode()


def _said_to_repeat(batch: Batch) -> set[str]:
    told: set[str] = set()
    for table, frame in batch.frames().items():
        if table.startswith("received.obds_"):
            for kept in frame["repeated_elements"].drop_nulls():
                told |= set(json.loads(kept))
    return told


def test_every_element_that_the_schema_allows_once_is_noted_when_it_comes_twice(tmp_path):
    singles = _single_elements()
    assert len(singles) > 400
    silent, alarmed = [], []
    for path in singles:
        short = _of_account(path)
        named = {"Patienten_Stammdaten": "Patient/Patienten_Stammdaten"}.get(short, short)
        told = _said_to_repeat(read(tmp_path, _with(path, 2)))
        # For a container with a choice, its content may be named instead.
        if not any(t == named or t.startswith(f"{short}/") for t in told):
            silent.append(path)
        if _said_to_repeat(read(tmp_path, _with(path, 1))):
            alarmed.append(path)
    assert (silent, alarmed) == ([], [])
