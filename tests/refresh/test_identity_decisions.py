"""Decisions on identities over nights: kept, told, rebuilt from the log, and taken back."""

import pytest

from tests.refreshed import Place, lay
from tests.sources.obds_exports import export, meldung

pytestmark = pytest.mark.slow

DIAGNOSIS = (
    "<Diagnose Diagnose_ID='D1'><Primaertumor_Topographie_ICD_O><Code>C49.2</Code><Version>33</Version>"
    "</Primaertumor_Topographie_ICD_O><Diagnosesicherung>7.1</Diagnosesicherung></Diagnose>"
)
HEAD = "Aktenzeichen;Patientennummer;Familienname;Vornamen;Geburtsdatum;Geschlecht;Auskunft;Datum;Stand"
TWO, NEAR = "identity.two-numbers", "identity.near-match"


@pytest.fixture
def place(tmp_path) -> Place:
    """One person under two numbers, and a reply that spells their name in another way."""
    place = lay(tmp_path)
    (place.drop / "obds").mkdir(parents=True)
    (place.drop / "registry").mkdir()
    for number in ("17", "18"):
        content = export(meldung(DIAGNOSIS)).replace('Patient_ID="17"', f'Patient_ID="{number}"')
        (place.drop / f"obds/{number}.xml").write_text(content, "utf-8")
    reply = "A1;;Muster-Weber;Eva;04.03.1950;w;verstorben;01.06.2015;01.08.2015"
    (place.drop / "registry/nord.csv").write_text(f"{HEAD}\n{reply}\n", "utf-8")
    return place


def _persons(place: Place) -> dict[str, str]:
    place.refresh()
    return dict(place.warehouse("SELECT hospital_number, pseudonym FROM curated.patient ORDER BY 1").rows())


def _finding(place: Place, rule: str) -> str:
    found = place.warehouse(f"SELECT finding_id FROM quality.ledger WHERE rule_id = '{rule}' ORDER BY 1")
    return found["finding_id"][0]


def _decide(place: Place, finding: str, reading: int) -> None:
    said = place.sarcoma(
        "findings", "decide", finding, "--reading", str(reading), "--by", "S", "--reason", "asked the ward"
    )
    assert said.exit_code == 0, said.output


def test_two_numbers_are_one_person_from_the_decision_on_until_it_is_taken_back(place):
    before = _persons(place)
    assert before.keys() == {"17", "18"} and len(set(before.values())) == 2
    asked = _finding(place, TWO)
    shown = place.sarcoma("findings", "show", asked).output
    answer = "the numbers are one person, who keeps the pseudonym of this one"
    assert f"reading 1       {answer}: patient {before['17']}" in shown
    _decide(place, asked, 1)
    merged = _persons(place)
    assert list(merged.values()) == [before["17"]]
    # The name is near one patient now, and the steward says that it is theirs.
    _decide(place, _finding(place, NEAR), 1)
    (place.drop / "registry/nord.csv").rename(place.drop / "registry/sued.csv")
    (place.drop / "obds/18.xml").rename(place.drop / "obds/neu.xml")
    for rebuilt in (False, True):
        if rebuilt:
            (place.root / "data/warehouse/sts_imrt.duckdb").unlink()
        assert list(_persons(place).values()) == [before["17"]]
        assert place.warehouse("SELECT status FROM curated.vital_status").rows() == [("deceased",)]
        wrong = "SELECT sum(unaccounted) + sum(counted_twice) AS n FROM quality.accounting"
        assert place.warehouse(wrong).item() == 0
    # A new key gives the person one new pseudonym; the decision does not rest on it.
    assert place.sarcoma("key", "rotate", "--study", "sts_imrt", "--yes").exit_code == 0
    rotated = _persons(place)
    assert len(rotated) == 1 and set(rotated.values()).isdisjoint(before.values())
    taken_back = place.sarcoma("findings", "reopen", asked, "--by", "S", "--reason", "two persons after all")
    assert taken_back.exit_code == 0, taken_back.output
    again = _persons(place)
    assert again.keys() == {"17", "18"} and again["17"] in rotated.values()


def test_a_reused_number_is_another_person_for_good(tmp_path):
    """The old export is replaced; the decision outlives a backup, a new key and the loss of the warehouse."""
    place = lay(tmp_path / "root")
    (place.drop / "obds").mkdir(parents=True)
    file, content = place.drop / "obds/17.xml", export(meldung(DIAGNOSIS))
    file.write_text(content, "utf-8")
    first = _persons(place)["17"]
    later = content.replace("1950-03-04", "1971-05-06").replace("<Meldedatum>2020", "<Meldedatum>2021")
    file.write_text(later, "utf-8")
    assert _persons(place)["17"] == first
    asked = _finding(place, "identity.master-data-differ")
    _decide(place, asked, 2)
    second = _persons(place)["17"]
    assert second != first
    archive = tmp_path / "backup.tar"
    assert place.sarcoma("backup", "--into", str(archive)).exit_code == 0
    (place.root / "data/warehouse/sts_imrt.duckdb").unlink()
    assert _persons(place)["17"] == second
    assert place.sarcoma("restore", str(archive), "--replace").exit_code == 0
    assert place.sarcoma("key", "rotate", "--study", "sts_imrt", "--yes").exit_code == 0
    rotated = _persons(place)["17"]
    assert rotated not in (first, second)
    reopened = place.sarcoma("findings", "reopen", asked, "--by", "S", "--reason", "one person after all")
    assert reopened.exit_code == 0, reopened.output
    assert _persons(place)["17"] not in (first, second, rotated)
