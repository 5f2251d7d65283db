"""No result of curation and cohort rests on an order that no expression declares."""

from __future__ import annotations

import polars as pl
import pytest

from tests.oracle.in_process import DEMO_NIGHT, Built, build, derive
from tests.oracle.test_metamorphic import delivered, people
from tests.oracle.undeclared_order import drawn_by_lot


def test_the_lot_is_drawn_where_nothing_is_declared_and_only_there():
    frame = pl.DataFrame({"a": [0] * 30, "b": range(30)})
    with drawn_by_lot(1) as met:
        assert frame.sort("a")["b"].to_list() != list(range(30))
        assert frame.sort("a", maintain_order=True)["b"].to_list() == list(range(30))
        assert frame.sort("a", "b")["b"].to_list() == list(range(30))
        assert {frame.unique("a")["b"].item() for _ in range(20)} != {0}
        assert frame.unique("a", keep="first", maintain_order=True)["b"].item() == 0
        assert frame.group_by("b").agg("a")["b"].to_list() != list(range(30))
        assert frame.group_by("b", maintain_order=True).agg("a")["b"].to_list() == list(range(30))
        assert frame.join(frame, on="b")["b"].to_list() != list(range(30))
        assert frame.join(frame, on="b", how="left", maintain_order="left")["b"].to_list() == list(range(30))
    assert all(met.values())
    assert frame.sort("a")["b"].to_list() == list(range(30))


def content(built: Built) -> dict[str, list[str]]:
    """Every table and what the rules say, row by row, with the records that they rest on."""
    tables = {**built.frames, "observed": built.made.observed, "disposition": built.made.disposition}
    tables |= {"link": built.made.link, "quarantine": built.made.quarantine}
    return {name: sorted(map(repr, frame.rows(named=True))) for name, frame in tables.items()}


@pytest.mark.parametrize("lot", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in range(2, 6))])
def test_what_polars_may_order_as_it_likes_changes_nothing(tmp_path_factory, lot):
    _, persons = people(lot, messy=True, count=12)
    files = {"a.xml": delivered(persons), "b.xml": delivered(persons[::2], "2020-06-01")}
    declared = content(build(tmp_path_factory.mktemp("drop"), files))
    with drawn_by_lot(lot) as met:
        drawn = content(build(tmp_path_factory.mktemp("drop"), files))
    assert min(met.values()) > 0
    for table, rows in declared.items():
        assert drawn[table] == rows, table


def test_nothing_of_the_demo_rests_on_it(read_demo):
    """Plans, treatment records, tables and replies of registry offices go the same way."""
    declared = content(read_demo.derived)
    with drawn_by_lot(1):
        drawn = content(
            derive(read_demo.received, read_demo.sources, read_demo.files, read_demo.study, DEMO_NIGHT)
        )
    for table, rows in declared.items():
        assert drawn[table] == rows, table
