"""What is missing is never silent: a changed verdict, time, event or covariate has a finding.

Of every value, every report and every row that is delivered of some patients, one is taken away at a time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from schemas.configuration import load_study
from tests.oracle import null_sweep
from tests.oracle.conftest import ReadDemo
from tests.oracle.grammar import NS
from tests.oracle.in_process import DEMO_NIGHT, NIGHT, SOURCES, STRICT, STUDY
from tests.oracle.null_sweep import Seen, Setting, Silent, silent
from tests.oracle.nulls import Delivered, Mutant, mutants
from tests.oracle.patients import document
from tests.oracle.test_metamorphic import MELDER, people

ROOT = Path(__file__).parents[2]

NEEDS_NO_FINDING = {
    r"^(report|every module) |^received\.\S+ (every )?record$": "Of what is never delivered nothing is left "
    "to see; of what was delivered once, delivery.records-lost tells it.",
    r"/[yra]_Symbol$": "Its absence says that the TNM was found before therapy, at no relapse, in life.",
    r"^(Diagnose|Pathologie|OP)/(c|p)?TNM(/[TNM])?$": "A TNM and its categories are optional: the next best "
    "report counts, and curated.diagnosis names the rule that chose it.",
    r"^Pathologie/Primaertumor_Topographie_ICD_O(/Code)?$": "A Pathologie may leave the site to the "
    "Diagnose; curated.diagnosis names the rule that chose it.",
    r"^(Diagnose|Pathologie|OP|Verlauf)/Menge_FM(/Fernmetastase)?$": "Its absence says that no metastasis "
    "was found.",
    r"^Verlauf/Verlauf_(Lokaler_Tumorstatus|Tumorstatus_Lymphknoten|Tumorstatus_Fernmetastasen)$": "Complete "
    "remission states every site of which nothing else is said.",
    r"^received\.dicom_plan Beams\[\]\.GantryRotationDirection": "A beam that states no rotation does not "
    "turn.",
    r"/Perkutan/Boost$": "Without it the plan tells, and one level does not say that there is no boost.",
    r"^received\.table_row values\.Letzter Kontakt$": "One of several statements of life; it may be empty.",
}
"""What is taken away, as a pattern, to the reason why the change needs no finding."""


def undeclared(found: Iterator[Silent]) -> list[Silent]:
    return [one for one in found if not any(re.search(p, one.mutant.what) for p in NEEDS_NO_FINDING)]


def some(everything: Iterator[Mutant], count: int) -> list[Mutant]:
    """The patient who lacks nothing, and a sample of the others."""
    base, *others = everything
    return [base, *random.Random(1).sample(others, min(count, len(others)))]


class Demo:
    """The demo's patients with all that their sources deliver."""

    def __init__(self, demo: ReadDemo) -> None:
        self.study, self.sources, self.received, self.files = (
            demo.study, demo.sources, demo.received, demo.files,
        )  # fmt: skip
        parser = etree.XMLParser(remove_blank_text=True)
        self.roots = {f"obds/{p.name}": etree.parse(str(p), parser).getroot() for p in _whole(demo.drop)}

    def patients(self) -> list[str]:
        """Numbers of the patients with all kinds of source and an export that is whole, in order."""
        delivered = [set(self.received[f"received.dicom_{kind}"]["PatientID"]) for kind in ("plan", "image")]
        masters = self.received["received.obds_patient"]
        whole = {e.get("Patient_ID") for root in self.roots.values() for e in root.iter(f"{{{NS}}}Patient")}
        return sorted(set(masters["Patient_ID"].drop_nulls()).intersection(whole, *delivered))

    def delivered(self, number: str) -> Delivered:
        reports = {
            name: [etree.fromstring(etree.tostring(e)) for e in root.iter(f"{{{NS}}}Patient")
                   if e.get("Patient_ID") == number]
            for name, root in self.roots.items()
        }  # fmt: skip
        master = self.received["received.obds_patient"].filter(Patient_ID=number).row(0, named=True)
        name = master["Nachname"]
        theirs = {
            "received.registry_reply": (pl.col("family_name") == name)
            | (pl.col("hospital_number") == number),
            "received.table_row": pl.col("values").str.contains(f'"{number}"', literal=True),
        }
        rows = {}
        for table, frame in self.received.items():
            if "PatientID" in frame.columns:
                rows[table] = frame.filter(PatientID=number)
            elif table in theirs:
                rows[table] = frame.filter(theirs[table])
        return Delivered(
            number,
            name,
            {n: es for n, es in reports.items() if es},
            {t: f for t, f in rows.items() if f.height},
        )

    def setting(self, folder: Path, patient: Delivered) -> Setting:
        heads = {name: self.roots[name] for name in patient.reports}
        return Setting(folder, heads, self.sources, self.study, DEMO_NIGHT, self.files)


