"""Tables as people send them, and what the reader makes of them."""

import datetime as dt
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from sarcoma_pipeline.curation import table_rows
from sarcoma_pipeline.sources import table_file
from sarcoma_pipeline.sources.received_record import SourceFile
from schemas import typed, typed_diagnosis  # noqa: F401
from schemas.configuration import TableSource

DIAGNOSIS = {"hospital_number": "Pat", "diagnosis_date": "Datum", "tumour_size_cm": "Größe"}


def source_of(**more) -> TableSource:
    return TableSource.model_validate(
        {
            "name": "sheet", "kind": "table", "format": "csv", "delimiter": ";", "files": ["*"],
            "key": ["Pat"], "decimal": ",", "date_format": "%d.%m.%Y",
            "entities": [{"entity": "diagnosis", "columns": DIAGNOSIS}],
            **more,
        }
    )  # fmt: skip


class Read:
    """What became of one file."""

    def __init__(self, folder: Path, content: bytes | str, source: TableSource) -> None:
        path = folder / "file"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        batch = table_file.read(SourceFile("F", path, "file"), source, "R1")
        frames = batch.frames()
        unread = frames.get("received.unread")
        self.faults = [] if unread is None else unread.select("position", "rule_id").rows()
        self.account = batch.account
        rows = frames.get("received.table_row")
        self.typed, self.observed = {}, []
        if rows is not None:
            dated = rows.with_columns(received_on=pl.lit(dt.date(2021, 12, 1)))
            for contract, frame, seen in table_rows.typed_frames(dated, source):
                self.typed[contract.table()] = frame
                self.observed += seen.select("rule_id", "column_name", "value").rows()

    def diagnoses(self, *columns: str) -> list[tuple]:
        return self.typed["typed.diagnosis"].select(columns or ("diagnosis_date", "tumour_size_cm")).rows()


def workbook_of(
    *rows: tuple, hidden: bool = False, head: tuple[str, ...] = ("Pat", "Datum", "Größe")
) -> bytes:
    whole = io.BytesIO()
    with xlsxwriter.Workbook(whole) as workbook:
        date = workbook.add_format({"num_format": "dd.mm.yy"})
        if hidden:
            old = workbook.add_worksheet("Alt")
            old.write_row(0, 0, ("Pat", "Datum", "Größe"))
            old.hide()
        sheet = workbook.add_worksheet("Daten")
        if hidden:
            sheet.activate()
            sheet.set_first_sheet()
        sheet.write_row(0, 0, head)
        for number, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if isinstance(value, dt.date):
                    sheet.write_datetime(number, place, dt.datetime.combine(value, dt.time()), date)
                elif isinstance(value, str) and value.startswith("#"):
                    sheet.write_formula(number, place, "=NA()", None, value)  # pyright: ignore[reportArgumentType]
                elif isinstance(value, str):
                    sheet.write_string(number, place, value)
                else:
                    sheet.write(number, place, value)
    return whole.getvalue()


class Workbook:
    """Cells of any value and format of numbers, below the header Pat, Datum, Größe."""

    def __init__(self, *rows: Sequence[tuple[Any, str]], **options: bool) -> None:
        whole = io.BytesIO()
        with xlsxwriter.Workbook(whole, options) as book:
            sheet = book.add_worksheet("Daten")
            sheet.write_row(0, 0, ("Pat", "Datum", "Größe"))
            for number, row in enumerate(rows, start=1):
                sheet.write(number, 0, number)
                for place, (value, form) in enumerate(row, start=1):
                    put = sheet.write_string if isinstance(value, str) else sheet.write
                    put(number, place, value, book.add_format({"num_format": form}))
        self.content = whole.getvalue()
