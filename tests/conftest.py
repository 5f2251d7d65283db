"""A builder of received records, and the way from them to curated rows, for described patients."""

import datetime as dt
import gc
import os
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation.required_elements import ELEMENT_MISSING
from sarcoma_pipeline.curation.typed_records import type_records
from sarcoma_pipeline.orchestration import dose_process, opinion_process, report_process
from sarcoma_pipeline.quality import accounting
from sarcoma_pipeline.quality.curate import curate
from schemas import received as r
from schemas.configuration import Sources
from schemas.contract import CONTRACTS
from tests import both_sides
from tests.cpu_time import pytest_terminal_summary
from tests.markers import pytest_collection_modifyitems

# As in `sarcoma_pipeline.cli`: imports and collected tests make objects that live until the end.
gc.set_threshold(50_000)

# A process that outlives its refresh would outlive the test; the tests of these processes call for them.
os.environ[opinion_process.SWITCH] = "off"
os.environ[dose_process.SWITCH] = "off"
os.environ[report_process.SWITCH] = "off"

__all__ = ["pytest_collection_modifyitems", "pytest_terminal_summary"]

SOURCES = Sources.model_validate(
    {
        "source": [
            {"name": "offices", "kind": "registry", "files": ["r"], "columns": {}},
            {"name": "obds", "kind": "obds", "files": ["o"]},
            {"name": "rt", "kind": "dicom", "files": ["d"]},
            {
                "name": "sheet", "kind": "table", "format": "csv", "files": ["t"], "key": ["Nr"],
                "separator": " / ", "decimal": ",", "date_format": "%d.%m.%Y",
                "entities": [
                    {"entity": "diagnosis", "columns": {"hospital_number": "Nr", "tumour_size_cm": "cm"}},
                    {
                        "entity": "vital_status",
                        "when": [{"column": "seen", "filled": True}],
                        "columns": {
                            "hospital_number": "Nr", "status": {"constant": "alive"}, "status_date": "seen",
                        },
                    },
                ],
            },
            {
                "name": "numbered", "kind": "table", "format": "csv", "files": ["n"], "key": ["Nr"],
                "date_format": "%d.%m.%Y",
                "entities": [
                    {
                        "entity": "assessment",
                        "columns": {
                            "hospital_number": "Nr", "tumour_id": "Tumor", "assessment_date": "Tag",
                            "overall_status": {"constant": "complete remission", "codes": {
                                "complete remission": "complete remission"}},
                        },
                    },
                ],
            },
        ]
    }
)  # fmt: skip


_FILE_OF = {"registry": "r", "obds": "o", "dicom": "d", "table": "t", "unread": "o"}
FILES = pl.DataFrame(
    {
        "file_id": ["r", "o", "d", "t"],
        "path": ["r", "o", "d", "t"],
        "source": [s.name for s in SOURCES.source][:4],
    }
)


