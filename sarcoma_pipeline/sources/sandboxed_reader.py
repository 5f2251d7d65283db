"""Reads spreadsheets and Parquet files in a sandboxed process with limited memory and time.

The libraries are native code: a small file with a distant cell, a long run or a wrong length makes them
request more memory than there is, and the failed allocation ends the process. The process therefore runs
alone (``python -I sandboxed_reader.py FORMAT SHEET HELD COLUMNS RECORDS``) and cannot write files. It reads
the file from standard input and writes the table as Arrow to standard output. A fault is ``rule<TAB>detail``
in the last line of standard error, with exit code 3.
"""

from __future__ import annotations

import io
import os
import re
import resource
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl

_REFUSED = 3
_PROGRAM_BYTES = 3 * 1024**3
"""Address space that the interpreter and its libraries map."""
_GROWTH = 4
"""Copies of the content in memory: compressed, decompressed, parsed, returned."""
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
        Every cell as text; missing cells are empty.

    Raises:
        Refused: with the rule that the file breaks.
    """
    words = [sys.executable, "-I", str(Path(__file__)), kind, sheet or "", *map(str, limits)]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    try:
        done = subprocess.run(words, input=data, capture_output=True, timeout=seconds, env=environment)
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

    loaded = fastexcel.read_excel(_unpacked(data, held, columns, records))
    return pl.DataFrame(loaded.load_sheet(sheet or 0, dtypes="string").to_arrow())


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
            plain.writestr(member.filename, content)
    return whole.getvalue()


def _measure(content: bytes, held: int, columns: int, records: int) -> None:
    """Refuse a sheet whose outermost cells span too large a table: the library creates every cell between."""
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
    return pl.read_parquet(io.BytesIO(data))


def _main(kind: str, sheet: str, *numbers: str) -> int:
    held, columns, records = map(int, numbers)
    data = sys.stdin.buffer.read()
    _confine(held)
    try:
        read_it = {"xlsx": _spreadsheet, "parquet": _parquet}[kind]
        frame = read_it(data, sheet, held, columns, records)
        frame.select(pl.all().cast(pl.String).fill_null("")).write_ipc_stream(sys.stdout.buffer)
    except Refused as refused:
        print(*refused.args, sep="\t", file=sys.stderr)
    except BaseException as broken:  # a panic of native code is no Exception
        rule = "file.truncated" if kind == "parquet" else "file.unreadable"
        rule = "file.too-large" if isinstance(broken, MemoryError) else rule
        print(rule, f"the reader gave up: {type(broken).__name__}", sep="\t", file=sys.stderr)
    else:
        return 0
    return _REFUSED


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
