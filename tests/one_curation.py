"""Curate all cases of a parametrized test at once: each case describes a patient of its own.

Patients do not interact in a curation: each has another number, name and date of birth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import polars as pl

from tests.conftest import Outcome, Records


@dataclass
class OfPatient:
    """Adds records of one patient.

    Attributes:
        records: the records of all patients.
        number: hospital number of this one.
        ids: the records of this one.
    """

    records: Records
    number: str
    ids: list[str] = field(default_factory=list)

    @property
    def family(self) -> str:
        """A name that differs from every other one in more than one letter."""
        return "F" + "".join("abcdefghij"[int(digit)] * 3 for digit in self.number)

    @property
    def born(self) -> str:
        """A date of birth that differs from every other one."""
        number = int(self.number)
        return f"19{30 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}"

    def _added(self, record_id: str) -> str:
        self.ids.append(record_id)
        return record_id

    def patient(self, **values: Any) -> str:
        return self._added(self.records.patient(self.number, self.family, born=self.born, **values))

    def diagnosis(self, on: str = "2012-01-01", exactness: str = "E", **values: Any) -> str:
        return self._added(self.records.diagnosis(on, exactness, number=self.number, **values))

    def meldung(self, contract: Any, **values: Any) -> str:
        return self._added(self.records.meldung(contract, self.number, **values))

    def add(self, contract: Any, **values: str | None) -> str:
        return self._added(self.records.add(contract, **values))

    def reply(self, **values: Any) -> str:
        born = ".".join(reversed(self.born.split("-")))
        who = {"hospital_number": self.number, "family_name": self.family, "birth_date": born}
        return self._added(self.records.reply(**(who | values)))


@dataclass
class OfCase:
    """What was curated and found of one case."""

    outcome: Outcome
    patient_id: str
    ids: list[str]

    def __getitem__(self, entity: str) -> pl.DataFrame:
        return self.outcome[entity].filter(patient_id=self.patient_id)

    def rules(self) -> set[str]:
        return set(self.observed["rule_id"])

    @property
    def observed(self) -> pl.DataFrame:
        """What was observed of the records of the case."""
        return self.outcome.observed.filter(pl.col("record_id").is_in(self.ids))

    def found(self, rule: str) -> list[str]:
        """Return the records of the case that break a rule."""
        return self.observed.filter(rule_id=rule)["record_id"].to_list()


class OneCuration:
    """The cases of a parametrized test, curated when the first of them is asked for.

    Args:
        cases: the parameters of each case.
        describe: adds the records of a patient; takes the parameters of the case.
    """

    def __init__(self, cases: Sequence[Any], describe: Callable[..., object]) -> None:
        self.cases, self._describe = cases, describe

    @cached_property
    def _made(self) -> list[OfCase]:
        records = Records()
        told = [OfPatient(records, str(n)) for n, _ in enumerate(self.cases, 1)]
        for patient, case in zip(told, self.cases, strict=True):
            self._describe(patient, *(case if isinstance(case, tuple) else (case,)))
        outcome = records.run()
        assert set(outcome.observed["record_id"]) <= {one for patient in told for one in patient.ids}
        return [OfCase(outcome, f"number:{patient.number}", patient.ids) for patient in told]

    def of(self, *case: Any) -> OfCase:
        """Return what was made of a case."""
        return self._made[self.cases.index(case if isinstance(self.cases[0], tuple) else case[0])]
