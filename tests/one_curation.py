"""Curate the patients of many tests at once: each test, or each case of it, describes a patient of its own.

Patients do not interact in a curation: each has another number, name and date of birth.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Hashable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any, TypeAlias

import polars as pl
import pytest

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
        own = {"family": self.family, "born": self.born}
        return self._added(self.records.patient(self.number, **(own | values)))

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

    def of_all(self, key: Hashable, compute: Callable[[Outcome], pl.DataFrame]) -> pl.DataFrame:
        """Return the rows of the patient or their records in a frame, computed once of all patients."""
        if key not in self.outcome.computed:
            self.outcome.computed[key] = compute(self.outcome)
        frame = self.outcome.computed[key]
        if "patient_id" in frame.columns:
            return frame.filter(patient_id=self.patient_id)
        if "pseudonym" in frame.columns:
            return frame.filter(pseudonym=self["patient"]["pseudonym"].item())
        return frame.filter(pl.col("record_id").is_in(self.ids))

    def rules(self) -> set[str]:
        return set(self.observed["rule_id"])

    @property
    def frames(self) -> dict[str, pl.DataFrame]:
        """The rows of the patient in each curated table."""
        return {
            table: frame.filter(patient_id=self.patient_id) for table, frame in self.outcome.frames.items()
        }

    @property
    def typed(self) -> dict[str, pl.DataFrame]:
        """What was read of the records of the case."""
        own = pl.col("record_id").is_in(self.ids)
        return {table: frame.filter(own) for table, frame in self.outcome.typed.items()}

    @property
    def quarantined(self) -> set[str]:
        return self.outcome.quarantined & {*self.ids}

    @property
    def observed(self) -> pl.DataFrame:
        """What was observed of the records of the case."""
        return self.outcome.observed.filter(pl.col("record_id").is_in(self.ids))

    def found(self, rule: str) -> list[str]:
        """Return the records of the case that break a rule."""
        return self.observed.filter(rule_id=rule)["record_id"].to_list()


def patients(number: int) -> list[OfPatient]:
    """Return patients without any record yet, who share their records."""
    # Ids of one length: their order is that of the records.
    records = Records(count=10_000)
    return [OfPatient(records, str(n + 1)) for n in range(number)]


def curated(told: list[OfPatient]) -> list[OfCase]:
    """Curate the records of patients; returns what was made of each."""
    outcome = told[0].records.run()
    assert set(outcome.observed["record_id"]) <= {one for patient in told for one in patient.ids}
    return [OfCase(outcome, f"number:{patient.number}", patient.ids) for patient in told]


def sarcoma(patient: OfPatient) -> None:
    """Add the master data of a patient and a sarcoma."""
    patient.patient()
    patient.diagnosis()


_Begun: TypeAlias = Generator[None, OfCase, None]
_GOES_ON = pytest.StashKey[dict[str, tuple[_Begun, OfCase]]]()
"""Each test of a module, begun, and what was curated of its patient."""


def together(begin: Callable[[OfPatient], Any] = lambda _: None) -> Callable[[Any], Any]:
    """Let a test yield where its patient is curated, along with those of the other tests of the module.

    The test adds records to the patient, its first parameter, and yields. It gets the :class:`OfCase` of the
    patient. Its other parameters are those of ``pytest.mark.parametrize``.

    Args:
        begin: adds records before the test does; may return what the test gets instead of the patient.
    """

    def decorate(test: Any) -> Any:
        assert inspect.isgeneratorfunction(test)
        first, *others = inspect.signature(test).parameters.values()

        @wraps(test)
        def run(request: pytest.FixtureRequest, **_: Any) -> None:
            begun, made = _of_module(request)[request.node.nodeid]
            with pytest.raises(StopIteration):
                begun.send(made)

        def described(patient: OfPatient, case: dict[str, Any]) -> _Begun:
            begun = test(**{first.name: begin(patient) or patient}, **case)
            next(begun)
            return begun

        request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        vars(run).update(__signature__=inspect.Signature([request, *others]), described=described)
        return run

    return decorate


def _of_module(request: pytest.FixtureRequest) -> dict[str, tuple[_Begun, OfCase]]:
    module = request.node.getparent(pytest.Module)
    if _GOES_ON not in module.stash:
        of_module = (one for one in request.session.items if one.getparent(pytest.Module) is module)
        tests = [
            one for one in of_module if isinstance(one, pytest.Function) and "described" in vars(one.function)
        ]
        told = patients(len(tests))
        begun = [
            one.function.described(patient, one.callspec.params if hasattr(one, "callspec") else {})
            for one, patient in zip(tests, told, strict=True)
        ]
        made = zip(begun, curated(told), strict=True)
        module.stash[_GOES_ON] = {one.nodeid: both for one, both in zip(tests, made, strict=True)}
    return module.stash[_GOES_ON]
