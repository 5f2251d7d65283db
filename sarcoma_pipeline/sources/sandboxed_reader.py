"""Reads spreadsheets and Parquet files in a sandboxed process with limited memory and time.

The libraries are native code: a small file with a distant cell, a long run or a wrong length makes them
request more memory than exists, and the failed allocation ends the process. The process therefore runs
alone (``python -I sandboxed_reader.py FORMAT SHEET HELD COLUMNS RECORDS``) and cannot write files. It reads
the file from standard input and writes the table as Arrow to standard output. A fault is ``rule<TAB>detail``
in the last line of standard error, with exit code 3.

:func:`kept_open` has one process read several files (``python -I sandboxed_reader.py each HELD COLUMNS
RECORDS``): most of the time goes into its start. If it dies, its file is read again by a process of its own.
"""

from __future__ import annotations

import io
import json
import os
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import polars as pl

_REFUSED = 3
_PROGRAM_BYTES = 3 * 1024**3
"""Address space that the interpreter and its libraries map."""
_GROWTH = 4
"""Copies of the content in memory: compressed, decompressed, parsed, returned."""
_ERRORS = {
    "Div0": "#DIV/0!", "NA": "#N/A", "Name": "#NAME?", "Null": "#NULL!", "Num": "#NUM!", "Ref": "#REF!",
    "Value": "#VALUE!", "GettingData": "#GETTING_DATA",
}  # fmt: skip
"""Name of an error in the library to the text that the spreadsheet shows."""
_GROUPED = r"^[+-]?\d{1,3}(\.\d{3})+$"
"""A text that can be two numbers: with a decimal point, or with points that group three digits."""
DATE_1904 = "days since 1904"
"""Mark of a workbook that counts its days from 1904-01-01, as old ones of the Mac do."""
SAME_HEADER = "sheets of the same header: "
"""Mark before the number of further visible sheets that begin as the sheet that is read does."""
_COUNTS_FROM_1904 = re.compile(rb"""<(?:\w+:)?workbookPr\s[^>]{0,900}?\bdate1904\s*=\s*["'](?:1|true)["']""")
_MIDNIGHT = r"^(\d{4}-\d\d-\d\d)[ T]00:00:00(\.0+)?$"
"""A date cell: spreadsheets and Parquet store a date as its midnight."""
_FRACTION = r"^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)\.\d+$"
"""A date cell with a part of a second, which no format of dates reads."""
_TIME = r"^(?:1899-12-3[01]|1900-01-00)[ T](\d\d:\d\d:\d\d)(\.0+)?$"
"""A cell that holds a time only: the library gives it the day before a spreadsheet's first."""
_DAY_0 = r"^1899-12-3[01]$"
"""The number 0 in the format of a date, which a spreadsheet shows as 00.01.1900: an empty result, no day."""
_TIME_1904 = r"^1904-01-01[ T](\d\d:\d\d:\d\d)(\.0+)?$"
_DAY_0_1904 = r"^1904-01-01$"
"""The same in a workbook that counts from 1904."""
_UNCOMPUTED = re.compile(
    rb"""<((?:\w+:)?)c(?=[\s>])((?:(?!\bt\s*=\s*["']str["'])[^>/]){0,300})>\s*"""
    rb"""<\1f(?:\s[^>]{0,300})?(?:/>|>[^<]{0,9000}</\1f>)\s*(?:<\1v\s*/>|<\1v>\s*</\1v>)?\s*</\1c>"""
)
"""A formula without a result: the program that wrote the workbook did not compute it. Excel shows one."""
_TOP = 50
"""Rows of a sheet among which its header is looked for."""
_TYPE = re.compile(rb"""\bt\s*=\s*["']\w*["']""")
NOT_COMPUTED = "#FORMULA!"
"""Text of a cell whose formula has no result in the file."""
_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]{0,200}?\br\s*=\s*["']([A-Z]+)([0-9]+)["']""")


class Refused(Exception):
    """The file cannot be read; ``args`` are the rule and the detail."""


def read(
    data: bytes, kind: str, sheet: str | None, limits: tuple[int, int, int], seconds: int
) -> pl.DataFrame:
    """Read a file in a sandboxed process.

    Args:
        data: content of the file.
        kind: ``xlsx`` or ``parquet``.
        sheet: name of the sheet; None for the first.
        limits: maximum bytes, columns and records.
        seconds: timeout.

    Returns:
        Every cell as text, the header in the first filled row; missing cells are empty, a date is written
        ``YYYY-MM-DD``, an error as the spreadsheet shows it (``#REF!``). The name of the first column has
        the marks of the workbook: :data:`DATE_1904`, :data:`SAME_HEADER`.

    Raises:
        Refused: with the rule that the file breaks.
    """
    if (
        _open is not None
        and _open.limits == limits
        and (table := _open.read(data, kind, sheet, seconds)) is not None
    ):
        return table
    words = [*_PROGRAM, kind, sheet or "", *map(str, limits)]
    try:
        done = subprocess.run(words, input=data, capture_output=True, timeout=seconds, env=_environment())
    except subprocess.TimeoutExpired:
        raise Refused("file.too-large", f"not read within {seconds} seconds") from None
    if done.returncode == _REFUSED:
        rule_id, _, detail = (
            done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2].partition("\t")
        )
        raise Refused(rule_id, detail)
    if done.returncode:
        raise Refused("file.too-large", "the reader ran out of memory")
    return pl.read_ipc_stream(io.BytesIO(done.stdout))