RECEIVED = pl.DataFrame({"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]})


@dataclass
class Outcome:
    frames: dict[str, pl.DataFrame]
    observed: pl.DataFrame
    quarantined: set[str]
    typed: dict[str, pl.DataFrame]
    link: pl.DataFrame
    account: Callable[[], pl.DataFrame]
    computed: dict[Hashable, pl.DataFrame] = field(default_factory=dict)

    @cached_property
    def accounting(self) -> pl.DataFrame:
        return self.account()

    def __getitem__(self, entity: str) -> pl.DataFrame:
        return self.frames[f"curated.{entity}"]

    def rules(self) -> set[str]:
        return set(self.observed["rule_id"])


_KEPT = 64
_CURATED: dict[tuple[frozenset[str], int, tuple[tuple[Any, ...], ...]], tuple[Sources, Outcome]] = {}
"""The last curations, by the decided readings, the sources and the rows of each received table."""


@dataclass
class Records:
    """Received records, added one by one; each is its own line of one file."""

    frames: dict[str, pl.DataFrame] = field(
        default_factory=lambda: {t: c.empty() for t, c in CONTRACTS.items() if t.startswith("received.")}
    )
    count: int = 0

    def add(self, contract: type[r.Received], **values: str | None) -> str:
        self.count += 1
        record_id = values.pop("record_id", None) or f"{contract.table().split('.')[1]}-{self.count}"
        provenance = {
            "record_id": record_id, "file_id": _FILE_OF[contract.table().partition(".")[2].split("_")[0]],
            "position": f"line {self.count}", "ordinal": self.count,
            "record_key": record_id, "content_hash": record_id, "first_refresh": "R1",
        }  # fmt: skip
        row = contract.conform(pl.DataFrame([{**provenance, **values}]))
        self.frames[contract.table()] = pl.concat([self.frames[contract.table()], row])
        return record_id

    def patient(self, number="1", family="Müller", given="Anna", born="1950-03-04", sex="W", **more):
        return self.add(
            r.ObdsPatient, Patient_ID=number, Nachname=family, Vornamen=given, Geburtsdatum=born,
            Geschlecht=sex, **{
                "Geburtsdatum_Datumsgenauigkeit": "E", "Schema_Version": "3.0.4", "Meldedatum": "2020-01-01",
                **more,
            },
        )  # fmt: skip

    def meldung(self, contract, number="1", tumour="T1", reported="2020-01-01", **values):
        if contract is r.ObdsSurgery:
            values = {"Menge_OPS": '["5-782.b"]', **values}
        return self.add(contract, Patient_ID=number, Tumor_ID=tumour, Meldedatum=reported, **values)

    def diagnosis(self, on="2012-01-01", exactness="E", **values):
        values = {
            "Primaertumor_ICD": "C49.2", "Primaertumor_Topographie_ICD_O": "C49.2",
            "Diagnosesicherung": "7.1", "Seitenlokalisation": "L",
            "Morphologie_ICD_O": '["8802/3"]', "Grading": "3", "T": "2b", "N": "0", "M": "0",
            "TNM_Version": "7", **values,
        }  # fmt: skip
        return self.meldung(
            r.ObdsDiagnosis, Diagnosedatum=on, Diagnosedatum_Datumsgenauigkeit=exactness, **values
        )

    def reply(self, **values):
        values = {
            "family_name": "Müller",
            "given_names": "Anna",
            "birth_date": "04.03.1950",
            "sex": "w",
        } | values
        return self.add(r.RegistryReply, **values)

    def run(self, decided: frozenset[str] = frozenset()) -> Outcome:
        """Curate the records. Of two tests in a row that describe the same records, the first one does it."""
        rows = tuple((t, *f.iter_rows()) for t, f in self.frames.items() if not f.is_empty())
        key = (decided, id(SOURCES), rows)
        if key not in _CURATED:
            while len(_CURATED) >= _KEPT:
                del _CURATED[next(iter(_CURATED))]
            # The sources are kept, so that no others have their id.
            _CURATED[key] = SOURCES, self._run(decided)
        made = _CURATED[key][1]
        return replace(
            made, frames=dict(made.frames), quarantined=set(made.quarantined), typed=dict(made.typed)
        )

    def _files(self) -> pl.DataFrame:
        return FILES

    def typed(self) -> dict[str, pl.DataFrame]:
        """Type the records and go no further."""
        return type_records(self.frames, SOURCES, RECEIVED, self._files()).frames

    def _run(self, decided: frozenset[str]) -> Outcome:
        made = curate(self.frames, SOURCES, RECEIVED, self._files(), decided=decided)
        both_sides.require(made, self.frames, self._files())
        return Outcome(
            dict(made.curated),
            # A test tells of a record what it is about, and leaves out what else the schema requires.
            made.observed.filter(pl.col("rule_id") != ELEMENT_MISSING.id),
            set(made.quarantine["record_id"]),
            dict(made.typed),
            made.link,
            partial(accounting.account, dict(self.frames), made.curated, made.quarantine, made.disposition),
        )


@pytest.fixture
def records() -> Records:
    return Records()
