# ruff: noqa: E501  one endpoint per line reads as a table
"""The endpoints of docs/endpoints.md: they load, and come out in days as their text says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.survival.competing_risks import cumulative_incidence
from schemas.configuration import Study
from tests.conftest import Records
from tests.spec.told import CRITERIA, FREE, Told, distant, local, on

PAGE = Path(__file__).parents[2] / "docs" / "endpoints.md"
PATIENTS = {
    # Resected R2 on day 102, grows on day 575.
    "R2": Told(operated={102: "R2"}, seen={366: local("T"), 575: local("P")}),
    # Grows under the irradiation, then R0.
    "progression": Told(seen={52: local("P"), 731: FREE}),
    # A metastasis, then a death without a documented cause.
    "metastasis": Told(seen={366: FREE, 575: distant("R")}, died=on(731)),
    # A death without a relapse before it.
    "death": Told(died=on(731)),
    # A metastasis, and later a local relapse.
    "both": Told(seen={366: distant("R"), 575: local("R")}),
    # Died before any treatment; never examined for relapse.
    "early": Told(irradiated=None, operated={}, seen={}, died=on(20)),
}
EXPECTED = {
    "EFS": {"R2": "102 residual tumour", "progression": "52 progression under treatment",
            "metastasis": "575 distant relapse", "death": "731 death", "both": "366 distant relapse"},
    "PFS": {"R2": "575 local relapse", "progression": "52 progression under treatment", "both": "366 distant relapse"},
    "DSS": {"R2": "1827 censored", "metastasis": "731 tumour-related death", "death": "731 censored"},
    "deaths": {"metastasis": "731 tumour-related death", "death": "731 other death"},
    # Who says nothing of the primary has not looked at it.
    "LC": {"R2": "575 local relapse", "progression": "731 censored", "metastasis": "731 death",
           "both": "575 local relapse", "early": "0 censored"},
    "OS_RT": {"R2": "1827 censored from 31", "death": "731 death from 31", "early": "no radiotherapy start"},
    "DFS_LM": {"progression": "629 censored from 183", "R2": "no definitive resection", "death": "629 death from 183",
               "early": "no definitive resection"},
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Study:
    blocks = re.findall(r"```toml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    declared = tomllib.loads("\n".join(blocks))
    return Study.model_validate(
        {"name": "s", "title": "s", "description": "s", "drop": "d", "criteria": CRITERIA, **declared}
    )


@pytest.fixture(scope="module")
def derived(study: Study) -> tuple[pl.DataFrame, pl.DataFrame]:
    records = Records()
    for name, told in PATIENTS.items():
        told.put(records, name)
    made = cohort(records.run().frames, study).derived
    return made.endpoints, made.not_at_risk


def test_every_example_has_its_patients(study):
    assert {rule.name for rule in study.endpoints} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_example_in_days(name, derived):
    at_risk, others = (f.filter(endpoint=name).to_dicts() for f in derived)
    found = {
        r["pseudonym"].removeprefix("number:"): f"{r['time_days']} {r['event_kind']}"
        + (f" from {r['entry_days']}" if r["entry_days"] else "")
        for r in at_risk
    } | {r["pseudonym"].removeprefix("number:"): r["reason"] for r in others}
    assert {who: found[who] for who in EXPECTED[name]} == EXPECTED[name]


def test_death_competes_with_local_failure(study, derived):
    curves = cumulative_incidence(derived[0], study.cumulative_incidence)
    last = {
        (analysis, cause): curve["events"].sum()
        for (analysis, cause), curve in curves.group_by("analysis", "cause")
    }
    # R2 and both fail locally; metastasis and death die without it; early was never examined.
    assert last["local failure", "local failure"] == 2
    assert last["local failure", "death without local failure"] == 2
    # Two of these deaths have no relapse before them.
    assert last["death by the tumour", "death by the tumour"] == 1
    assert last["death by the tumour", "other death"] == 2
