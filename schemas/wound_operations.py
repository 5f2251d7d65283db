"""Tell operations on a wound, and amputations, from other operations: by OPS codes and documented intent."""

from __future__ import annotations

import polars as pl

from schemas.toxicity_codes import ADDITIONAL_OPS, AMPUTATION_OPS, CLOSURE_OPS, WOUND_REVISION_OPS


def _starts(code: pl.Expr, prefixes: tuple[str, ...]) -> pl.Expr:
    return pl.any_horizontal(code.str.starts_with(p) for p in prefixes)


def _codes() -> pl.Expr:
    # Where no source has a code, the elements of the lists have no type.
    return pl.col("ops_codes").cast(pl.List(pl.String))


def on_wound() -> pl.Expr:
    """Return whether an operation is on the wound: rows with ``ops_codes`` and ``intent``.

    Its intent is a revision (oBDS OP/Intention R), or it has a code of :data:`WOUND_REVISION_OPS` and none of
    an operation that is not on the wound.
    """
    wound = _starts(pl.element(), WOUND_REVISION_OPS)
    fits = wound | _starts(pl.element(), CLOSURE_OPS + ADDITIONAL_OPS)
    by_code = _codes().list.eval(wound).list.any() & _codes().list.eval(fits).list.all()
    return by_code.fill_null(False) | (pl.col("intent") == "revision").fill_null(False)


def closes_only() -> pl.Expr:
    """Return whether all procedures of an operation close a wound: it may be planned, and removes nothing."""
    closes = _starts(pl.element(), CLOSURE_OPS)
    fits = closes | _starts(pl.element(), ADDITIONAL_OPS)
    return (_codes().list.eval(closes).list.any() & _codes().list.eval(fits).list.all()).fill_null(False)


def may_resect() -> pl.Expr:
    """Return whether an operation may have removed the tumour: rows with ``residual_status`` as well.

    One on the wound alone, and one that only closes a wound, removed nothing unless it has a residual status.
    """
    return pl.col("residual_status").is_not_null() | ~(on_wound() | closes_only())


def amputates() -> pl.Expr:
    """Return whether an operation has a code of :data:`AMPUTATION_OPS`."""
    return _codes().list.eval(_starts(pl.element(), AMPUTATION_OPS)).list.any().fill_null(False)


def wound_code() -> pl.Expr:
    """Return the first code of an operation on the wound, in order; null without one."""
    wound = _starts(pl.element(), WOUND_REVISION_OPS)
    return _codes().list.eval(pl.when(wound).then(pl.element())).list.drop_nulls().list.sort().list.first()
