"""A spreadsheet of one sheet, with dates as a spreadsheet program writes them."""

import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

import xlsxwriter


def workbook(rows: Iterable[Sequence[Any]]) -> bytes:
    """Return the content of an XLSX file with the sheet \"Daten\"; the first row is the sheet's first."""
    whole = io.BytesIO()
    with xlsxwriter.Workbook(whole) as book:
        day = book.add_format({"num_format": "dd.mm.yyyy"})
        sheet = book.add_worksheet("Daten")
        for number, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(number, place, dt.datetime.combine(cell, dt.time()), day)
                else:
                    sheet.write(number, place, cell)
    return whole.getvalue()
