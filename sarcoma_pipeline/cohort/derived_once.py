"""Keep what is derived from the curated tables alone, for runs under other assumptions.

The runs of a sensitivity analysis select the same tumours, operations and courses dozens of times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec

import polars as pl

P = ParamSpec("P")

_Derivation = Callable[Concatenate[Mapping[str, pl.DataFrame], P], pl.DataFrame]


class CuratedOnce(Mapping[str, pl.DataFrame]):
    """The curated tables, and the frames that functions under :func:`once` derived from them.

    Attributes:
        derived: function and its further arguments to the frame.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        self._tables = dict(tables)
        self.derived: dict[tuple[object, ...], pl.DataFrame] = {}

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self._tables[table]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)


def once(function: _Derivation[P]) -> _Derivation[P]:
    """Call a function once for each :class:`CuratedOnce` and its further arguments, else every time.

    The function must depend on nothing else, and nobody may change the frame in place.
    """

    @wraps(function)
    def derive(curated: Mapping[str, pl.DataFrame], /, *args: P.args, **kwargs: P.kwargs) -> pl.DataFrame:
        if not isinstance(curated, CuratedOnce):
            return function(curated, *args, **kwargs)
        key = (function, *args, *kwargs.items())
        if key not in curated.derived:
            curated.derived[key] = function(curated, *args, **kwargs)
        return curated.derived[key]

    return derive
