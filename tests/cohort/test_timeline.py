"""Rows of the timeline by pencil, in days since 1 January 2012: operations, contacts, tumours, deaths."""

from __future__ import annotations

import datetime as dt

import pytest

from sarcoma_pipeline.cohort.life_and_death import CONTACT, MOVED
from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from tests.one_curation import OfCase, OfPatient, sarcoma, together

ZERO = dt.date(2012, 1, 1)
LUNG, THIGH = '["5-324.71"]', '["5-782.b0"]'


def on(day: int) -> str:
    return (ZERO + dt.timedelta(day)).isoformat()


def events(outcome: OfCase, *kinds: str, **assumed: str) -> list[tuple]:
    """Kind, day and detail of the events of some kinds."""
    assumptions = Assumptions.model_validate(assumed)
    key = ("timeline", assumptions.model_dump_json())
    frame = outcome.of_all(key, lambda all_: timeline(all_.frames, assumptions).events)
    return [row for row in frame.select("kind", "day", "detail").rows() if row[0] in kinds]


def operate(patient: OfPatient, day: int, status: str | None = "R0", codes: str = THIGH, number: int = 0):
    patient.meldung(
        r.ObdsSurgery, Datum=on(day), Intention="K", Module_ID=f"O{number}", Menge_OPS=codes,
        Lokale_Beurteilung_Residualstatus=status,
    )  # fmt: skip


def another(patient: OfPatient, day: int, site: str | None, morphology: str) -> None:
    patient.diagnosis(
        on(day), tumour="T2", Primaertumor_ICD=site, Primaertumor_Topographie_ICD_O=site,
        Morphologie_ICD_O=f'["{morphology}"]', TNM_Version=None, T=None, M=None, N=None, Grading=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("operated", "kind"),
    [
        # Until the first therapy, at most 92 days: a therapy before the diagnosis does not count.
        (None, "metastasis at diagnosis"),
        (20, "metastasis at diagnosis"),
        (19, "distant relapse"),
        (0, "distant relapse"),
        (-5, "metastasis at diagnosis"),
    ],
)
@together(sarcoma)
def test_a_metastasis_on_day_20_was_there_at_diagnosis_until_the_first_therapy(patient, operated, kind):
    if operated is not None:
        operate(patient, operated)
    patient.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf=on(200),
        Menge_FM=f'[{{"Diagnosedatum": "{on(20)}", "Datumsgenauigkeit": "E", "Lokalisation": "PUL"}}]',
    )  # fmt: skip
    outcome = yield
    found = events(outcome, "metastasis at diagnosis", "distant relapse")
    assert [(what, day) for what, day, _ in found] == [(kind, 20)]


RESECTED = ("definitive resection", 100, "resection, R0")


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([(100, "R0", THIGH)], [RESECTED]),
        ([(100, None, THIGH)], [("definitive resection", 100, "resection")]),
        ([(100, "R2", THIGH)], [("surgery", 100, "resection, R2")]),
        ([(100, "R0", THIGH), (120, "R0", THIGH)], [RESECTED, ("surgery", 120, "resection, R0")]),
        ([(100, "R0", THIGH), (100, "R2", THIGH)], [RESECTED, ("surgery", 100, "resection, R2")]),
        # A metastasis of the lung is removed along with the primary.
        (
            [(100, "R0", THIGH), (100, "R1", LUNG)],
            [RESECTED, ("surgery", 100, "no resection of the primary, R1")],
        ),
        ([(100, "R0", LUNG)], [("surgery", 100, "no resection of the primary, R0")]),
    ],
)
@together(sarcoma)
def test_operations(patient, operations, expected):
    for number, (day, status, codes) in enumerate(operations):
        operate(patient, day, status, codes, number)
    outcome = yield
    assert events(outcome, "surgery", "definitive resection") == expected


@pytest.mark.parametrize(("day", "contacts"), [(-1, []), (0, [("alive", 0, CONTACT)])])
@together(sarcoma)
def test_who_was_seen_for_another_tumour_since_time_zero_was_alive(patient, day, contacts):
    another(patient, day, "C61", "8140/3")
    outcome = yield
    assert events(outcome, "alive") == contacts


@pytest.mark.parametrize(
    ("day", "site", "morphology", "kind"),
    [
        # Lymph nodes that were known then are neither a relapse nor M1.
        (20, "C77.4", "8802/6", None),
        (400, "C77.4", "8802/6", "regional relapse"),
        (92, "C78.0", "8802/6", "metastasis at diagnosis"),
        (93, "C78.0", "8802/6", "distant relapse"),
        # Of a histology that no known tumour has; an "other tumour" ends nothing.
        (20, "C77.4", "8140/6", "other tumour"),
        (400, "C77.4", "8140/6", "regional relapse"),
        (92, "C78.0", "8140/6", "metastasis at diagnosis"),
        (93, "C78.0", "8140/6", "distant relapse"),
        (400, None, "8802/6", "distant relapse"),
        (400, "C61", "8140/3", "second malignancy"),
    ],
)
@together(sarcoma)
def test_a_relapse_that_is_coded_as_a_tumour(patient, day, site, morphology, kind):
    another(patient, day, site, morphology)
    outcome = yield
    kinds = (
        "other tumour", "regional relapse", "distant relapse", "metastasis at diagnosis",
        "second malignancy",
    )  # fmt: skip
    assert [(what, at) for what, at, _ in events(outcome, *kinds)] == ([(kind, day)] if kind else [])


@together(sarcoma)
def test_a_move_in_a_month_holds_for_its_first_day(patient):
    """June 2014 begins on day 366 + 365 + 151."""
    patient.reply(answer="verzogen", event_date="00.06.2014")
    outcome = yield
    assert events(outcome, "alive") == [("alive", 882, MOVED)]


@together(sarcoma)
def test_a_death_told_on_the_day_of_the_last_contact_was_on_it(patient):
    """Under the switch it was in the middle between the two days: 1 June 2014, day 882."""
    patient.meldung(r.ObdsFollowUp, Untersuchungsdatum_Verlauf=on(882), Gesamtbeurteilung_Tumorstatus="V")
    patient.reply(answer="verstorben", answered_on="01.06.2014")
    outcome = yield
    assert [day for _, day, _ in events(outcome, "death")] == [None]
    assert [day for _, day, _ in events(outcome, "death", undated_death="middle")] == [882]
