"""The distinct values of lists, in order."""

import random

import polars as pl

from schemas.distinct_values import distinct

VALUES = ["", "a", "ä", "A", "b", "10", "9", None]


def test_lists_as_python_sorts_them():
    draw = random.Random(1)
    for _ in range(50):
        lists = [
            None if draw.random() < 0.1 else draw.choices(VALUES, k=draw.choice([0, 1, 1, 2, 5]))
            for _ in range(draw.choice([0, 1, 30]))
        ]
        frame = pl.DataFrame({"given": lists}, schema={"given": pl.List(pl.String)})
        found = frame.select(distinct(pl.col("given"))).to_series()
        wanted = [
            None if of is None else sorted(set(of), key=lambda v: (v is not None, (v or "").encode()))
            for of in lists
        ]
        assert found.dtype == pl.List(pl.String)
        assert found.to_list() == wanted
