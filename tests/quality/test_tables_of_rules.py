"""The rules over several records read each table once and never hold the two largest together."""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict

import polars as pl
import pytest

from sarcoma_pipeline.publish.tables_on_demand import OnDemand
from sarcoma_pipeline.quality import cross_record, rule_registry
from schemas import typed
from schemas.contract import Contract
from tests.quality.clean import CLEAN, row

LINK = pl.DataFrame(
    {"person_ref": ["number:1", "number:2"], "patient_id": ["p1", "p2"], "method": ["x", "x"]}
)  # fmt: skip


def _frame(contract: type[Contract], *rows: dict) -> pl.DataFrame:
    return contract.conform(pl.DataFrame(rows, infer_schema_length=None, strict=False))


def test_each_table_is_read_once_and_the_largest_are_not_held_together(monkeypatch):
    assignment = {"record_id": "a", "source": "oBDS", "person_ref": "number:1", "reporter": "K"}
    frames = {c.table(): _frame(c, row(c)) for c in CLEAN}
    frames[typed.TumourAssignment.table()] = _frame(typed.TumourAssignment, assignment)
    held, read = [], []

    class Watched(rule_registry.Frames):
        def __init__(self, **more) -> None:
            super().__init__(**more)
            held.append(self)

    def watched(table: str) -> pl.DataFrame:
        read.append(table)
        if table == typed.Assessment.table():
            assert not {"tumour_assignment", "every tumour_assignment"} & set(held[0])
        return frames[table]

    monkeypatch.setattr(cross_record, "Frames", Watched)
    cross_record.observe(OnDemand(frames, watched), LINK)
    assert {typed.Assessment.table(), typed.TumourAssignment.table()} <= set(read)
    assert len(read) == len(set(read))


SITES = ("local", "regional")
FOUND, RESIDUAL, CLEAR = ("progression", "relapse"), "residual", "no tumour"


def _assessments(seed: int) -> pl.DataFrame:
    chosen = random.Random(seed)
    states = (None, None, CLEAR, CLEAR, RESIDUAL, RESIDUAL, *FOUND)
    return _frame(
        typed.Assessment,
        *(
            row(
                typed.Assessment, f"r{number:02}", person_ref=chosen.choice(("number:1", "number:2")),
                assessment_date=chosen.choice((None, *(dt.date(2013, 1, day) for day in range(1, 5)))),
                tumour_id=chosen.choice((None, "1", "1")),
                overall_status=chosen.choice((None, "complete remission", "partial remission")),
                local_status=chosen.choice(states), regional_status=chosen.choice(states),
            )
            for number in range(chosen.randrange(1, 16))
        ),
    )  # fmt: skip


def _after_a_remission(assessments: pl.DataFrame) -> set[str]:
    """Return the records with residual tumour although the statements of the day before it all found none."""
    wrong = set()
    for site in SITES:
        days = defaultdict(lambda: defaultdict(list))
        for told in assessments.drop_nulls("assessment_date").iter_rows(named=True):
            status = told[f"{site}_status"]
            clear = status == CLEAR or (status is None and told["overall_status"] == "complete remission")
            if clear or status in (*FOUND, RESIDUAL):
                of = days[told["person_ref"], told["tumour_id"]]
                of[told["assessment_date"]].append((told["record_id"], status, clear))
        for tumour in days.values():
            before: list = []
            for _, day in sorted(tumour.items()):
                was_clear = bool(before) and all(clear for *_, clear in before)
                if was_clear and not any(status in FOUND for _, status, _ in day):
                    wrong |= {record for record, status, _ in day if status == RESIDUAL}
                before = day
    return wrong


@pytest.mark.parametrize("seed", range(40))
def test_residual_tumour_after_a_remission_is_found_as_defined(seed):
    told = _assessments(seed)
    frames = {c.table(): c.empty() for c in (*CLEAN, typed.TumourAssignment)} | {
        typed.Assessment.table(): told
    }
    found = cross_record.observe(frames, LINK).filter(rule_id="assessment.residual-after-remission")
    assert set(found["record_id"]) == _after_a_remission(told)


def test_the_random_assessments_break_the_rule_often():
    assert sum(bool(_after_a_remission(_assessments(seed))) for seed in range(40)) > 8
