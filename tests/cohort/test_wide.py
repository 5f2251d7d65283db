"""The wide table: one row a patient, with the time and event of every endpoint of the study."""

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.cohort import wide
from sarcoma_pipeline.publish import disclosure, release
from schemas import cohort_wide
from schemas.cohort import CohortEndpoint, CohortPatient
from schemas.contract import CONTRACTS
from schemas.disclosure import Disclosure
from schemas.release import MetaRelease


def _patients(*names: str) -> pl.DataFrame:
    rows = [{"pseudonym": n, "sex": "male", "relapse_pattern": "none", "record_ids": ["r"]} for n in names]
    return CohortPatient.conform(pl.DataFrame(rows))


def _end(pseudonym: str, endpoint: str, days: int, *, event: bool, **more: Any) -> dict[str, Any]:
    return {
        "pseudonym": pseudonym, "endpoint": endpoint, "time_days": days, "time_months": days / 30.4375,
        "event": event, "event_kind": "death" if event else "censored", "evidence": ["r"],
        "time_days_earliest": days, "time_days_latest": days, **more,
    }  # fmt: skip


def _endpoints(*rows: dict[str, Any]) -> pl.DataFrame:
    return CohortEndpoint.conform(pl.DataFrame(list(rows), infer_schema_length=None))


ENDPOINTS = _endpoints(
    _end("b", "OS", 200, event=True),
    _end("a", "OS", 100, event=False),
    _end("a", "DFS", 50, event=True, entry_months=0.5),
)


def test_each_patient_has_one_row_with_every_endpoint() -> None:
    table = wide.table(_patients("a", "b"), ENDPOINTS)
    assert table.select(
        "pseudonym", "os_days", "os_event", "os_kind", "dfs_days", "dfs_entry_months"
    ).rows() == [
        ("a", 100, False, "censored", 50, 0.5),
        ("b", 200, True, "death", None, None),
    ]
    assert "record_ids" not in table.columns and table["sex"].to_list() == ["male", "male"]


def test_the_table_keeps_its_contract() -> None:
    contract, table = wide.contract(ENDPOINTS), wide.table(_patients("a", "b"), ENDPOINTS)
    assert contract.failures(table).is_empty()
    assert contract.table() == "cohort.wide" and contract.describe().startswith("One eligible patient")
    specs = {c.name: c for c in contract.columns()}
    assert list(specs) == table.columns
    assert (specs["os_months"].unit, specs["os_kind"].vocabulary) == ("months", "event_kind")
    assert specs["pseudonym"].identifying == "quasi-identifier"
    assert specs["fnclcc_grade"].vocabulary == "fnclcc_grade"
    twice = wide.table(_patients("a", "a"), ENDPOINTS)
    assert contract.failures(twice)["rule_id"].to_list() == ["value.repeated"] * 2


def test_the_order_of_the_rows_decides_nothing() -> None:
    one, other = (
        wide.table(_patients("a", "b"), ENDPOINTS),
        wide.table(_patients("a", "b"), ENDPOINTS.reverse()),
    )
    assert one.equals(other)


def test_a_cohort_without_endpoints_has_its_patients() -> None:
    table = wide.table(_patients("a"), CohortEndpoint.empty())
    assert table.rows() == _patients("a").drop("record_ids").rows()


@pytest.mark.parametrize(
    ("names", "prefixes"),
    [
        (["OS", "DFS"], {"OS": "os", "DFS": "dfs"}),
        (["OS", "os"], {"OS": "os", "os": "os_2"}),
        (["A-B", "A_B"], {"A-B": "a_b", "A_B": "a_b_2"}),
        (["follow_up"], {"follow_up": "follow_up_2"}),
        (["os_2", "os", "OS"], {"OS": "os", "os": "os_2", "os_2": "os_2_2"}),
    ],
)
def test_no_two_endpoints_share_a_column(names: list[str], prefixes: dict[str, str]) -> None:
    assert cohort_wide.prefixes(names) == prefixes
    columns = [c.name for c in cohort_wide.contract(names).columns()]
    assert len(columns) == len(set(columns))


def test_the_public_never_sees_it() -> None:
    tables = {
        "cohort.patients": _patients(*(f"p{i}" for i in range(30))),
        "cohort.endpoints": ENDPOINTS,
        "meta.release": MetaRelease.conform(pl.DataFrame([{"eligible": 30}])),
    }
    assert cohort_wide.WIDE in release.with_wide(tables)
    public = disclosure.public(release.with_wide(tables), Disclosure())
    assert cohort_wide.WIDE not in public
    assert cohort_wide.WIDE not in release.with_wide(public)


def test_it_is_no_table_of_the_warehouse() -> None:
    assert cohort_wide.WIDE not in CONTRACTS
