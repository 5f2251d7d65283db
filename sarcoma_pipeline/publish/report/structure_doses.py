"""Build the tables of volumes and doses: targets, organs, and the delivered beside the prescribed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from sarcoma_pipeline.publish.report.number_format import MISSING, number
from sarcoma_pipeline.publish.report.report_tables import Table, plain
from schemas.language import gettext as _
from schemas.language import marked

_TARGETS = ("target", "target boost")
_OF_TARGETS = (
    ("volume_cc", marked("Volume, cm³"), 0),
    ("d98_gy", "D98, Gy", 1),
    ("d95_gy", "D95, Gy", 1),
    ("d50_gy", "D50, Gy", 1),
    ("d2_gy", "D2, Gy", 1),
    ("v95_percent", "V95, %", 1),
    ("homogeneity", "HI", 2),
    ("conformity", "CI", 2),
)
_OF_ORGANS = (
    ("volume_cc", marked("Volume, cm³"), 0),
    ("mean_gy", marked("Dmean, Gy"), 1),
    ("max_gy", marked("Dmax, Gy"), 1),
    ("eqd2_mean_gy", marked("Mean EQD2, Gy"), 1),
)
_LEAST_SHOWN = 3
"""A structure of fewer patients has no row: a median of two is their values."""


def tables(frame: pl.DataFrame, label: Callable[[], str]) -> Iterator[Table]:
    """Yield the tables of targets, of organs, and of delivered beside prescribed doses.

    Args:
        frame: ``cohort.dose_volume``.
        label: returns the label of the next table.
    """
    is_target = pl.col("role").is_in(_TARGETS)
    for key, title, columns, rows in (
        ("table-targets", marked("Volumes and doses of targets"), _OF_TARGETS, frame.filter(is_target)),
        (
            "table-organs",
            marked("Volumes and doses of other structures"),
            _organs(frame),
            frame.filter(~is_target),
        ),
    ):
        lines = [_line(name, columns, some) for (name,), some in _by_structure(rows)]
        if lines:
            head = (_("Structure"), _("Patients"), *(_(shown) for __, shown, __ in columns))
            caption = _("{title}; median (range)").format(title=_(title))
            if key == "table-targets":
                # A few targets with many numbers: a row for each number fits page, phone and paper.
                head, *lines = zip(head, *lines, strict=True)
            yield plain(key, label(), caption, head, lines)
    given = _delivered(frame)
    if given is not None:
        yield plain("table-delivered", label(), *given)


def _by_structure(rows: pl.DataFrame) -> Iterator[tuple[tuple[object, ...], pl.DataFrame]]:
    for name, some in rows.sort("structure").group_by(["structure"], maintain_order=True):
        if some.height >= _LEAST_SHOWN:
            yield name, some


def _organs(frame: pl.DataFrame) -> tuple[tuple[str, str, int], ...]:
    """Return the columns of organs: those of doses, and a column for each declared x of Vx."""
    doses = sorted({x for xs in frame["vx_gy"].drop_nulls().to_list() for x in xs})
    return (*_OF_ORGANS, *((f"V{x:g}", f"V{x:g}, %", 0) for x in doses))


def _line(name: object, columns: tuple[tuple[str, str, int], ...], rows: pl.DataFrame) -> tuple[str, ...]:
    cells = [
        _spread(_share_at(rows, float(column[1:])) if column[0] == "V" else rows[column], decimals)
        for column, __, decimals in columns
    ]
    return str(name), number(rows.height), *cells


def _share_at(rows: pl.DataFrame, dose: float) -> pl.Series:
    """Return Vx of one dose."""
    pairs = zip(rows["vx_gy"].to_list(), rows["vx_percent"].to_list(), strict=True)
    values = [
        next((share for x, share in zip(xs or (), shares or (), strict=False) if x == dose), None)
        for xs, shares in pairs
    ]
    return pl.Series("share", values, dtype=pl.Float64)


def _spread(values: pl.Series, decimals: int) -> str:
    """Return median and range; a dash for fewer values than a median may be of."""
    known = values.drop_nulls()
    if known.len() < _LEAST_SHOWN:
        return MISSING
    middle, low, high = (float(x) for x in (known.median(), known.min(), known.max()))  # pyright: ignore[reportArgumentType]
    return f"{number(middle, decimals)} ({number(low, decimals)}–{number(high, decimals)})"


def _delivered(frame: pl.DataFrame) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]] | None:
    """Return caption, head and rows of prescribed and delivered doses and D50 of the PTV."""
    rows = frame.filter(structure="PTV")
    if rows.height < _LEAST_SHOWN:
        return None
    away = (pl.col("d50_gy") - pl.col("prescribed_dose_gy")).abs()
    near = rows.filter(away <= 0.05 * pl.col("prescribed_dose_gy"))
    lines = [
        (_("Prescribed dose of the PTV, Gy"), _spread(rows["prescribed_dose_gy"], 1)),
        (_("Delivered dose by treatment records, Gy"), _spread(rows["delivered_dose_gy"], 1)),
        (_("D50 of the PTV, Gy"), _spread(rows["d50_gy"], 1)),
        (
            _("D50 within 5 % of the prescribed dose"),
            _("{near} of {all}").format(near=near.height, all=rows["d50_gy"].drop_nulls().len()),
        ),
    ]
    caption = _("Prescribed, planned and delivered dose; median (range)")
    return caption, ("", _("Value")), lines