def marked(frame: pl.DataFrame, mark: str) -> str | None:
    """Return what follows a mark in the name of the first column; None if it has no such mark."""
    marks = "".join(frame.columns[:1]).split("; ")
    return next((one.removeprefix(mark) for one in marks if one.startswith(mark)), None)


_PROGRAM = (sys.executable, "-I", str(Path(__file__)))


def _environment() -> dict[str, str]:
    return {**os.environ, "POLARS_MAX_THREADS": "1"}


class _Process:
    """One sandboxed process that reads a file after the other."""

    def __init__(self, limits: tuple[int, int, int]) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
            [*_PROGRAM, _EACH, *map(str, limits)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip

    def read(self, data: bytes, kind: str, sheet: str | None, seconds: int) -> pl.DataFrame | None:
        """Read a file; None if the process died or took too long.

        Raises:
            Refused: with the rule that the file breaks.
        """
        process = self._process
        if process is None:
            return None
        assert process.stdin is not None and process.stdout is not None
        late = Timer(seconds, process.kill)
        late.start()
        try:
            asked = json.dumps({"kind": kind, "sheet": sheet or "", "bytes": len(data)})
            process.stdin.write(asked.encode() + b"\n" + data)
            process.stdin.flush()
            told = json.loads(process.stdout.readline() or b"null")
            content = process.stdout.read(told["bytes"]) if told else b""
        except OSError:
            told, content = None, b""
        finally:
            late.cancel()
        if not told or len(content) < told["bytes"]:
            self.close()
            return None
        if "rule" in told:
            raise Refused(told["rule"], told["detail"])
        return pl.read_ipc_stream(io.BytesIO(content))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


_open: _Process | None = None
_EACH = "each"


@contextmanager
def kept_open(limits: tuple[int, int, int]) -> Iterator[None]:
    """Have one process read all files of this block that are read under these limits.

    Args:
        limits: maximum bytes, columns and records of a file.
    """
    # Readers are called through a registry, which passes no process on.
    global _open
    _open = _Process(limits)
    try:
        yield
    finally:
        _open.close()
        _open = None


def _confine(held: int) -> None:
    bytes_allowed = _PROGRAM_BYTES + _GROWTH * held
    for what, most in (
        (resource.RLIMIT_AS, bytes_allowed),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _spreadsheet(data: bytes, sheet: str, held: int, columns: int, records: int) -> pl.DataFrame:
    import fastexcel

    content = _unpacked(data, held, columns, records)
    loaded = fastexcel.read_excel(content)
    if sheet and sheet not in loaded.sheet_names:
        raise Refused("file.sheet-missing", f"none of its {len(loaded.sheet_names)} sheets has that name")
    # Rows are counted from the first row of the sheet, even if it is empty, as the spreadsheet program
    # counts.
    read = loaded.load_sheet(sheet or _first_visible(loaded), dtypes="string", header_row=None, skip_rows=0)
    # A cell that the library cannot return as text holds an error.
    batch, errors = read.to_arrow_with_errors()
    frame = pl.DataFrame(batch)
    for error in errors.errors if errors else ():
        row, place = error.offset_position
        kind = re.sub(r".*Error\((\w+)\).*", r"\1", error.detail)
        frame[row, place] = _ERRORS.get(kind, "#ERROR!")
    frame = _numbers_told_apart(frame, loaded, read.name)
    # The content is not compressed, and a cell cannot hold an unescaped "<".
    marks = [DATE_1904] if _COUNTS_FROM_1904.search(content) else []
    if not sheet and (alike := _same_header(loaded, read.name)):
        marks.append(f"{SAME_HEADER}{alike}")
    return frame.rename({frame.columns[0]: "; ".join(marks)}) if frame.width and marks else frame


def _same_header(workbook: Any, own: str) -> int:
    """Count the other visible sheets that begin as the sheet that is read does and have a row below that."""
    begun = [_filled(workbook, name) for name in workbook.sheet_names if name != own]
    header = _filled(workbook, own)[:1]
    return sum(len(rows) > 1 and rows[:1] == header for rows in begun)


def _filled(workbook: Any, name: str) -> list[list[str]]:
    """Return the filled cells of the filled rows at the top of a sheet; none of a hidden one."""
    sheet = workbook.load_sheet(name, dtypes="string", header_row=None, skip_rows=0, n_rows=_TOP)
    rows = pl.DataFrame(sheet.to_arrow_with_errors()[0]).iter_rows() if sheet.visible == "visible" else ()
    return [cells for row in rows if (cells := [cell.strip() for cell in row if (cell or "").strip()])]


def _numbers_told_apart(frame: pl.DataFrame, workbook: Any, sheet: str) -> pl.DataFrame:
    """Append a zero to a number such as 1.234: as text, "1.234" may mean 1234.

    To tell numbers from texts, the sheet is read again as whole numbers: cells with text that is no number
    become errors, numbers do not.
    """
    texts: set[tuple[int, int]] | None = None
    for place, name in enumerate(frame.columns):
        doubtful = frame[name].str.contains(_GROUPED).fill_null(False).arg_true().to_list()
        if doubtful and texts is None:
            _, errors = workbook.load_sheet(
                sheet, dtypes="int", header_row=None, skip_rows=0
            ).to_arrow_with_errors()
            texts = {error.offset_position for error in (errors.errors if errors else ())}
        for row in doubtful:
            if (row, place) not in (texts or ()):
                frame[row, place] = f"{frame[row, place]}0"
    return frame


def _first_visible(workbook: Any) -> str | int:
    """Return the name of the first visible sheet; if all are hidden, the first sheet."""
    for name in workbook.sheet_names:
        if workbook.load_sheet(name, n_rows=0).visible == "visible":
            return name
    return 0


def _unpacked(data: bytes, held: int, columns: int, records: int) -> bytes:
    """Return the workbook's XML uncompressed, so that exactly the measured content is parsed."""
    whole = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as packed, zipfile.ZipFile(whole, "w") as plain:
        members = [m for m in packed.infolist() if m.filename.endswith((".xml", ".rels"))]
        if sum(m.file_size for m in members) > held:
            raise Refused("file.too-large", f"more than {held:,} bytes when unpacked")
        for member in members:
            # zipfile reads at most the size in the archive's directory.
            content = packed.read(member)
            if "worksheets/" in member.filename:
                _measure(content, held, columns, records)
                content = _UNCOMPUTED.sub(_without_result, content)
            plain.writestr(member.filename, content)
    return whole.getvalue()


def _without_result(cell: re.Match[bytes]) -> bytes:
    """Return a formula's cell as the text :data:`NOT_COMPUTED`: an empty cell would be no value."""
    prefix, attributes = cell[1], _TYPE.sub(b"", cell[2])
    text = NOT_COMPUTED.encode()
    return b'<%sc%s t="str"><%sv>%s</%sv></%sc>' % (prefix, attributes, prefix, text, prefix, prefix)


def _measure(content: bytes, held: int, columns: int, records: int) -> None:
    """Refuse a sheet with too large an area; the library creates every cell up to the outermost ones."""
    width = height = 0
    for letters, number in _CELL.findall(content):
        width = max(width, _column(letters))
        height = max(height, int(number[:12]))
    if width > columns:
        raise Refused("file.too-many-columns", f"{width:,} columns")
    if height > records or width * height > held:
        raise Refused("file.too-large", f"a sheet of {height:,} rows and {width:,} columns")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters[:8]:
        number = number * 26 + letter - ord("A") + 1
    return number


def _parquet(data: bytes, _sheet: str, held: int, columns: int, records: int) -> pl.DataFrame:
    lazy = pl.scan_parquet(io.BytesIO(data))
    width, height = len(lazy.collect_schema()), lazy.select(pl.len()).collect().item()
    if width > columns:
        raise Refused("file.too-many-columns", f"{width:,} columns")
    if height > records or width * height > held:
        raise Refused("file.too-large", f"{height:,} rows and {width:,} columns")
    frame = pl.read_parquet(io.BytesIO(data))
    # As in a spreadsheet, the first row is the header.
    header = pl.DataFrame(
        {name: [name] for name in frame.columns}, schema=dict.fromkeys(frame.columns, pl.String)
    )
    told = [_told(name, dtype) for name, dtype in frame.schema.items()]
    return pl.concat([header, frame.select(told)])


def _told(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return a column as text; a list as its joined values, any other nested type as JSON."""
    column = pl.col(name)
    if dtype.is_float():
        # Append a zero to a number with three decimals: as text it may be a grouped whole number.
        return column.cast(pl.String).str.replace(_GROUPED, "${0}0")
    if isinstance(dtype, pl.Array):
        column, dtype = column.arr.to_list(), pl.List(dtype.inner)
    if isinstance(dtype, pl.List) and not dtype.inner.is_nested():  # pyright: ignore[reportAttributeAccessIssue]
        return column.list.eval(pl.element().cast(pl.String)).list.join("; ", ignore_nulls=True)
    if dtype.is_nested():
        return column.map_elements(_as_json, pl.String)
    if dtype == pl.Binary:
        return pl.when(column.is_not_null()).then(pl.lit("#BINARY!"))
    return column.cast(pl.String)


def _as_json(value: Any) -> str:
    plain = value.to_list() if isinstance(value, pl.Series) else value
    return json.dumps(plain, ensure_ascii=False, default=str)


def _table(data: bytes, kind: str, sheet: str, limits: tuple[int, int, int]) -> bytes:
    """Return a file's cells as Arrow.

    Raises:
        Refused: with the rule that the file breaks.
    """
    whole = io.BytesIO()
    try:
        read_it = {"xlsx": _spreadsheet, "parquet": _parquet}[kind]
        frame = read_it(data, sheet, *limits)
        text = pl.all().cast(pl.String).fill_null("").str.replace(_MIDNIGHT, "$1")
        if kind == "xlsx":
            from_1904 = marked(frame, DATE_1904) is not None
            day_0, time = (_DAY_0_1904, _TIME_1904) if from_1904 else (_DAY_0, _TIME)
            text = text.str.replace(day_0, "0").str.replace(time, "$1").str.replace(_FRACTION, "$1")
        frame.select(text).write_ipc_stream(whole)
    except Refused:
        raise
    except BaseException as broken:  # a panic of native code is no Exception
        rule = "file.truncated" if kind == "parquet" else "file.unreadable"
        rule = "file.too-large" if isinstance(broken, MemoryError) else rule
        raise Refused(rule, f"the reader gave up: {type(broken).__name__}") from None
    return whole.getvalue()


def _main(kind: str, sheet: str, *numbers: str) -> int:
    held, columns, records = map(int, numbers)
    data = sys.stdin.buffer.read()
    _confine(held)
    try:
        sys.stdout.buffer.write(_table(data, kind, sheet, (held, columns, records)))
    except Refused as refused:
        print(*refused.args, sep="\t", file=sys.stderr)
        return _REFUSED
    return 0


def _each(*numbers: str) -> int:
    """Read a file after the other, until there is none any more."""
    held, columns, records = map(int, numbers)
    _confine(held)
    while asked := sys.stdin.buffer.readline():
        of = json.loads(asked)
        data = sys.stdin.buffer.read(of["bytes"])
        told: dict[str, Any]
        try:
            content = _table(data, of["kind"], of["sheet"], (held, columns, records))
            told = {"bytes": len(content)}
        except Refused as refused:
            content = b""
            told = {"bytes": 0, "rule": refused.args[0], "detail": refused.args[1]}
        sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + content)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(_each(*sys.argv[2:]) if sys.argv[1] == _EACH else _main(*sys.argv[1:]))
