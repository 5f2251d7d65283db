"""Who was never free of disease, and which drugs were given: rows of the timeline."""

from __future__ import annotations

import datetime as dt

import pytest

from sarcoma_pipeline.cohort.timeline import timeline
from schemas import received as r
from schemas.assumptions import Assumptions
from tests.one_curation import OfCase, sarcoma, together

ZERO = dt.date(2012, 1, 1)


def on(day: int) -> str:
    return (ZERO + dt.timedelta(day)).isoformat()


def happened(outcome: OfCase, kind: str) -> list[tuple[int | None, str | None]]:
    """Day and detail of the events of a kind."""
    events = outcome.of_all("timeline", lambda all_: timeline(all_.frames, Assumptions()).events)
    return events.filter(kind=kind).select("day", "detail").rows()


@pytest.mark.parametrize(
    ("operations", "left"),
    [
        ({100: "R0"}, []),
        ({100: "R1"}, []),
        ({}, [(0, "not resected")]),
        ({100: "R2"}, [(100, "R2")]),
        # The complete re-resection within 90 days cancels it.
        ({100: "R2", 190: "R0"}, []),
        ({100: "R2", 191: "R0"}, [(100, "R2")]),
        # Residues of a re-resection that belongs to the definitive one; a later one is for a relapse.
        ({100: "R1", 190: "R2"}, [(190, "R2")]),
        ({100: "R0", 400: "R2"}, []),
        ({100: "R2", 150: "R2"}, [(100, "R2")]),
        # Without a residual status it counts as the definitive one.
        ({100: None}, []),
        # Nobody knows whether an undated resection came after it.
        ({100: "R2", None: "R0"}, []),
    ],
)
@together(sarcoma)
def test_residual_tumour(records, operations, left):
    for day, status in operations.items():
        records.meldung(
            r.ObdsSurgery, Datum=None if day is None else on(day), Intention="K", Module_ID=f"O{day}",
            Menge_OPS='["5-782.b0"]', Lokale_Beurteilung_Residualstatus=status,
        )  # fmt: skip
    outcome = yield
    assert happened(outcome, "residual tumour") == left


@pytest.mark.parametrize(("kind", "given"), [("CH", [(40, "chemotherapy")]), ("AS", []), ("WW", [])])
@together(sarcoma)
def test_surveillance_is_no_therapy_of_the_timeline(records, kind, given):
    records.meldung(r.ObdsSystemicTherapy, Therapieart=kind, Beginn=on(40), Module_ID="C1")
    outcome = yield
    assert happened(outcome, "systemic therapy") == given


@pytest.mark.parametrize(
    ("operations", "relapsed", "first", "last"),
    [
        ([(100, "R1"), (150, "R0")], None, "R0", "R0"),
        # A relapse between the two: the second one does not mend the first.
        ([(100, "R1"), (150, "R0")], 120, "R1", "R1"),
        ([(100, "R1"), (150, "R0")], 150, "R1", "R0"),
        ([(100, "R1"), (150, "R0")], 151, "R0", "R0"),
        ([(100, "R1"), (150, "R0")], 100, "R0", "R1"),
        # A relapse before the first one lies between none.
        ([(100, "R1"), (150, "R0")], 50, "R0", "R0"),
        ([(100, "R1"), (190, "R0")], None, "R0", "R0"),
        ([(100, "R1"), (191, "R0")], None, "R1", "R0"),
        # Of one day the worse, and one that was assessed before RX.
        ([(100, "R0"), (100, "R1")], None, "R1", "R1"),
        ([(100, "R1"), (100, "R0")], None, "R1", "R1"),
        ([(100, "R0"), (100, "RX")], None, "R0", "R0"),
        ([(100, "RX"), (100, "R0")], None, "R0", "R0"),
        ([(100, "R2"), (120, "R2")], None, "R2", "R2"),
    ],
)
@together(sarcoma)
def test_the_residual_status(records, operations, relapsed, first, last):
    for number, (day, status) in enumerate(operations):
        records.meldung(
            r.ObdsSurgery, Datum=on(day), Intention="K", Module_ID=f"O{number}",
            Menge_OPS='["5-782.b0"]', Lokale_Beurteilung_Residualstatus=status,
        )  # fmt: skip
    if relapsed:
        records.meldung(
            r.ObdsFollowUp, Untersuchungsdatum_Verlauf=on(relapsed), Verlauf_Lokaler_Tumorstatus="R"
        )
    outcome = yield
    for switch, expected in (("definitive resection", first), ("last resection", last)):
        assumed = Assumptions.model_validate({"residual_status": switch})
        steps = outcome.of_all(switch, lambda all_, a=assumed: timeline(all_.frames, a).milestones)
        assert steps["residual_status"].to_list() == [expected]
