"""One curation of many patients, whose received records are made into frames at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from schemas import received as r
from tests.conftest import _FILE_OF, FILES, Outcome, Records
from tests.one_curation import OfPatient
from tests.quality.rule_cases.curated_reports import Told
from tests.quality.rule_cases.four import Four


@dataclass
class Many(Records):
    """Records of many patients; the frame of a table is made when all of them are there."""

    rows: dict[type[r.Received], list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, contract: type[r.Received], **values: str | None) -> str:
        self.count += 1
        record_id = values.pop("record_id", None) or f"{contract.table().split('.')[1]}-{self.count}"
        if values.get("Meldung_ID"):
            # Two patients with one number of a report are a finding.
            values["Meldung_ID"] = f"{values['Meldung_ID']} of {values['Patient_ID']}"
        within = "/Menge_Meldung/Meldung" if issubclass(contract, r.ObdsMeldung) else ""
        self.rows[contract].append(
            {
                "record_id": record_id, "file_id": _FILE_OF[contract.table().partition(".")[2].split("_")[0]],
                "position": f"line {self.count}" + (f" {within}[{self.count}]/Modul" if within else ""),
                "ordinal": self.count, "record_key": record_id,
                "content_hash": record_id, "first_refresh": "R1", **values,
            }
        )  # fmt: skip
        return record_id

    def run(self, decided: frozenset[str] = frozenset()) -> Outcome:
        for contract, rows in self.rows.items():
            self.frames[contract.table()] = contract.conform(pl.DataFrame(rows, infer_schema_length=None))
        return super().run(decided)

    def _files(self) -> pl.DataFrame:
        ids = {row["file_id"] for rows in self.rows.values() for row in rows} - set(FILES["file_id"])
        more = pl.DataFrame({"file_id": sorted(ids)}, schema={"file_id": pl.String})
        return pl.concat([FILES, more.with_columns(path="file_id", source=pl.lit("obds"))])


def broken_by(cases: Mapping[str, Four[Told]]) -> set[tuple[str, str]]:
    """Return each case (rule and name) with the rules that the records of its patient break."""
    records, whose = Many(), {}
    for number, (case, told) in enumerate(
        ((f"{rule} {name}", told) for rule, four in cases.items() for name, told, _ in four.cases()), 1
    ):
        patient = OfPatient(records, str(number))
        told(patient)
        whose |= dict.fromkeys(patient.ids, case)
    observed = records.run().observed.select("record_id", "rule_id")
    return {(whose[record], rule) for record, rule in observed.iter_rows()}
