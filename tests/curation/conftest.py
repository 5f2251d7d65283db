"""A patient whose radiotherapy is documented, planned and delivered as a test describes it."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydicom.dataset import Dataset

from schemas import received as r
from tests.conftest import Outcome, Records
from tests.curation import rt_files
from tests.one_curation import OfCase, OfPatient

OPERATED = "2015-05-20"


@dataclass
class Case:
    """One patient: files are read back by the program's reader, reports come as received records.

    Attributes:
        number: hospital number; patients of numbers of their own can share the records.
        ids: the records of the patient.
    """

    records: Records
    folder: Path | None = None
    number: str = "1"
    ids: list[str] = field(default_factory=list)

    @property
    def family(self) -> str:
        """The name of the patient: no two are alike."""
        return "Müller" if self.number == "1" else "".join(chr(ord("a") + int(n)) * 3 for n in self.number)

    def patient(self, operated: str | None = OPERATED) -> Case:
        """Add the patient, a sarcoma of the thigh, and an operation."""
        born = "1950-03-04" if self.number == "1" else f"19{20 + int(self.number) % 70}-03-04"
        self.ids.append(self.records.patient(self.number, self.family, born=born))
        self.ids.append(self.records.diagnosis("2015-01-10", number=self.number))
        if operated:
            operation = self.records.meldung(
                r.ObdsSurgery, self.number, Module_ID="O1", Datum=operated, Intention="K",
                Lokale_Beurteilung_Residualstatus="R0", Menge_OPS='["5-782.b"]',
            )  # fmt: skip
            self.ids.append(operation)
        return self

    def course(
        self, dose: float | None = 50, single: float | None = 2, start: str | None = "2015-03-02",
        end: str | None = "2015-04-03", *, st: str | None = "ST1", part: int = 1, **more: Any,
    ) -> str:  # fmt: skip
        """Document one Bestrahlung of an ST; returns its record."""
        values = {
            "Module_ID": st, "Intention": "K", "Stellung_OP": "N", "Ende_Grund": "E",
            "Applikationsart": "Perkutan", "Strahlenart": "UH", "Zielgebiet": "7.3",
            "Seite_Zielgebiet": "L", "Beginn": start, "Ende": end, "Meldung_ID": f"M{self.number}-{st}",
            "Gesamtdosis": None if dose is None else str(dose),
            "Einzeldosis": None if single is None else str(single),
            "position": f"line 1 ST/Bestrahlung[{part}]",
        } | more  # fmt: skip
        self.ids.append(self.records.meldung(r.ObdsRadiotherapy, self.number, **values))
        return self.ids[-1]

    def files(self, *datasets: Dataset | Iterable[Dataset]) -> list[str]:
        """Write and read DICOM files; returns their records."""
        assert self.folder is not None
        ids = []
        for one in datasets:
            for dataset in [one] if isinstance(one, Dataset) else one:
                own = dataset
                if self.number != "1":
                    # Copied, because another clinic gives the file to another patient.
                    own = copy.deepcopy(dataset)
                    rt_files.of_patient(own, self.number, self.family)
                for contract, values in rt_files.read(own, self.folder):
                    ids.append(self.records.add(contract, **values))
        self.ids += ids
        return ids

    def run(self, decided: frozenset[str] = frozenset()) -> Outcome:
        """Type, judge and curate."""
        return self.records.run(decided)


def irradiated(patient: OfPatient) -> Case:
    """One of several patients whose reports are curated together, as a case without files."""
    return Case(patient.records, number=patient.number, ids=patient.ids).patient()


def courses(outcome: Outcome | OfCase, *columns: str) -> list[tuple[Any, ...]]:
    """Columns of the courses, in the order of the courses."""
    return outcome["radiotherapy_course"].select(columns).rows()


def plans(outcome: Outcome | OfCase, *columns: str) -> dict[str, Any]:
    """UID of each plan to a column, or to several."""
    rows = outcome["radiotherapy_plan"].select("sop_instance_uid", *columns).rows()
    return {uid: rest[0] if len(columns) == 1 else tuple(rest) for uid, *rest in rows}


def findings(outcome: Outcome | OfCase) -> set[str]:
    """Rules of every finding that is no notice."""
    return set(outcome.observed.filter(pl.col("severity") != "notice")["rule_id"])


def told(outcome: Outcome | OfCase, rule: str) -> list[str]:
    """Records of the findings of one rule, sorted."""
    return sorted(outcome.observed.filter(rule_id=rule)["record_id"])


@pytest.fixture
def patient(records: Records) -> Records:
    """The records of one patient with a sarcoma."""
    records.patient()
    records.diagnosis()
    return records


@pytest.fixture
def case(records: Records, tmp_path: Path) -> Case:
    return Case(records, tmp_path).patient()