def _whole(drop: Path) -> list[Path]:
    """The exports that are whole and have the namespace."""
    return [p for p in sorted((drop / "obds").glob("*.xml")) if b"</oBDS>" in p.read_bytes()
            and b'xmlns="' in p.read_bytes()[:400]]  # fmt: skip


@pytest.fixture(scope="module")
def demonstrated(read_demo) -> Demo:
    return Demo(read_demo)


def drawn(folder: Path, seed: int) -> tuple[Delivered, Setting]:
    """A random patient, valid by the schema."""
    _, persons = people(seed, messy=False, count=1)
    persons[0].number = "@100"
    head = document(persons, melder=MELDER)
    one = etree.fromstring(etree.tostring(next(head.iter(f"{{{NS}}}Patient"))))
    name = one.findtext(f".//{{{NS}}}Nachname") or ""
    real, _ = load_study(ROOT / "data/studies/sts_imrt")
    shown = {name: getattr(real, name) for name in ("covariates", "models", "table_one", "dose_columns")}
    study = (STRICT if seed % 2 else STUDY).model_copy(update=shown)
    return Delivered("@100", name, {"a.xml": [one]}), Setting(folder, {"a.xml": head}, SOURCES, study, NIGHT)


def test_a_missing_value_of_the_demo_changes_nothing_in_silence(demonstrated, tmp_path):
    patient = demonstrated.delivered(demonstrated.patients()[0])
    sample = some(mutants(patient), 150)
    assert undeclared(silent(sample, demonstrated.setting(tmp_path, patient))) == []


@pytest.mark.parametrize("seed", [1, 2])
def test_a_missing_value_of_a_random_patient_changes_nothing_in_silence(tmp_path, seed):
    patient, setting = drawn(tmp_path, seed)
    assert undeclared(silent(some(mutants(patient), 100), setting)) == []


@pytest.mark.slow
def test_nor_does_any_value_of_fifteen_patients_of_the_demo(demonstrated, tmp_path_factory):
    for number in demonstrated.patients()[::10]:
        patient = demonstrated.delivered(number)
        setting = demonstrated.setting(tmp_path_factory.mktemp("drop"), patient)
        assert undeclared(silent(list(mutants(patient)), setting)) == [], number


@pytest.mark.slow
def test_nor_does_any_value_of_twenty_five_random_patients(tmp_path_factory):
    for seed in range(25):
        patient, setting = drawn(tmp_path_factory.mktemp("drop"), seed)
        assert undeclared(silent(list(mutants(patient)), setting)) == [], seed


def test_the_sweep_can_see_silence(tmp_path, monkeypatch):
    """Without its rule, the missing first day of a systemic therapy is found."""
    patient, setting = drawn(tmp_path, 5)
    everything = list(mutants(patient))
    dates = [everything[0], *(m for m in everything if m.what == "SYST/Beginn")]
    assert len(dates) > 1 and undeclared(silent(dates, setting)) == []
    found = null_sweep._found  # pyright: ignore[reportPrivateUsage]

    def deaf(*how) -> list[set[Seen]]:
        return [{f for f in one if f.rule != "obds.element-missing"} for one in found(*how)]

    monkeypatch.setattr(null_sweep, "_found", deaf)
    assert undeclared(silent(dates, setting)) != []
