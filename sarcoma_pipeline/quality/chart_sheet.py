"""Write the blind abstraction sheet of a sample, and read it back.

Blind means: the sheet contains no value of the release, and its order tells nothing. It names patients by
pseudonym only. What to look up is said in the language that is set; names and codes are those of the release.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from sarcoma_pipeline.quality import own_sheets
from sarcoma_pipeline.quality.chart_review import NONE, UNKNOWN
from sarcoma_pipeline.quality.chart_sample import VARIABLES
from schemas.language import gettext as _
from schemas.spreadsheet import PLAIN_TEXTS

_ID, _PATIENT, _REMARK = "sample_id", "pseudonym", "remark"
_LIST_CHARS = 255
"""Longest list of choices that a spreadsheet accepts."""


def write(path: Path, sample_id: str, patients: pl.Series) -> None:
    """Write the sheet. Only the owner can read it; an existing file is never overwritten.

    Args:
        path: the new file.
        sample_id: names the sample.
        patients: pseudonyms in the order of the sheet.

    Raises:
        FileExistsError: the file exists; somebody may have filled it in.
    """
    own_sheets.create(path, sheet(sample_id, patients))


def sheet(sample_id: str, patients: pl.Series) -> bytes:
    """Return the sheet as XLSX: a row for each patient, a column for each variable, and what to enter."""
    import xlsxwriter

    out = io.BytesIO()
    columns = [_ID, _PATIENT, *(v.name for v in VARIABLES), _REMARK]
    with xlsxwriter.Workbook(out, {**PLAIN_TEXTS, "in_memory": True}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
        page = book.add_worksheet("charts")
        for place, column in enumerate(columns):
            page.set_column(place, place, 18, text, {"hidden": column == _ID})
            page.write_string(0, place, column, head)
        for number, name in enumerate(patients, 1):
            page.write_string(number, 0, sample_id)
            page.write_string(number, 1, name)
        for place, variable in enumerate(VARIABLES, 2):
            choices = [*variable.codes, UNKNOWN[1]]
            if variable.codes and len(",".join(choices)) <= _LIST_CHARS:
                rule = {"validate": "list", "source": choices}
                page.data_validation(1, place, max(len(patients), 1), place, rule)
        page.freeze_panes(1, 2)
        about = book.add_worksheet("variables")
        about.set_column(0, 2, 45)
        lines = [(_("variable"), _("what to look up"), _("how to enter it"))]
        lines += [(v.name, _(v.title), _how(v.kind, v.codes, v.event)) for v in VARIABLES]
        lines.append((_REMARK, _("anything to tell; no names and no birth dates"), _("text")))
        for number, line in enumerate(lines):
            for place, cell in enumerate(line):
                about.write_string(number, place, cell, text if number else head)
    return out.getvalue()


def _how(kind: str, codes: tuple[str, ...], event: bool) -> str:
    usual = {
        "code": _("one of: {codes}").format(codes=", ".join(codes)),
        "number": _("a number"),
        "date": "2030-12-31",
        "text": _("the code"),
    }
    parts = [usual[kind]]
    if event:
        parts.append(_("{none} if it did not happen").format(none=NONE[0]))
    parts.append(_("{unknown} if the chart does not say").format(unknown=UNKNOWN[1]))
    return "; ".join([*parts, _("empty if not looked up")])


def read(path: Path) -> tuple[str, Mapping[str, Mapping[str, str]]]:
    """Read an abstracted sheet, in a process of its own.

    Returns:
        The id of the sample, and pseudonym to variable to the abstractor's cell.

    Raises:
        ValueError: it is no such sheet, or names a patient twice.
    """
    lines = [[cell.strip() for cell in line] for line in own_sheets.lines(path)]
    start = next((i for i, line in enumerate(lines) if {_ID, _PATIENT} <= set(line)), None)
    if start is None:
        raise ValueError(f"{path.name} is no sheet of a sample: it has no columns {_ID} and {_PATIENT}")
    rows = [dict(zip(lines[start], line, strict=True)) for line in lines[start + 1 :] if any(line)]
    ids = sorted({row[_ID] for row in rows})
    names = [row[_PATIENT] for row in rows]
    if len(ids) != 1:
        raise ValueError(f"{path.name} has rows of {len(ids)} samples: one sheet is one sample")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{path.name} has several rows of: {', '.join(twice)}")
    return ids[0], {row[_PATIENT]: row for row in rows}
