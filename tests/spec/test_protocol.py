"""The patients of the protocol come out as it says, in days."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.cohort import endpoints
from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.cohort.timeline import timeline
from schemas.assumptions import declared
from tests.conftest import Records
from tests.spec.definitions import page
from tests.spec.hostile import HOSTILE
from tests.spec.pairs import PAIRS
from tests.spec.protocol import PROTOCOL
from tests.spec.told import Told, distant, study

PATIENTS = {**PROTOCOL, **PAIRS, **HOSTILE}
PAGE = Path(__file__).parents[2] / "docs" / "definitions.md"


@pytest.fixture(scope="module")
def curated() -> dict[str, pl.DataFrame]:
    """All patients of the page, curated together: nobody's record may touch another's."""
    records = Records()
    for number, (told, _, _) in enumerate(PATIENTS.values(), start=1):
        told.put(records, str(number))
    return records.run().frames


_DERIVED: dict[str, dict[tuple[str, str], str]] = {}


def ends(curated: dict[str, pl.DataFrame], assumptions: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Patient and endpoint to ``days kind``, or to the reason why the patient is not at risk."""
    key = repr(sorted(assumptions.items()))
    if key not in _DERIVED:
        chosen = study(**assumptions)
        derived = cohort(curated, chosen).derived
        at_risk = {
            (row["pseudonym"], row["endpoint"]): f"{row['time_days']} {row['event_kind']}"
            for row in derived.endpoints.to_dicts()
        }
        others = {
            (row["pseudonym"], row["endpoint"]): row["reason"] for row in derived.not_at_risk.to_dicts()
        }
        _DERIVED[key] = at_risk | others
    return _DERIVED[key]


@pytest.mark.parametrize("title", PATIENTS)
def test_the_protocol(curated, title):
    _, assumptions, expected = PATIENTS[title]
    who = f"number:{list(PATIENTS).index(title) + 1}"
    found = ends(curated, assumptions)
    assert {name: found.get((who, name), "not eligible") for name in expected} == expected


def test_every_switch_of_the_endpoints_has_a_patient():
    """A switch without one would be words only; the others act on eligibility and Table 1."""
    shown = {name for _, assumptions, _ in PATIENTS.values() for name in assumptions}
    elsewhere = {
        "residual_status", "residual_status_unknown", "chemotherapy", "study_window", "skin_sites",
        "t_category", "grade", "undifferentiated_sarcoma", "spindle_cell_sarcoma", "additive_radiotherapy",
        "nerve_sites", "visceral_sites", "atypical_lipomatous_tumour", "t_edition", "dose", "boost",
    }  # fmt: skip
    assert {switch.name for switch in declared()} - elsewhere == shown


def test_a_partial_death_is_cut_by_what_was_seen_before(records):
    Told(seen={838: distant("R")}, alive=None).put(records, "1")
    records.reply(answer="verstorben", event_date="00.06.2017", hospital_number="1")
    frames, chosen = records.run().frames, study()
    members = frames["curated.patient"].select("patient_id", "pseudonym")
    derived = endpoints.derive(timeline(frames, chosen.assumptions), members, chosen).endpoints
    rows = {x["endpoint"]: x for x in derived.to_dicts()}
    times = ("time_days", "time_days_earliest", "time_days_latest")
    assert [rows["OS"][c] for c in times] == [840, 838, 843]
    assert [rows["DMFS"][c] for c in times] == [838, 838, 838]


def test_the_page_of_the_definitions_is_current():
    """Write it anew: ``python -m tests.spec.definitions > docs/definitions.md``."""
    assert PAGE.read_text("utf-8") == page()
