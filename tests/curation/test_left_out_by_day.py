"""Stages and histologies that the day of their report leaves out or lets in; from typed reports."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import baseline, diagnosis_findings
from schemas import typed

D = dt.date
STAGED, LATE = "diagnosis.staged-after-therapy", "diagnosis.histology-of-later-specimen"
P = {"patient_id": pl.String, "tumour_id": pl.String}
REPORTS = typed.Diagnosis.polars_schema() | P | {
    "role": pl.String, "treatment_order": pl.String, "first_therapy": pl.Date,
    "of_relapse_report": pl.Boolean,
}  # fmt: skip
REPORT = {
    "patient_id": "p", "tumour_id": "T", "record_id": "r", "role": "specimen", "origin": "pathology",
    "treatment_order": "therapy first", "first_therapy": D(2012, 2, 1), "report_date": D(2012, 5, 1),
    "of_relapse_report": False, "t_stage": "T2", "t_prefix": "p", "n_stage": None, "n_prefix": "p",
    "after_therapy": False, "of_relapse": False, "by_autopsy": False, "icdo3_morphology": "8802/3",
}  # fmt: skip


def found(report: dict[str, Any], group: str | None = "sarcoma", index: bool = True, rule: str | None = None,
          ids: tuple[str, ...] = ("r",)) -> list[tuple[str, str]]:  # fmt: skip
    of = {name: report.get(name, REPORT[name]) for name in P}
    tumour = pl.DataFrame(
        [of | {"histology_group": group, "index_tumour": index}],
        schema=P | {"histology_group": pl.String, "index_tumour": pl.Boolean},
    )
    best = pl.DataFrame(
        [of | {"histology_rule": rule, "histology_record_ids": list(ids)}],
        schema=P | {"histology_rule": pl.String, "histology_record_ids": pl.List(pl.String)},
    )
    told = pl.DataFrame([REPORT | report], schema=REPORTS)
    seen = pl.concat(diagnosis_findings._out_of_time(tumour, told, best))
    return seen.select("rule_id", "column_name").rows()


T, N = (STAGED, "t_stage"), (STAGED, "n_stage")


@pytest.mark.parametrize(
    ("report", "columns"),
    [
        ({}, [T]),
        ({"n_stage": "N1"}, [T, N]),
        ({"n_stage": "N1", "t_prefix": "c"}, [N]),
        ({"t_stage": None}, []),
        ({"t_prefix": "c"}, []),
        # With its y, r or a, one of them is enough, it is known to be none at diagnosis.
        ({"after_therapy": True}, []),
        ({"of_relapse": True}, []),
        ({"by_autopsy": True}, []),
        ({"after_therapy": None, "of_relapse": None, "by_autopsy": None}, [T]),
        # A report from before the therapy stages; on its first day or without a day it does not.
        ({"report_date": D(2012, 1, 31)}, []),
        ({"report_date": D(2012, 2, 1)}, [T]),
        ({"report_date": None}, [T]),
        ({"treatment_order": "surgery first"}, []),
        ({"role": baseline.TABLE}, []),
        ({"of_relapse_report": True}, []),
        ({"tumour_id": None}, [T]),
    ],
)
def test_a_stage_of_a_specimen_after_therapy_is_told(report, columns):
    assert found(report) == columns


@pytest.mark.parametrize(
    ("group", "index", "told"),
    [("sarcoma", True, True), ("sarcoma", False, True), (None, True, True), (None, False, False)],
)
def test_only_sarcomas_and_the_index_tumour_are_looked_at(group, index, told):
    assert found({}, group, index) == [T] * told


@pytest.mark.parametrize(
    ("report", "rule", "ids", "told"),
    [
        ({}, baseline.LATER, ("r",), True),
        ({}, baseline.SPECIMEN, ("r",), False),
        ({}, baseline.LATER, ("other",), False),
        ({}, baseline.LATER, (), False),
        ({"icdo3_morphology": None}, baseline.LATER, ("r",), False),
    ],
)
def test_a_histology_that_only_a_later_specimen_tells_is_told(report, rule, ids, told):
    seen = found(report | {"t_stage": None}, rule=rule, ids=ids)
    assert seen == [(LATE, "icdo3_morphology")] * told


@pytest.mark.parametrize(
    ("own", "chosen", "told"),
    [
        ("8802/3", "8802/3", False),
        ("8858/3", "8811/3", True),
        # A liposarcoma that is not specified contradicts none of its subtypes.
        ("8850/3", "8858/3", False),
        ("8858/3", "8850/3", False),
        ("8852/3", "8858/3", True),
        ("8500/3", "8858/3", True),
    ],
)
def test_another_subtype_or_group_is_another_histology(own, chosen, told):
    rows = pl.DataFrame([REPORT | {"icdo3_morphology": own}], schema=REPORTS)
    best = pl.DataFrame([{"patient_id": "p", "tumour_id": "T", "icdo3_morphology": chosen}])
    seen = diagnosis_findings._other_histology(rows, best)
    assert (seen.height == 1) is told
