"""Collect the rows that a reader made, with their provenance, into received frames."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import polars as pl

from sarcoma_pipeline.sources.export_parts import CutExport
from sarcoma_pipeline.sources.value_account import Account
from schemas.configuration import DEFAULT_LIMITS, Limits
from schemas.received import PROVENANCE, Received, Unread


def digest(*parts: str | None) -> str:
    """Return a 128-bit hash of the parts, in hexadecimal; ("ab", "c") and ("a", "bc") differ."""
    text = "\x1f".join(["\x00" if p is None else p for p in parts])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


Row: TypeAlias = "dict[str, str | int | None]"
"""Column to the delivered value; a missing column is null."""

_PROVENANCE = frozenset(PROVENANCE)
_WHOLE_FILE = frozenset({"file", "name"})
"""Positions of notes about a file as a whole."""

COPY = "-"
"""Separator in a ``record_id`` before the number of a copy: the second of two equal records is ``<id>-2``."""

_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


class Stopped(Exception):
    """The rest of the file is not read.

    Attributes:
        position: where the reader stopped.
        rule_id: the file rule that is broken there.
        detail: description of the fault; never content.
    """

    def __init__(self, position: str, rule_id: str, detail: str) -> None:
        super().__init__(detail)
        self.position = position
        self.rule_id = rule_id
        self.detail = detail


@dataclass(frozen=True)
class SourceFile:
    """One version of one file in the drop folder.

    Attributes:
        file_id: hash of relative path, content and reader version.
        path: its current path.
        relative: its path below the drop folder, as findings name it.
        source: name of the source in ``sources.toml`` that reads it.
        centre: centre of the file, in a study with several centres.
        content: hash of the file's content; identifies the file in notes about it as a whole.
        known: hash of a patient in an earlier export of this source and reader to its number of records. A
            reader that cuts its files need not read such a patient.
    """

    file_id: str
    path: Path
    relative: str
    source: str = ""
    centre: str = ""
    content: str = ""
    known: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)


_Entry: TypeAlias = "tuple[Row, Sequence[str | None], frozenset[str]]"
"""One record as the reader gave it, before it has an id; its key; columns that are no part of its content."""


@dataclass
class Batch:
    """Collects the records of one file and the notes about its unreadable parts.

    Attributes:
        by_library: number of DICOM objects that pydicom parsed because they are not ordinary.
        cut: the patients into which the file was cut; None if it was read as a whole.
        seen: size and time of modification of the open file after it was read, if its reader looked.
    """

    file: SourceFile
    refresh: str
    limits: Limits = DEFAULT_LIMITS
    account: Account = field(default_factory=Account)
    by_library: int = 0
    cut: CutExport | None = None
    seen: tuple[int, int] | None = None
    _entries: dict[type[Received], list[_Entry]] = field(default_factory=dict)
    _count: int = 0

    def add(
        self,
        contract: type[Received],
        position: str,
        key: Sequence[str | None],
        values: Mapping[str, str | None],
        unhashed: frozenset[str] = frozenset(),
    ) -> Row:
        """Add one record.

        Args:
            contract: the received table it belongs to.
            position: position in the file.
            key: the business key; a record without one (all parts missing) is identified by source and
                content.
            values: delivered column to text; blank text becomes null.
            unhashed: columns that are no part of the content (export dates, file meta information).

        Returns:
            The row, to which a reader may add later values; its ids are made after everything was read.

        Raises:
            Stopped: the file has more records than a file may have.
        """
        if self._count >= self.limits.records:
            raise Stopped(position, "file.too-large", f"more than {self.limits.records:,} records")
        return self._add(contract, position, key, values, unhashed)

    def note(self, position: str, rule_id: str, detail: str) -> None:
        """The same as :meth:`unread`, also if the file has as many records as it may have."""
        self._add(Unread, position, (), {"rule_id": rule_id, "detail": detail})

    def _add(
        self,
        contract: type[Received],
        position: str,
        key: Sequence[str | None],
        values: Mapping[str, str | None],
        unhashed: frozenset[str] = frozenset(),
    ) -> Row:
        self._count += 1
        row: Row = {k: v for k, v in values.items() if v is not None and v.strip()}
        row["position"] = position
        row["ordinal"] = self._count
        self._entries.setdefault(contract, []).append((row, key, unhashed))
        return row

    def discard(self) -> None:
        """Discard all records: the file has a format that is not read, or is read in another way."""
        self._entries.clear()
        self._count = 0
        self.account = Account()
        self.cut = None

    def skip(self, records: int) -> None:
        """Leave out the ordinals of records that are taken over from an earlier export."""
        self._count += records

    def unread(self, position: str, rule_id: str, detail: str) -> None:
        """Note a part of the file that could not be read as a record; ``detail`` must not quote content."""
        self.add(Unread, position, (), {"rule_id": rule_id, "detail": detail})

    def guarded(self) -> _Guard:
        """Return a context that turns any exception of a reader into a note; records read before it are kept.

        A file without a record and without a note gets a note. The note of an exception names its type, never
        its text, which may quote a patient's values.
        """
        return _Guard(self)

    @property
    def count(self) -> int:
        """Number of records of the file, with those that could not be read."""
        return self._count

    @property
    def rows(self) -> Mapping[type[Received], list[Row]]:
        """Contract to rows with their ids; :func:`frames` numbers copies."""
        return {
            contract: [self._named(contract, entry) for entry in entries]
            for contract, entries in self._entries.items()
        }

    def _named(self, contract: type[Received], entry: _Entry) -> Row:
        """Give a record its ids, made from source, key and content.

        Neither an inserted line nor a new file name changes them. If a record has no key, its id is its key.
        """
        (row, key, unhashed), table, file = entry, contract.table(), self.file
        said = {k: v for k, v in row.items() if k not in unhashed and k not in _PROVENANCE}
        content = digest(table, _canonical(said))
        record_key = digest(table, *key) if any(key) else ""
        # A note about a file as a whole has no content of its own; without the file's hash, all empty files
        # would get the same id.
        about = file.content if contract is Unread and row["position"] in _WHOLE_FILE else ""
        row["record_id"] = digest(file.centre, file.source, record_key, content, about)
        row["record_key"] = record_key or row["record_id"]
        row["content_hash"] = content
        row["file_id"] = file.file_id
        row["first_refresh"] = self.refresh
        return row

    def frames(self) -> dict[str, pl.DataFrame]:
        """Return received table to frame, as in its contract; only tables with rows."""
        return frames([self])


class _Guard:
    """The context of :meth:`Batch.guarded`; a class, because a generator costs more than reading its file."""

    __slots__ = ("_batch",)

    def __init__(self, batch: Batch) -> None:
        self._batch = batch

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, broken: BaseException | None, trace: object) -> bool:
        batch = self._batch
        if broken is None:
            if not batch.count:
                batch.note("file", "file.empty", "no record in it")
        elif isinstance(broken, Stopped):
            batch.note(broken.position, broken.rule_id, broken.detail)
        elif isinstance(broken, OSError):
            batch.note("file", "file.unreadable", f"cannot be opened: {type(broken).__name__}")
        elif isinstance(broken, Exception):
            batch.note("file", "file.unreadable", f"the reader gave up: {type(broken).__name__}")
        else:
            return False
        return True


def frames(batches: Iterable[Batch], *, numbered: bool = True) -> dict[str, pl.DataFrame]:
    """Return received table to frame for the records of several files, as in its contract.

    Records of one source with equal key and content are numbered by path and position of their files.
    :mod:`sarcoma_pipeline.warehouse.record_copies` does the same across all files of a warehouse.

    Args:
        batches: records of the files.
        numbered: whether to number copies; not for a part of a delivery.

    Raises:
        KeyError: a reader gave a column that is not in its contract.
    """
    gathered: dict[type[Received], list[Row]] = {}
    placed: list[tuple[str, Row]] = []
    for batch in batches:
        for contract, rows in batch.rows.items():
            gathered.setdefault(contract, []).extend(rows)
            if numbered:
                placed += ((batch.file.relative, row) for row in rows)
    if numbered:
        _number_copies(placed)
    made = {}
    for contract, rows in gathered.items():
        schema = contract.polars_schema()
        given = set().union(*rows)
        if stray := given - set(schema):
            raise KeyError(f"{contract.table()} has no columns {sorted(stray)}")
        made[contract.table()] = pl.DataFrame(
            {
                name: [row.get(name) for row in rows] if name in given else [None] * len(rows)
                for name in schema
            },
            schema=schema,
        )
    return made


def _number_copies(placed: list[tuple[str, Row]]) -> None:
    times: Counter[str] = Counter()
    for _, row in sorted(placed, key=lambda one: (one[0], one[1]["ordinal"])):
        name = str(row["record_id"])
        times[name] += 1
        if times[name] > 1:
            keyless = row["record_key"] == name
            row["record_id"] = f"{name}{COPY}{times[name]}"
            row["record_key"] = row["record_id"] if keyless else row["record_key"]
