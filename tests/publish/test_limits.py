"""The share of each limit is counted as it says, and the page lists every limit."""

from pathlib import Path

import polars as pl
import pytest

from sarcoma_pipeline.publish import limits
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.cohort_events import CohortEvent

DOCS = Path(__file__).parents[2] / "docs"
OF = {limit.id: limit for limit in limits.LIMITS}


def frames(patients=(), events=(), endpoints=()):
    def table(contract, rows):
        frame = pl.DataFrame(list(rows), infer_schema_length=None) if rows else contract.empty()
        missing = [c for c in contract.polars_schema() if c not in frame.columns]
        schema = contract.polars_schema()
        return frame.with_columns(pl.lit(None, dtype=schema[c]).alias(c) for c in missing)

    return {
        CohortPatient.table(): table(CohortPatient, patients),
        CohortEvent.table(): table(CohortEvent, events),
        CohortEndpoint.table(): table(CohortEndpoint, endpoints),
    }


def patient(name, **more):
    sound = {
        "histology_group": "UPS", "fnclcc_grade": "G2", "tumour_size_cm": 5.0, "tumour_depth": "deep",
        "residual_status": "R0", "t_stage": "T1", "chemotherapy": "yes", "follow_up_days": 1000,
        "registry_answer_days": 900, "dose_gy": 60.0, "delivered_dose_gy": 60.0,
    }  # fmt: skip
    return {"pseudonym": name} | sound | more


def event(name, kind, day, detail=None):
    return {"pseudonym": name, "kind": kind, "day": day, "detail": detail}


CASES = [
    ("plausible-date", {"endpoints": [{"evidence": e} for e in (["a"], ["a", "b"], [])]}, (2, 3)),
    ("day-within-month", {"endpoints": [{"date_precision": p} for p in ("day", "month", None)]}, (1, 3)),
    (
        "report-never-written",
        {
            "patients": [patient(n) for n in ("seen", "lost", "never", "relapsed", "edge")],
            "events": [
                event("seen", "assessment", 900), event("lost", "assessment", 100),
                event("lost", "assessment", 50), event("relapsed", "assessment", 10),
                event("relapsed", "local relapse", 10), event("edge", "assessment", 635),
            ],
        },
        (2, 4),
    ),
    (
        "death-not-told",
        {
            "patients": [patient("asked"), patient("not", registry_answer_days=None),
                         patient("dead", registry_answer_days=None)],
            "events": [event("dead", "death", 20, "by the tumour")],
        },
        (1, 2),
    ),
    (
        "cause-of-death",
        {"events": [event("a", "death", 1, "by the tumour"), event("b", "death", 2, "cause unknown"),
                    event("c", "death", 3), event("d", "alive", 4)]},
        (1, 3),
    ),
    (
        "dose-not-given",
        {"patients": [patient("a"), patient("b", delivered_dose_gy=None), patient("c", dose_gy=None)]},
        (1, 2),
    ),
    (
        "not-documented-is-no",
        {"patients": [patient("a"), patient("b", chemotherapy="no"), patient("c", chemotherapy=None)]},
        (1, 3),
    ),
    (
        "missing-not-by-chance",
        {"patients": [patient("a"), patient("b", fnclcc_grade="GX"), patient("c", tumour_size_cm=None)]},
        (2, 3),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "share"), CASES, ids=[c[0] for c in CASES])
def test_the_share_of_a_limit_is_counted_in_the_released_tables(name, given, share):
    assert limits.counted(frames(**given))[name] == share


def test_every_countable_limit_has_a_case_and_says_what_is_counted():
    countable = {limit.id for limit in limits.LIMITS if limit.share}
    assert countable == {case[0] for case in CASES} == {one.id for one in limits.LIMITS if one.counts}
    assert len(OF) == len(limits.LIMITS)


def test_nothing_is_counted_without_the_tables_and_an_empty_release_has_no_percentages():
    assert limits.counted({}) == {}
    assert {limits.said(share) for share in limits.counted(frames()).values()} == {"none to count"}
    assert limits.said((1, 3)) == "1 of 3 (33 %)" and limits.said(None) == "not countable"


def test_the_page_is_the_catalogue():
    text = (DOCS / "limits.md").read_text("utf-8")
    assert text == limits.markdown()
    assert all(f"## {name}\n" in text for name in OF)
