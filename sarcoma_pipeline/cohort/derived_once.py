"""Derive the parts of a cohort once for all runs of a sensitivity analysis that derive them from the same.

Each run changes one assumption, and most parts of a cohort do not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, TypeVarTuple, cast

import polars as pl

from schemas.assumptions import Assumptions

P = ParamSpec("P")
R = TypeVar("R")
Ts = TypeVarTuple("Ts")

_Derivation = Callable[Concatenate[Mapping[str, pl.DataFrame], P], pl.DataFrame]


class CuratedOnce(Mapping[str, pl.DataFrame]):
    """The curated tables, each read at most once, and the frames that functions under :func:`once` derived.

    Attributes:
        read: the tables read so far.
        derived: function and its further arguments to the frame.
    """

    def __init__(self, tables: Mapping[str, pl.DataFrame]) -> None:
        self._tables, self.read = tables, dict[str, pl.DataFrame]()
        self.derived: dict[tuple[object, ...], pl.DataFrame] = {}

    def __getitem__(self, table: str) -> pl.DataFrame:
        if table not in self.read:
            self.read[table] = self._tables[table]
        return self.read[table]

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


class Derive(Protocol):
    """Call a function whose result depends on nothing but its arguments."""

    def __call__(self, function: Callable[[*Ts], R], /, *args: *Ts) -> R:
        """Return the result."""
        ...


def every_time(function: Callable[[*Ts], R], /, *args: *Ts) -> R:
    """Call a function."""
    return function(*args)


class DerivedOnce:
    """Call a function, unless it was called before with the same arguments: then return that result.

    Frames and mappings of frames are the same argument if they are the same object, which nobody may change
    in place; other values are if they are equal. Of the assumptions only those count that the function read.
    A frame that equals an earlier result of its function is replaced by that one, so that what is derived
    from it need not be derived again.

    Args:
        before: calls whose results are used, too. New results are not kept there, and are freed with this
            object.
    """

    def __init__(self, before: DerivedOnce | None = None) -> None:
        self._before = before
        self._answers: dict[object, list[_Answer]] = {}
        self._results: dict[object, list[Any]] = {}

    @property
    def _levels(self) -> Iterator[DerivedOnce]:
        # No object holds itself: its frames would stay until Python looks for cycles, after all runs.
        if self._before:
            yield from self._before._levels
        yield self

    def __call__(self, function: Callable[[*Ts], R], /, *args: *Ts) -> R:
        """Return the result of a call, or the one of an earlier call."""
        key = (function, _identity(args))
        assumptions = list(_assumptions(args))
        for level in self._levels:
            for answer in level._answers.get(key, ()):
                if all(answer.holds(own) for own in assumptions):
                    return answer.result
        reads: dict[str, object] = {}
        result = self._earlier(function, function(*cast(tuple[*Ts], _noting(args, reads))))
        self._answers.setdefault(key, []).append(_Answer(reads, result))
        return result

    def _earlier(self, function: object, result: Any) -> Any:
        """Return the earlier result that this one equals, else this one."""
        for level in self._levels:
            for earlier in level._results.get(function, ()):
                if _equal(earlier, result):
                    return earlier
        self._results.setdefault(function, []).append(result)
        return result


@dataclass(frozen=True)
class _Answer:
    """The result of a call, and the assumptions that it read."""

    reads: dict[str, object]
    result: Any

    def holds(self, assumptions: Assumptions) -> bool:
        return all(getattr(assumptions, name) == value for name, value in self.reads.items())


class _Noting:
    """Assumptions that note which of them are read."""

    def __init__(self, own: Assumptions, reads: dict[str, object]) -> None:
        self._own, self._reads = own, reads

    def __getattr__(self, name: str) -> object:
        if name not in Assumptions.model_fields:
            raise AttributeError(f"{name} is no switch: what a derived part reads of it would not be noted")
        return self._reads.setdefault(name, getattr(self._own, name))


def _noting(arg: Any, reads: dict[str, object]) -> Any:
    """Return an argument in which the assumptions note what is read of them."""
    if isinstance(arg, (Assumptions, _Noting)):
        return _Noting(cast(Assumptions, arg), reads)
    if isinstance(arg, tuple):
        return tuple(_noting(one, reads) for one in arg)
    if is_dataclass(arg) and any(_assumptions(arg)):
        return replace(cast(Any, arg), **{f.name: _noting(getattr(arg, f.name), reads) for f in fields(arg)})
    return arg


def _assumptions(arg: object) -> Iterator[Assumptions]:
    """Yield the assumptions of an argument."""
    if isinstance(arg, (Assumptions, _Noting)):
        yield cast(Assumptions, arg)
    elif isinstance(arg, tuple):
        for one in arg:
            yield from _assumptions(one)
    elif is_dataclass(arg):
        for field in fields(arg):
            yield from _assumptions(getattr(arg, field.name))


@dataclass(frozen=True, eq=False)
class _Object:
    """An object as a part of a key: equal to itself only. It is kept, so that no other gets its address."""

    it: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Object) and self.it is other.it

    def __hash__(self) -> int:
        return id(self.it)


def _identity(arg: object) -> object:
    """Return what tells an argument from others; assumptions are told by what is read of them."""
    if isinstance(arg, (Assumptions, _Noting)):
        return None
    if isinstance(arg, tuple):
        return tuple(_identity(one) for one in arg)
    if is_dataclass(arg):
        return tuple(_identity(getattr(arg, field.name)) for field in fields(arg))
    try:
        hash(arg)
    except TypeError:
        return _Object(arg)
    return type(arg), arg


def _equal(one: object, other: object) -> bool:
    """Return whether two results are equal frames, or equal series, with the same types."""
    if isinstance(one, pl.DataFrame) and isinstance(other, pl.DataFrame):
        return one.schema == other.schema and one.equals(other)
    if isinstance(one, pl.Series) and isinstance(other, pl.Series):
        return one.dtype == other.dtype and one.equals(other)
    return False
